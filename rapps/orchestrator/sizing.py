"""Sizing: how long, how wide and how loud chosen modules must be for a demand; models tell what to have beyond it.

A chain is wide enough when its bits in its air time are the throughput asked for: a sum of a textbook. It is loud
enough when the tables of the link twin say that it meets the demand, as a base station reads its link tables. It
sends a block in as many slots as the demand has time for and the equipment spectrum. Power, in whole decibels, is
then spread over a few PRBs more, as far as the demand is still met. The model chooses modules, and how many steps
of the ladders of slots and PRBs, and decibels, to have beyond what is needed: for blocks that are sent again, and
for what a text left open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.link import hardware
from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY
from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment, EquipmentGrid
from twin.link.plan import COLUMNS, ChainGrid, LinkChain
from twin.link.power import least_power_dbm, loud_enough, most_power_dbm, widest_prbs

_NARROW = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 45, 51)
PRBS = (*_NARROW, 57, 64, 72, 81, 91, 102, 114, 128, 144, 162, 182, 204, 229, 257, 273)
"""Numbers of PRBs that are told apart: each at most an eighth more than the one before, but for the smallest."""
SLOTS = tuple(int(value) for value in PARAMETERS["repetition"].values)
"""Numbers of slots that may carry the same block."""
SIZES = ("repetition", "prbs", "tx_power_dbm")
SMALLEST = {name: int(PARAMETERS[name].values[0]) for name in SIZES}
BEYOND: Mapping[str, range] = {"repetition": range(-1, 1), "prbs": range(-1, 8), "tx_power_dbm": range(0, 13)}
"""What may be chosen beyond what is needed: steps of the ladders, and decibels."""
WIDER = 10.0**0.1
"""How much wider a chain is made to spread its power, at most: as much as a decibel's difference."""
_LADDER, _SLOTS = np.array(PRBS), np.array(SLOTS)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A link chain whose sizes are told as what to have beyond the need of a demand, its margin included."""

    modules: LinkChain
    """Its sizes mean nothing."""
    beyond: Mapping[str, int]
    demand: Demand


def drawn_up(sketches: Sequence[Sketch], equipment: Equipment) -> ChainGrid:
    """The chains of sketches, on one equipment or each on its own."""
    beyond = {name: np.array([sketch.beyond[name] for sketch in sketches], dtype=np.intp) for name in BEYOND}
    chains = ChainGrid.of([sketch.modules for sketch in sketches])
    return sized(chains, beyond, Targets.of([sketch.demand for sketch in sketches]), equipment)


def sized(
    chains: ChainGrid, beyond: Mapping[str, np.ndarray | int], targets: Targets, equipment: Equipment
) -> ChainGrid:
    """Chains [chains] with the slots, PRBs and power that their targets need and beyond, as far as there are.

    Slots are the most in which the demand can still be met, one where it cannot; PRBs those for every block to get
    through at once; power is what is enough, spread as widely as it is so. Where none is, or the chain cannot be
    run, it is the most there is.
    """
    grid = EquipmentGrid.over(equipment, len(chains))
    steps = {name: np.broadcast_to(beyond[name], len(chains)) for name in SIZES}
    kept = [getattr(chains, name) for name in COLUMNS if name not in SIZES]
    asked = (*kept, targets.max_delay_s, targets.min_throughput_bps, targets.max_ber, *grid.columns())
    # Many answers tell the same chain, or differ in what they have beyond its need.
    first, where = _alike(*asked)
    own = _longest(chains.take(first), targets.take(first), grid.take(first))
    place = np.searchsorted(_SLOTS, own.repetition)[where] + steps["repetition"]
    chains = chains.with_(repetition=_SLOTS[np.clip(place, 0, len(SLOTS) - 1)])
    first, where = _alike(*asked, steps["prbs"], chains.repetition)
    own = _needed(chains.take(first), steps["prbs"][first], targets.take(first), grid.take(first))
    power_dbm = np.minimum(own.tx_power_dbm[where] + steps["tx_power_dbm"], most_power_dbm(equipment))
    return chains.with_(prbs=own.prbs[where], tx_power_dbm=power_dbm)


def _alike(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the first of all rows that are alike, and for each row which of these it is like."""
    _, first, where = np.unique(np.column_stack(columns), axis=0, return_index=True, return_inverse=True)
    return first, where


def _longest(chains: ChainGrid, targets: Targets, grid: EquipmentGrid) -> ChainGrid:
    """The chains with the most slots in which the most power is enough, one where in none."""
    slots = np.ones(len(chains), dtype=np.int32)
    left = np.arange(len(chains))
    for number in SLOTS[:0:-1]:
        tried = _wide(chains.take(left).with_(repetition=number), 0, targets.take(left), grid.take(left))
        enough = loud_enough(tried, targets.take(left), grid.take(left))
        slots[left[enough]] = number
        left = left[~enough]
    return chains.with_(repetition=slots)


def _wide(chains: ChainGrid, beyond: np.ndarray | int, targets: Targets, grid: EquipmentGrid) -> ChainGrid:
    """The chains with the PRBs that they need, and so many steps beyond."""
    place = np.clip(least_place(chains, targets.min_throughput_bps) + beyond, 0, len(PRBS) - 1)
    return chains.with_(prbs=_LADDER[np.minimum(place, widest_place(chains, grid))])


def _needed(chains: ChainGrid, beyond: np.ndarray, targets: Targets, grid: EquipmentGrid) -> ChainGrid:
    """The chains with the PRBs and the power that they need."""
    own = _wide(chains, beyond, targets, grid)
    own = own.with_(tx_power_dbm=least_power_dbm(own, targets, grid))
    return own.with_(prbs=widest_prbs(own, targets, grid, spread_prbs(own, grid)))


def spread_prbs(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
    """The most PRBs over which power may be spread [chains]: WIDER, as far as there are, and never fewer."""
    most = np.minimum(chains.prbs * WIDER, _LADDER[widest_place(chains, equipment)])
    spread: np.ndarray = np.maximum(chains.prbs, most).astype(np.int32)
    return spread


def least_place(chains: ChainGrid, throughput_bps: np.ndarray | float) -> np.ndarray:
    """Place in PRBS of the least width that carries a throughput [chains]; len(PRBS) where none does."""
    one = hardware.data_resource_elements(chains) / chains.prbs
    one = one * chains.layers * chains.bits_per_symbol * chains.rate
    needed: np.ndarray = np.ceil(throughput_bps * hardware.air_time_s(chains, 1.0) / one)
    return np.searchsorted(_LADDER, needed)


def widest_place(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
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


def options(field: str) -> Sequence[str]:
    """All that an answer may say of a size."""
    return [told(own) for own in BEYOND[field]]


def told(beyond: int) -> str:
    """How an answer says what to have beyond the need, in JSON: "+2", with its quotes."""
    return f'"{beyond:+d}"'
