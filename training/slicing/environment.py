"""Environment: a batch of twin networks that agents act on exactly as in the xApp, in torch.

What an agent sees is the xApp's own state vector and prompt levels, what it does goes through the xApp's own
guard, and it decides one control interval late, as on the wire.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import cast

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from oran import sla
from oran.sla import SlaTargets
from oran.slices import static_ratios
from twin.network.kpis import Kpis
from twin.network.scenario import Scenario
from twin.network.state import State
from twin.network.vector_env import NetworkVectorEnv
from xapps.slicing import prompt
from xapps.slicing.guard import GuardConfig, apply
from xapps.slicing.observation import CellObservation, SliceKpis, observe
from xapps.slicing.shares import ratios_of
from xapps.slicing.state import Memory, features, remember


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What all agents see."""

    features: Tensor
    """float32 [envs, cells, slices, features]."""
    levels: Tensor
    """int64 [envs, cells, slices, 2]."""
    said: Tensor
    """What the operator said, by its place in a table of texts; 0 says nothing: int64 [envs, cells]."""

    @classmethod
    def silent(cls, features: Tensor, levels: Tensor) -> "Seen":
        """Where nothing is said."""
        return cls(features, levels, torch.zeros(features.shape[:-2], dtype=torch.int64, device=features.device))

    @classmethod
    def joined(cls, parts: Sequence["Seen"]) -> "Seen":
        """One after the other along the first dimension."""
        return cls(*(torch.cat([getattr(part, item.name) for part in parts]) for item in fields(cls)))

    def map(self, change: Callable[[Tensor], Tensor]) -> "Seen":
        """The same change of leading dimensions in all that is seen."""
        return Seen(change(self.features), change(self.levels), change(self.said))

    def at(self, places: Tensor) -> "Seen":
        """Those at some places of the first dimension."""
        return self.map(lambda part: part[places])


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one control interval brought, after which `seen` is seen."""

    seen: Seen
    reward: Tensor
    """The slicing reward of each cell: float32 [envs, cells]."""
    qos_ratio: Tensor
    """float64 [envs, cells, slices]."""
    satisfaction: Tensor
    """float64 [envs, cells]."""
    throughput_bps: Tensor
    """float64 [envs, cells, slices], NaN where none waited."""
    changed: Tensor
    """Percentage points that the guard moved the quotas by: float64 [envs, cells]."""


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """What operators may say, by its place, and how much each slice counts then.

    Only rewards follow the orders. What is seen as numbers is the scenario's own, so that nothing but the words
    tells an agent of them.
    """

    weight: Tensor
    """float64 [texts, slices], each row of sum 1; the first are the scenario's own, for where nothing is said."""
    drawn: Tensor
    """Places that are said, int64 [n]: a network of seed s is told number s modulo n of them."""

    def told(self, seeds: Sequence[int]) -> Tensor:
        """What networks are told, int64 [envs]."""
        return self.drawn[torch.tensor([seed % len(self.drawn) for seed in seeds])]


