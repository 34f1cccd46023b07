"""Floors: no slice shall keep fewer promises than static quotas would keep for it.

The slicing reward sums over slices, so an agent gains by starving one whose weight is low. Each slice's shortfall
below its floor raises what a kept promise of it is worth, its Lagrange multiplier, until the shortfall is gone
(dual ascent, as in constrained policy optimisation; Tessler et al. 2019).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.slicing import arms
from training.slicing.config import Config
from training.slicing.environment import Environment
from training.slicing.score import play

FLOOR_SEED, FLOOR_SEEDS = 2_100_000, 16
MOST = 5.0
"""Highest price of a promise, in units of the slicing reward."""


class Floors:
    """Prices of promises: [slices]."""

    def __init__(self, floor: Tensor, rate: float) -> None:
        self.floor, self.rate = floor, rate
        self.price = torch.zeros_like(floor)
        self._kept: list[Tensor] = []

    @classmethod
    def under_static(cls, config: Config, environments: Callable[[int], Environment]) -> "Floors":
        """What static quotas keep on networks of their own; nothing at all where no floor is wanted."""
        environment = environments(FLOOR_SEEDS if config.floor_rate else 1)
        slices = len(environment.scenario.slices)
        if not config.floor_rate:
            return cls(torch.zeros(slices, dtype=torch.float64, device=environment.device), 0.0)
        seeds = range(FLOOR_SEED, FLOOR_SEED + FLOOR_SEEDS)
        found = play(environment, arms.static(slices), seeds, config.episode_steps)
        return cls(torch.from_numpy(found.kept.mean(axis=0)).to(environment.device), config.floor_rate)

    def worth(self, qos_ratio: Tensor) -> Tensor:
        """What a cell's kept promises are worth at their prices: [..., slices] -> [...]."""
        kept = (qos_ratio >= 1.0).to(torch.float64)
        self._kept.append(kept.mean(dim=tuple(range(kept.ndim - 1))))
        return (kept * self.price).sum(dim=-1)

    def settle(self) -> None:
        """After a round: raise the prices of slices below their floor, lower those of others."""
        kept = torch.stack(self._kept).mean(dim=0)
        self._kept.clear()
        self.price = (self.price + self.rate * (self.floor - kept)).clamp(0.0, MOST)
