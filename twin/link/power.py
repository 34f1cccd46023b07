"""Power: the least at which link chains meet their targets, by T0.

More power never makes delay, throughput or bit error rate worse, so that it is found by bisection.
"""

from collections.abc import Callable

import numpy as np

from twin.link import hardware
from twin.link.blocks import blocks
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Targets
from twin.link.equipment import EquipmentState, fits
from twin.link.evaluate import evaluate_batch, worst_ber
from twin.link.plan import ChainGrid
from twin.link.reward import deviations, satisfied


def most_power_dbm(equipment: EquipmentState) -> int:
    """The most that a chain may have, whole dBm."""
    return int(np.floor(min(equipment.max_tx_power_dbm, PARAMETERS["tx_power_dbm"].high)))


def least_power_dbm(chains: ChainGrid, targets: Targets, equipment: EquipmentState) -> np.ndarray:
    """The least power at which each chain, all else as it is, meets its targets, whole dBm [chains].

    The most there is where none is enough, or where the chain breaks a rule or does not fit the equipment.
    """
    least, most = int(PARAMETERS["tx_power_dbm"].low), most_power_dbm(equipment)
    found = np.full(len(chains), most, dtype=np.int32)
    rows = np.flatnonzero(_hopeful(chains.with_(tx_power_dbm=least), targets, equipment))
    if not len(rows):
        return found
    chains, targets = chains.take(rows), targets.take(rows)

    def few_errors(some: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
        ber = worst_ber(chains.take(some).with_(tx_power_dbm=power_dbm), equipment)
        return np.asarray(ber <= targets.max_ber[some])

    def all_met(some: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
        told = evaluate_batch(chains.take(some).with_(tx_power_dbm=power_dbm), equipment, lower_end=False)
        return satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, targets.take(some)))

    # Errors alone are told in a tenth of the time, and mostly there is nothing else to wait for.
    high = np.full(len(rows), most, dtype=np.int32)
    high = _bisected(few_errors, np.full_like(high, least - 1), high)
    enough = all_met(np.arange(len(rows)), high)
    found[rows] = _bisected(all_met, np.where(enough, most, high), np.where(enough, high, most))
    return found


def _bisected(
    enough: Callable[[np.ndarray, np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The least power that is enough, where `low` is not and `high` is, or is all there is [chains]."""
    low, high = low.copy(), high.copy()
    while len(some := np.flatnonzero(high - low > 1)):
        middle = (low[some] + high[some]) // 2
        good = enough(some, middle)
        high[some], low[some] = np.where(good, middle, high[some]), np.where(good, low[some], middle)
    return high


def _hopeful(chains: ChainGrid, targets: Targets, equipment: EquipmentState) -> np.ndarray:
    """Which chains can be run and would meet delay and throughput, got every block through at once [chains]."""
    good: np.ndarray = chains.consistent() & fits(chains, equipment)
    rows = np.flatnonzero(good)
    some, asked = chains.take(rows), targets.take(rows)
    cut = blocks(some)
    fast = hardware.processing_delay_s(some, equipment.compute_flops, 1.0) <= asked.max_delay_s
    good[rows] = fast & (cut.count * cut.k / hardware.air_time_s(some, 1.0) >= asked.min_throughput_bps)
    return good
