"""Link chains: a slice follows its rate curve, and exchanging the curve at run time moves its KPIs."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.network_cases import CURVE, SMALL, play, spread, static
from twin.network.curve import RateCurve
from twin.network.errors import ScenarioError
from twin.network.kpis import Kpis
from twin.network.links import Links, with_link
from twin.network.network import State, merge, reset, step
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario

SLICES = torch.tensor([0, 1, 2])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"snr_db": (0.0,), "efficiency": (1.0,), "bler": (0.0,)}, "1 points"),
        ({"snr_db": (0.0, 0.0, 1.0)}, "grow"),
        ({"efficiency": (1.0, 1.0)}, "efficiency has 2 points"),
        ({"bler": (0.0, 0.5, 1.5)}, "bler holds 1.5"),
        ({"efficiency": (0.0, float("nan"), 1.0)}, "efficiency holds nan"),
        ({"delay_s": -1.0}, "delay_s is -1"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        replace(CURVE, **changes)


levels = st.lists(st.floats(-40, 60), min_size=2, max_size=12, unique=True).map(sorted)


@given(levels, st.data())
def test_the_grid_follows_the_curve(snr_db: list[float], data: st.DataObject) -> None:
    columns = [data.draw(st.tuples(*[st.floats(0, high)] * len(snr_db))) for high in (8.0, 1.0)]
    curve = RateCurve(snr_db=tuple(snr_db), efficiency=columns[0], bler=columns[1])
    links = Links.none(3, torch.device("cpu")).with_curve(1, curve)
    grid = torch.linspace(-39.9, 59.9, 37)
    place = (grid * 10).round() / 10  # on the grid nothing is lost
    got = torch.stack(
        [links.at(links.efficiency, SLICES, torch.full((1, 3), level))[0] for level in place.tolist()]
    )
    assert (got[:, 0] == 0).all()
    for level, value in zip(place.tolist(), got[:, 1].tolist(), strict=True):
        assert value == pytest.approx(curve.at(curve.efficiency, level), abs=0.02 + 1e-3 * abs(level))


def test_a_scenario_with_a_curve_survives_json() -> None:
    scenario = SMALL.with_(slices=(replace(EMBB, link=CURVE), URLLC, MMTC))
    assert Scenario.from_json(scenario.to_json()) == scenario
    broken = json.loads(scenario.to_json())
    broken["slices"][0]["link"]["bler"] = [2.0, 0.0, 0.0]
    with pytest.raises(ScenarioError, match="bler holds 2"):
        Scenario.from_json(json.dumps(broken))


def lone(curve: RateCurve | None, mean_bps: float = 500e6) -> Scenario:
    """One greedy UE in one cell, standing still, with little fading."""
    item = replace(
        EMBB, mean_bps=mean_bps, unit_bit=1e5, buffer_bit=1e9, burst_gain=1.0, speed_mps=(0.0, 0.0), link=curve
    )
    return Scenario(cells=1, ues=1, slices=(item,), load_factor=1.0, fading_branches=64)


def flat(efficiency: float, bler: float, delay_s: float | None = None) -> RateCurve:
    return RateCurve(snr_db=(-40.0, 60.0), efficiency=(efficiency,) * 2, bler=(bler,) * 2, delay_s=delay_s)


@pytest.mark.parametrize(("efficiency", "bler"), [(1.0, 0.0), (4.5, 0.2), (0.3, 0.9)])
def test_a_full_cell_carries_what_the_curve_says(efficiency: float, bler: float) -> None:
    scenario = lone(flat(efficiency, bler))
    _, history = play(scenario, 6, seeds=(3,))
    expected = efficiency * (1 - bler) * scenario.symbol_rate_hz * scenario.prbs * scenario.step_s
    assert history[-1].delivered_bit.item() == pytest.approx(expected, rel=1e-5)
    assert history[-1].prb_used.item() == pytest.approx(scenario.prbs)


def test_the_chains_delay_replaces_the_scenarios() -> None:
    delays = {}
    for delay_s in (None, 0.001, 0.02):
        _, history = play(lone(flat(4.0, 0.0, delay_s), mean_bps=1e5), 30, seeds=(3,))
        busy = [k for k in history if k.delivered_bit.item() > 0]
        delays[delay_s] = torch.stack([k.delay_s for k in busy]).mean().item()
    assert delays[0.02] - delays[0.001] == pytest.approx(0.019, abs=1e-6)
    assert delays[None] - delays[0.001] == pytest.approx(SMALL.base_delay_s - 0.001, abs=1e-6)


def run_on(scenario: Scenario, state: State, steps: int) -> tuple[State, list[Kpis]]:
    history = []
    for _ in range(steps):
        state, kpis = step(scenario, state, static(scenario, len(state.seed)))
        history.append(kpis)
    return state, history


def test_exchanging_a_chain_at_run_time_moves_that_slices_kpis() -> None:
    """A chain of a tenth of the rate: its slice needs more PRBs per bit from then on, until it is taken back."""
    scenario = SMALL.with_(ues=60, load_factor=0.7)
    state, _ = play(scenario, 20, seeds=(1, 2, 3))
    usual, slow = run_on(scenario, state, 20), run_on(scenario, with_link(state, 0, flat(0.3, 0.0)), 20)

    def per_prb(history: list[Kpis], index: int) -> float:
        delivered = sum(k.delivered_bit[..., index].sum() for k in history)
        return (delivered / sum(k.prb_used[..., index].sum() for k in history)).item()

    assert per_prb(slow[1], 0) == pytest.approx(0.3 * scenario.symbol_rate_hz * scenario.step_s, rel=1e-4)
    assert per_prb(slow[1], 0) < 0.3 * per_prb(usual[1], 0)
    assert per_prb(slow[1], 2) == pytest.approx(per_prb(usual[1], 2), rel=0.25)
    back = run_on(scenario, with_link(slow[0], 0, None), 20)[1]
    assert per_prb(back, 0) > 2 * per_prb(slow[1], 0)


def test_a_chain_taken_back_at_once_never_was() -> None:
    state, _ = play(SMALL, 5)
    there_and_back = with_link(with_link(state, 1, CURVE), 1, None)
    plain, same = run_on(SMALL, state, 3)[1][-1], run_on(SMALL, there_and_back, 3)[1][-1]
    assert torch.equal(plain.ue.delivered_bit, same.ue.delivered_bit)
    assert torch.equal(plain.prb_used, same.prb_used)


def test_a_chain_that_needs_more_sinr_starves_ues_far_away() -> None:
    demanding = RateCurve(snr_db=(24.9, 25.0), efficiency=(5.0, 5.0), bler=(1.0, 0.0))
    scenario = SMALL.with_(ues=60, load_factor=0.5, fading_branches=64)  # no lucky substeps
    state, _ = play(scenario, 5, seeds=(1, 2, 3))
    _, history = run_on(scenario, with_link(state, 0, demanding), 20)
    embb = history[-1].ue.slice == 0
    level = torch.stack([k.ue.sinr_db for k in history]).amax(dim=0)
    got = torch.stack([k.ue.delivered_bit for k in history]).sum(dim=0)
    far, near = embb & (level < 20), embb & (level > 30)
    assert far.any()
    assert near.any()
    assert (got[far] == 0).all()
    assert (got[near] > 0).any()


def test_a_slice_that_is_not_there_is_refused() -> None:
    state = reset(SMALL, torch.tensor([1]))
    for index in (-1, 3):
        with pytest.raises(IndexError, match="not one of 3"):
            with_link(state, index, CURVE)


def test_merging_keeps_the_chains_of_the_network_that_goes_on() -> None:
    old = with_link(play(SMALL, 2)[0], 0, CURVE)
    merged = merge(torch.tensor([True, False]), reset(SMALL, torch.tensor([1, 2])), old)
    assert merged.links is not None
    assert merged.links.curved.tolist() == [1, 0, 0]


def test_ues_out_of_a_chains_reach_leave_the_others_their_prbs() -> None:
    demanding = RateCurve(snr_db=(24.9, 25.0), efficiency=(5.0, 5.0), bler=(1.0, 0.0))
    scenario = SMALL.with_(ues=60, load_factor=4.0)
    state, _ = play(scenario, 5, seeds=(1, 2, 3))
    caps = np.array([[0.0, 40.0, 40.0], [0.0, 30.0, 30.0], [0.0, 30.0, 30.0]])
    ratios = spread(caps, scenario, 3)
    state = with_link(state, 0, demanding)
    busiest = torch.zeros(3, dtype=torch.float64)
    for _ in range(15):
        state, kpis = step(scenario, state, ratios)
        assert (kpis.prb_used <= torch.as_tensor(caps[:, 2]) * scenario.prbs / 100 + 1e-6).all()
        busiest = torch.maximum(busiest, kpis.prb_used.amax((0, 1)))
    assert (busiest > 0.9 * torch.as_tensor(caps[:, 2]) * scenario.prbs / 100).all()
