"""Feasibility: whether any link chain meets a task's demand, and the best reward that one reaches, by the oracle.

The oracle takes seconds a task, so its answers are kept in a file. A random chain that meets the demand proves it
feasible in milliseconds; the share of such chains is also how difficult a task is.
"""

import json
import math
import os
import random
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from training.orchestrator.tasks.task import Task
from twin.link.errors import PlanError
from twin.link.oracle import oracle, table_twin
from twin.link.reward import deviations, satisfied
from twin.link.space import Space
from twin.link.tables import FILE as TABLES

PROBES = 256
"""Random chains that are asked about a task."""
TOLERANCE = 0.01
"""How far the oracle's reward may lie below the best; `Best.bound` says how far it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """What the oracle says of a task. No chain fits the equipment when `reward` is None."""

    feasible: bool
    reward: float | None
    bound: float | None
    """No chain has a higher reward than this."""


def share_of_chains(task: Task, probes: int = PROBES) -> float:
    """The share of random link chains that meet the demand at tier T0, 0..1."""
    generator = np.random.default_rng(random.Random(_key(task)).getrandbits(64))
    try:
        chains = Space.of(task.equipment).sample(probes, generator)
    except PlanError:
        return 0.0
    results = table_twin()(chains, task.equipment)
    errors = deviations(results.delay_s, results.throughput_bps, results.ber_high, task.demand)
    return float(satisfied(errors).mean())


def difficulty(task: Task, probes: int = PROBES) -> float:
    """How hard a task is: 0 where every random chain meets the demand, 1 where one in ten does, 2 one in 100.

    Where none of the probes does, it counts as if half a chain had.
    """
    return -math.log10(max(share_of_chains(task, probes), 0.5 / probes))


class Answers:
    """The oracle's answers, asked for on demand and kept in a file.

    A line is a JSON object, added whole as soon as it is known; one that was cut off by a crash is asked anew.
    Answers of other tables of the twin are not taken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._best: dict[str, Best] = {}
        self._feasible: set[str] = set()
        for line in path.read_bytes().split(b"\n") if path.exists() else []:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue

    def feasible(self, task: Task) -> bool:
        """Tell whether any link chain meets the demand at tier T0."""
        key = _key(task)
        if key in self._feasible:
            return True
        if key not in self._best and share_of_chains(task) > 0:
            self._keep({"key": key, "feasible": True})
            return True
        return self.best(task).feasible

    def best(self, task: Task) -> Best:
        """The best reward that any link chain reaches at tier T0, to within TOLERANCE."""
        key = _key(task)
        if key not in self._best:
            self._keep({"key": key} | asdict(_ask(task)))
        return self._best[key]

    def _keep(self, told: dict[str, object]) -> None:
        self._take(told)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A line of its own even after one that was cut off; one write, so that processes can share the file.
        line = f"\n{json.dumps(told)}\n".encode()
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def _take(self, told: dict[str, object]) -> None:
        key = str(told["key"])
        if told["feasible"] is True:
            self._feasible.add(key)
        if "reward" in told:
            self._best[key] = Best(**{name: told[name] for name in Best.__slots__})  # type: ignore[arg-type]


def _ask(task: Task) -> Best:
    try:
        found = oracle(task.demand, task.equipment, tolerance=TOLERANCE)
    except PlanError:
        return Best(feasible=False, reward=None, bound=None)
    qos = found.result.qos
    errors = deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, task.demand)
    return Best(feasible=bool(satisfied(errors)), reward=found.reward, bound=found.bound)


def _key(task: Task) -> str:
    """What an answer depends on."""
    asked = asdict(task.demand), asdict(task.equipment), TOLERANCE, _tables()
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


@lru_cache
def _tables() -> str:
    return sha256(TABLES.read_bytes()).hexdigest()
