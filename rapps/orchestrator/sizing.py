"""Sizing: what a textbook says of PRBs and power, once modules are chosen; models tell what to have beyond it.

A chain is wide enough when its bits in its air time are the throughput asked for, and loud enough when Shannon's
bound, less a gap, carries its bits per symbol at its SNR. Neither knows of fading, receivers or codes; what
these ask is a model's to choose, in steps of the ladder of PRBs and in decibels. No figure asks the twin.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from twin.link import hardware
from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY, REFERENCE_POWER_DBM, Precoder
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.plan import ChainGrid, code_of

_NARROW = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 45, 51)
PRBS = (*_NARROW, 57, 64, 72, 81, 91, 102, 114, 128, 144, 162, 182, 204, 229, 257, 273)
"""Numbers of PRBs that are told apart: each at most an eighth more than the one before, but for the smallest."""
BEYOND: Mapping[str, range] = {"prbs": range(-1, 8), "tx_power_dbm": range(-16, 25)}
"""What may be chosen beyond the textbook: steps of the ladder, and decibels."""
GAP_DB = 3.0
"""From Shannon's bound to what practical codes reach."""
_LADDER = np.array(PRBS)
_NONE = code_of(Precoder.NONE)


def least_place(chains: ChainGrid, throughput_bps: np.ndarray | float) -> np.ndarray:
    """Place in PRBS of the least width that carries a throughput [chains]; len(PRBS) where none does."""
    one = hardware.data_resource_elements(chains) / chains.prbs
    one = one * chains.layers * chains.bits_per_symbol * chains.rate
    needed: np.ndarray = np.ceil(throughput_bps * hardware.air_time_s(chains, 1.0) / one)
    return np.searchsorted(_LADDER, needed)


def widest_place(chains: ChainGrid, equipment: EquipmentState) -> np.ndarray:
    """Place in PRBS of the greatest width that the equipment has spectrum and compute for [chains], 0 at least."""
    most = equipment.free_prbs * 2.0 ** (REFERENCE_NUMEROLOGY - chains.numerology)
    low = np.zeros(len(chains), dtype=np.int64)
    high = np.maximum(np.searchsorted(_LADDER, most, side="right") - 1, 0)
    while (low < high).any():
        middle = (low + high + 1) // 2
        fits = hardware.required_flops(chains.with_(prbs=_LADDER[middle])) <= equipment.compute_flops
        high = np.where(fits, high, np.maximum(middle - 1, low))
        low = np.where(fits, middle, low)
    return low


def least_power_dbm(chains: ChainGrid, equipment: EquipmentState) -> np.ndarray:
    """The least power at which chains of their width are loud enough, whole dBm [chains]."""
    carried = 2.0 ** (chains.bits_per_symbol * chains.rate) - 1.0
    # Antennas and repetition help; more layers than antennas are no chain, whatever its power.
    spare = np.maximum(chains.rx_antennas - chains.layers + 1, 1)
    beams = np.where(chains.precoder == _NONE, chains.layers, chains.tx_antennas)
    help_ = chains.repetition * beams * spare / chains.layers**2
    asked_db = GAP_DB + 10.0 * np.log10(carried / help_)
    at_reference = chains.with_(tx_power_dbm=REFERENCE_POWER_DBM)
    power: np.ndarray = np.ceil(REFERENCE_POWER_DBM + asked_db - equipment.resource_element_snr_db(at_reference))
    return power


def sized(
    chains: ChainGrid,
    beyond: Mapping[str, np.ndarray | int],
    throughput_bps: np.ndarray | float,
    equipment: EquipmentState,
) -> ChainGrid:
    """Chains [chains] with PRBs and power by the textbook and beyond it, within what the equipment has."""
    prbs, _ = _widths(chains, beyond["prbs"], throughput_bps, equipment)
    chains = chains.with_(prbs=prbs)
    power_dbm, _ = _powers_dbm(chains, beyond["tx_power_dbm"], equipment)
    return chains.with_(tx_power_dbm=power_dbm)


def choices(field: str, chains: ChainGrid, demand: Demand, equipment: EquipmentState) -> Mapping[int, int]:
    """What may be chosen of a size beyond the textbook, and what it makes of it, for one chain.

    Where no more, or no less, is to be had, the choice that just reaches the limit is told alone.
    """
    beyond = np.array(BEYOND[field])
    if field == "prbs":
        made, short = _widths(chains, beyond, demand.tightened().min_throughput_bps, equipment)
    else:
        made, short = _powers_dbm(chains, beyond, equipment)
    found: dict[int, int] = {}
    for _, own, value in sorted(zip(short.tolist(), beyond.tolist(), made.tolist(), strict=True)):
        if value not in found.values():
            found[own] = value
    return dict(sorted(found.items()))


def options(field: str) -> Sequence[str]:
    """All that an answer may say of a size."""
    return [told(own) for own in BEYOND[field]]


def told(beyond: int) -> str:
    """How an answer says what to have beyond the textbook, in JSON: "+2", with its quotes."""
    return f'"{beyond:+d}"'


def _widths(
    chains: ChainGrid, steps: np.ndarray | int, throughput_bps: np.ndarray | float, equipment: EquipmentState
) -> tuple[np.ndarray, np.ndarray]:
    """PRBs so many steps beyond the textbook, as far as there are, and by how many steps that is off."""
    wanted = least_place(chains, throughput_bps) + steps
    place = np.clip(wanted, 0, widest_place(chains, equipment))
    return _LADDER[place], np.abs(wanted - place)


def _powers_dbm(
    chains: ChainGrid, decibels: np.ndarray | int, equipment: EquipmentState
) -> tuple[np.ndarray, np.ndarray]:
    """Power so far beyond the textbook, as far as there is, and by how many decibels that is off."""
    wanted = least_power_dbm(chains, equipment) + decibels
    range_dbm = PARAMETERS["tx_power_dbm"]
    most = np.floor(min(equipment.max_tx_power_dbm, range_dbm.high))
    made = np.clip(wanted, range_dbm.low, most).astype(np.int32)
    return made, np.abs(wanted - made)
