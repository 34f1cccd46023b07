"""Path loss and line of sight of urban macro, urban micro and rural macro cells (TR 38.901 7.4.1, 7.4.2)."""

import math

import torch
from torch import Tensor

from twin.network.scenario import Scenario

SPEED_OF_LIGHT_MPS = 299_792_458.0
_LINE_OF_SIGHT_DECAY_M = {"uma": 63.0, "umi": 36.0}
_NEAREST_M = 10.0
_STREET_WIDTH_M, _BUILDING_HEIGHT_M = 20.0, 5.0


def model(scenario: Scenario) -> str:
    """The standard's scenario whose formulas hold: `macro` uses those of `uma`."""
    return "uma" if scenario.propagation == "macro" else scenario.propagation


def line_of_sight_probability(scenario: Scenario, distance_m: Tensor) -> Tensor:
    """Chance of a line of sight at a distance on the ground (table 7.4.2-1)."""
    name = model(scenario)
    if name == "rma":
        return torch.exp(-(distance_m - 10.0).clamp(min=0.0) / 1000.0)
    far = distance_m.clamp(min=18.0)
    near = 18.0 / far
    seen = near + torch.exp(-far / _LINE_OF_SIGHT_DECAY_M[name]) * (1.0 - near)
    if name == "uma" and scenario.ue_height_m > 13.0:
        rise = ((scenario.ue_height_m - 13.0) / 10.0) ** 1.5
        bonus = (far / 100.0).pow(3) * torch.exp(-far / 150.0) * (1.25 * rise)
        seen = torch.where(distance_m > 18.0, seen * (1.0 + bonus), seen)
    return seen.clamp(max=1.0)


def path_loss_db(scenario: Scenario, distance_m: Tensor, line_of_sight: Tensor) -> Tensor:
    """Path loss at a distance on the ground, between those with (1) and without (0) a line of sight.

    Below 10 m it is that of 10 m, where the model begins (table 7.4.1-1).
    """
    ground = distance_m.clamp(min=_NEAREST_M)
    climb = scenario.site_height_m - scenario.ue_height_m
    log_distance = 0.5 * torch.log10(ground.square() + climb**2)
    log_ghz = math.log10(scenario.carrier_hz / 1e9)
    break_m = break_point_m(scenario)
    log_break = 0.5 * math.log10(break_m**2 + climb**2)
    beyond = ground > break_m
    name = model(scenario)
    if name == "uma":
        near = 28.0 + 22.0 * log_distance + 20.0 * log_ghz
        far = 28.0 + 40.0 * log_distance + 20.0 * log_ghz - 18.0 * log_break
        blocked = 13.54 + 39.08 * log_distance + 20.0 * log_ghz - 0.6 * (scenario.ue_height_m - 1.5)
    elif name == "umi":
        near = 32.4 + 21.0 * log_distance + 20.0 * log_ghz
        far = 32.4 + 40.0 * log_distance + 20.0 * log_ghz - 19.0 * log_break
        blocked = 22.4 + 35.3 * log_distance + 21.3 * log_ghz - 0.3 * (scenario.ue_height_m - 1.5)
    else:
        distance = torch.sqrt(ground.square() + climb**2)
        near = _rural(log_distance, distance, log_ghz)
        at_break = _rural(torch.full_like(near, log_break), torch.full_like(near, 10.0**log_break), log_ghz)
        far = at_break + 40.0 * (log_distance - log_break)
        blocked = _rural_blocked(scenario, log_distance, log_ghz)
    seen = torch.where(beyond, far, near)
    hidden = torch.maximum(seen, blocked)
    return hidden + line_of_sight * (seen - hidden)


def break_point_m(scenario: Scenario) -> float:
    """Distance on the ground beyond which a line of sight fades faster (table 7.4.1-1, notes 1 and 5)."""
    if model(scenario) == "rma":
        heights = scenario.site_height_m * scenario.ue_height_m
        return 2.0 * math.pi * heights * scenario.carrier_hz / SPEED_OF_LIGHT_MPS
    heights = (scenario.site_height_m - 1.0) * max(scenario.ue_height_m - 1.0, 0.1)
    return 4.0 * heights * scenario.carrier_hz / SPEED_OF_LIGHT_MPS


def _rural(log_distance: Tensor, distance_m: Tensor, log_ghz: float) -> Tensor:
    height = _BUILDING_HEIGHT_M**1.72
    slope = 20.0 + min(0.03 * height, 10.0)
    level = 20.0 * (math.log10(40.0 * math.pi / 3.0) + log_ghz) - min(0.044 * height, 14.77)
    loss: Tensor = level + slope * log_distance + 0.002 * math.log10(_BUILDING_HEIGHT_M) * distance_m
    return loss


def _rural_blocked(scenario: Scenario, log_distance: Tensor, log_ghz: float) -> Tensor:
    site, width, height = scenario.site_height_m, _STREET_WIDTH_M, _BUILDING_HEIGHT_M
    level = 161.04 - 7.1 * math.log10(width) + 7.5 * math.log10(height)
    level -= (24.37 - 3.7 * (height / site) ** 2) * math.log10(site)
    level += 20.0 * log_ghz - (3.2 * math.log10(11.75 * scenario.ue_height_m) ** 2 - 4.97)
    return level + (43.42 - 3.1 * math.log10(site)) * (log_distance - 3.0)
