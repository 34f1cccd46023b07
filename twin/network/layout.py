"""Layout: where the cells stand, and which cell each UE calls home."""

import math

import torch
from torch import Tensor

from twin.network.randomness import key, uniform
from twin.network.scenario import Scenario

STREAM_HOT, STREAM_HOME = 1, 2


def cell_positions(scenario: Scenario) -> Tensor:
    """Cells on a hexagonal grid, row by row in a shape near a square; [cells, 2] in m, float32."""
    columns = math.ceil(math.sqrt(scenario.cells))
    spacing = scenario.inter_site_distance_m
    places = []
    for cell in range(scenario.cells):
        row, column = divmod(cell, columns)
        places.append(((column + 0.5 * (row % 2)) * spacing, row * spacing * math.sqrt(0.75)))
    return torch.tensor(places, dtype=torch.float32)


def area(scenario: Scenario) -> Tensor:
    """The rectangle UEs stay in, half an inter-site distance around the cells; [[x, y] low, [x, y] high] in m."""
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
