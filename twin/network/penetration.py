"""Penetration: what the walls cost the UEs that are in buildings (TR 38.901 7.4.3)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network.layout import slice_of_ue
from twin.network.pathloss import model
from twin.network.randomness import key, normal, uniform
from twin.network.scenario import Scenario

STREAM_INDOORS, STREAM_DEPTH, STREAM_WALL = 11, 12, 13
_DEEPEST_M = {"uma": 25.0, "umi": 25.0, "rma": 10.0}
_DEVIATION_DB = {"low": 4.4, "high": 6.5}


@dataclass(frozen=True, slots=True)
class Indoors:
    """Which UEs are in buildings, and their loss; float32 [envs, ues]."""

    inside: Tensor
    """0 or 1."""
    loss_db: Tensor
    """0 outdoors."""


def wall_loss_db(scenario: Scenario) -> float:
    """Mean loss of the outer wall (tables 7.4.3-1 and 7.4.3-2)."""
    ghz = scenario.carrier_hz / 1e9
    glass_db, coated_db, concrete_db = 2.0 + 0.2 * ghz, 23.0 + 0.3 * ghz, 5.0 + 4.0 * ghz
    parts = ((0.3, glass_db), (0.7, concrete_db))
    if scenario.penetration == "high":
        parts = ((0.7, coated_db), (0.3, concrete_db))
    return 5.0 - 10.0 * math.log10(sum(share * 10.0 ** (-loss_db / 10.0) for share, loss_db in parts))


def draw(scenario: Scenario, seed: Tensor) -> Indoors | None:
    """Draw who is indoors and how deep; int64 seed [envs]. None when no slice has UEs in buildings."""
    if not any(item.indoor_share for item in scenario.slices):
        return None
    shares = torch.tensor([item.indoor_share for item in scenario.slices], dtype=torch.float64)
    share = shares[slice_of_ue(scenario)].to(seed.device)
    inside = (uniform(key(seed, 0, STREAM_INDOORS), scenario.ues) < share).to(torch.float32)
    depth = uniform(key(seed, 0, STREAM_DEPTH), 2 * scenario.ues).reshape(-1, 2, scenario.ues).amin(dim=1)
    depth_m = (depth * _DEEPEST_M[model(scenario)]).to(torch.float32)
    spread = _DEVIATION_DB[scenario.penetration] * normal(key(seed, 0, STREAM_WALL), scenario.ues)
    return Indoors(inside, inside * (wall_loss_db(scenario) + 0.5 * depth_m + spread))
