"""Shadowing and line of sight as Gaussian fields that change with the distance a UE moves (TR 38.901 7.4.4).

Two fields are carried per link, one for shadowing and one that decides line of sight, each a first-order
autoregression over distance with correlation exp(-moved / decorrelation). Shadowing also has a part common to
all links of a UE, since what stands near it hides every cell.
"""

import math

import torch
from torch import Tensor

from twin.network.pathloss import break_point_m, line_of_sight_probability, model
from twin.network.randomness import key, normal
from twin.network.scenario import Scenario

STREAM_SHADOWING = 10
SHADOWING_DB = {"uma": (4.0, 6.0), "umi": (4.0, 7.82), "rma": (4.0, 8.0)}
"""Standard deviation with and without line of sight (table 7.4.1-1)."""
INDOOR_DB = {"uma": 7.0, "umi": 7.0, "rma": 8.0}
"""Standard deviation of a UE in a building (table 7.5-6, O2I)."""
_RURAL_FAR_DB = 6.0
"""With line of sight beyond RMa's break point."""
_DECORRELATION_M = {"uma": (37.0, 50.0), "umi": (10.0, 13.0), "rma": (37.0, 120.0)}
"""With and without line of sight (table 7.5-6)."""
_SIGHT_DECORRELATION_M = {"uma": 50.0, "umi": 50.0, "rma": 60.0}
"""Of the state of line of sight (table 7.6.3.1-2)."""
_SOFTNESS = 0.3


def initial(scenario: Scenario, seed: Tensor) -> Tensor:
    """The fields of new UEs; int64 seed [envs] -> standard normal [envs, 2 cells + 1, ues].

    First each link's line of sight, then each link's shadowing, last what all links share.
    """
    return _draw(scenario, key(seed, 0, STREAM_SHADOWING))


def move(
    scenario: Scenario, fields: Tensor, moved_m: Tensor, distance_m: Tensor, seed: Tensor, step: Tensor
) -> Tensor:
    """The fields after each UE moved [envs, ues] m and is at distances [envs, cells, ues].

    Infinitely far moved means another UE came. Seed and step (from 1) are int64 [envs].
    """
    fresh = _draw(scenario, key(seed, step, STREAM_SHADOWING))
    moved = moved_m.unsqueeze(1)
    if scenario.propagation == "macro":
        return _blend(fields, fresh, torch.exp(-moved / scenario.shadowing_correlation_m))
    name, cells = model(scenario), scenario.cells
    sight = _blend(fields[:, :cells], fresh[:, :cells], torch.exp(-moved / _SIGHT_DECORRELATION_M[name]))
    clear_m, blocked_m = _DECORRELATION_M[name]
    seen = line_of_sight(scenario, sight, distance_m)
    per_m = 1.0 / blocked_m + seen * (1.0 / clear_m - 1.0 / blocked_m)
    own = _blend(fields[:, cells:-1], fresh[:, cells:-1], torch.exp(-moved * per_m))
    common = _blend(fields[:, -1:], fresh[:, -1:], torch.exp(-moved / blocked_m))
    return torch.cat((sight, own, common), dim=1)


def line_of_sight(scenario: Scenario, fields: Tensor, distance_m: Tensor) -> Tensor:
    """How far each link [envs, cells, ues] has a line of sight, 0..1: on average as the model says.

    For `macro` the state is soft (as in TR 38.901 7.6.3.3): a UE that walks round a corner loses its cell over
    metres. For the others it is 0 or 1.
    """
    hidden = torch.special.ndtr(fields[:, : scenario.cells])
    seen = line_of_sight_probability(scenario, distance_m)
    state: Tensor = (0.5 + (seen - hidden) / _SOFTNESS).clamp(0.0, 1.0)
    return state if scenario.propagation == "macro" else (hidden < seen).to(distance_m.dtype)


def deviation_db(scenario: Scenario, line_of_sight: Tensor, distance_m: Tensor, indoors: Tensor | None) -> Tensor:
    """Standard deviation of each link's shadowing [envs, cells, ues]; indoors [envs, ues] is 0 or 1."""
    name = model(scenario)
    clear_db, blocked_db = SHADOWING_DB[name]
    clear: float | Tensor = clear_db
    if name == "rma":
        clear = torch.where(distance_m > break_point_m(scenario), _RURAL_FAR_DB, clear_db)
    deviation = blocked_db + line_of_sight * (clear - blocked_db)
    if indoors is None:
        return deviation
    return deviation + indoors.unsqueeze(1) * (INDOOR_DB[name] - deviation)


def shadowing_db(scenario: Scenario, fields: Tensor, deviation_db: Tensor) -> Tensor:
    """Shadowing of each link [envs, cells, ues], to add to the path loss."""
    common, own = scenario.shadowing_site_correlation, 1.0 - scenario.shadowing_site_correlation
    field: Tensor = math.sqrt(common) * fields[:, -1:] + math.sqrt(own) * fields[:, scenario.cells : -1]
    return field * deviation_db


def _blend(fields: Tensor, fresh: Tensor, kept: Tensor) -> Tensor:
    return kept * fields + torch.sqrt(1.0 - kept.square()) * fresh


def _draw(scenario: Scenario, keys: Tensor) -> Tensor:
    fields = 2 * scenario.cells + 1
    return normal(keys, fields * scenario.ues).reshape(-1, fields, scenario.ues)
