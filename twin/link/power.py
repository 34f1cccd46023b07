"""Power: the least at which link chains meet their targets, by T0.

More power never makes delay, throughput or bit error rate worse, so that it is found by bisection.
"""

import numpy as np

from twin.link import hardware
from twin.link.blocks import blocks
from twin.link.catalogue import PARAMETERS
from twin.link.demand import Targets
from twin.link.equipment import EquipmentState, fits
from twin.link.evaluate import evaluate_batch
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
    high = np.full(len(chains), most, dtype=np.int32)
    low = np.where(_hopeful(chains.with_(tx_power_dbm=least), targets, equipment), least - 1, most)
    while len(rows := np.flatnonzero(high - low > 1)):
        middle = (low[rows] + high[rows]) // 2
        told = evaluate_batch(chains.take(rows).with_(tx_power_dbm=middle), equipment, lower_end=False)
        good = satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, targets.take(rows)))
        high[rows], low[rows] = np.where(good, middle, high[rows]), np.where(good, low[rows], middle)
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
