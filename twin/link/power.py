"""Power: the least at which link chains meet their targets, and over how many PRBs it may be spread, by T0.

More power never makes delay, throughput or bit error rate worse, so that it is found by bisection. It comes in
whole decibels, which where a code's curve is steep are decades of bit errors; PRBs are finer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.link import hardware
from twin.link.blocks import blocks
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Targets
from twin.link.equipment import Equipment, EquipmentGrid, fits
from twin.link.evaluate import evaluate_worst, worst_ber
from twin.link.plan import ChainGrid
from twin.link.reward import deviations, satisfied

LEAST_POWER_DBM = int(PARAMETERS["tx_power_dbm"].low)


def most_power_dbm(equipment: Equipment) -> np.ndarray:
    """The most that a chain may have, whole dBm: of all, or [chains] where each has equipment of its own."""
    most: np.ndarray = np.floor(np.minimum(equipment.max_tx_power_dbm, PARAMETERS["tx_power_dbm"].high))
    return most.astype(np.int32)


def least_power_dbm(chains: ChainGrid, targets: Targets, equipment: Equipment) -> np.ndarray:
    """The least power at which each chain, all else as it is, meets its targets, whole dBm [chains].

    The most there is where none is enough, or where the chain breaks a rule or does not fit the equipment.
    """
    grid = EquipmentGrid.over(equipment, len(chains))
    least, found = LEAST_POWER_DBM, most_power_dbm(grid)
    rows = np.flatnonzero(hopeful(chains.with_(tx_power_dbm=least), targets, grid))
    if not len(rows):
        return found
    met, most = _Met(chains.take(rows), targets.take(rows), grid.take(rows)), found[rows]

    def few_errors(some: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
        return met.few_errors(some, tx_power_dbm=power_dbm)

    def all_met(some: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
        return met.all(some, tx_power_dbm=power_dbm)

    # Errors alone are told sooner where there are retransmissions, and mostly there is nothing else to wait for.
    again = met.chains.harq_transmissions > 1
    high = bisected(few_errors, np.where(again, least - 1, most), most)
    enough = np.zeros_like(again)
    enough[again] = all_met(np.flatnonzero(again), high[again])
    low = np.where(again, high - enough, least - 1)
    found[rows] = bisected(all_met, low, np.where(enough, high, most))
    return found


def loud_enough(chains: ChainGrid, targets: Targets, equipment: Equipment) -> np.ndarray:
    """Which chains, all else as they are, meet their targets with the most power there is, bool [chains]."""
    grid = EquipmentGrid.over(equipment, len(chains))
    loudest = chains.with_(tx_power_dbm=most_power_dbm(grid))
    good = hopeful(loudest, targets, grid)
    rows = np.flatnonzero(good)
    if len(rows):
        good[rows] = _Met(loudest.take(rows), targets.take(rows), grid.take(rows)).all(np.arange(len(rows)))
    return good


def widest_prbs(chains: ChainGrid, targets: Targets, equipment: Equipment, most: np.ndarray) -> np.ndarray:
    """The most PRBs over which each chain, all else as it is, may spread its power and meet its targets [chains].

    Its own at least, which it keeps where it misses them, and at most `most` [chains], which it must be able to
    run.
    """
    grid = EquipmentGrid.over(equipment, len(chains))
    found = chains.prbs.astype(np.int32)
    rows = np.flatnonzero((most > found) & hopeful(chains, targets, grid))
    if not len(rows):
        return found
    met, own = _Met(chains.take(rows), targets.take(rows), grid.take(rows)), found[rows]

    def few_errors(some: np.ndarray, prbs: np.ndarray) -> np.ndarray:
        return met.few_errors(some, prbs=prbs)

    wide = bisected(few_errors, most[rows].astype(np.int32) + 1, own)
    enough = met.all(np.arange(len(rows)), prbs=wide)
    found[rows] = np.where(enough, wide, own)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Met:
    """What chains meet of their targets at the lower end of the SNR, some of them, with other sizes [some]."""

    chains: ChainGrid
    targets: Targets
    equipment: EquipmentGrid

    def few_errors(self, some: np.ndarray, **sizes: np.ndarray) -> np.ndarray:
        ber = worst_ber(self.chains.take(some).with_(**sizes), self.equipment.take(some))
        return np.asarray(ber <= self.targets.max_ber[some])

    def all(self, some: np.ndarray, **sizes: np.ndarray) -> np.ndarray:
        told = evaluate_worst(self.chains.take(some).with_(**sizes), self.equipment.take(some))
        return satisfied(deviations(told.delay_s, told.throughput_bps, told.ber, self.targets.take(some)))


def bisected(
    enough: Callable[[np.ndarray, np.ndarray], np.ndarray], bad: np.ndarray, good: np.ndarray
) -> np.ndarray:
    """The value that is enough and next to one that is not, between such a one and one that is [chains].

    `good` where it lies next to `bad`, whether it is enough or not.
    """
    bad, good = bad.copy(), good.copy()
    while len(some := np.flatnonzero(np.abs(good - bad) > 1)):
        middle = (bad[some] + good[some]) // 2
        met = enough(some, middle)
        good[some], bad[some] = np.where(met, middle, good[some]), np.where(met, bad[some], middle)
    return good


def galloped(
    enough: Callable[[np.ndarray, np.ndarray], np.ndarray], start: np.ndarray, bad: np.ndarray, good: np.ndarray
) -> np.ndarray:
    """As `bisected` finds it, in fewer looks where it lies near `start`; bad < start <= good [chains]."""
    bad, good = bad.copy(), good.copy()
    left, step = np.arange(len(start)), 1
    first = enough(left, start)
    good[first], bad[~first] = start[first], start[~first]
    while True:
        tried = np.where(first[left], start[left] - step, start[left] + step)
        between = (tried > bad[left]) & (tried < good[left])
        left, tried = left[between], tried[between]
        if not len(left):
            break
        met = enough(left, tried)
        good[left[met]], bad[left[~met]] = tried[met], tried[~met]
        left, step = left[met == first[left]], 2 * step
    return bisected(enough, bad, good)


def hopeful(chains: ChainGrid, targets: Targets, equipment: EquipmentGrid) -> np.ndarray:
    """Which chains can be run and would meet delay and throughput, got every block through at once [chains]."""
    good: np.ndarray = chains.consistent() & fits(chains, equipment)
    rows = np.flatnonzero(good)
    some, asked = chains.take(rows), targets.take(rows)
    cut = blocks(some)
    fast = hardware.processing_delay_s(some, equipment.compute_flops[rows], 1.0) <= asked.max_delay_s
    good[rows] = fast & (cut.count * cut.k / hardware.air_time_s(some, 1.0) >= asked.min_throughput_bps)
    return good
