"""Layout: where the cells stand, which cell each UE calls home, and where the road runs."""

import math

import torch
from torch import Tensor

from twin.network.randomness import key, uniform
from twin.network.scenario import Scenario
from twin.network.site import Site

STREAM_HOT, STREAM_HOME, STREAM_LANE, STREAM_ALONG = 1, 2, 3, 4


def cell_positions(scenario: Scenario) -> Tensor:
    """Cells on a hexagonal grid, row by row in a shape near a square, or on their site; [cells, 2] in m."""
    site = Site.of(scenario, torch.device("cpu"))
    if site is not None:
        return site.cell_m
    columns = math.ceil(math.sqrt(scenario.cells))
    spacing = scenario.inter_site_distance_m
    places = []
    for cell in range(scenario.cells):
        row, column = divmod(cell, columns)
        places.append(((column + 0.5 * (row % 2)) * spacing, row * spacing * math.sqrt(0.75)))
    return torch.tensor(places, dtype=torch.float32)


def area(scenario: Scenario) -> Tensor:
    """The rectangle UEs stay in: half an inter-site distance around the cells, or the site's area.

    [[x, y] low, [x, y] high] in m.
    """
    site = Site.of(scenario, torch.device("cpu"))
    if site is not None:
        return site.area_m
    cells = cell_positions(scenario)
    margin = 0.5 * scenario.inter_site_distance_m
    return torch.stack((cells.amin(dim=0) - margin, cells.amax(dim=0) + margin))


def slice_of_ue(scenario: Scenario) -> Tensor:
    """Index of each UE's slice; UEs are numbered slice by slice; int64 [ues]."""
    counts = torch.tensor(scenario.ue_counts())
    return torch.repeat_interleave(torch.arange(len(counts)), counts)


def home_cells(scenario: Scenario, seed: Tensor) -> Tensor:
    """Draw each UE's home cell; int64 seed [envs] -> int64 [envs, ues].

    The cells, in an order drawn for each environment, are hot for the slices in turn. A UE lives in a cell that
    is hot for its slice `hot_ratio` times more often than in another one.
    """
    ranks = uniform(key(seed, 0, STREAM_HOT), scenario.cells).argsort(dim=-1)
    hot = ranks % len(scenario.slices)
    slices = slice_of_ue(scenario).to(seed.device)
    is_hot = hot.unsqueeze(1) == slices.unsqueeze(-1)  # [envs, ues, cells]
    weight = torch.where(is_hot, scenario.hot_ratio, 1.0).to(torch.float64)
    cumulative = weight.cumsum(dim=-1)
    chance = uniform(key(seed, 0, STREAM_HOME), scenario.ues).unsqueeze(-1) * cumulative[..., -1:]
    return (chance > cumulative[..., :-1]).sum(dim=-1)


def lanes(scenario: Scenario, seed: Tensor) -> tuple[Tensor, Tensor]:
    """Where each UE would be on the road, and the end of its lane; int64 seed [envs] -> m [envs, ues, 2], float32.

    The road runs along x through the middle of the area; the lanes of its lower half lead to larger x.
    """
    low, high = area(scenario).to(seed.device)
    count = scenario.highway_lanes
    lane = (uniform(key(seed, 0, STREAM_LANE), scenario.ues) * count).floor().to(torch.float32)
    along = uniform(key(seed, 0, STREAM_ALONG), scenario.ues).to(torch.float32)
    y = 0.5 * (low[1] + high[1]) + (lane - 0.5 * (count - 1)) * scenario.lane_width_m
    end = torch.where(lane < 0.5 * count, high[0], low[0])
    return torch.stack((low[0] + (high[0] - low[0]) * along, y), dim=-1), torch.stack((end, y), dim=-1)


def other_end(scenario: Scenario, end_m: Tensor, into_m: Tensor) -> Tensor:
    """The place so many metres [envs, ues] into the lanes that end at a place [envs, ues, 2]."""
    low, high = area(scenario).to(end_m.device)
    rising = end_m[..., 0] == high[0]
    x = torch.where(rising, low[0] + into_m, high[0] - into_m).clamp(low[0], high[0])
    return torch.stack((x, end_m[..., 1]), dim=-1)


def fold(scenario: Scenario, place_m: Tensor) -> Tensor:
    """Reflect places [..., 2] at the borders until they lie in the area."""
    low, high = area(scenario).to(place_m.device)
    width = high - low
    folded: Tensor = low + width - ((place_m - low) % (2.0 * width) - width).abs()
    return folded
