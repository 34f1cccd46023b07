"""Traffic: what arrives for each UE in each substep, drawn without regard to what the network does with it."""

import math

import torch
from torch import Tensor

from twin.network.randomness import key, poisson, poisson_most, uniform
from twin.network.scenario import Scenario

STREAM_PERIOD, STREAM_PHASE, STREAM_COUNT, STREAM_OFFSET = 40, 41, 42, 43
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


def arrivals_bit(scenario: Scenario, seed: Tensor, substep: Tensor, gain: Tensor, slice_of_ue: Tensor) -> Tensor:
    """Bits that arrive; int64 seed [envs], substep [envs, n], gain [envs, n, ues] -> float64 [envs, n, ues]."""
    kinds = [(item.unit_bit, item.mean_bps, float(item.arrival == "periodic")) for item in scenario.slices]
    columns = torch.tensor(kinds, dtype=torch.float64, device=seed.device)[slice_of_ue]
    unit_bit, mean_bps, periodic = columns.unbind(dim=-1)
    units = mean_bps * (scenario.load_factor * scenario.substep_s) / unit_bit
    random = torch.zeros_like(gain)
    drawn = [
        item.mean_bps / item.unit_bit * max(item.burst_gain, TRACE_GAIN_LIMIT if item.follows_trace else 1.0)
        for item in scenario.slices
        if item.arrival == "poisson"
    ]
    if drawn:
        most = poisson_most(max(drawn) * scenario.load_factor * scenario.substep_s)
        chance = uniform(key(seed.unsqueeze(-1), substep, STREAM_COUNT), scenario.ues)
        random = poisson(units * gain, chance, most)
    offset = uniform(key(seed, 0, STREAM_OFFSET), scenario.ues).unsqueeze(1)
    place = substep.unsqueeze(-1) * units + offset
    regular = ((place + units).floor() - place.floor()) * gain
    return unit_bit * torch.where(periodic > 0, regular, random)
