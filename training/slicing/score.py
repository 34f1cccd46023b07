"""Score: what a policy keeps of its promises over some seeds, and how that is summed up.

Return is the mean slicing reward of `oran.sla` over cells and control intervals. The eMBB figure of the paper is
taken as the mean UE throughput of the first slice with a throughput promise, and its improvement over a reference
in percent: a knob, since whoever starves the other slices raises it, so return and all slices stand beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from training.slicing.arms import Policy
from training.slicing.environment import Environment
from twin.network import clairvoyant, network, task
from twin.network.clairvoyant import Aim
from twin.network.kpis import Kpis
from twin.network.scenario import Scenario

RESAMPLES = 2000
WARM_UP_STEPS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Means of each seed."""

    reward: np.ndarray
    """[seeds]"""
    satisfaction: np.ndarray
    """[seeds]"""
    kept: np.ndarray
    """Promises kept of each slice, 0..1: [seeds, slices]."""
    qos: np.ndarray
    """Mean QoS ratio of each slice, clipped at 1 where its promise is kept: [seeds, slices]."""
    embb_bps: np.ndarray
    """Mean UE throughput of the first slice with a throughput promise: [seeds]."""

    def plain(self) -> dict[str, list[float]]:
        """As JSON holds it."""
        return {item.name: np.round(getattr(self, item.name), 9).tolist() for item in fields(self)}

    @classmethod
    def of(cls, plain: Mapping[str, list[float]]) -> "Score":
        """From what `plain` gave."""
        return cls(**{item.name: np.array(plain[item.name], dtype=np.float64) for item in fields(cls)})


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Interval":
        """Over seeds."""
        draw = np.random.default_rng(0)
        means = values[draw.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        return cls(float(values.mean()), float(low), float(high))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f}..{self.high:.3f})"


@torch.no_grad()
def play(environment: Environment, policy: Policy, seeds: Sequence[int], steps: int) -> Score:
    """Run a policy on one network per seed; what counts begins after a warm-up."""
    seen = environment.reset(seeds)
    tally = _Tally(environment.scenario)
    for number in range(WARM_UP_STEPS + steps):
        outcome = environment.step_ratios(policy(environment, seen))
        seen = outcome.seen
        if number >= WARM_UP_STEPS:
            tally.add(outcome.qos_ratio, outcome.throughput_bps)
    return tally.score()


@torch.no_grad()
def play_clairvoyant(
    scenario: Scenario, seeds: Sequence[int], steps: int, *, aim: Aim = "satisfaction", parts: int = 10
) -> Score:
    """The same for one who knows the future and makes most of its aim: no guard, no lag."""
    tried = clairvoyant.splits(len(scenario.slices), parts)
    state = network.reset(scenario, torch.tensor(list(seeds)))
    tally = _Tally(scenario)
    for number in range(WARM_UP_STEPS + steps):
        state, kpis = network.step(scenario, state, clairvoyant.decide(scenario, state, tried, aim=aim))
        if number >= WARM_UP_STEPS:
            tally.add_kpis(kpis)
    return tally.score()


class _Tally:
    """Adds up control intervals."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        promised = [index for index, sla in enumerate(scenario.slas) if sla.throughput_bps is not None]
        self._embb = promised[0] if promised else 0
        self._rows: list[tuple[torch.Tensor, ...]] = []

    def add_kpis(self, kpis: Kpis) -> None:
        """One interval by its KPIs."""
        self.add(task.qos_ratio(self._scenario, kpis), kpis.throughput_bps)

    def add(self, qos: torch.Tensor, throughput_bps: torch.Tensor) -> None:
        """One interval by its QoS ratios and throughputs [envs, cells, slices]."""
        self._rows.append(
            (
                task.reward(self._scenario, qos).mean(dim=-1),
                task.satisfaction(self._scenario, qos).mean(dim=-1),
                (qos >= 1.0).to(torch.float64).mean(dim=1),
                qos.clamp(max=1.0).mean(dim=1),
                throughput_bps[..., self._embb].nanmean(dim=-1),
            )
        )

    def score(self) -> Score:
        reward, satisfaction, kept, qos, embb = (
            torch.stack(column).cpu().numpy() for column in zip(*self._rows, strict=True)
        )
        reward, satisfaction, kept, qos = (column.mean(axis=0) for column in (reward, satisfaction, kept, qos))
        return Score(reward, satisfaction, kept, qos, np.nanmean(embb, axis=0))
