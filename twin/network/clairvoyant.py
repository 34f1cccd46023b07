"""The clairvoyant: what a controller could reach that knows what is to come.

It tries out many splits of the PRBs in the twin itself, whose channels and arrivals are the same whatever the
ratios, and takes for each cell the one after which the most promises are kept over the next steps. No controller
that sees the past alone can do so. It is a search, not a proof: it looks a few steps ahead, along steady splits of
its grid, each tried in all cells at once.

The ceiling is above any controller, but for interference: what a slice would keep if its cell were its alone.
"""

from itertools import product
from typing import Literal

import torch
from torch import Tensor

from oran.slices import static_ratios
from twin.network import task
from twin.network.network import step
from twin.network.scenario import Scenario
from twin.network.state import State, rows

Aim = Literal["satisfaction", "return"]
"""What it makes most of: promises kept, or the slicing reward."""
HORIZON = 3
"""Steps it looks ahead."""
PARTS = 10
"""A cell's PRBs are split in so many parts."""
_TIE = 0.05
"""Weight of the slicing reward beside promises kept, so that among equals the better service wins."""


def splits(slices: int, parts: int = PARTS) -> Tensor:
    """All ways to promise a cell's PRBs to slices, unused ones being lent, and the static one: [n, slices, 3]."""
    ways = [way for way in product(range(parts + 1), repeat=slices) if sum(way) == parts]
    least = torch.tensor(ways, dtype=torch.float64) * (100.0 / parts)
    ratios = torch.stack((torch.zeros_like(least), least, torch.full_like(least, 100.0)), dim=-1)
    return torch.cat((ratios, torch.from_numpy(static_ratios(slices)).to(ratios)[None]))


def decide(
    scenario: Scenario, state: State, tried: Tensor, *, horizon: int = HORIZON, aim: Aim = "satisfaction"
) -> Tensor:
    """The best of the splits tried [n, slices, 3] for each cell over some steps: [envs, cells, slices, 3]."""
    envs, count = state.seed.shape[0], len(tried)
    place = torch.arange(envs, device=state.seed.device).repeat_interleave(count)
    future = rows(state, place)
    ratios = tried.to(state.seed.device).repeat(envs, 1, 1)[:, None].expand(-1, scenario.cells, -1, -1)
    worth = torch.zeros(envs * count, scenario.cells, dtype=torch.float64, device=state.seed.device)
    for _ in range(horizon):
        future, kpis = step(scenario, future, ratios)
        qos = task.qos_ratio(scenario, kpis)
        kept = task.satisfaction(scenario, qos) if aim == "satisfaction" else 0.0
        worth += kept + (_TIE if aim == "satisfaction" else 1.0) * task.reward(scenario, qos)
    best = worth.reshape(envs, count, scenario.cells).argmax(dim=1)
    return tried.to(state.seed.device)[best]


def alone(slices: int, index: int) -> Tensor:
    """Ratios that give a cell to one slice: [slices, 3]."""
    ratios = torch.zeros(slices, 3, dtype=torch.float64)
    ratios[index] = 100.0
    return ratios
