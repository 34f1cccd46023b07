"""Proof: the power and the PRBs of planned chains, as the link twin finds by running the chains (tier T1).

Tables (T0) are some tenths of a decibel off, where the curve of a code falls by decades of bit errors. At T1 the
twin runs the chain itself, which takes torch, and a look for each size that is tried. Who has no torch takes what
the tables say and a decibel more.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rapps.orchestrator.sizing import spread_prbs
from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment, EquipmentGrid, EquipmentState
from twin.link.evaluate import evaluate
from twin.link.plan import ChainGrid
from twin.link.power import LEAST_POWER_DBM, bisected, galloped, hopeful, most_power_dbm
from twin.link.qos import Tier
from twin.link.reward import deviations, satisfied

DOUBT_DB = 1
"""What the tables of T0 may be off, as far as anything is gained by having it to spare."""
DOUBT = 3.0
"""How many times fewer bit errors than a demand allows there must be at T1: other channels may say as much."""
NEAR_DB = 8
"""How far from what the tables say power is looked for."""

Met = Callable[[np.ndarray, ChainGrid], np.ndarray]
"""Which chains [some], of these places among all, meet what they must at T1, bool [some]."""


def by_tables(chains: ChainGrid, equipment: Equipment) -> ChainGrid:
    """Chains as the tables sized them, with a decibel more where there is one."""
    return chains.with_(tx_power_dbm=np.minimum(chains.tx_power_dbm + DOUBT_DB, most_power_dbm(equipment)))


def doubted(demand: Demand) -> Demand:
    """What a chain must meet at T1 so that other channels find it good too."""
    return replace(demand, max_ber=demand.max_ber / DOUBT, margin=0.0)


def proved(
    chains: ChainGrid, beyond_db: np.ndarray | int, targets: Targets, equipment: Equipment, met: Met
) -> ChainGrid:
    """Chains [chains] of the tables' sizes with the power and the PRBs that T1 says they need, and power beyond.

    Power is the least that is enough, spread as widely as it is so. Where none is within NEAR_DB of the tables' it
    is the most of that. Chains that cannot be run, or are too slow for their targets, stay as they are.
    """
    grid = EquipmentGrid.over(equipment, len(chains))
    rows = np.flatnonzero(hopeful(chains, targets, grid))
    if not len(rows):
        return chains
    some, own = chains.take(rows), grid.take(rows)
    most, beyond = most_power_dbm(own), np.broadcast_to(beyond_db, len(chains))[rows]

    def enough_power(places: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
        return met(rows[places], some.take(places).with_(tx_power_dbm=power_dbm))

    def enough_at(places: np.ndarray, prbs: np.ndarray) -> np.ndarray:
        return met(rows[places], loud.take(places).with_(prbs=prbs))

    told_dbm = np.maximum(some.tx_power_dbm - beyond, LEAST_POWER_DBM)
    least_dbm, most_dbm = np.maximum(told_dbm - NEAR_DB, LEAST_POWER_DBM), np.minimum(told_dbm + NEAR_DB, most)
    loud = some.with_(tx_power_dbm=galloped(enough_power, told_dbm, least_dbm - 1, most_dbm))
    prbs, power_dbm = chains.prbs.copy(), chains.tx_power_dbm.copy()
    prbs[rows] = bisected(enough_at, spread_prbs(some, own) + 1, some.prbs)
    power_dbm[rows] = np.minimum(loud.tx_power_dbm + beyond, most)
    return chains.with_(prbs=prbs, tx_power_dbm=power_dbm)


def by_twin(demand: Demand, equipment: EquipmentState, seed: int) -> Met:
    """Looks at T1 for a demand, as `doubted`, on an equipment; ImportError where there is no torch."""

    def met(_: np.ndarray, chains: ChainGrid) -> np.ndarray:
        qos = [evaluate(chains.chain(row), equipment, Tier.T1, seed=seed).qos for row in range(len(chains))]
        told = np.array([(one.delay_s, one.throughput_bps, one.ber_high) for one in qos]).reshape(-1, 3)
        return satisfied(deviations(told[:, 0], told[:, 1], told[:, 2], doubted(demand)))

    return met
