"""Sizing: the PRBs and the power that chosen modules need for a demand; models tell what to have beyond it.

A chain is wide enough when its bits in its air time are the throughput asked for: a sum of a textbook. It is loud
enough when the tables of the link twin say that it meets the demand, as a base station reads its link tables. That
power, in whole decibels, is then spread over a few PRBs more, as far as the demand is still met. The model chooses
modules, and how many steps of the ladder of PRBs and decibels to have beyond what is needed: for blocks that are
sent again, and for what a text left open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.link import hardware
from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY
from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment, EquipmentGrid
from twin.link.plan import COLUMNS, ChainGrid, LinkChain
from twin.link.power import least_power_dbm, most_power_dbm, widest_prbs

_NARROW = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 45, 51)
PRBS = (*_NARROW, 57, 64, 72, 81, 91, 102, 114, 128, 144, 162, 182, 204, 229, 257, 273)
"""Numbers of PRBs that are told apart: each at most an eighth more than the one before, but for the smallest."""
SIZES = ("prbs", "tx_power_dbm")
SMALLEST = {name: PARAMETERS[name].low for name in SIZES}
BEYOND: Mapping[str, range] = {"prbs": range(-1, 8), "tx_power_dbm": range(0, 13)}
"""What may be chosen beyond what is needed: steps of the ladder, and decibels."""
WIDER = 10.0**0.1
"""How much wider a chain is made to spread its power, at most: as much as a decibel's difference."""
_LADDER = np.array(PRBS)


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
    """Chains [chains] with the PRBs and the power that their targets need and beyond, as far as there are.

    PRBs are those for every block to get through at once, power is what is enough, spread as widely as it is so.
    Where none is, or the chain cannot be run, it is the most there is.
    """
    widest = _LADDER[widest_place(chains, equipment)]
    place = np.clip(least_place(chains, targets.min_throughput_bps) + beyond["prbs"], 0, len(PRBS) - 1)
    chains = chains.with_(prbs=np.minimum(_LADDER[place], widest))
    # Many answers tell the same chain, or differ in what they have beyond its need.
    grid = EquipmentGrid.over(equipment, len(chains))
    columns = [getattr(chains, name) for name in COLUMNS if name != "tx_power_dbm"]
    asked = (targets.max_delay_s, targets.min_throughput_bps, targets.max_ber)
    _, first, where = np.unique(
        np.column_stack((*columns, *asked, *grid.columns())), axis=0, return_index=True, return_inverse=True
    )
    own, targets, grid = chains.take(first), targets.take(first), grid.take(first)
    own = own.with_(tx_power_dbm=least_power_dbm(own, targets, grid))
    wider = np.minimum(own.prbs * WIDER, widest[first]).astype(np.int32)
    own = own.with_(prbs=widest_prbs(own, targets, grid, wider))
    power_dbm = np.minimum(own.tx_power_dbm[where] + beyond["tx_power_dbm"], most_power_dbm(equipment))
    return chains.with_(prbs=own.prbs[where], tx_power_dbm=power_dbm)


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
