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


def video(**changes: object) -> Scenario:
    """Video at 60 frames a second of 50 kbit each, without bursts."""
    item = replace(EMBB, arrival="video", unit_bit=50_000.0, mean_bps=3e6, burst_gain=1.0, **changes)
    return SMALL.with_(slices=(item,), load_factor=1.0)


def test_video_frames_come_at_their_rate_and_sizes_are_as_the_standard_says() -> None:
    """Without jitter each frame is alone in its substep; sizes deviate by 10.5 %, cut at half the mean."""
    bits = arrivals(video(frame_jitter_s=0.0), 600)
    frames = bits[bits > 0]
    assert (bits > 0).sum(dim=1).float().mean().item() == pytest.approx(360, abs=0.6)
    assert frames.mean().item() == pytest.approx(50_000, rel=0.005)
    assert (frames.std() / frames.mean()).item() == pytest.approx(0.105, rel=0.03)
    assert frames.min() >= 25_000
    assert frames.max() <= 75_000


def test_jitter_moves_frames_and_loses_none() -> None:
    still, moved = arrivals(video(frame_jitter_s=0.0), 600), arrivals(video(frame_jitter_s=0.02), 600)
    assert not torch.equal(still, moved)
    # Only frames at the two ends may have slipped in or out: at most 40 ms, or three frames, at each end.
    apart = (still.cumsum(dim=1) - moved.cumsum(dim=1)).abs()
    assert (apart <= 6 * 75_000).all()


def test_jitter_of_up_to_two_deviations_spreads_a_frames_arrival() -> None:
    """25 frames a second, a period of four substeps: with jitter of 2 ms the gaps are 30, 40 or 50 ms."""
    item = replace(EMBB, arrival="video", unit_bit=1e5, mean_bps=2.5e6, burst_gain=1.0)
    came = arrivals(SMALL.with_(slices=(item,), load_factor=1.0), 400) > 0
    gaps = torch.cat([row.nonzero().flatten().diff() for row in came.transpose(1, 2).flatten(0, 1)])
    assert set(gaps.tolist()) == {3, 4, 5}


def test_load_makes_frames_larger_not_more() -> None:
    light, heavy = arrivals(video(), 100), arrivals(video().with_(load_factor=2.0), 100)
    assert torch.equal(heavy, 2.0 * light)


@pytest.mark.parametrize("arrival", ["poisson", "periodic", "video"])
def test_any_stretch_of_time_is_the_same_drawn_alone(arrival: str) -> None:
    scenario = SMALL.with_(slices=(replace(EMBB, arrival=arrival), URLLC, MMTC))
    ones = torch.ones(len(SEEDS), 40, scenario.ues, dtype=torch.float64)
    number = torch.arange(40).expand(len(SEEDS), -1)
    whole = traffic.arrivals_bit(scenario, SEEDS, number, ones)
    parts = [traffic.arrivals_bit(scenario, SEEDS, number[:, k : k + 8], ones[:, :8]) for k in range(0, 40, 8)]
    assert torch.equal(whole, torch.cat(parts, dim=1))


def test_slices_draw_independently() -> None:
    same = replace(URLLC, burst_gain=1.0)
    twin = replace(same, slice=MMTC.slice, sla=MMTC.sla)
    bits = arrivals(SMALL.with_(ues=80, slices=(same, twin)), 500)
    pair = torch.stack((bits[..., :40].flatten(), bits[..., 40:].flatten()))
    assert abs(torch.corrcoef(pair)[0, 1].item()) < 0.01
