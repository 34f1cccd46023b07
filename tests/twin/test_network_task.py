"""What a cell's agent sees, does and earns: KPIs that can be told back, flags for what was not measured."""

import numpy as np
import pytest
import torch

from oran import kpi, sla
from oran.sla import SlaTargets
from oran.slices import static_ratios
from tests.twin.network_cases import EVERYTHING, SMALL, play
from twin.network import task
from twin.network.kpis import slice_kpis
from twin.network.scenario import Outage, Scenario


def column(seen: torch.Tensor, name: str) -> torch.Tensor:
    return seen[..., task.FEATURES.index(name)].double()


@pytest.mark.parametrize(
    "scenario", [SMALL, EVERYTHING, SMALL.with_(load_factor=0.0), SMALL.with_(load_factor=9.0)]
)
def test_every_observation_lies_in_its_space(scenario: Scenario) -> None:
    space = task.observation_space(scenario)
    state, history = play(scenario, 8)
    for kpis in history:
        seen = task.observe(scenario, kpis, state.ratios)
        assert seen.dtype == torch.float32
        assert all(cell.numpy() in space for env in seen for cell in env)


def test_kpis_can_be_told_back() -> None:
    scenario = SMALL.with_(load_factor=2.0)
    state, history = play(scenario, 10)
    seen = task.observe(scenario, history[-1], state.ratios)
    named = slice_kpis(history[-1])
    references = task.references(scenario, torch.device("cpu"))
    for index, name in enumerate(task.LEVELS):
        level = column(seen, name)
        told = references[:, index] * level / (1.0 - level)
        there = ~torch.isnan(named[name])
        assert there.any()
        assert torch.allclose(told[there], named[name][there], rtol=1e-4), name
    for name in task.SHARES:
        assert torch.allclose(column(seen, name) * scenario.prbs, named[name], atol=1e-4)
    for index, name in enumerate(task.RATIOS):
        assert torch.allclose(column(seen, name) * 100.0, state.ratios[..., index], atol=1e-4)


def test_what_is_promised_is_seen_as_one_half() -> None:
    references = task.references(SMALL, torch.device("cpu"))
    embb, urllc, mmtc = (item.sla for item in SMALL.slices)
    throughput, delay, drops = (
        task.LEVELS.index(name) for name in (kpi.UE_THROUGHPUT_DL, kpi.SDU_DELAY_DL, kpi.DROP_RATE_DL)
    )
    assert references[0, throughput] == embb.throughput_bps
    assert references[1, delay] == urllc.delay_s
    assert references[2, drops] == mmtc.drop_rate
    assert (references > 0).all()


def test_what_was_not_measured_is_zero_and_flagged() -> None:
    idle = SMALL.with_(load_factor=0.0)
    state, (kpis,) = play(idle, 1)
    seen = task.observe(idle, kpis, state.ratios)
    busy_state, history = play(SMALL.with_(load_factor=3.0), 10)
    busy = task.observe(SMALL.with_(load_factor=3.0), history[-1], busy_state.ratios)
    named = slice_kpis(history[-1])
    for name in task.MEASURED:
        assert (column(seen, name) == 0).all()
        assert (column(seen, f"{name} measured") == 0).all()
        assert torch.equal(column(busy, f"{name} measured") == 1, ~torch.isnan(named[name]))


def test_a_cell_that_is_off_offers_no_prbs() -> None:
    dark = SMALL.with_(outages=(Outage(cell=1, start_s=0.0, end_s=9.0),))
    state, history = play(dark, 2)
    available = column(task.observe(dark, history[-1], state.ratios), kpi.PRB_AVAILABLE_DL)
    assert (available[:, 1] == 0).all()
    assert (available[:, [0, 2]] == 1).all()


def test_the_first_observation_holds_the_static_ratios_alone() -> None:
    seen = task.first_observation(SMALL, 2, torch.device("cpu"))
    assert seen[0, 0].numpy() in task.observation_space(SMALL)
    start = task.FEATURES.index("dedicated")
    assert np.allclose(seen[1, 2, :, start : start + 3], static_ratios(3) / 100.0)
    seen[..., start : start + 3] = 0
    assert not seen.any()


def test_rewards_are_those_of_the_sla() -> None:
    _, history = play(SMALL.with_(load_factor=2.0), 10)
    kpis = history[-1]
    targets = SlaTargets.of(SMALL.slas)
    expected = sla.qos_ratio(targets, kpis.throughput_bps.numpy(), kpis.delay_s.numpy(), kpis.drop_rate.numpy())
    qos = task.qos_ratio(SMALL, kpis)
    assert np.allclose(qos, expected)
    assert np.allclose(task.reward(SMALL, qos), sla.reward(targets, expected))
    assert np.allclose(task.satisfaction(SMALL, qos), sla.satisfaction(targets, expected))


def test_episodes_have_seeds_of_their_own_and_the_first_has_the_given_one() -> None:
    seeds = torch.arange(50)
    drawn = torch.stack([task.episode_seed(seeds, torch.full((50,), episode)) for episode in range(50)])
    assert torch.equal(drawn[0], seeds)
    assert drawn.unique().numel() == drawn.numel()
    assert torch.equal(task.episode_seed(seeds[7:8], torch.tensor([3])), drawn[3, 7:8])


@pytest.mark.parametrize("seed", [-1, task.MAX_SEED])
def test_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        task.checked_seed(seed)


def test_values_are_told_as_in_an_experience_record() -> None:
    assert task.known(torch.tensor([1.5, torch.nan])) == (1.5, None)


def test_the_table_has_a_line_for_each_slice_of_each_cell() -> None:
    state, history = play(SMALL, 2)
    lines = task.table(SMALL, history[-1], state.ratios, env=1).splitlines()
    assert len(lines) == 1 + 9
    assert all(line.endswith(("yes", "no")) for line in lines[1:])
