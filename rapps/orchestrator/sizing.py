"""Sizing: how long, how wide and how loud chosen modules must be for a demand; models tell what to have beyond it.

A chain sends a block in as many slots as the demand has time for and the equipment spectrum. It is as loud as the
tables of the link twin say that few enough bit errors ask for, as a base station reads its link tables, and as
wide as gives the throughput when blocks that do not get through are sent again; how often they may be is what
wastes least. Where delay or throughput ask for more power, it has the least that is enough, spread over a few PRBs
more. The model chooses modules, and how many steps of the ladders of slots and PRBs, and decibels, to have beyond
what is needed: for what a text left open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from twin.link import hardware
from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY
from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment, EquipmentGrid
from twin.link.plan import COLUMNS, ChainGrid, LinkChain
from twin.link.power import least_power_dbm, loud_enough, most_power_dbm, quietest, widest_prbs

_NARROW = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 45, 51)
PRBS = (*_NARROW, 57, 64, 72, 81, 91, 102, 114, 128, 144, 162, 182, 204, 229, 257, 273)
"""Numbers of PRBs that are told apart: each at most an eighth more than the one before, but for the smallest."""
SLOTS = tuple(int(value) for value in PARAMETERS["repetition"].values)
"""Numbers of slots that may carry the same block."""
TRANSMISSIONS = (1, 2, 4)
"""How many times a block may be sent."""
SIZES = ("repetition", "prbs", "tx_power_dbm")
"""What a model tells beyond the need."""
SIZED = ("harq_transmissions", *SIZES)
"""What is made for the modules."""
SMALLEST = {name: int(PARAMETERS[name].values[0]) for name in SIZED}
BEYOND: Mapping[str, range] = {"repetition": range(-1, 1), "prbs": range(-1, 8), "tx_power_dbm": range(0, 13)}
"""What may be chosen beyond what is needed: steps of the ladders, and decibels."""
WIDER = 10.0**0.1
"""How much wider a chain is made to spread its power, at most: as much as a decibel's difference."""
_LADDER, _SLOTS = np.array(PRBS), np.array(SLOTS)
_WAYS = np.array([*product(SLOTS, TRANSMISSIONS)], dtype=np.int32)
"""Slots and transmissions [ways, 2]."""


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
    """Chains [chains] with the slots, transmissions, PRBs and power that their targets need, and beyond.

    Slots are the most in which the demand can still be met, one where it cannot. Transmissions, PRBs and power are
    those of `quietest` that waste least; where there are none, a block is sent once, with the least power that is
    enough, spread as widely as it is so. Where none is, or the chain cannot be run, it is the most there is.
    """
    grid = EquipmentGrid.over(equipment, len(chains))
    steps = {name: np.broadcast_to(beyond[name], len(chains)) for name in SIZES}
    kept = [getattr(chains, name) for name in COLUMNS if name not in SIZES]
    asked = (*kept, targets.max_delay_s, targets.min_throughput_bps, targets.max_ber, *grid.columns())
    # Many answers tell the same chain, or differ in what they have beyond its need.
    first, where = alike(*asked)
    own = _longest(chains.take(first), targets.take(first), grid.take(first))
    place = np.searchsorted(_SLOTS, own.repetition)[where] + steps["repetition"]
    chains = chains.with_(repetition=_SLOTS[np.clip(place, 0, len(SLOTS) - 1)])
    first, where = alike(*asked, chains.repetition)
    own, wasted = _least_wasteful(chains.take(first), targets.take(first), grid.take(first))
    own, wasted = own.take(where), wasted[where]
    rows = np.flatnonzero(np.isinf(wasted) | (steps["prbs"] != 0))
    first, where = alike(*(column[rows] for column in (*asked, chains.repetition, steps["prbs"])))
    some = rows[first]
    loud = _loud(own.take(some), steps["prbs"][some], targets.take(some), grid.take(some)).take(where)
    own = own.put(rows, prbs=loud.prbs, tx_power_dbm=loud.tx_power_dbm)
    power_dbm = np.minimum(own.tx_power_dbm + steps["tx_power_dbm"], most_power_dbm(equipment))
    return own.with_(tx_power_dbm=power_dbm)


