"""The network as a whole: conservation, policies kept, determinism, and the way KPIs follow the load."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from oran import kpi
from oran.slices import hard_ratios
from tests.twin.network_cases import EVERYTHING, SMALL, calm, play, spread, static
from twin.network import network
from twin.network.kpis import Kpis, UeKpis, slice_kpis, ue_kpis
from twin.network.links import Links
from twin.network.network import State, merge, reset, step
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario


def assert_same(one: object, other: object, rows: slice) -> None:
    """Bitwise equality of `one` with the given environments of `other`, NaN equal to NaN."""
    if isinstance(one, torch.Tensor):
        assert isinstance(other, torch.Tensor)
        assert torch.equal(torch.nan_to_num(one, nan=-7.0), torch.nan_to_num(other[rows], nan=-7.0))
    elif isinstance(one, tuple):
        assert isinstance(other, tuple)
        for pair in zip(one, other, strict=True):
            assert_same(*pair, rows)
    elif one is not None:
        rows = slice(None) if isinstance(one, Links) else rows  # curves belong to all environments
        for item in fields(one):  # type: ignore[arg-type]
            assert_same(getattr(one, item.name), getattr(other, item.name), rows)


def test_shapes_and_types() -> None:
    _, (kpis,) = play(SMALL, 1)
    for item in fields(Kpis):
        value = getattr(kpis, item.name)
        if item.name == "ue":
            continue
        expected = (2, 3) if item.name == "prb_available" else (2, 3, 3)
        assert tuple(value.shape) == expected, item.name
        assert value.dtype == torch.float64, item.name
    for item in fields(UeKpis):
        assert tuple(getattr(kpis.ue, item.name).shape)[:2] == (2, 24), item.name


@pytest.mark.parametrize("load_factor", [0.5, 3.0])
@pytest.mark.parametrize("scenario", [SMALL, EVERYTHING])
def test_bits_are_conserved(scenario: Scenario, load_factor: float) -> None:
    _, history = play(scenario.with_(load_factor=load_factor), 25)
    before = torch.zeros(2, scenario.ues, dtype=torch.float64)
    for kpis in history:
        ue = kpis.ue
        assert torch.allclose(
            before + ue.arrived_bit, ue.delivered_bit + ue.dropped_bit + ue.backlog_bit, atol=1e-3
        )
        before = ue.backlog_bit
        for value in (ue.arrived_bit, ue.delivered_bit, ue.dropped_bit, ue.backlog_bit, ue.prb_used):
            assert (value >= 0).all()


@pytest.mark.parametrize("scenario", [SMALL, EVERYTHING])
def test_cell_sums_are_ue_sums(scenario: Scenario) -> None:
    _, history = play(scenario, 10)
    for kpis in history:
        for name in ("arrived_bit", "delivered_bit", "dropped_bit", "backlog_bit", "prb_used"):
            assert torch.allclose(getattr(kpis, name).sum((1, 2)), getattr(kpis.ue, name).sum(1))
        if scenario is SMALL:
            assert (kpis.attached_ues.sum((1, 2)) == SMALL.ues).all()
            assert (kpis.active_ues <= kpis.attached_ues + 1e-9).all()


def test_prbs_are_conserved_and_max_is_kept() -> None:
    scenario = SMALL.with_(load_factor=5.0)
    caps = np.array([[0.0, 20.0, 40.0], [0.0, 20.0, 35.0], [0.0, 10.0, 15.0]])
    _, history = play(scenario, 15, ratios=spread(caps, scenario, 2))
    used = torch.stack([kpis.prb_used for kpis in history])
    assert (used.sum(-1) <= scenario.prbs + 1e-6).all()
    assert (used <= torch.as_tensor(caps[:, 2]) * scenario.prbs / 100 + 1e-6).all()
    assert (used.amax((0, 1, 2)) > 0.8 * torch.as_tensor(caps[:, 2]) * scenario.prbs / 100).all()


def test_dedicated_prbs_are_never_lent() -> None:
    scenario = SMALL.with_(load_factor=5.0)
    reserved = np.array([[0.0, 20.0, 100.0], [0.0, 20.0, 100.0], [60.0, 60.0, 100.0]])
    _, history = play(scenario, 15, ratios=spread(reserved, scenario, 2))
    others = torch.stack([kpis.prb_used[..., :2].sum(-1) for kpis in history])
    assert (others <= 0.4 * scenario.prbs + 1e-6).all()
    assert others.max() > 0.38 * scenario.prbs


def test_min_is_guaranteed_under_demand() -> None:
    """URLLC with a min that covers its need keeps its delay whatever eMBB asks for."""
    greedy = replace(EMBB, mean_bps=50e6, burst_gain=1.0)
    scenario = SMALL.with_(slices=(greedy, replace(URLLC, burst_gain=1.0), replace(MMTC, burst_gain=1.0)))
    safe = np.array([[0.0, 5.0, 100.0], [0.0, 90.0, 100.0], [0.0, 5.0, 100.0]])
    bare = np.array([[0.0, 95.0, 100.0], [0.0, 1.0, 100.0], [0.0, 1.0, 100.0]])
    dropped = {}
    for name, ratios in (("safe", safe), ("bare", bare)):
        _, history = play(scenario, 20, ratios=spread(ratios, scenario, 2))
        tail = history[5:]
        dropped[name] = (
            sum(k.dropped_bit[..., 1].sum() for k in tail) / sum(k.arrived_bit[..., 1].sum() for k in tail)
        ).item()
    assert dropped["safe"] < 0.02
    assert dropped["bare"] > 5 * dropped["safe"] + 0.05


def test_delay_and_drops_grow_with_load() -> None:
    results = []
    for load_factor in (0.5, 2.0, 10.0):
        _, history = play(calm(load_factor=load_factor), 30, seeds=(1, 2, 3, 4))
        delivered = sum(k.delivered_bit.sum((0, 1)) for k in history[10:])
        delay = sum(torch.nan_to_num(k.delay_s * k.delivered_bit).sum((0, 1)) for k in history[10:]) / delivered
        dropped = sum(k.dropped_bit.sum() for k in history[10:]) / sum(k.arrived_bit.sum() for k in history[10:])
        results.append((delay, dropped.item()))
    delays = torch.stack([delay for delay, _ in results])
    assert (delays[2] > delays[0]).all(), "URLLC and mMTC wait longer only once the cell is full"
    assert (delays[:, 0].diff() > 0).all()
    assert results[0][1] < 0.01 < results[2][1]
    assert results[1][1] < results[2][1]


def test_nothing_is_delivered_after_its_budget() -> None:
    scenario = SMALL.with_(load_factor=4.0)
    _, history = play(scenario, 20)
    air_s = scenario.base_delay_s + (scenario.harq_transmissions - 1) * scenario.harq_round_trip_s
    for kpis in history:
        for index, item in enumerate(scenario.slices):
            delay = torch.nan_to_num(kpis.delay_s[..., index])
            assert (delay <= item.delay_budget_s + air_s + 1e-9).all()


def test_an_idle_network_measures_nothing() -> None:
    _, history = play(SMALL.with_(load_factor=0.0), 3)
    last = history[-1]
    for name in ("throughput_bps", "delay_s", "drop_rate"):
        assert torch.isnan(getattr(last, name)).all()
        assert torch.isnan(getattr(last.ue, name)).all()
    assert (last.prb_used == 0).all()
    assert (last.active_ues == 0).all()
    assert torch.equal(torch.isnan(last.spectral_efficiency), last.attached_ues == 0)


def test_neighbours_load_lowers_the_sinr() -> None:
    quiet, _ = play(SMALL.with_(load_factor=0.05), 10)[1], None
    busy, _ = play(SMALL.with_(load_factor=8.0), 10)[1], None
    difference = quiet[-1].ue.sinr_db - busy[-1].ue.sinr_db
    assert (difference >= -1e-3).all()
    assert difference.mean() > 3.0


def test_a_lone_cell_has_no_interference() -> None:
    lone = SMALL.with_(cells=1)
    quiet, busy = play(lone.with_(load_factor=0.05), 5)[1][-1], play(lone.with_(load_factor=8.0), 5)[1][-1]
    assert torch.equal(quiet.ue.sinr_db, busy.ue.sinr_db)
    louder = play(lone.with_(tx_power_dbm=46.0), 5)[1][-1]
    usual = quiet.ue.sinr_db < 50  # above, substeps reach the limit of 60 dB
    gained = (louder.ue.sinr_db - quiet.ue.sinr_db)[usual]
    assert gained.numel() > 0
    assert torch.allclose(gained, torch.tensor(3.0), atol=0.3)
    assert gained.median().item() == pytest.approx(3.0, abs=1e-3)


def test_arrivals_paths_and_fading_do_not_depend_on_the_policy() -> None:
    """In a lone cell also the SINR is the same; with neighbours their load, and so the SINR, may differ."""
    hard = spread(hard_ratios(3), SMALL, 2)
    one, other = play(SMALL, 12), play(SMALL, 12, ratios=hard)
    for a, b in zip(one[1], other[1], strict=True):
        assert torch.equal(a.ue.arrived_bit, b.ue.arrived_bit)
        assert torch.equal(a.ue.position_m, b.ue.position_m)
        assert torch.equal(a.ue.serving_cell, b.ue.serving_cell)
    assert torch.equal(one[0].fading, other[0].fading)
    delivered = [sum(k.ue.delivered_bit.sum() for k in run[1]) for run in (one, other)]
    assert delivered[0] != delivered[1]
    lone = SMALL.with_(cells=1)
    a, b = play(lone, 5)[1][-1], play(lone, 5, ratios=spread(hard_ratios(3), lone, 2))[1][-1]
    assert torch.equal(a.ue.sinr_db, b.ue.sinr_db)


def test_the_same_seed_repeats_and_another_differs() -> None:
    first, second = play(SMALL, 5, seeds=(7, 8)), play(SMALL, 5, seeds=(7, 8))
    assert_same(first[0], second[0], slice(None))
    assert_same(first[1][-1], second[1][-1], slice(None))
    kpis = first[1][-1]
    assert not torch.equal(kpis.ue.sinr_db[0], kpis.ue.sinr_db[1])


@pytest.mark.parametrize("scenario", [SMALL, Scenario(cells=6, ues=41, load_factor=2.0), EVERYTHING])
def test_the_batch_position_never_changes_a_result(scenario: Scenario) -> None:
    seeds = (5, -1, 2**40, 12, 13, 14, 15)
    state, history = play(scenario, 6, seeds=seeds)
    for position in (0, 2, 6):
        alone, alone_history = play(scenario, 6, seeds=(seeds[position],))
        assert_same(alone, state, slice(position, position + 1))
        assert_same(alone_history[-1], history[-1], slice(position, position + 1))


@pytest.mark.parametrize("block", [1, 2 * 4 * 41])
def test_blocks_never_change_a_result(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, history = play(EVERYTHING, 4, seeds=(5, 6, 7))
    monkeypatch.setattr(network, "_BLOCK_LINKS", block)
    parted, parted_history = play(EVERYTHING, 4, seeds=(5, 6, 7))
    assert_same(whole, parted, slice(None))
    assert_same(history[-1], parted_history[-1], slice(None))


def test_step_leaves_its_input_alone() -> None:
    state, _ = play(SMALL, 3)
    again = step(SMALL, state, static(SMALL, 2))
    twice = step(SMALL, state, static(SMALL, 2))
    assert_same(again[0], twice[0], slice(None))
    assert_same(again[1], twice[1], slice(None))


def test_merge_restarts_some_environments() -> None:
    old, _ = play(SMALL, 4)
    new = reset(SMALL, torch.tensor([9, 9]))
    merged: State = merge(torch.tensor([True, False]), new, old)
    assert merged.step.tolist() == [0, 4]
    assert merged.seed.tolist() == [9, 2]
    after, _ = step(SMALL, merged, static(SMALL, 2))
    expected, _ = step(SMALL, old, static(SMALL, 2))
    assert_same(step(SMALL, new, static(SMALL, 2))[0].queues.curves[0][:1], after.queues.curves[0], slice(0, 1))
    assert_same(expected.fading[1:], after.fading, slice(1, 2))


def test_invalid_ratios_are_projected() -> None:
    wild = torch.tensor([[300.0, -50.0, 20.0], [10.0, 90.0, 80.0], [0.0, 90.0, float("inf")]], dtype=torch.float32)
    state = reset(SMALL, torch.tensor([1]))
    _, kpis = step(SMALL, state, wild.expand(1, 3, 3, 3))
    assert (kpis.prb_used.sum(-1) <= SMALL.prbs + 1e-6).all()


def test_ratios_that_mean_nothing_are_refused() -> None:
    state = reset(SMALL, torch.tensor([1]))
    ratios = static(SMALL, 1).clone()
    ratios[0, 1, 2, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        step(SMALL, state, ratios)
    with pytest.raises(ValueError, match=r"\[1, 3, 3, 3\]"):
        step(SMALL, state, torch.zeros(1, 3, 3))


@pytest.mark.parametrize("seeds", [torch.tensor([1.0]), torch.tensor([[1]]), torch.tensor([], dtype=torch.int64)])
def test_seeds_of_another_kind_are_refused(seeds: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="int64"):
        reset(SMALL, seeds)


def test_handovers_happen_and_go_to_the_strongest_cell() -> None:
    fast = tuple(replace(item, speed_mps=(25.0, 30.0)) for item in (EMBB, URLLC, MMTC))
    scenario = SMALL.with_(slices=fast, roaming_share=1.0)
    _, history = play(scenario, 40)
    cells = torch.stack([kpis.ue.serving_cell for kpis in history])
    assert (cells.diff(dim=0) != 0).any()
    assert cells.unique().numel() == 3


def test_kpis_have_their_standard_names_and_are_plausible() -> None:
    _, history = play(SMALL.with_(load_factor=2.0), 8)
    for table in (slice_kpis(history[-1]), ue_kpis(history[-1])):
        for name, values in table.items():
            assert name in kpi.QUANTITIES
            for value in values[~torch.isnan(values)].flatten().tolist():
                assert kpi.plausible(name, value), (name, value)


def test_throughput_is_volume_over_time_with_data() -> None:
    """A lone, starved UE always has data: its throughput is what was delivered over the step."""
    greedy = replace(EMBB, mean_bps=500e6, unit_bit=1e5, buffer_bit=1e9, burst_gain=1.0)
    scenario = Scenario(cells=1, ues=1, slices=(greedy,), load_factor=1.0)
    _, history = play(scenario, 5, seeds=(3,))
    last = history[-1].ue
    assert torch.allclose(last.throughput_bps, last.delivered_bit / scenario.step_s)


def test_prbs_spent_in_vain_are_used_prbs() -> None:
    """Below the lowest MCS's reach almost nothing gets through, but the cell transmits all the same."""
    item = replace(EMBB, mean_bps=5e6, speed_mps=(0.0, 0.0), burst_gain=1.0)
    scenario = Scenario(cells=1, ues=1, slices=(item,), load_factor=1.0, fading_branches=64)
    level_db = play(scenario, 1, seeds=(3,))[1][-1].ue.sinr_db.item()
    weak = scenario.with_(tx_power_dbm=scenario.tx_power_dbm - level_db - 9.5)
    last = play(weak, 10, seeds=(3,))[1][-1]
    assert -11.5 < last.ue.sinr_db.item() < -9.0
    assert last.delivered_bit.item() < 0.1 * last.backlog_bit.item()
    assert last.prb_used.item() == pytest.approx(scenario.prbs)


def test_deep_indoor_ues_need_more_prbs_per_bit() -> None:
    used = []
    for loss_db in (0.0, 40.0):
        slices = (replace(MMTC, extra_loss_db=loss_db, highest_mcs=27, burst_gain=1.0),)
        _, history = play(SMALL.with_(slices=slices, load_factor=0.5), 10, seeds=(1, 2, 3))
        prb = sum(k.prb_used.sum() for k in history)
        used.append((prb / sum(k.delivered_bit.sum() for k in history)).item())
    assert used[1] > 1.5 * used[0]
