"""Feasibility: whether any link chain meets a task's demand, and the best reward that one reaches, by the oracle.

The oracle takes seconds a task, so its answers are kept in a file. A random chain that meets the demand proves it
feasible in milliseconds, and one that a search finds in a second; the share of random chains that meet it is how
difficult a task is, too. At higher tiers, which no oracle can search, a chain that meets the demand is a proof as
well (`training.orchestrator.tasks.proofs`).
"""

import contextlib
import json
import math
import random
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np

from rapps.orchestrator.search import search
from training.orchestrator import kept
from training.orchestrator.twin_pool import LOOKS
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.errors import PlanError
from twin.link.oracle import oracle, table_twin
from twin.link.plan import ChainGrid
from twin.link.qos import Tier
from twin.link.reward import deviations, satisfied
from twin.link.space import Space
from twin.link.tables import FILE as TABLES

PROBES = 256
"""Random chains that are asked about a task."""
TOLERANCE = 0.01
"""How far the oracle's reward may lie below the best; `Best.bound` says how far it does."""
MOST_EVALUATIONS = 400_000
"""Questions that the oracle may ask only to tell whether a task is feasible, about a minute of them."""


class Problem(Protocol):
    """A demand on an equipment, as every task is."""

    @property
    def demand(self) -> Demand:
        """What is asked."""

    @property
    def equipment(self) -> EquipmentState:
        """What there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """What the oracle says of a task. No chain fits the equipment when `reward` is None."""

    feasible: bool
    reward: float | None
    bound: float | None
    """No chain has a higher reward than this."""

    @property
    def exact(self) -> bool:
        """Whether the reward is the best to within TOLERANCE; not where the oracle was cut off."""
        return self.reward is None or self.bound is None or self.bound <= self.reward + TOLERANCE


def share_of_chains(task: Problem, probes: int = PROBES) -> float:
    """The share of random link chains that meet the demand at tier T0, 0..1."""
    probed = _probed(task, probes)
    return 0.0 if probed is None else float(satisfied(probed[1]).mean())


def roomiest(task: Problem, count: int, probes: int = PROBES) -> ChainGrid | None:
    """Up to `count` random link chains that meet the demand at tier T0, those with most room to spare first.

    Room is the least factor by which a target is kept. None where no random chain meets the demand.
    """
    probed = _probed(task, probes)
    if probed is None:
        return None
    chains, errors = probed
    # The deviation of bit error rates is a decimal logarithm.
    room = -(errors * (1.0, 1.0, math.log(10.0))).max(axis=1)
    order = np.argsort(-room, kind="stable")[:count]
    order = order[satisfied(errors[order])]
    return chains.take(order) if len(order) else None


def difficulty(task: Problem, probes: int = PROBES) -> float:
    """How hard a task is: 0 where every random chain meets the demand, 1 where one in ten does, 2 one in 100.

    Where none of the probes does, it counts as if half a chain had.
    """
    return difficulty_of(share_of_chains(task, probes), probes)


def difficulty_of(share: float, probes: int = PROBES) -> float:
    """The difficulty by the share of random chains that meet the demand."""
    return -math.log10(max(share, 0.5 / probes))


class Answers:
    """The oracle's answers, asked for on demand and kept in a file.

    A line is a JSON object, added whole as soon as it is known; one that was cut off by a crash is asked anew.
    Answers of other tables of the twin are not taken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._best: dict[str, Best] = {}
        self._feasible: set[str] = set()
        self._shares: dict[str, float] = {}
        self._proven: dict[tuple[str, Tier], bool] = {}
        self._best_at: dict[tuple[str, Tier], float] = {}
        for told in kept.read(path):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self._take(told)

    def share(self, task: Problem) -> float:
        """The share of random link chains that meet the demand at tier T0, 0..1."""
        name = key(task)
        if name not in self._shares:
            share = share_of_chains(task)
            self._keep({"key": name, "share": share} | ({"feasible": True} if share > 0 else {}))
        return self._shares[name]

    def feasible(self, task: Problem) -> bool:
        """Tell whether any link chain meets the demand at tier T0; only the oracle can show that none does."""
        name = key(task)
        if name in self._feasible:
            return True
        if name in self._best:
            return self._best[name].feasible
        if self.share(task) > 0 or self._found(name, task):
            return True
        told = _ask(task, MOST_EVALUATIONS)
        # An oracle that was cut off knows no best, and has not shown that there is none.
        self._keep({"key": name} | (asdict(told) if told.exact else {"feasible": True}))
        return told.feasible or not told.exact

    def _found(self, name: str, task: Problem) -> bool:
        """Whether a search, which takes a second, finds a chain that meets the demand."""
        with contextlib.suppress(PlanError):
            chain = ChainGrid.of((search(task.demand, task.equipment, seed=0),))
            told = table_twin()(chain, task.equipment)
            if satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, task.demand))[0]:
                self._keep({"key": name, "feasible": True})
                return True
        return False

    def best(self, task: Problem) -> Best:
        """The best reward that any link chain reaches at tier T0, to within TOLERANCE."""
        name = key(task)
        if name not in self._best:
            self._keep({"key": name} | asdict(_ask(task)))
        return self._best[name]

    def proven(self, task: Problem, tier: Tier) -> bool | None:
        """Whether a chain that meets the demand at a tier was found; None where none was looked for."""
        return self._proven.get((key(task), tier))

    def keep_proof(self, task: Problem, tier: Tier, proven: bool) -> None:
        """Keep whether such a chain was found."""
        self._keep({"key": key(task), "tier": tier.value, "proven": proven})

    def best_at(self, task: Problem, tier: Tier) -> float | None:
        """The best reward that is known at a tier above T0 (`tasks.bests`); None where none was looked for."""
        return self._best_at.get((key(task), tier))

    def keep_best(self, task: Problem, tier: Tier, reward: float) -> None:
        """Keep that reward."""
        self._keep({"key": key(task), "tier": tier.value, "best_by_others": reward, "looks": LOOKS})

    def _keep(self, told: dict[str, object]) -> None:
        self._take(told)
        kept.append(self.path, told)

    def _take(self, told: dict[str, object]) -> None:
        name = str(told["key"])
        if told.get("feasible") is True:
            self._feasible.add(name)
        if "share" in told:
            self._shares[name] = float(str(told["share"]))
        if "reward" in told:
            self._best[name] = Best(**{field: told[field] for field in Best.__slots__})  # type: ignore[arg-type]
        if "proven" in told:
            self._proven[name, Tier(str(told["tier"]))] = told["proven"] is True
        if "best_by_others" in told and told["looks"] == LOOKS:
            self._best_at[name, Tier(str(told["tier"]))] = float(str(told["best_by_others"]))


def key(task: Problem) -> str:
    """What an answer depends on: demand, equipment and the twin's tables."""
    asked = asdict(task.demand), asdict(task.equipment), TOLERANCE, tables()
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _probed(task: Problem, probes: int) -> tuple[ChainGrid, np.ndarray] | None:
    """Random chains and their deviations from the demand [probes, 3] at tier T0; None where none can be run."""
    generator = np.random.default_rng(random.Random(key(task)).getrandbits(64))
    try:
        chains = Space.of(task.equipment).sample(probes, generator)
    except PlanError:
        return None
    results = table_twin()(chains, task.equipment)
    return chains, deviations(results.delay_s, results.throughput_bps, results.ber_high, task.demand)


def _ask(task: Problem, most_evaluations: int | None = None) -> Best:
    try:
        found = oracle(task.demand, task.equipment, tolerance=TOLERANCE, most_evaluations=most_evaluations)
    except PlanError:
        return Best(feasible=False, reward=None, bound=None)
    qos = found.result.qos
    errors = deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, task.demand)
    return Best(feasible=bool(satisfied(errors)), reward=found.reward, bound=found.bound)


@lru_cache
def tables() -> str:
    """The digest of the twin's tables."""
    return sha256(TABLES.read_bytes()).hexdigest()
