"""Traffic: what arrives for each UE in each substep, drawn without regard to what the network does with it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network.randomness import key, poisson, poisson_most, truncated_normal, uniform
from twin.network.scenario import Scenario
from twin.network.slices import SliceTraffic

STREAM_PERIOD, STREAM_PHASE, STREAM_COUNT, STREAM_OFFSET, STREAM_FRAME = 40, 41, 42, 43, 44
_SIZE_LIMIT, _JITTER_LIMIT = 0.5, 2.0
"""Frames differ from the mean size by at most its half, and come at most two deviations early or late."""
_PERIOD_SPREAD = 0.2
TRACE_GAIN_LIMIT = 10.0
"""A trace's demand may exceed its own mean by at most this factor."""


def burst_gain(scenario: Scenario, seed: Tensor, substep: Tensor) -> Tensor:
    """Load over mean load; int64 seed [envs], substep [envs, n] -> [envs, n, cells, slices].

    Each cell and slice has a hidden period and phase. Inside a burst the gain is the slice's `burst_gain`,
    outside as low as keeps the mean at one.
    """
    shape = (scenario.cells, len(scenario.slices))
    columns = [(item.burst_gain, item.burst_duty, item.burst_period_s) for item in scenario.slices]
    gain, duty, period_s = torch.tensor(columns, dtype=torch.float64, device=seed.device).unbind(dim=-1)
    stretch = uniform(key(seed, 0, STREAM_PERIOD), math.prod(shape)).reshape(-1, 1, *shape)
    phase = uniform(key(seed, 0, STREAM_PHASE), math.prod(shape)).reshape(-1, 1, *shape)
    period = period_s * (1.0 + _PERIOD_SPREAD * (2.0 * stretch - 1.0))
    time_s = (substep * scenario.substep_s)[..., None, None]
    inside = (time_s / period + phase) % 1.0 < duty
    quiet = torch.where(duty < 1.0, (1.0 - duty * gain) / (1.0 - duty).clamp(min=1e-9), 1.0)
    return torch.where(inside, gain, quiet.clamp(min=0.0))


def arrivals_bit(scenario: Scenario, seed: Tensor, substep: Tensor, gain: Tensor) -> Tensor:
    """Bits that arrive; int64 seed [envs], substep [envs, n], gain [envs, n, ues] -> float64 [envs, n, ues]."""
    counts = scenario.ue_counts()
    parts = []
    for index, (item, ues) in enumerate(zip(scenario.slices, counts, strict=True)):
        # A slice's UEs draw from keys of their own, so that each slice pays for its own way of arriving only.
        users = _Users(seed * len(counts) + index, substep, gain.narrow(-1, sum(counts[:index]), ues), ues)
        parts.append(_ARRIVALS[item.arrival](scenario, item, users))
    return torch.cat(parts, dim=-1)


@dataclass(frozen=True, slots=True)
class _Users:
    """Whom to draw arrivals for: a slice's UEs."""

    seed: Tensor
    substep: Tensor
    gain: Tensor
    ues: int

    def periods(self, per_substep: float) -> tuple[Tensor, Tensor]:
        """How many periods each substep begins and ends after, from a seeded offset on: [envs, n, ues] each.

        A substep ends, to the last bit, where the next begins, so that nothing falls between two of them.
        """
        offset = uniform(key(self.seed, 0, STREAM_OFFSET), self.ues).unsqueeze(1)
        number = self.substep.unsqueeze(-1)
        return number * per_substep + offset, (number + 1) * per_substep + offset


def _poisson(scenario: Scenario, item: SliceTraffic, users: _Users) -> Tensor:
    units = item.mean_bps / item.unit_bit * (scenario.load_factor * scenario.substep_s)
    most = poisson_most(units * max(item.burst_gain, TRACE_GAIN_LIMIT if item.follows_trace else 1.0))
    chance = uniform(key(users.seed.unsqueeze(-1), users.substep, STREAM_COUNT), users.ues)
    return poisson(units * users.gain, chance, most) * item.unit_bit


def _periodic(scenario: Scenario, item: SliceTraffic, users: _Users) -> Tensor:
    units = item.mean_bps / item.unit_bit * (scenario.load_factor * scenario.substep_s)
    begin, end = users.periods(units)
    return (end.floor() - begin.floor()) * users.gain * item.unit_bit


def _video(scenario: Scenario, item: SliceTraffic, users: _Users) -> Tensor:
    """Frames at the slice's own rate, larger with load; each one's size and jitter are draws of its number."""
    per_substep = item.mean_bps / item.unit_bit * scenario.substep_s
    reach = _JITTER_LIMIT * item.frame_jitter_s * item.mean_bps / item.unit_bit
    begin, end = users.periods(per_substep)
    first = (begin - reach).floor()
    jitter_frames = item.frame_jitter_s * item.mean_bps / item.unit_bit
    ue = torch.arange(users.ues, device=users.seed.device)
    came = torch.zeros_like(users.gain)
    for number in range(math.ceil(per_substep + 2.0 * reach) + 1):
        frame = first + number
        counter = frame.to(torch.int64) * users.ues + ue
        keys = key(users.seed[:, None, None], counter, STREAM_FRAME)
        size, late = truncated_normal(
            uniform(keys, 2), (_SIZE_LIMIT / max(item.frame_deviation, 1e-9), _JITTER_LIMIT)
        )
        time = frame + late * jitter_frames
        here = (time >= begin) & (time < end)
        came += here * (1.0 + item.frame_deviation * size)
    return came * users.gain * (item.unit_bit * scenario.load_factor)


_ARRIVALS: dict[str, Callable[[Scenario, SliceTraffic, _Users], Tensor]] = {
    "poisson": _poisson,
    "periodic": _periodic,
    "video": _video,
}
