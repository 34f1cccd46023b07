"""Coverage: the SINR that the strongest cell would give at every place of the area, under some load of the others.

On a ray-traced site the places are the map's. Elsewhere line of sight and shadowing are drawn for UEs and not for
places, so that the map shows what they vary around: the path loss by the chance of a line of sight, no shadowing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network import layout, mobility, sinr
from twin.network.invariant import from_db
from twin.network.outages import OFF_DB
from twin.network.pathloss import line_of_sight_probability, path_loss_db
from twin.network.scenario import Scenario
from twin.network.site import Site

_POINTS = 160
"""Along the longer side, where there is no site."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What each place of a grid gets; rows go north, columns east."""

    extent_m: tuple[float, float, float, float]
    """West, east, south and north end of the squares around the places."""
    sinr_db: Tensor
    """Of the strongest cell, without fading; NaN where no cell reaches: [rows, columns]."""
    server: Tensor
    """The strongest cell: int64 [rows, columns]."""
    outdoors: Tensor | None
    """bool [rows, columns]; None where no buildings are known."""


def coverage(scenario: Scenario, load: Tensor, off: Tensor | None = None) -> Coverage:
    """Map the SINR outdoors with each cell's neighbours at a load of 0..1 [cells]; `off` bool [cells]."""
    site = Site.of(scenario, load.device)
    low, high = layout.area(scenario).to(load.device)
    if site is not None:
        rows, columns = site.outdoors.shape
    else:
        width, height = (high - low).tolist()
        columns, rows = (max(2, round(_POINTS * side / max(width, height))) for side in (width, height))
    x = torch.linspace(float(low[0]), float(high[0]), columns, device=load.device)
    y = torch.linspace(float(low[1]), float(high[1]), rows, device=load.device)
    place_m = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(1, -1, 2)
    gain_db, reached = _gain_db(scenario, site, place_m)
    if off is not None:
        gain_db = gain_db - OFF_DB * off.view(1, -1, 1)
    power_mw = from_db(sinr.transmit_per_prb_dbm(scenario) + gain_db)
    best, server = power_mw.max(dim=1, keepdim=True)
    others_mw = sinr.interference_mw(power_mw.scatter(1, server, 0.0), load.view(1, -1))
    level_db = sinr.sinr_db(best.squeeze(1), others_mw, sinr.noise_per_prb_mw(scenario))
    half_x, half_y = 0.5 * float(x[1] - x[0]), 0.5 * float(y[1] - y[0])
    return Coverage(
        extent_m=(float(x[0]) - half_x, float(x[-1]) + half_x, float(y[0]) - half_y, float(y[-1]) + half_y),
        sinr_db=torch.where(reached, level_db, torch.nan).view(rows, columns),
        server=server.view(rows, columns),
        outdoors=None if site is None else site.outdoors,
    )


def _gain_db(scenario: Scenario, site: Site | None, place_m: Tensor) -> tuple[Tensor, Tensor]:
    """Gain of each cell [1, cells, places], and whether any reaches the place [1, places]."""
    if site is not None:
        gain_db = site.gain_at(place_m)
        return gain_db, gain_db.amax(dim=1) > site.floor_db
    distance_m = mobility.distances_m(scenario, place_m)
    seen = line_of_sight_probability(scenario, distance_m)
    return -path_loss_db(scenario, distance_m, seen), torch.ones_like(place_m[..., 0], dtype=torch.bool)
