"""Branching: what many splits would each have brought in the same future, which only a twin can tell.

An actor-critic learns from one outcome of one action, most of which is chance: bursts and fading. The twin's draws
do not depend on what is done, so it can run the same network on under many splits, and their differences are due
to the splits alone. An advantage network learns those differences from what the agents see, and the actor is then
trained to do what it holds best. The futures must be longer than the slowest promise: a slice whose promise is a
second looks as if it could wait for ever in futures of half a second.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.slicing import arms
from training.slicing.environment import Environment, Seen
from training.slicing.networks import Actor, entry, share_of
from training.slicing.representation import Representation
from twin.network import network, task
from twin.network.state import State, rows
from xapps.slicing.guard import apply
from xapps.slicing.shares import ratios_of

EVERY = 5
"""Steps between branchings, and that a random split lasts at most."""
STRAYING = 0.4
"""Share of cells that stray from the heuristic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branching:
    """How futures are tried."""

    parts: int = 6
    """Splits tried are all in so many parts."""
    horizon: int = 14
    """Control intervals that a split is tried for."""
    gamma: float = 0.95
    satisfaction_weight: float = 2.0
    """What a kept promise counts beside the slicing reward."""


@dataclass(frozen=True, slots=True, eq=False)
class Branched:
    """What was seen, and what each split would have brought, less the mean over splits."""

    seen: Seen
    """[n, slices, ...]"""
    advantage: Tensor
    """float32 [n, splits]"""


def candidates(slices: int, parts: int) -> Tensor:
    """All splits of a cell in so many parts: float64 [splits, slices]."""
    grid = torch.cartesian_prod(*[torch.arange(parts + 1)] * slices).reshape(-1, slices)
    return grid[grid.sum(dim=-1) == parts].to(torch.float64) / parts


@torch.no_grad()
def branch(environment: Environment, seen: Seen, tried: Tensor, config: Branching) -> Branched:
    """Try every split in every cell at once, from where the environment stands, through its guard."""
    scenario = environment.scenario
    parts = []
    for state in environment.states():
        envs, count = state.seed.shape[0], len(tried)
        future: State = rows(state, torch.arange(envs).repeat_interleave(count))
        wanted = ratios_of(tried).repeat(envs, 1, 1)[:, None].expand(-1, scenario.cells, -1, -1)
        worth = torch.zeros(envs * count, scenario.cells, dtype=torch.float64)
        for ahead in range(config.horizon):
            ratios = apply(wanted, future.ratios, environment.guard).ratios
            future, kpis = network.step(scenario, future, ratios)
            qos = task.qos_ratio(scenario, kpis)
            kept = config.satisfaction_weight * task.satisfaction(scenario, qos)
            worth += config.gamma**ahead * (task.reward(scenario, qos) + kept)
        parts.append(worth.reshape(envs, count, scenario.cells).transpose(1, 2))
    advantage = torch.cat(parts)
    advantage = (advantage - advantage.mean(dim=-1, keepdim=True)).flatten(0, 1).to(torch.float32)
    return Branched(seen.map(lambda part: part.flatten(0, 1)), advantage)


def collect(
    environment: Environment, tried: Tensor, config: Branching, *, episodes: int, steps: int, seed: int
) -> Branched:
    """Branch every few steps of some episodes under the heuristic, with excursions to random splits on the way."""
    envs, cells, slices = environment.envs, environment.scenario.cells, len(environment.scenario.slices)
    draw = torch.Generator().manual_seed(seed)
    parts = []
    for episode in range(episodes):
        first = seed * 10**7 + episode * envs
        seen, policy = environment.reset(range(first, first + envs)), arms.demand()
        for step in range(steps):
            if step % EVERY == 0:
                odd = torch.rand(envs, cells, slices, generator=draw, dtype=torch.float64).log().neg()
                random = ratios_of(odd / odd.sum(dim=-1, keepdim=True))
            strays = torch.rand(envs, cells, 1, 1, generator=draw) < STRAYING
            seen = environment.step_ratios(torch.where(strays, random, policy(environment, seen))).seen
            if step % EVERY == EVERY - 1:
                parts.append(branch(environment, seen, tried, config))
    return Branched(
        Seen.joined([part.seen for part in parts]),
        torch.cat([part.advantage for part in parts]),
    )


class Advantage(nn.Module):
    """What a split is worth beside others, by what is seen of the cell."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.slice = entry(width + 1, hidden)
        self.cell = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, seen: Tensor, share: Tensor) -> Tensor:
        """[..., slices, width] and shares [..., slices] -> [...]."""
        told = self.slice(torch.cat((seen, share.unsqueeze(-1)), dim=-1)).mean(dim=-2)
        value: Tensor = self.cell(told).squeeze(-1)
        return value


def fit(
    representation: Representation,
    known: Branched,
    tried: Tensor,
    *,
    hidden: int,
    steps: int,
    seed: int,
    tell: Callable[[int, float], None] = lambda step, loss: None,
) -> tuple[Actor, Advantage]:
    """Fit the advantage network, and then an actor that does what it holds best."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    advantage = Advantage(representation.width, hidden)
    actor = Actor(representation.width, hidden)
    share, rate, batch = tried.to(torch.float32), 1e-3, 256
    optimiser = torch.optim.AdamW(advantage.parameters(), rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        pick = torch.randint(len(known.advantage), (batch,), generator=draw)
        which = torch.randint(len(share), (batch, 8), generator=draw)
        seen = representation(known.seen.at(pick))
        told = advantage(seen[:, None].expand(-1, 8, -1, -1), share[which])
        loss = (told - known.advantage[pick].gather(1, which)).square().mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if step % 500 == 499:
            tell(step + 1, float(loss.detach()))
    advantage.requires_grad_(False)
    optimiser = torch.optim.AdamW(actor.parameters(), rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps // 2)
    for _ in range(steps // 2):
        pick = torch.randint(len(known.advantage), (batch,), generator=draw)
        seen = representation(known.seen.at(pick))
        loss = -advantage(seen, share_of(actor.best(seen))).mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return actor.eval(), advantage.eval()
