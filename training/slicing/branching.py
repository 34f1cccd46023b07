"""Branching: what other splits would each have brought in the same future, which only a twin can tell.

An actor-critic learns from one outcome of one action, most of which is chance: bursts and fading. The twin's draws
do not depend on what is done, so it can run the same network on under many splits, and their differences are due
to the splits alone. Each split is held for a moment, and then the policy of the day goes on, so a difference is
the worth of one decision. The futures must be longer than the slowest promise: a slice whose promise is a second
looks as if it could wait for ever in futures of half a second.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from training.slicing.environment import Environment, Seen, slice_kpis
from twin.network import network, task
from twin.network.kpis import Kpis
from twin.network.scenario import Scenario
from twin.network.slices import SliceTraffic
from twin.network.state import State, join, rows
from xapps.slicing import prompt
from xapps.slicing.guard import apply
from xapps.slicing.observation import CellObservation, observe
from xapps.slicing.shares import ratios_of
from xapps.slicing.state import Memory, features, remember

Decide = Callable[[Seen], Tensor]
"""A policy: shares [..., slices] of what is seen [..., slices, ...]."""
LOCAL = 0.7
"""Deviation of the logarithms of splits tried near the policy's own."""
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """How futures are tried."""

    tried: int = 10
    """Splits tried in each cell: the policy's own, some near it, some anywhere."""
    hold: int = 4
    """Control intervals that a split is held for."""
    horizon: int = 14
    """Control intervals that a future lasts."""
    gamma: float = 0.95
    every: int = 5
    """Steps between branchings, and that an excursion lasts."""
    straying: float = 0.3
    """Share of cells that are on an excursion to any split."""


@dataclass(frozen=True, slots=True, eq=False)
class Branched:
    """What was seen, the splits tried, and what each brought."""

    seen: Seen
    """[n, slices, ...]"""
    tried: Tensor
    """float32 [n, splits, slices]"""
    brought: Tensor
    """Of each slice its promise kept and its deviation (`oran.sla.reward`), discounted: [n, splits, slices, 2]."""

    @classmethod
    def of(cls, parts: list["Branched"]) -> "Branched":
        """Several together."""
        return join(parts)

    def tensors(self) -> dict[str, Tensor]:
        """As a file keeps it; features, which lie in 0..1, in half precision."""
        return {
            "features": self.seen.features.to(torch.float16),
            "levels": self.seen.levels.to(torch.uint8),
            "tried": self.tried,
            "brought": self.brought,
        }

    @classmethod
    def from_tensors(cls, told: dict[str, Tensor]) -> "Branched":
        """From what a file keeps."""
        seen = Seen.silent(told["features"].to(torch.float32), told["levels"].to(torch.int64))
        return cls(seen, told["tried"], told["brought"])

    def __len__(self) -> int:
        return len(self.tried)


@torch.no_grad()
def branch(
    environment: Environment, memory: Memory[Tensor], tried: Tensor, decide: Decide, futures: Futures
) -> Tensor:
    """Try splits [envs, cells, splits, slices] from where the environment stands, which stays there.

    All cells try their first split at once, then their second, and so on, through the environment's guard. The
    memory is that of its observations. What is brought is as in `Branched`: [envs, cells, splits, slices, 2].
    """
    count = tried.shape[2]
    found, done = [], 0
    seen: tuple[CellObservation, Memory[Tensor]] = environment.observation(), memory
    for state in environment.states():
        group = len(state.seed)
        index = torch.arange(group).repeat_interleave(count)
        split = tried[done : done + group].transpose(1, 2).flatten(0, 1)
        future = rows(state, index), *rows(seen, index + done)
        brought = _run(environment, future, split, decide, futures)
        found.append(brought.reshape(group, count, *brought.shape[1:]))
        done += group
    return torch.cat(found).transpose(1, 2)


