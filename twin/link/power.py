"""Power: the least at which link chains meet their targets, and over how many PRBs it may be spread, by T0.

More power never makes delay, throughput or bit error rate worse, so that it is found by bisection. It comes in
whole decibels, which where a code's curve is steep are decades of bit errors; PRBs are finer. On more PRBs there
is time to send blocks again, so that fewer may get through at once, with less power on each resource element.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twin.link import hardware
from twin.link.blocks import blocks
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Targets
from twin.link.equipment import Equipment, EquipmentGrid, fits
from twin.link.evaluate import evaluate_worst, worst_ber
from twin.link.plan import ChainGrid
from twin.link.qos import Results
from twin.link.reward import THROUGHPUT_FLOOR_BPS, deviations, satisfied, waste

LEAST_POWER_DBM = int(PARAMETERS["tx_power_dbm"].low)
QUIETER = 4.0
"""How much wider a chain is made whose least power is more than enough, at most."""
WITHIN = 1.5
"""How much wider a chain may be than its power, in whole decibels, was chosen for."""


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


def quietest(
    chains: ChainGrid, targets: Targets, equipment: Equipment, most: np.ndarray
) -> tuple[ChainGrid, np.ndarray]:
    """Chains as loud as few enough bit errors ask for, as wide as gives the throughput so, and what they waste.

    PRBs are as many as give the throughput when blocks are sent again, and up to QUIETER times a chain's own where
    the least power is more than enough; its own at least, and at most `most` [chains], which it must be able to
    run. The waste [chains] is infinite, and the chain as it was, where delay or throughput ask for more power, or
    where there is not enough.
    """
    grid, wasted = EquipmentGrid.over(equipment, len(chains)), np.full(len(chains), np.inf)
    asked = replace(targets, min_throughput_bps=targets.min_throughput_bps * chains.prbs / most)
    rows = np.flatnonzero((most >= chains.prbs) & hopeful(chains.with_(tx_power_dbm=LEAST_POWER_DBM), asked, grid))
    if not len(rows):
        return chains, wasted
    some, most, loudest = chains.take(rows), most[rows], most_power_dbm(grid)[rows]
    met = _Met(some, targets.take(rows), grid.take(rows))
    tight, tight_dbm = met.tight(some.prbs, most, loudest)
    start = np.clip(np.ceil(tight * met.times(tight, tight_dbm)), some.prbs, most).astype(np.int32)
    more_db = np.ceil(10.0 * np.log10(start / tight)).astype(np.int32)
    power_dbm = np.maximum(tight_dbm + more_db, LEAST_POWER_DBM)
    prbs = met.spread(start, power_dbm, most)
    errors = met.errors(np.arange(len(rows)), tx_power_dbm=power_dbm, prbs=prbs)
    good = (power_dbm <= loudest) & satisfied(errors)
    wasted[rows[good]] = waste(errors[good])
    return chains.put(rows[good], prbs=prbs[good], tx_power_dbm=power_dbm[good]), wasted


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

    def tight(self, prbs: np.ndarray, most: np.ndarray, loudest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """PRBs, hardly more than these, and whole dBm at which errors are just few enough, [chains] each.

        The power is so low as it is on each of `most` PRBs: below what any chain may have.
        """

        def few_at(places: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
            return self.few_errors(places, tx_power_dbm=power_dbm)

        least_dbm = LEAST_POWER_DBM - np.ceil(10.0 * np.log10(most / prbs)).astype(np.int32)
        power_dbm = bisected(few_at, least_dbm - 1, loudest)
        return self.spread(prbs, power_dbm, most), power_dbm

    def spread(self, prbs: np.ndarray, power_dbm: np.ndarray, most: np.ndarray) -> np.ndarray:
        """The most PRBs, but these at least, over which power may be spread as to errors [chains]."""

        def few_on(places: np.ndarray, prbs: np.ndarray) -> np.ndarray:
            return self.few_errors(places, tx_power_dbm=power_dbm[places], prbs=prbs)

        return bisected(few_on, np.minimum(WITHIN * prbs, most).astype(np.int32) + 1, prbs)

    def times(self, prbs: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
        """How many times these PRBs give the throughput, and use up the least power [chains]."""
        told = self.told(np.arange(len(prbs)), tx_power_dbm=power_dbm, prbs=prbs)
        again = self.targets.min_throughput_bps / np.maximum(told.throughput_bps, THROUGHPUT_FLOOR_BPS)
        quieter = 10.0 ** ((LEAST_POWER_DBM - power_dbm) / 10.0)
        needed: np.ndarray = np.maximum(np.maximum(again, 1.0), np.where(quieter <= QUIETER, quieter, 1.0))
        return needed

    def few_errors(self, some: np.ndarray, **sizes: np.ndarray) -> np.ndarray:
        ber = worst_ber(self.chains.take(some).with_(**sizes), self.equipment.take(some))
        return np.asarray(ber <= self.targets.max_ber[some])

    def told(self, some: np.ndarray, **sizes: np.ndarray) -> Results:
        return evaluate_worst(self.chains.take(some).with_(**sizes), self.equipment.take(some))

    def errors(self, some: np.ndarray, **sizes: np.ndarray) -> np.ndarray:
        told = self.told(some, **sizes)
        return deviations(told.delay_s, told.throughput_bps, told.ber, self.targets.take(some))

    def all(self, some: np.ndarray, **sizes: np.ndarray) -> np.ndarray:
        return satisfied(self.errors(some, **sizes))


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


def interpolated(
    beyond: Callable[[np.ndarray, np.ndarray], np.ndarray],
    bad: np.ndarray,
    good: np.ndarray,
    beyond_bad: np.ndarray,
    beyond_good: np.ndarray,
    near: float = 0.0,
) -> np.ndarray:
    """As `bisected` finds it, in fewer looks where it is told how far values are beyond enough [chains].

    They are enough where that is 0 or less, and near enough where it is not below `-near`. The next look is where
    a straight line between both ends is 0 (regula falsi); an end that stays counts half as much the next time
    (Dowell and Jarratt 1971). Where that does not help, every third look halves what is between.
    """
    ends, values = np.stack((good, bad)), np.stack((beyond_good, beyond_bad)).astype(float)
    far, moved, turn = values[0] < -near, np.full(len(good), -1), 0
    while len(some := np.flatnonzero(far & (np.abs(ends[0] - ends[1]) > 1))):
        under, over = values[:, some]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = under / (under - over)
        share = np.where(np.isfinite(share) & (turn % 3 < 2), share, 0.5)
        room = np.abs(ends[1, some] - ends[0, some])
        step = np.clip(np.rint(share * room), 1, room - 1).astype(ends.dtype)
        middle = ends[0, some] + np.sign(ends[1, some] - ends[0, some]) * step
        told = beyond(some, middle)
        end = np.where(told <= 0.0, 0, 1)
        stays = moved[some] == end
        values[1 - end[stays], some[stays]] /= 2.0
        ends[end, some], values[end, some], moved[some] = middle, told, end
        far[some] = ~((told <= 0.0) & (told >= -near))
        turn += 1
    found: np.ndarray = ends[0]
    return found


def hopeful(chains: ChainGrid, targets: Targets, equipment: EquipmentGrid) -> np.ndarray:
    """Which chains can be run and would meet delay and throughput, got every block through at once [chains]."""
    good: np.ndarray = chains.consistent() & fits(chains, equipment)
    rows = np.flatnonzero(good)
    some, asked = chains.take(rows), targets.take(rows)
    cut = blocks(some)
    fast = hardware.processing_delay_s(some, equipment.compute_flops[rows], 1.0) <= asked.max_delay_s
    good[rows] = fast & (cut.count * cut.k / hardware.air_time_s(some, 1.0) >= asked.min_throughput_bps)
    return good
