"""Rayleigh fading of every link, correlated in time as Clarke's model says: J0(2 pi f_D t) after t."""

import math

import torch
from torch import Tensor

from twin.network.invariant import ordered_sum
from twin.network.pathloss import SPEED_OF_LIGHT_MPS
from twin.network.randomness import key, normal_pair
from twin.network.scenario import Scenario

STREAM_FADING = 20


def correlation(scenario: Scenario, speed_mps: Tensor) -> Tensor:
    """Correlation of a UE's channel from one substep to the next; speed [envs, ues] -> [envs, ues]."""
    doppler_hz = torch.sqrt(speed_mps.square() + scenario.scatterer_speed_mps**2)
    doppler_hz = doppler_hz * (scenario.carrier_hz / SPEED_OF_LIGHT_MPS)
    kept: Tensor = torch.special.bessel_j0(2.0 * math.pi * scenario.substep_s * doppler_hz)
    return kept


def innovations(scenario: Scenario, seed: Tensor, substep: Tensor) -> Tensor:
    """Fresh parts of all taps; int64 seed and substep [envs, n] -> normal [envs, n, 2 branches, cells, ues].

    The two parts of a complex tap lie `branches` apart on the branch axis; only the sum of squares matters.
    """
    shape = (scenario.fading_branches, scenario.cells, scenario.ues)
    real, imaginary = normal_pair(key(seed, substep, STREAM_FADING), math.prod(shape))
    return torch.cat((real, imaginary), dim=-1).reshape(*real.shape[:-1], 2 * shape[0], *shape[1:])


def advance(taps: Tensor, correlation: Tensor, innovation: Tensor) -> Tensor:
    """The taps [envs, 2 branches, cells, ues] one substep later, for a correlation [envs, ues]."""
    kept = correlation[:, None, None]
    return kept * taps + torch.sqrt(1.0 - kept.square()) * innovation


def power_gain(taps: Tensor) -> Tensor:
    """Power gain of mean one of each link, averaged over its branches; taps -> [envs, cells, ues]."""
    return ordered_sum(taps.square(), dim=1) / taps.shape[1]