def _run(
    environment: Environment,
    future: tuple[State, CellObservation, Memory[Tensor]],
    split: Tensor,
    decide: Decide,
    futures: Futures,
) -> Tensor:
    """What each future brings that begins with its split [futures, cells, slices]: [..., 2]."""
    scenario = environment.scenario
    state, observation, memory = future
    brought = torch.zeros(*split.shape, 2, dtype=torch.float64)
    wanted = ratios_of(split.to(torch.float64))
    for ahead in range(futures.horizon):
        if ahead >= futures.hold:
            known = features(observation, environment.targets, memory)
            wanted = ratios_of(
                decide(Seen.silent(known.to(torch.float32), prompt.levels(known))).to(torch.float64)
            )
        state, kpis = network.step(scenario, state, apply(wanted, state.ratios, environment.guard).ratios)
        qos = task.qos_ratio(scenario, kpis)
        brought += futures.gamma**ahead * torch.stack(((qos >= 1.0).to(qos), (qos - 1.0) / (qos + 1.0)), dim=-1)
        observation = _observation(scenario, observation, state, kpis)
        memory = remember(memory, observation)
    return brought


def _observation(scenario: Scenario, before: CellObservation, state: State, kpis: Kpis) -> CellObservation:
    return observe(
        slice_kpis(kpis, scenario.step_s),
        node=before.node,
        cell=before.cell,
        time_s=before.time_s + scenario.step_s,
        slices=before.slices,
        ratios=cast(np.ndarray, state.ratios),
        previous=before,
        cell_prbs=float(scenario.prbs),
    )


@torch.no_grad()
def collect(
    environment: Environment, decide: Decide, futures: Futures, *, steps: int, first_seed: int
) -> Branched:
    """Branch every few steps of an episode under the policy, with excursions on the way."""
    envs, cells, slices = environment.envs, environment.scenario.cells, len(environment.scenario.slices)
    draw = torch.Generator().manual_seed(first_seed)
    seen = environment.reset(range(first_seed, first_seed + envs))
    memory: Memory[Tensor] = remember(None, environment.observation())
    parts = []
    for step in range(steps):
        if step % futures.every == 0:
            elsewhere = anywhere((envs, cells, slices), draw)
            strays = torch.rand(envs, cells, 1, generator=draw) < futures.straying
        own = decide(seen)
        if step % futures.every == futures.every - 1:
            tried = around(own, futures.tried, draw)
            brought = branch(environment, memory, tried, decide, futures)
            parts.append(_flat(Branched(seen, tried.to(torch.float32), brought.to(torch.float32))))
        seen = environment.step(torch.where(strays, elsewhere, own)).seen
        memory = remember(memory, environment.observation())
    return Branched.of(parts)


def anywhere(shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    """Splits, all equally likely: [*shape], the last axis being slices."""
    odd = -torch.rand(*shape, generator=draw).clamp(min=_LEAST_SHARE).log()
    return odd / odd.sum(dim=-1, keepdim=True)


def around(share: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """Splits to try beside a share [..., slices]: itself, some near it, some anywhere [..., count, slices]."""
    near = (count - 1) // 2
    own = share.unsqueeze(-2)
    noise = torch.randn(*share.shape[:-1], near, share.shape[-1], generator=draw)
    close = torch.softmax(own.clamp(min=_LEAST_SHARE).log() + LOCAL * noise, dim=-1)
    far = anywhere((*share.shape[:-1], count - 1 - near, share.shape[-1]), draw)
    return torch.cat((own, close, far), dim=-2)


def varied(scenario: Scenario, spread: float, seed: int) -> Scenario:
    """The scenario with its slices' promises and weights, and its load, up to e^spread higher or lower."""
    draw = np.random.default_rng(seed)

    def other(value: float | None) -> float | None:
        factor = float(np.exp(draw.uniform(-spread, spread)))
        return None if value is None else value * factor

    def slice_of(item: SliceTraffic) -> SliceTraffic:
        own = item.sla
        promise = replace(
            own,
            throughput_bps=other(own.throughput_bps),
            delay_s=other(own.delay_s),
            weight=own.weight * float(np.exp(draw.uniform(-spread, spread))),
        )
        return replace(item, sla=promise)

    slices = tuple(slice_of(item) for item in scenario.slices)
    return scenario.with_(slices=slices, load_factor=other(scenario.load_factor))


def _flat(known: Branched) -> Branched:
    """Cells of all networks in one row."""
    seen = known.seen.map(lambda part: part.flatten(0, 1))
    return Branched(seen, known.tried.flatten(0, 1), known.brought.flatten(0, 1))
