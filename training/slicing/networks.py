"""Networks: an actor of one cell, and a critic of all, neither tied to a number of slices or cells.

A slice's row of numbers goes through the same weights as every other's, and what concerns all of them is a mean
over slices and over cells. So the same weights serve 3 slices or 8, 6 DUs or 60, in any order.
"""

import math

import torch
from torch import Tensor, nn

SOFTMAX_SCALE = 3.0
"""Shares are the softmax of so many times the action, which lies in -1..1."""
_LOG_STD = (-4.0, 1.0)


def share_of(action: Tensor) -> Tensor:
    """A cell's shares, which sum to 1, from an action in -1..1; [..., slices] each."""
    return torch.softmax(SOFTMAX_SCALE * action, dim=-1)


class Actor(nn.Module):
    """The policy of one DU: a squashed Gaussian over each slice's claim."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.first = entry(width, hidden)
        self.second = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the deviation of the claims: [..., slices, width] -> [..., slices] each."""
        each = self.first(seen)
        told = torch.cat((each, each.mean(dim=-2, keepdim=True).expand_as(each)), dim=-1)
        mean, log_std = self.second(told).unbind(dim=-1)
        low, high = _LOG_STD
        return mean, low + 0.5 * (high - low) * (torch.tanh(log_std) + 1.0)

    def sample(self, seen: Tensor, draw: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """A random action in -1..1 [..., slices] and its log-density [...] (Haarnoja et al. 2018, appendix C)."""
        mean, log_std = self(seen)
        noise = torch.randn(mean.shape, generator=draw, device=mean.device)
        claim = mean + log_std.exp() * noise
        density = -0.5 * noise.square() - log_std - 0.5 * math.log(2.0 * math.pi)
        squash = 2.0 * (math.log(2.0) - claim - nn.functional.softplus(-2.0 * claim))
        return torch.tanh(claim), (density - squash).sum(dim=-1)

    def best(self, seen: Tensor) -> Tensor:
        """The action without noise: [..., slices, width] -> [..., slices]."""
        mean, _ = self(seen)
        return torch.tanh(mean)


class Critic(nn.Module):
    """The value of every DU's state and shares, knowing those of all."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.slice = entry(width + 1, hidden)
        self.cell = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU())
        self.all = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, seen: Tensor, share: Tensor) -> Tensor:
        """[..., cells, slices, width] and shares [..., cells, slices] -> values [..., cells]."""
        cell = self.cell(self.slice(torch.cat((seen, share.unsqueeze(-1)), dim=-1)).mean(dim=-2))
        others = cell.mean(dim=-2, keepdim=True).expand_as(cell)
        value: Tensor = self.all(torch.cat((cell, others), dim=-1)).squeeze(-1)
        return value


def entry(width: int, hidden: int) -> nn.Sequential:
    """What a slice's row goes through first."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
    )