def alike(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the first of all rows that are alike, and for each row which of these it is like."""
    _, first, where = np.unique(np.column_stack(columns), axis=0, return_index=True, return_inverse=True)
    return first, where


def _longest(chains: ChainGrid, targets: Targets, grid: EquipmentGrid) -> ChainGrid:
    """The chains with the most slots in which the most power is enough, one where in none."""
    slots = np.ones(len(chains), dtype=np.int32)
    left = np.arange(len(chains))
    for number in SLOTS[:0:-1]:
        tried = _wide(chains.take(left).with_(repetition=number), targets.take(left), grid.take(left))
        enough = loud_enough(tried, targets.take(left), grid.take(left))
        slots[left[enough]] = number
        left = left[~enough]
    return chains.with_(repetition=slots)


def _wide(chains: ChainGrid, targets: Targets, grid: EquipmentGrid) -> ChainGrid:
    """The chains with the PRBs that they need for every block to get through at once."""
    place = np.minimum(least_place(chains, targets.min_throughput_bps), widest_place(chains, grid))
    return chains.with_(prbs=_LADDER[place])


def _least_wasteful(chains: ChainGrid, targets: Targets, grid: EquipmentGrid) -> tuple[ChainGrid, np.ndarray]:
    """The chains that are `quietest` with the transmissions by which they waste least, and that waste [chains]."""
    chains = _wide(chains, targets, grid)
    most = most_prbs(chains, grid)
    found, least = quietest(chains.with_(harq_transmissions=TRANSMISSIONS[0]), targets, grid, most)
    for number in TRANSMISSIONS[1:]:
        tried, wasted = quietest(chains.with_(harq_transmissions=number), targets, grid, most)
        rows = np.flatnonzero(wasted < least)
        own = tried.take(rows)
        found = found.put(rows, harq_transmissions=number, prbs=own.prbs, tx_power_dbm=own.tx_power_dbm)
        least = np.minimum(least, wasted)
    return found, least


def sent_otherwise(chains: ChainGrid, targets: Targets, equipment: Equipment) -> tuple[ChainGrid, np.ndarray]:
    """The chains with other slots, no more of them, or transmissions: of `quietest` those that waste least.

    And what they waste [chains]: without end where there are none, which are as they were.
    """
    row, way = np.divmod(np.arange(len(chains) * len(_WAYS)), len(_WAYS))
    slots, number = _WAYS[way].T
    own, sent = chains.repetition[row], chains.harq_transmissions[row]
    other = (slots < own) | (slots == own) & (number != sent)
    row, slots, number = row[other], slots[other], number[other]
    grid, asked = EquipmentGrid.over(equipment, len(chains)).take(row), targets.take(row)
    some = _wide(chains.take(row).with_(repetition=slots, harq_transmissions=number), asked, grid)
    tried, wasted = quietest(some, asked, grid, most_prbs(some, grid))
    rising = np.argsort(wasted)
    rising = rising[np.isfinite(wasted[rising])]
    places, first = np.unique(row[rising], return_index=True)
    best, least = tried.take(rising[first]), np.full(len(chains), np.inf)
    least[places] = wasted[rising[first]]
    return chains.put(places, **{name: getattr(best, name) for name in SIZED}), least


def _loud(chains: ChainGrid, steps: np.ndarray, targets: Targets, grid: EquipmentGrid) -> ChainGrid:
    """The chains so many steps wider, with the least power that is enough, spread as widely as it is so."""
    place = np.searchsorted(_LADDER, chains.prbs) + steps
    chains = chains.with_(prbs=_LADDER[np.clip(place, 0, widest_place(chains, grid))])
    loud = chains.with_(tx_power_dbm=least_power_dbm(chains, targets, grid))
    return loud.with_(prbs=widest_prbs(loud, targets, grid, spread_prbs(loud, grid)))


def spread_prbs(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
    """The most PRBs over which power may be spread [chains]: WIDER, as far as there are, and never fewer."""
    most = np.minimum(chains.prbs * WIDER, most_prbs(chains, equipment))
    spread: np.ndarray = np.maximum(chains.prbs, most).astype(np.int32)
    return spread


def most_prbs(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
    """The greatest width in PRBS that the equipment has spectrum and compute for [chains]."""
    most: np.ndarray = _LADDER[widest_place(chains, equipment)]
    return most


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
