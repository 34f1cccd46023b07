"""Mobility beyond waypoints: cars on a road, and UEs that follow the path of a trace."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.network_cases import SMALL, play, static
from twin.network import layout, mobility
from twin.network.errors import ScenarioError
from twin.network.network import reset, step
from twin.network.scenario import EMBB, MMTC, URLLC
from twin.network.trace import Trace, parse_trace

SEEDS = torch.arange(8)
CARS = SMALL.with_(
    cells=6,
    ues=60,
    slices=(replace(EMBB, mobility="highway", speed_mps=(25.0, 40.0)), URLLC, MMTC),
    highway_lanes=6,
)
COUNT = CARS.ue_counts()[0]


def driven(steps: int) -> list[tuple[mobility.Walkers, torch.Tensor]]:
    walkers = mobility.start(CARS, SEEDS)
    history = [(walkers, torch.zeros(8, 60))]
    for number in range(1, steps):
        walkers, moved = mobility.walk(CARS, walkers, SEEDS, torch.full_like(SEEDS, number))
        history.append((walkers, moved))
    return history


def test_cars_keep_lane_and_speed_and_wrap_around() -> None:
    low, high = layout.area(CARS)
    entered = 0
    for (before, _), (after, moved) in zip(driven(200), driven(200)[1:], strict=False):
        old, new = before.position_m[:, :COUNT], after.position_m[:, :COUNT]
        assert torch.equal(old[..., 1], new[..., 1])
        reach = after.speed_mps[:, :COUNT] * CARS.step_s
        another = torch.isinf(moved[:, :COUNT])
        entered += int(another.sum())
        assert torch.allclose((new - old)[..., 0].abs()[~another], reach[~another], atol=0.01)
        assert torch.allclose(moved[:, :COUNT][~another], reach[~another], atol=0.01)
        edge = torch.minimum(new[..., 0] - low[0], high[0] - new[..., 0])
        assert (edge[another] <= reach[another] + 0.01).all(), "the next car enters at the other end"
    assert entered > 40


def test_lanes_lie_side_by_side_and_half_run_each_way() -> None:
    first, later = (item[0].position_m[:, :COUNT] for item in (driven(2)[0], driven(2)[1]))
    middle = layout.area(CARS)[:, 1].mean()
    lanes = ((first[..., 1] - middle) / CARS.lane_width_m + 2.5).round()
    assert set(lanes.flatten().tolist()) == {0, 1, 2, 3, 4, 5}
    ahead = (later - first)[..., 0]
    forth = ahead[(lanes < 3) & (ahead.abs() < 10)]
    back = ahead[(lanes >= 3) & (ahead.abs() < 10)]
    assert (forth > 0).all()
    assert (back < 0).all()


def test_other_slices_walk_as_without_cars() -> None:
    plain = CARS.with_(slices=(EMBB, URLLC, MMTC))
    walkers, cars = mobility.start(plain, SEEDS), mobility.start(CARS, SEEDS)
    assert torch.equal(walkers.position_m[:, COUNT:], cars.position_m[:, COUNT:])
    assert not torch.equal(walkers.position_m[:, :COUNT], cars.position_m[:, :COUNT])


def test_cars_hand_over_along_the_road() -> None:
    _, history = play(CARS, 60)
    cells = torch.stack([kpis.ue.serving_cell[:, :COUNT] for kpis in history])
    assert (cells.diff(dim=0) != 0).sum() > 3 * COUNT


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_folding_reflects_at_the_borders(x: float, y: float) -> None:
    low, high = layout.area(CARS)
    place = torch.tensor([x, y])
    folded = layout.fold(CARS, place)
    assert (folded >= low - 0.01).all()
    assert (folded <= high + 0.01).all()
    if (place >= low).all() and (place <= high).all():
        assert torch.allclose(folded, place, atol=0.01)
    over = torch.maximum(place - high, torch.zeros(2))
    if (over < high - low).all() and (place >= low).all():
        assert torch.allclose(folded[over > 0], (high - over)[over > 0], atol=0.05)


HEAD = "Timestamp,Speed,SNR,DL_bitrate,Longitude,Latitude\n"
WAY = HEAD + "".join(
    f"2020.02.14_09.38.{second:02d},36,10,1000,{-8.49 + 1e-4 * second:.6f},{51.89 + 1e-4 * second:.6f}\n"
    for second in range(10, 40)
)


def test_longitude_and_latitude_become_metres() -> None:
    place = parse_trace(WAY).position_m
    assert place is not None
    assert place.shape == (30, 2)
    assert place[0].tolist() == [0, 0]
    degree_m = 6_371_000 * math.pi / 180
    assert place[10, 1] == pytest.approx(1e-3 * degree_m, rel=1e-6)
    assert place[10, 0] == pytest.approx(1e-3 * degree_m * math.cos(math.radians(51.891)), rel=1e-4)


def test_a_trace_without_places_has_no_path() -> None:
    assert parse_trace(WAY.replace("Longitude", "Elsewhere")).position_m is None
    assert parse_trace(HEAD + "2020.02.14_09.38.22,1,1,1,-,-\n2020.02.14_09.38.25,1,1,1,,\n").position_m is None


FOLLOWING = SMALL.with_(
    slices=(replace(EMBB, mobility="trace"), URLLC, MMTC), trace_links=False, inter_site_distance_m=2000.0
)


def test_ues_follow_the_path_of_the_trace_from_where_they_live() -> None:
    path = np.stack((12.0 * np.arange(100.0), np.zeros(100)), axis=-1)
    trace = Trace(np.full(100, 10.0), np.full(100, 12.0), np.zeros(100), "", path)
    state = reset(FOLLOWING, torch.tensor([1, 2]), trace=trace)
    assert state.drive is not None
    began = state.walkers.position_m.clone()
    for _ in range(30):
        state, _ = step(FOLLOWING, state, static(FOLLOWING, 2))
    gone = state.walkers.position_m - began
    embb = slice(0, FOLLOWING.ue_counts()[0])
    _, high = layout.area(FOLLOWING)
    inside = (state.drive.offset_s[:, embb] < 95) & (began[:, embb, 0] + 40 < high[0])
    assert inside.any()
    assert torch.allclose(gone[:, embb][inside], torch.tensor([36.0, 0.0]), atol=0.1)
    assert not torch.allclose(gone[:, -1], torch.tensor([36.0, 0.0]), atol=1.0)


def test_a_path_needs_a_trace_that_has_one() -> None:
    for trace in (None, Trace(np.zeros(5), np.zeros(5), np.zeros(5))):
        with pytest.raises(ScenarioError, match="trace with positions"):
            reset(FOLLOWING, torch.tensor([1]), trace=trace)


def test_links_need_not_follow_the_trace() -> None:
    trace = parse_trace(WAY)
    sinr = {}
    for follows in (False, True):
        scenario = FOLLOWING.with_(trace_links=follows, fading_branches=64)
        state = reset(scenario, torch.tensor([1]), trace=trace)
        state, kpis = step(scenario, state, static(scenario, 1))
        sinr[follows] = kpis.ue.sinr_db
    assert sinr[True].std() < 1.0
    assert sinr[False].std() > 5.0