class Environment:
    """A batch of networks of one scenario, all of which begin their episodes together.

    Operators may give `orders`, and nodes may leave some KPIs `unreported`, by the fields of `SliceKpis`.
    """

    def __init__(
        self,
        scenario: Scenario,
        envs: int,
        *,
        device: torch.device | None = None,
        guard: GuardConfig | None = None,
        orders: Orders | None = None,
        unreported: Sequence[str] = (),
    ) -> None:
        self.scenario, self.envs = scenario, envs
        self.device = device or torch.device("cpu")
        self.targets = SlaTargets.of(scenario.slas)
        self.guard = guard or GuardConfig()
        self._orders, self._unreported = orders, tuple(unreported)
        self._counting = self.targets
        self._networks = NetworkVectorEnv(
            envs, scenario, episode_steps=1 << 40, autoreset_mode=AutoresetMode.DISABLED, device=self.device
        )
        self._time_s = 0.0
        shape = (envs, scenario.cells, len(scenario.slices), 3)
        static = torch.from_numpy(static_ratios(shape[2])).to(self.device)
        self._static = static.expand(shape)
        self._ratios = self._static
        self._said = torch.zeros(shape[:2], dtype=torch.int64, device=self.device)
        self._before: CellObservation | None = None
        self._memory: Memory[Tensor] | None = None

    def reset(self, seeds: Sequence[int]) -> Seen:
        """Begin an episode, one seed per network; the first interval runs under the static quotas."""
        self._networks.restart(seeds)
        if self._orders is not None:
            self._said = self._orders.told(seeds).to(self.device)[:, None].expand(self._said.shape)
            weight = self._orders.weight.to(self.device)[self._said]
            # The functions of `oran.sla` take arrays of numpy and torch alike; their records say numpy.
            self._counting = replace(self.targets, weight=cast(np.ndarray, weight))
        self._ratios, self._before, self._memory, self._time_s = self._static, None, None, 0.0
        return self._advance(self._static).seen

    def step(self, share: Tensor) -> Outcome:
        """Run one interval under the agents' shares of their cells [envs, cells, slices], which sum to 1."""
        return self.step_ratios(ratios_of(share.to(torch.float64)))

    def step_ratios(self, wanted: Tensor) -> Outcome:
        """The same under wanted quotas [envs, cells, slices, 3] in percent, as far as the guard lets them."""
        return self._advance(apply(wanted, self._ratios, self.guard).ratios, wanted)

    def states(self) -> tuple[State, ...]:
        """The networks as they stand, in groups."""
        return self._networks.states()

    def observation(self) -> CellObservation:
        """What a heuristic is given: all cells at once, as NumPy arrays."""
        assert self._before is not None
        return self._before

    def _advance(self, ratios: Tensor, wanted: Tensor | None = None) -> Outcome:
        outcome = self._networks.advance(ratios)
        self._ratios = outcome.ratios
        self._time_s += self.scenario.step_s
        kpis = slice_kpis(outcome.kpis, self.scenario.step_s)
        observation = observe(
            without(kpis, self._unreported),
            node="twin",
            cell=None,
            time_s=self._time_s,
            slices=self.scenario.snssais,
            ratios=cast(np.ndarray, outcome.ratios),
            previous=self._before,
            cell_prbs=float(self.scenario.prbs),
        )
        self._memory = remember(self._memory, observation)
        self._before = observation
        rows = features(observation, self.targets, self._memory)
        moved = torch.zeros_like(rows[..., 0, 0]) if wanted is None else (ratios - wanted).abs().amax(dim=(-2, -1))
        return Outcome(
            seen=Seen(rows.to(torch.float32), prompt.levels(rows), self._said),
            reward=sla.reward(self._counting, outcome.qos_ratio).to(torch.float32),
            qos_ratio=outcome.qos_ratio,
            satisfaction=sla.satisfaction(self._counting, outcome.qos_ratio),
            throughput_bps=outcome.kpis.throughput_bps,
            changed=moved,
        )


def slice_kpis(kpis: Kpis, step_s: float) -> SliceKpis:
    """What nodes would report of all cells, still as tensors; [envs, cells, slices]."""
    return SliceKpis(
        # The xApp's functions take arrays of numpy and torch alike; their records say numpy.
        throughput_bps=cast(np.ndarray, kpis.throughput_bps),
        delay_s=cast(np.ndarray, kpis.delay_s),
        drop_rate=cast(np.ndarray, kpis.drop_rate),
        arrived_bit=cast(np.ndarray, kpis.arrived_bit),
        delivered_bit=cast(np.ndarray, kpis.delivered_bit),
        prb_used=cast(np.ndarray, kpis.prb_used),
        active_ues=cast(np.ndarray, kpis.active_ues),
        prb_available=cast(np.ndarray, kpis.prb_available),
        period_s=step_s,
    )


def without(kpis: SliceKpis, unreported: Sequence[str]) -> SliceKpis:
    """The KPIs of nodes that leave some fields out, or call them by names that nobody knows."""
    blank = {name: torch.full_like(getattr(kpis, name), torch.nan) for name in unreported}
    return replace(kpis, **blank)  # type: ignore[arg-type]  # mypy cannot tell which fields are arrays


def as_numpy(kpis: SliceKpis) -> SliceKpis:
    """The same with NumPy arrays in the place of tensors."""
    arrays = {
        part.name: value.cpu().numpy()
        for part in fields(kpis)
        if isinstance(value := getattr(kpis, part.name), Tensor)
    }
    return replace(kpis, **arrays)  # type: ignore[arg-type]  # mypy cannot tell which fields are arrays
