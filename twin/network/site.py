"""Site: a ray-traced map in place of the drawn propagation: gains, places where UEs can be, and walls.

The map comes from `twin.site`; here it is read and looked up, nothing is traced. Between the points of its grid
the gain in dB is bilinear, so that a UE that stands still keeps its gain and one that walks sees no steps.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from twin.network.scenario import Scenario
from twin.site.site_map import SiteMap, open_map

HOME_RIM_DB = 3.0
"""Home are the places where a cell is at most so much weaker than the strongest: the cell and a rim around it."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A site map as tensors."""

    cell_m: Tensor
    """Where the transmitters stand: float32 [cells, 2]."""
    area_m: Tensor
    """[[x, y] low, [x, y] high], float32."""
    spacing_m: float
    gain_db: Tensor
    """float32 [cells, rows x columns]."""
    floor_db: float
    """The gain where there is no path, and the least anywhere."""
    outdoors: Tensor
    """bool [rows, columns]."""
    pool: Tensor
    """Points where UEs of each cell live, last those where any may go, padded: int64 [cells + 1, most]. All are
    outdoors and reached by some cell."""
    pool_size: Tensor
    """float64 [cells + 1]."""

    @classmethod
    def of(cls, scenario: Scenario, device: torch.device) -> "Site | None":
        """The scenario's site on a device; None when it has none."""
        return None if scenario.site is None else _tensors(open_map(scenario.site), device)

    def gain_at(self, position_m: Tensor) -> Tensor:
        """Gain of each cell at places [envs, ues, 2] in the area: float32 [envs, cells, ues]. Differentiable."""
        rows, columns = self.outdoors.shape
        place = (position_m - self.area_m[0]) / self.spacing_m
        x, y = place[..., 0].clamp(0, columns - 1), place[..., 1].clamp(0, rows - 1)
        left, below = x.detach().floor(), y.detach().floor()
        column, row = left.to(torch.int64), below.to(torch.int64)
        # At the last row and column there is no neighbour, and none is needed.
        right, above = (column + 1).clamp(max=columns - 1), (row + 1).clamp(max=rows - 1)
        east, north = (x - left).unsqueeze(1), (y - below).unsqueeze(1)
        south_west, south_east = self._points(row, column), self._points(row, right)
        north_west, north_east = self._points(above, column), self._points(above, right)
        low = south_west + (south_east - south_west) * east
        high = north_west + (north_east - north_west) * east
        return low + (high - low) * north

    def is_outdoors(self, position_m: Tensor) -> Tensor:
        """Whether places [envs, ues, 2] are outdoors, by the nearest point: bool [envs, ues]."""
        rows, columns = self.outdoors.shape
        place = ((position_m - self.area_m[0]) / self.spacing_m).round().to(torch.int64)
        return self.outdoors[place[..., 1].clamp(0, rows - 1), place[..., 0].clamp(0, columns - 1)]

    def places(self, home: Tensor, roams: Tensor, draws: Tensor) -> Tensor:
        """A place outdoors in each UE's home cell, or anywhere for those who roam; m [envs, ues, 2], float32.

        int64 home and bool roams [envs, ues]; draws uniform in (0, 1), float64 [envs, 2, ues].
        """
        among = torch.where(roams, len(self.cell_m), home)
        along = draws[:, 0] * self.pool_size[among]
        number = along.floor()
        point = self.pool[among, number.to(torch.int64)]
        columns = self.outdoors.shape[1]
        # Anywhere in the square around the point; what the draw of the point leaves over is a draw itself.
        x = (point % columns) + (along - number) - 0.5
        y = torch.div(point, columns, rounding_mode="floor") + draws[:, 1] - 0.5
        place = torch.stack((x, y), dim=-1).to(torch.float32) * self.spacing_m + self.area_m[0]
        return torch.minimum(torch.maximum(place, self.area_m[0]), self.area_m[1])

    def _points(self, row: Tensor, column: Tensor) -> Tensor:
        """The gain at points [envs, ues]: [envs, cells, ues]."""
        cells, points = self.gain_db.shape
        start = torch.arange(cells, device=row.device).view(1, -1, 1) * points
        return torch.take(self.gain_db, (row * self.outdoors.shape[1] + column).unsqueeze(1) + start)


@lru_cache(maxsize=8)
def _tensors(site_map: SiteMap, device: torch.device) -> Site:
    west, south, east, north = site_map.area_m
    gain_db = torch.from_numpy(site_map.loss_floor_gain_db()).flatten(1)
    outdoors = torch.from_numpy(site_map.outdoors)
    best = gain_db.amax(dim=0)
    # Closed courtyards that nothing reaches are no place to go.
    anywhere = outdoors.flatten() & (best > -site_map.no_path_loss_db)
    pools = []
    for own in gain_db:
        home = anywhere & (own >= best - HOME_RIM_DB)
        # Where a cell is nowhere among the strongest, its UEs live where it is strongest itself.
        strongest = torch.where(anywhere, own, -torch.inf).argmax()
        pools.append(home.nonzero().squeeze(-1) if home.any() else strongest.view(1))
    pools.append(anywhere.nonzero().squeeze(-1))
    return Site(
        cell_m=torch.from_numpy(site_map.position_m[:, :2]).to(device, torch.float32),
        area_m=torch.tensor([[west, south], [east, north]], dtype=torch.float32, device=device),
        spacing_m=site_map.spacing_m,
        gain_db=gain_db.to(device),
        floor_db=-site_map.no_path_loss_db,
        outdoors=outdoors.to(device),
        pool=torch.nn.utils.rnn.pad_sequence(pools, batch_first=True).to(device),
        pool_size=torch.tensor([len(pool) for pool in pools], dtype=torch.float64, device=device),
    )
