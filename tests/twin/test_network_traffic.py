"""Traffic: the load asked for arrives, in bursts where there are bursts."""

from dataclasses import replace

import pytest
import torch

from tests.twin.network_cases import SMALL, calm
from twin.network import traffic
from twin.network.layout import slice_of_ue
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario

SEEDS = torch.arange(16)


def arrivals(scenario: Scenario, substeps: int, gain: float = 1.0) -> torch.Tensor:
    number = torch.arange(substeps).expand(len(SEEDS), -1)
    ones = torch.full((len(SEEDS), substeps, scenario.ues), gain, dtype=torch.float64)
    return traffic.arrivals_bit(scenario, SEEDS, number, ones)


@pytest.mark.parametrize("load_factor", [0.5, 2.0])
def test_the_mean_load_is_the_one_asked_for(load_factor: float) -> None:
    scenario = calm(load_factor=load_factor, ues=60)
    bits = arrivals(scenario, 2000)
    mean_bps = bits.sum(dim=1).mean(dim=0) / (2000 * scenario.substep_s)
    for index, item in enumerate(scenario.slices):
        measured = mean_bps[slice_of_ue(scenario) == index].mean().item()
        assert measured == pytest.approx(item.mean_bps * load_factor, rel=0.05)


def test_arrivals_are_whole_units() -> None:
    scenario = calm(ues=60)
    units = (
        arrivals(scenario, 50) / torch.tensor([item.unit_bit for item in scenario.slices])[slice_of_ue(scenario)]
    )
    assert torch.equal(units, units.round())


def test_periodic_traffic_comes_once_per_period_with_offsets() -> None:
    item = replace(URLLC, arrival="periodic", unit_bit=1000.0, mean_bps=20_000.0, burst_gain=1.0)
    scenario = SMALL.with_(slices=(item,), load_factor=1.0)
    came = arrivals(scenario, 100) > 0
    assert (came.sum(dim=1) == 20).all()
    gaps = came[0, :, 0].nonzero().flatten().diff()
    assert (gaps == 5).all()
    first = came.to(torch.int64).argmax(dim=1)
    assert first.unique().numel() == 5


def test_bursts_keep_the_mean_and_have_hidden_phases() -> None:
    number = torch.arange(0, 60_000, 7).expand(len(SEEDS), -1)
    gain = traffic.burst_gain(SMALL, SEEDS, number)
    for index, item in enumerate((EMBB, URLLC, MMTC)):
        mine = gain[..., index]
        assert mine.max().item() == pytest.approx(item.burst_gain)
        assert mine.mean().item() == pytest.approx(1.0, abs=0.03)
        assert mine.min() >= 0
    starts = gain[:, 0] > 1
    assert starts.any()
    assert not starts.all()


def test_no_burst_means_a_gain_of_one() -> None:
    gain = traffic.burst_gain(calm(), SEEDS, torch.arange(100).expand(len(SEEDS), -1))
    assert torch.allclose(gain, torch.ones_like(gain))


def test_a_burst_always_on_is_no_burst() -> None:
    item = replace(EMBB, burst_gain=1.0, burst_duty=1.0)
    gain = traffic.burst_gain(SMALL.with_(slices=(item,)), SEEDS, torch.arange(100).expand(len(SEEDS), -1))
    assert torch.equal(gain, torch.ones_like(gain))
