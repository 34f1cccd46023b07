"""Path loss of an urban macro or micro cell, with and without line of sight (TR 38.901 7.4.1, 7.4.2)."""

import torch
from torch import Tensor

from twin.network.scenario import Scenario

SPEED_OF_LIGHT_MPS = 299_792_458.0
SHADOWING_DB = {"uma": (4.0, 6.0), "umi": (4.0, 7.82)}
"""Standard deviation of shadowing with and without line of sight (table 7.4.1-1)."""
_LINE_OF_SIGHT_DECAY_M = {"uma": 63.0, "umi": 36.0}
_NEAREST_M = 10.0


def line_of_sight_probability(scenario: Scenario, distance_m: Tensor) -> Tensor:
    """Chance of a line of sight at a distance on the ground, for a UE no higher than 13 m (table 7.4.2-1)."""
    far = distance_m.clamp(min=18.0)
    near = 18.0 / far
    return near + torch.exp(-far / _LINE_OF_SIGHT_DECAY_M[scenario.path_loss]) * (1.0 - near)


def path_loss_db(scenario: Scenario, distance_m: Tensor, line_of_sight: Tensor) -> Tensor:
    """Path loss at a distance on the ground, between those with (1) and without (0) a line of sight.

    Below 10 m it is that of 10 m, where the model begins.
    """
    ground = distance_m.clamp(min=_NEAREST_M)
    climb = scenario.site_height_m - scenario.ue_height_m
    log_distance = 0.5 * torch.log10(ground.square() + climb**2)
    log_ghz = torch.log10(torch.tensor(scenario.carrier_hz / 1e9, dtype=ground.dtype)).item()
    effective = (scenario.site_height_m - 1.0) * max(scenario.ue_height_m - 1.0, 0.1)
    break_point_m = 4.0 * effective * scenario.carrier_hz / SPEED_OF_LIGHT_MPS
    log_break = torch.log10(torch.tensor(break_point_m**2 + climb**2, dtype=ground.dtype)).item()
    beyond = ground > break_point_m
    if scenario.path_loss == "uma":
        near = 28.0 + 22.0 * log_distance
        far = 28.0 + 40.0 * log_distance - 9.0 * log_break
        blocked = 13.54 + 39.08 * log_distance - 0.6 * (scenario.ue_height_m - 1.5)
    else:
        near = 32.4 + 21.0 * log_distance
        far = 32.4 + 40.0 * log_distance - 9.5 * log_break
        blocked = 22.4 + 35.3 * log_distance + 1.3 * log_ghz - 0.3 * (scenario.ue_height_m - 1.5)
    seen = torch.where(beyond, far, near)
    hidden = torch.maximum(seen, blocked)
    return 20.0 * log_ghz + hidden + line_of_sight * (seen - hidden)
