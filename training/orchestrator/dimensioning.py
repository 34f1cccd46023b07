"""Dimensioning: chains as a textbook would draw them, with modules at random and sizes for the demand.

Sizes are those of `rapps.orchestrator.sizing` with random room to spare, where the equipment has so much. The
textbook does not know fading, receivers and codes; the twin tells which of its chains serve.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rapps.orchestrator import sizing
from rapps.orchestrator.legal import ORDER, modules
from twin.link import hardware
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import deviations, satisfied

TRIES, DRAWS = 64, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What chains may have beyond the textbook, each as likely as the others."""

    beyond: Mapping[str, range] = field(
        default_factory=lambda: {"prbs": range(0, 4), "tx_power_dbm": range(-4, 15)}
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chain, and the grammar's options that make it, in their order."""

    chain: LinkChain
    options: tuple[str, ...]


def drawn(demand: Demand, equipment: EquipmentState, draw: random.Random, room: Room) -> Drawn | None:
    """A chain by the textbook, or None where chance found none."""
    numbers = np.random.default_rng(draw.getrandbits(64))
    target = demand.tightened()
    chains = _modules(equipment, numbers)
    if chains is None:
        return None
    beyond = {name: numbers.choice(np.array(own), TRIES) for name, own in room.beyond.items()}
    place = sizing.least_place(chains, target.min_throughput_bps) + beyond["prbs"]
    fine = place <= sizing.widest_place(chains, equipment)
    chains = sizing.sized(chains, beyond, target.min_throughput_bps, equipment)
    fine &= sizing.least_power_dbm(chains, equipment) + beyond["tx_power_dbm"] == chains.tx_power_dbm
    fine &= hardware.processing_delay_s(chains, equipment.compute_flops, 1.0) <= target.max_delay_s
    if not fine.any():
        return None
    row = int(fine.argmax())
    chain = chains.chain(row)
    chosen = chain.model_dump(mode="json")
    told = (sizing.told(int(beyond[name][row])) if name in beyond else json.dumps(chosen[name]) for name in ORDER)
    return Drawn(chain, tuple(told))


def served(
    demand: Demand, equipment: EquipmentState, draw: random.Random, room: Room, spare_db: int
) -> Drawn | None:
    """A chain by the textbook with the least power that serves at tier T0, and up to `spare_db` more.

    None where few draws had none that does.
    """
    for _ in range(DRAWS):
        found = drawn(demand, equipment, draw, room)
        if found is None:
            return None
        grid = ChainGrid.of((found.chain,))
        powers = sizing.choices("tx_power_dbm", grid, demand, equipment)
        swept = grid.take(np.zeros(len(powers), dtype=np.intp)).with_(tx_power_dbm=np.array([*powers.values()]))
        told = evaluate_batch(swept, equipment)
        enough = satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, demand))
        if enough.any():
            row = min(int(enough.argmax()) + draw.randint(0, spare_db), len(powers) - 1)
            options = (*found.options[:-1], sizing.told([*powers][row]))
            return Drawn(swept.chain(row), options)
    return None


def _modules(equipment: EquipmentState, numbers: np.random.Generator) -> ChainGrid | None:
    """Modules that the equipment has, at random [TRIES]."""
    some = modules(equipment, TRIES, numbers)
    if some is None:
        return None
    columns = {
        name: numbers.choice(np.array(PARAMETERS[name].values, dtype=np.int32), TRIES)
        for name in ("numerology", "harq_transmissions", "repetition")
    }
    return some.with_(**columns)
