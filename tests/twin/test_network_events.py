"""What happens to a network: UEs come and go, cells fail, and new ratios cost."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from oran.slices import static_ratios
from tests.twin.network_cases import SMALL, calm, play, spread, static
from twin.network import sessions
from twin.network.errors import ScenarioError
from twin.network.network import reset, step
from twin.network.scenario import EMBB, MMTC, URLLC, Outage, Scenario

SEEDS = torch.arange(32)


def presence(on_s: float, off_s: float, steps: int, **changes: object) -> torch.Tensor:
    scenario = SMALL.with_(slices=(replace(EMBB, session_s=(on_s, off_s)), URLLC, MMTC), **changes)
    there = sessions.start(scenario, SEEDS)
    rows = [there]
    for number in range(1, steps):
        there = sessions.step(scenario, there, SEEDS, torch.full_like(SEEDS, number))
        rows.append(there)
    return torch.stack([row for row in rows if row is not None])


def test_ues_are_there_as_often_as_their_mean_times_say() -> None:
    there = presence(3.0, 1.0, 600)
    embb = SMALL.ue_counts()[0]
    assert ((there == 0) | (there == 1)).all()
    assert there[..., :embb].mean().item() == pytest.approx(0.75, abs=0.02)
    assert there[0, :, :embb].mean().item() == pytest.approx(0.75, abs=0.1)
    assert (there[..., embb:] == 1).all()


def test_sessions_last_their_mean_time() -> None:
    """Seen every 0.1 s, UEs leave at a rate of one in 3 s, less those who came back at once."""
    there = presence(3.0, 1.0, 600)[..., : SMALL.ue_counts()[0]]
    left = ((there[:-1] == 1) & (there[1:] == 0)).sum() / (there[:-1] == 1).sum()
    expected = 0.25 * (1 - np.exp(-0.1 * (1 / 3 + 1)))
    assert left.item() == pytest.approx(expected, rel=0.06)


def test_nobody_comes_or_goes_unless_asked() -> None:
    assert sessions.start(SMALL, SEEDS) is None
    assert play(SMALL, 2)[0].present is None


def test_a_ue_gone_asks_for_nothing_and_is_not_attached() -> None:
    always = calm(ues=60, load_factor=1.0)
    slices = tuple(replace(item, session_s=(0.4, 0.4)) for item in always.slices)
    state = reset(always.with_(slices=slices), SEEDS[:4])
    for _ in range(20):
        state, kpis = step(always.with_(slices=slices), state, static(always, 4))
        assert state.present is not None
        gone = state.present == 0
        assert gone.any()
        assert (kpis.ue.arrived_bit[gone] == 0).all()
        assert torch.equal(kpis.attached_ues.sum((1, 2)), state.present.sum(1))


def test_who_is_there_does_not_depend_on_the_policy() -> None:
    scenario = SMALL.with_(slices=tuple(replace(item, session_s=(0.5, 0.5)) for item in SMALL.slices))
    other = spread(np.array([[0.0, 80.0, 80.0], [0.0, 10.0, 10.0], [0.0, 10.0, 10.0]]), scenario, 2)
    one, two = play(scenario, 10)[0], play(scenario, 10, ratios=other)[0]
    assert one.present is not None
    assert two.present is not None
    assert torch.equal(one.present, two.present)


OFF = Outage(cell=1, start_s=1.0, end_s=2.0)


def test_a_cell_that_is_off_serves_nobody_and_comes_back() -> None:
    scenario = SMALL.with_(ues=60, load_factor=1.0, outages=(OFF,))
    _, history = play(scenario, 40)
    for number, kpis in enumerate(history):
        off = 10 <= number < 20
        assert (kpis.prb_available[:, 1] == (0 if off else scenario.prbs)).all()
        assert (kpis.prb_available[:, [0, 2]] == scenario.prbs).all()
        if off:
            assert (kpis.ue.serving_cell != 1).all(), "its UEs hand over at once"
            assert (kpis.prb_used[:, 1] == 0).all()
            assert (kpis.delivered_bit[:, 1] == 0).all()
    assert (history[9].ue.serving_cell == 1).any()
    assert (history[-1].ue.serving_cell == 1).any(), "UEs return once it is back"


def test_an_outage_hurts_its_neighbours_and_leaves_the_past_alone() -> None:
    plain, hit = (play(calm(ues=60, load_factor=1.5, outages=outages), 20)[1] for outages in ((), (OFF,)))
    for before, after in zip(plain[:10], hit[:10], strict=True):
        assert torch.equal(before.delivered_bit, after.delivered_bit)
    lost = [sum(k.dropped_bit.sum() for k in history[12:20]) for history in (plain, hit)]
    assert lost[1] > lost[0]
    assert sum(k.ue.sinr_db.mean() for k in hit[12:]) < sum(k.ue.sinr_db.mean() for k in plain[12:])


def test_with_all_cells_off_everyone_starves() -> None:
    outages = tuple(Outage(cell=cell, start_s=0.5, end_s=1.0) for cell in range(3))
    _, history = play(SMALL.with_(outages=outages), 12)
    assert all((kpis.delivered_bit == 0).all() for kpis in history[5:10])
    assert all((kpis.prb_used == 0).all() for kpis in history[5:10])
    assert history[-1].delivered_bit.sum() > 0


@pytest.mark.parametrize(
    ("outage", "words"),
    [({"cell": 9}, "cell is 9"), ({"end_s": 0.5}, "end_s is 0.5"), ({"start_s": -1.0}, "start_s is -1")],
)
def test_an_outage_that_cannot_be_is_refused(outage: dict[str, float], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        SMALL.with_(outages=(replace(OFF, **outage),))


def test_outages_survive_json() -> None:
    scenario = SMALL.with_(outages=(OFF, replace(OFF, cell=2)))
    assert Scenario.from_json(scenario.to_json()) == scenario


def switching(loss: float, change: float, **changes: object) -> list[list[float]]:
    """Share of two cells' PRBs used in each step of a full network; one's ratios change from the fourth on."""
    scenario = calm(load_factor=20.0, reconfiguration_loss=loss, **changes)
    state = reset(scenario, torch.tensor([1, 2]))
    shares = []
    for number in range(8):
        ratios = torch.as_tensor(static_ratios(3)).repeat(2, 3, 1, 1)
        if number >= 3:
            ratios[:, 0, 0, 1] -= change * (number % 2)
        state, kpis = step(scenario, state, ratios)
        shares.append((kpis.prb_used.sum(-1) / scenario.prbs)[:, :2].mean(0).tolist())
    return shares


def test_new_ratios_cost_prbs_in_their_cell_only() -> None:
    """A pause of one of ten substeps leaves 90 % of the PRBs; the first ratios of all are free."""
    paused = switching(1.0, 10.0)
    assert paused[:3] == switching(0.0, 10.0)[:3]
    for changed, kept in paused[3:]:
        assert changed == pytest.approx(0.9, abs=0.02)
        assert kept == pytest.approx(1.0, abs=0.02)
    half = switching(0.5, 10.0, reconfiguration_s=0.04)
    assert half[-1][0] == pytest.approx(0.8, abs=0.02)


def test_small_changes_and_costs_switched_off_are_free() -> None:
    for used in (switching(1.0, 4.0), switching(0.0, 30.0)):
        assert used[-1][0] == pytest.approx(1.0, abs=0.02)
    assert switching(1.0, 4.0, reconfiguration_threshold_percent=3.0)[-1][0] == pytest.approx(0.9, abs=0.02)
