from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapps.orchestrator.proof import doubted
from rapps.orchestrator.task import Task
from training.orchestrator import entries
from training.orchestrator.evaluation import Answer, refused
from training.orchestrator.proved_entry import ProvedEntry
from training.orchestrator.proving import SEED
from training.orchestrator.tasks.generator import draw
from training.orchestrator.twin_pool import TwinPool
from twin.link.evaluate import evaluate
from twin.link.qos import Tier
from twin.link.reward import decades, deviations, satisfied

SIZED = {"prbs", "tx_power_dbm"}


@dataclass(frozen=True)
class Shy:
    """Refuses the first task and answers the others as another entry does."""

    name: str = "shy"

    def __call__(self, tasks: Sequence[Task], /) -> tuple[Answer, ...]:
        first, *rest = entries.make("sized:4")(tasks)
        return (refused("shy", first.seconds), *rest)


def test_plans_keep_their_modules_and_meet_their_demands_at_t1() -> None:
    tasks = [draw(seed) for seed in range(40, 46)]
    before = Shy()(tasks)
    with TwinPool(workers=0) as pool:
        entry = ProvedEntry(Shy(), pool)
        after = entry(tasks)
    assert entry.name == "shy, proved"
    assert after[0].refusal == "shy"
    met = []
    for task, old, new in zip(tasks, before, after, strict=True):
        if old.plan is None or new.plan is None:
            assert old.plan == new.plan
            continue
        told, kept = (plan.link_chain.model_dump() for plan in (new.plan, old.plan))
        assert {name for name in told if told[name] != kept[name]} <= SIZED
        assert new.plan.slice_policy == old.plan.slice_policy
        qos = evaluate(new.plan, task.equipment, Tier.T1, seed=SEED).qos
        errors = deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, task.demand)
        met.append(satisfied(doubted(errors, decades(qos.ber, qos.ber_high))))
    assert len(met) >= 3
    assert np.mean(met) > 0.6


def test_tasks_without_a_demand_are_left_alone() -> None:
    task = Task(text=draw(40).text, equipment=draw(40).equipment)
    with TwinPool(workers=0) as pool:
        (answer,) = ProvedEntry(entries.make("sized:1"), pool)([task])
    assert answer.plan is None
    assert answer.refusal is not None
