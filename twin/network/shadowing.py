"""Shadowing and line of sight as Gaussian fields that change with the distance a UE moves (TR 38.901 7.4.4).

Two fields are carried per link, one for shadowing and one that decides line of sight, each a first-order
autoregression over distance with correlation exp(-moved / decorrelation). Shadowing also has a part common to
all links of a UE, since what stands near it hides every cell.
"""

import math

import torch
from torch import Tensor

from twin.network.pathloss import SHADOWING_DB, line_of_sight_probability
from twin.network.randomness import key, normal
from twin.network.scenario import Scenario

STREAM_SHADOWING = 10
_SOFTNESS = 0.3


def initial(scenario: Scenario, seed: Tensor) -> Tensor:
    """The fields of new UEs; int64 seed [envs] -> standard normal [envs, 2 cells + 1, ues]."""
    return _draw(scenario, key(seed, 0, STREAM_SHADOWING))


def move(scenario: Scenario, fields: Tensor, moved_m: Tensor, seed: Tensor, step: Tensor) -> Tensor:
    """The fields after each UE moved [envs, ues] m; seed and step (from 1) are int64 [envs]."""
    kept = torch.exp(-moved_m / scenario.shadowing_correlation_m).unsqueeze(1)
    fresh = _draw(scenario, key(seed, step, STREAM_SHADOWING))
    return kept * fields + torch.sqrt(1.0 - kept.square()) * fresh


def line_of_sight(scenario: Scenario, fields: Tensor, distance_m: Tensor) -> Tensor:
    """How far each link [envs, cells, ues] has a line of sight, 0..1: on average as the model says, and steadily.

    The state is soft (as in TR 38.901 7.6.3.3): a UE that walks round a corner loses its cell over metres.
    """
    chance = torch.special.ndtr(fields[:, : scenario.cells])
    seen = line_of_sight_probability(scenario, distance_m)
    state: Tensor = (0.5 + (seen - chance) / _SOFTNESS).clamp(0.0, 1.0)
    return state


def shadowing_db(scenario: Scenario, fields: Tensor, line_of_sight: Tensor) -> Tensor:
    """Shadowing of each link [envs, cells, ues], to add to the path loss."""
    common, own = scenario.shadowing_site_correlation, 1.0 - scenario.shadowing_site_correlation
    field: Tensor = math.sqrt(common) * fields[:, -1:] + math.sqrt(own) * fields[:, scenario.cells : -1]
    seen_db, blocked_db = SHADOWING_DB[scenario.path_loss]
    return field * (blocked_db + line_of_sight * (seen_db - blocked_db))


def _draw(scenario: Scenario, keys: Tensor) -> Tensor:
    fields = 2 * scenario.cells + 1
    return normal(keys, fields * scenario.ues).reshape(-1, fields, scenario.ues)
