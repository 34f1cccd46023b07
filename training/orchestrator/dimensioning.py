"""Dimensioning: chains with modules at random, and sizes for the demand with random room to spare.

Sizes are made by `rapps.orchestrator.sizing`, which asks the twin how much power is enough; where none is, other
modules are drawn.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rapps.orchestrator import sizing
from rapps.orchestrator.legal import ORDER, modules
from twin.link.baselines import Search
from twin.link.baselines import Task as Problem
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate_worst
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import deviations, satisfied

TRIES, DRAWS = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What chains may have beyond the need, each as likely as the others."""

    beyond: Mapping[str, range] = field(default_factory=lambda: {"prbs": range(0, 4), "tx_power_dbm": range(0, 4)})


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chain, and the grammar's options that make it, in their order."""

    chain: LinkChain
    options: tuple[str, ...]


def drawn(demand: Demand, equipment: EquipmentState, draw: random.Random, room: Room) -> Drawn | None:
    """A chain that meets the demand at tier T0, or None where chance found none."""
    numbers = np.random.default_rng(draw.getrandbits(64))
    for _ in range(DRAWS):
        chains = _modules(equipment, numbers, TRIES)
        if chains is None:
            return None
        beyond = {name: numbers.choice(np.array(own), TRIES) for name, own in room.beyond.items()}
        chains = sizing.sized(chains, beyond, Targets.of([demand] * TRIES), equipment)
        runs = np.flatnonzero(fits(chains, equipment))
        told = evaluate_worst(chains.take(runs), equipment)
        good = runs[satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, demand))]
        if len(good):
            row = int(good[0])
            chosen = chains.chain(row).model_dump(mode="json")
            own = {name: sizing.told(int(steps[row])) for name, steps in beyond.items()}
            return Drawn(chains.chain(row), tuple(own.get(name, json.dumps(chosen[name])) for name in ORDER))
    return None


def by_chance(task: Problem, *, budget: int, seed: int) -> Search:
    """The best of `budget` chains that have modules at random and just the sizes that these need.

    What sizes alone are worth. PlanError where no chain that was drawn fits the equipment.
    """
    chains = _modules(task.equipment, np.random.default_rng(seed), budget)
    if chains is not None:
        bare = dict.fromkeys(sizing.BEYOND, 0)
        chains = sizing.sized(chains, bare, Targets.of([task.demand] * budget), task.equipment)
        chains = chains.take(fits(chains, task.equipment))
    if chains is None or not len(chains):
        raise PlanError("plan", "", "no link chain that was drawn fits the equipment")
    worth, _ = task.ask(chains)
    best = int(worth.argmax())
    return Search(
        chain=chains.chain(best), reward=float(worth[best]), history=tuple(np.maximum.accumulate(worth).tolist())
    )


def _modules(equipment: EquipmentState, numbers: np.random.Generator, count: int) -> ChainGrid | None:
    """Modules that the equipment has, at random [count]."""
    some = modules(equipment, count, numbers)
    if some is None:
        return None
    columns = {
        name: numbers.choice(np.array(PARAMETERS[name].values, dtype=np.int32), count)
        for name in ("numerology", "harq_transmissions", "repetition")
    }
    return some.with_(**columns)
