"""The held-out split is frozen, broad, and says what it stands for."""

from collections import Counter
from hashlib import sha256

from training.orchestrator.tasks import equipment, heldout
from twin.link.demand import Demand

SHA256 = "b4c23678f29720ac78655dc46851294b276155e434137516a75b6e1ca1338491"


def test_held_out_frozen_before_the_generator() -> None:
    assert sha256(heldout.FILE.read_bytes()).hexdigest() == SHA256, "the held-out wordings must never change"


def test_the_split_is_broad() -> None:
    wordings = heldout.wordings()
    assert len({wording.text.lower() for wording in wordings}) == len(wordings)
    each = Counter(wording.service for wording in wordings)
    assert len(each) >= 40
    assert min(each.values()) >= 6
    assert len({wording.vertical for wording in wordings}) >= 12
    explicit = sum(wording.explicit for wording in wordings)
    assert min(explicit, len(wordings) - explicit) >= len(wordings) / 4


def test_a_wording_that_leaves_a_number_open_means_what_its_service_means() -> None:
    meant = {wording.text: wording for wording in heldout.wordings()}
    stated = next(wording for text, wording in meant.items() if text.startswith("cooperative ramp merging"))
    assert stated.explicit
    assert stated.demand == Demand(max_delay_s=0.01, min_throughput_bps=3e6, max_ber=1e-5)
    partly = meant["show swarm, position every 20 ms"]
    assert not partly.explicit
    assert partly.demand == Demand(max_delay_s=0.02, min_throughput_bps=5e5, max_ber=1e-6)


def test_the_split_is_on_equipment_that_no_training_sees() -> None:
    tasks = heldout.tasks(2)
    assert len(tasks) == 2 * len(heldout.wordings())
    assert all(equipment.is_unseen(task.equipment) for task in tasks)
    assert heldout.tasks(2) == tasks
    assert tasks[0].equipment != tasks[1].equipment
