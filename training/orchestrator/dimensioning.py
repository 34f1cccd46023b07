"""Dimensioning: chains with modules at random, and sizes for the demand with random room to spare.

Sizes are made by `rapps.orchestrator.sizing`, which asks the twin how much power is enough; where none is, other
modules are drawn.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rapps.orchestrator import sizing
from rapps.orchestrator.legal import ORDER, modules
from twin.link.baselines import Search
from twin.link.baselines import Task as Problem
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentGrid, EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate_worst
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import deviations, satisfied
from twin.link.space import concatenate

TRIES, DRAWS = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What chains may have beyond the need, each as likely as the others."""

    beyond: Mapping[str, range] = field(
        default_factory=lambda: {"repetition": range(-1, 1), "prbs": range(0, 4), "tx_power_dbm": range(0, 4)}
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chain, and the grammar's options that make it, in their order."""

    chain: LinkChain
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a chain is to meet, on which equipment, and the draw that it is made by."""

    demand: Demand
    equipment: EquipmentState
    draw: random.Random


def drawn(wanted: Sequence[Wanted], room: Room) -> list[Drawn | None]:
    """Chains that meet their demands at tier T0, None where chance found none; each by its own draw alone."""
    numbers = [np.random.default_rng(item.draw.getrandbits(64)) for item in wanted]
    found: list[Drawn | None] = [None] * len(wanted)
    left = list(range(len(wanted)))
    for _ in range(DRAWS):
        tried = {place: _modules(wanted[place].equipment, numbers[place], TRIES) for place in left}
        grids = {place: grid for place, grid in tried.items() if grid is not None}
        if not grids:
            break
        beyond = {
            place: {name: numbers[place].choice(np.array(own), TRIES) for name, own in room.beyond.items()}
            for place in grids
        }
        for place, one in zip(grids, _first([wanted[place] for place in grids], grids, beyond), strict=True):
            found[place] = one
        left = [place for place in grids if found[place] is None]
    return found


def _first(
    wanted: Sequence[Wanted], grids: Mapping[int, ChainGrid], beyond: Mapping[int, Mapping[str, np.ndarray]]
) -> list[Drawn | None]:
    """The first of the chains tried for each that meets its demand, once it has sizes."""
    counts = [len(grid) for grid in grids.values()]
    grid = EquipmentGrid.of([item.equipment for item in wanted], counts)
    targets = Targets.of([item.demand for item, count in zip(wanted, counts, strict=True) for _ in range(count)])
    steps = {name: np.concatenate([own[name] for own in beyond.values()]) for name in sizing.SIZES}
    chains = sizing.sized(concatenate(list(grids.values())), steps, targets, grid)
    good = np.zeros(len(chains), dtype=bool)
    runs = np.flatnonzero(fits(chains, grid))
    told = evaluate_worst(chains.take(runs), grid.take(runs))
    good[runs] = satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, targets.take(runs)))
    found: list[Drawn | None] = []
    for end, count in zip(np.cumsum(counts).tolist(), counts, strict=True):
        rows = range(end - count, end)
        row = next((row for row in rows if good[row]), None)
        found.append(None if row is None else _told(chains.chain(row), steps, row))
    return found


def _told(chain: LinkChain, steps: Mapping[str, np.ndarray], row: int) -> Drawn:
    chosen = chain.model_dump(mode="json")
    own = {name: sizing.told(int(beyond[row])) for name, beyond in steps.items()}
    return Drawn(chain, tuple(own.get(name, json.dumps(chosen[name])) for name in ORDER))


def by_chance(task: Problem, *, budget: int, seed: int) -> Search:
    """The best of `budget` chains that have modules at random and just the sizes that these need.

    What sizes alone are worth. PlanError where no chain that was drawn fits the equipment.
    """
    chains = at_random(task.demand, task.equipment, budget, seed)
    if chains is None:
        raise PlanError("plan", "", "no link chain that was drawn fits the equipment")
    worth, _ = task.ask(chains)
    best = int(worth.argmax())
    return Search(
        chain=chains.chain(best), reward=float(worth[best]), history=tuple(np.maximum.accumulate(worth).tolist())
    )


def at_random(demand: Demand, equipment: EquipmentState, count: int, seed: int) -> ChainGrid | None:
    """So many chains, less those that do not fit, of modules at random and just the sizes that these need.

    None where none fits.
    """
    chains = _modules(equipment, np.random.default_rng(seed), count)
    if chains is None:
        return None
    chains = sizing.sized(chains, dict.fromkeys(sizing.BEYOND, 0), Targets.of([demand] * count), equipment)
    chains = chains.take(fits(chains, equipment))
    return chains if len(chains) else None


def _modules(equipment: EquipmentState, numbers: np.random.Generator, count: int) -> ChainGrid | None:
    """Modules that the equipment has, at random [count]."""
    some = modules(equipment, count, numbers)
    if some is None:
        return None
    return some.with_(numerology=numbers.choice(np.array(PARAMETERS["numerology"].values, dtype=np.int32), count))
