"""Dimensioning: what a textbook says of PRBs and power, once modules are chosen.

A chain is wide enough when its bits in its air time are the throughput asked for, and loud enough when Shannon's
bound, less a gap, carries its bits per symbol at its SNR. Neither knows of fading, receivers or codes: that is for
the twin to tell. Chains are drawn at random among those that keep these rules, with random room to spare.
"""

import json
import random
from dataclasses import dataclass

import numpy as np

from rapps.orchestrator.legal import ORDER, PRBS, modules
from twin.link import hardware
from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY, REFERENCE_POWER_DBM, Precoder
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.plan import ChainGrid, LinkChain, code_of

GAP_DB = 3.0
"""From Shannon's bound to what practical codes reach."""
TRIES = 64
_NONE = code_of(Precoder.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What chains may have to spare, at most."""

    steps: int = 4
    """Of the ladder of PRBs."""
    power_db: int = 12


def drawn(demand: Demand, equipment: EquipmentState, draw: random.Random, room: Room) -> tuple[str, ...] | None:
    """The options of a chain by the textbook in the grammar's order, or None where chance found none."""
    numbers = np.random.default_rng(draw.getrandbits(64))
    target = demand.tightened()
    chains = _modules(equipment, numbers)
    if chains is None:
        return None
    one = hardware.data_resource_elements(chains) * chains.layers * chains.bits_per_symbol * chains.rate
    needed = np.ceil(target.min_throughput_bps * hardware.air_time_s(chains, 1.0) / one)
    ladder = np.array(PRBS)
    place = np.searchsorted(ladder, needed) + numbers.integers(0, room.steps + 1, TRIES)
    fine = place < len(ladder)
    chains = chains.with_(prbs=ladder[np.minimum(place, len(ladder) - 1)].astype(np.int32))
    fine &= chains.prbs <= equipment.free_prbs * 2.0 ** (REFERENCE_NUMEROLOGY - chains.numerology)
    fine &= hardware.required_flops(chains) <= equipment.compute_flops
    fine &= hardware.processing_delay_s(chains, equipment.compute_flops, 1.0) <= target.max_delay_s
    least = REFERENCE_POWER_DBM + _snr_asked_db(chains) - equipment.resource_element_snr_db(chains)
    power = np.ceil(least) + numbers.integers(0, room.power_db + 1, TRIES)
    range_dbm = PARAMETERS["tx_power_dbm"]
    most = int(min(equipment.max_tx_power_dbm, range_dbm.high))
    fine &= least <= most
    found = chains.with_(tx_power_dbm=np.clip(power, range_dbm.low, most).astype(np.int32)).take(fine)
    return options(found.chain(0)) if len(found) else None


def options(chain: LinkChain) -> tuple[str, ...]:
    """A chain as the grammar's options, in their order."""
    told = chain.model_dump(mode="json")
    return tuple(json.dumps(told[name]) for name in ORDER)


def _modules(equipment: EquipmentState, numbers: np.random.Generator) -> ChainGrid | None:
    """Modules that the equipment has, at random, on one PRB and with the reference power [TRIES]."""
    some = modules(equipment, TRIES, numbers)
    if some is None:
        return None
    columns = {
        name: numbers.choice(np.array(PARAMETERS[name].values, dtype=np.int32), TRIES)
        for name in ("numerology", "harq_transmissions", "repetition")
    }
    power = np.full(TRIES, REFERENCE_POWER_DBM, dtype=np.int32)
    return some.with_(**columns, prbs=np.ones(TRIES, dtype=np.int32), tx_power_dbm=power)


def _snr_asked_db(chains: ChainGrid) -> np.ndarray:
    """SNR of a resource element and antenna that a chain asks for [chains]; antennas and repetition help."""
    carried = 2.0 ** (chains.bits_per_symbol * chains.rate) - 1.0
    beams = np.where(chains.precoder == _NONE, chains.layers, chains.tx_antennas)
    help_db = 10.0 * np.log10(
        chains.repetition * beams * (chains.rx_antennas - chains.layers + 1) / chains.layers**2
    )
    asked: np.ndarray = GAP_DB + 10.0 * np.log10(carried) - help_db
    return asked
