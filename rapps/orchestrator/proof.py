"""Proof: the power and the PRBs of planned chains, as the link twin finds by running the chains (tier T1).

Tables (T0) are some tenths of a decibel off, where the curve of a code falls by decades of bit errors. At T1 the
twin runs the chain itself, which takes torch, and a look for each size that is tried. Who has no torch takes what
the tables say and a decibel more.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rapps.orchestrator.sizing import WIDER, most_prbs
from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment, EquipmentGrid, EquipmentState
from twin.link.evaluate import evaluate
from twin.link.plan import ChainGrid
from twin.link.power import LEAST_POWER_DBM, bisected, galloped, hopeful, most_power_dbm
from twin.link.qos import Tier
from twin.link.reward import deviations, satisfied, waste

DOUBT_DB = 1
"""What the tables of T0 may be off, as far as anything is gained by having it to spare."""
DOUBT = 3.0
"""How many times fewer bit errors than a demand allows there must be at T1: other channels may say as much."""
SPARE = 0.03
"""How much more throughput, and less delay, than asked there must be at T1, which chance makes little of."""
NEAR_DB = 8
"""How far from what the tables say power is looked for."""
EXACT = 1e-6
"""How exactly PRBs are counted."""
FINEST = 32
"""How many steps of PRBs are told apart over which a decibel of power may be spread."""

Look = Callable[[np.ndarray, ChainGrid], np.ndarray]
"""Deviations at T1 of chains [some], of these places among all, from what they must meet there [some, 3].

NaN where there is no answer.
"""


def by_tables(chains: ChainGrid, equipment: Equipment) -> ChainGrid:
    """Chains as the tables sized them, with a decibel more where there is one."""
    return chains.with_(tx_power_dbm=np.minimum(chains.tx_power_dbm + DOUBT_DB, most_power_dbm(equipment)))


def doubted(demand: Demand) -> Demand:
    """What a chain must meet at T1 so that other channels find it good too."""
    # A margin is one of bit errors, too, which have their own.
    return replace(demand, max_ber=demand.max_ber * (1.0 + SPARE) / DOUBT, margin=SPARE)


def proved(
    chains: ChainGrid, beyond_db: np.ndarray | int, targets: Targets, equipment: Equipment, look: Look
) -> ChainGrid:
    """Chains [chains] of the tables' sizes with the power and the PRBs that T1 says they need, and power beyond.

    Power is the least that is enough as to errors and delay, spread as widely as it is so. Then power and PRBs are
    as few decibels together as give the throughput; where PRBs are too few for it, power alone is more. Of all
    sizes that were looked at and meet the targets those are taken that waste least. Where none do, power is the
    most within NEAR_DB of the tables'. Chains that cannot be run, or are too slow for their targets, stay as they
    are.
    """
    grid = EquipmentGrid.over(equipment, len(chains))
    rows = np.flatnonzero(hopeful(chains, targets, grid))
    if not len(rows):
        return chains
    some, own = chains.take(rows), grid.take(rows)
    most, beyond = most_power_dbm(own), np.broadcast_to(beyond_db, len(chains))[rows]
    told_dbm = np.maximum(some.tx_power_dbm - beyond, LEAST_POWER_DBM)
    least_dbm, most_dbm = np.maximum(told_dbm - NEAR_DB, LEAST_POWER_DBM), np.minimum(told_dbm + NEAR_DB, most)
    tried = _Tried(some.with_(tx_power_dbm=most_dbm), rows, look, most_prbs(some, own))
    power_dbm = galloped(tried.sound, told_dbm, least_dbm - 1, most_dbm)
    tried.spread(power_dbm)
    tried.shrink(most)
    tried.amplify(most_dbm)
    best = tried.best
    return chains.put(rows, prbs=best.prbs, tx_power_dbm=np.minimum(best.tx_power_dbm + beyond, most))


class _Tried:
    """Chains that are looked at in other sizes: those just few enough errors ask for, and the best of all."""

    def __init__(self, chains: ChainGrid, rows: np.ndarray, look: Look, most_prbs: np.ndarray) -> None:
        self.chains, self._rows, self._look, self._most = chains, rows, look, most_prbs
        self.best = chains
        """The sizes that meet their targets and waste least; as they were where none do."""
        self.wasted = np.full(len(chains), np.inf)
        self._tight, self._rate = chains, np.full(len(chains), np.nan)
        """The sizes last found sound, and the logarithm of the part of their throughput that is needed."""

    def _errors(self, places: np.ndarray, power_dbm: np.ndarray, prbs: np.ndarray | None) -> np.ndarray:
        tried = self.chains.take(places).with_(tx_power_dbm=power_dbm)
        tried = tried if prbs is None else tried.with_(prbs=prbs)
        errors = self._look(self._rows[places], tried)
        wasted = np.where(satisfied(errors), waste(errors), np.inf)
        better = np.flatnonzero(wasted < self.wasted[places])
        kept, own = places[better], tried.take(better)
        self.best = self.best.put(kept, prbs=own.prbs, tx_power_dbm=own.tx_power_dbm)
        self.wasted[kept] = wasted[better]
        return errors

    def met(self, places: np.ndarray, power_dbm: np.ndarray, prbs: np.ndarray | None = None) -> np.ndarray:
        """Which chains meet their targets with this power, and these PRBs instead of their own, bool [places]."""
        return satisfied(self._errors(places, power_dbm, prbs))

    def sound(self, places: np.ndarray, power_dbm: np.ndarray, prbs: np.ndarray | None = None) -> np.ndarray:
        """Which of them meet all targets but the throughput, for which there may be more PRBs, bool [places]."""
        errors = self._errors(places, power_dbm, prbs)
        good = satisfied(errors[:, [0, 2]])
        some = places[good]
        own = self.chains.prbs[some] if prbs is None else prbs[good]
        self._tight = self._tight.put(some, prbs=own, tx_power_dbm=power_dbm[good])
        self._rate[some] = errors[good, 1]
        return good

    def spread(self, power_dbm: np.ndarray) -> None:
        """Look for the most PRBs, WIDER at most, over which power may be spread as to errors and delay."""
        places = np.flatnonzero(np.isfinite(self._rate))
        prbs = self.chains.prbs[places]
        room = np.minimum(prbs * WIDER, self._most[places]).astype(np.int32) - prbs
        steps = np.minimum(room, FINEST)

        def sound(rows: np.ndarray, step: np.ndarray) -> np.ndarray:
            wider = np.round(room[rows] * step / steps[rows]).astype(np.int32)
            return self.sound(places[rows], power_dbm[places[rows]], prbs[rows] + wider)

        bisected(sound, steps + 1, np.zeros_like(steps))

    def shrink(self, most_dbm: np.ndarray) -> None:
        """Look at as little power and as few PRBs, together, as give the throughput, and a decibel above it."""
        places = np.flatnonzero(np.isfinite(self._rate))
        tight, less_db = self._tight.take(places), np.arange(2 * NEAR_DB, -2 * NEAR_DB - 1, -1)
        prbs = np.floor(tight.prbs[:, None] * 10.0 ** (-less_db / 10.0) + EXACT)
        power_dbm = tight.tx_power_dbm[:, None] - less_db
        fast = prbs >= tight.prbs[:, None] * np.exp(self._rate[places])[:, None] + EXACT
        able = (prbs <= self._most[places, None]) & (power_dbm <= most_dbm[places, None])
        good = fast & able & (power_dbm >= LEAST_POWER_DBM) & (less_db != 0)
        for _ in range(2):
            rows = np.flatnonzero(good.any(axis=1))
            first = good[rows].argmax(axis=1)
            found = self.met(places[rows], power_dbm[rows, first], prbs[rows, first].astype(np.int32))
            good[rows, first] = False
            good[rows[found]] = False

    def amplify(self, most_dbm: np.ndarray) -> None:
        """Look for the least power that is enough in all, where so far none is for the throughput alone."""
        short = np.isinf(self.wasted) & np.isfinite(self._rate) & (self._tight.tx_power_dbm < most_dbm)
        places = np.flatnonzero(short)
        tight = self._tight.take(places)
        fast = np.minimum(np.ceil(tight.prbs * np.exp(self._rate[places])), self._most[places])
        prbs = np.maximum(tight.prbs, fast).astype(np.int32)

        def met(rows: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
            return self.met(places[rows], power_dbm, prbs[rows])

        galloped(met, tight.tx_power_dbm + 1, tight.tx_power_dbm, most_dbm[places])


def by_twin(demand: Demand, equipment: EquipmentState, seed: int) -> Look:
    """Looks at T1 for a demand, as `doubted`, on an equipment; ImportError where there is no torch."""

    def look(_: np.ndarray, chains: ChainGrid) -> np.ndarray:
        qos = [evaluate(chains.chain(row), equipment, Tier.T1, seed=seed).qos for row in range(len(chains))]
        told = np.array([(one.delay_s, one.throughput_bps, one.ber_high) for one in qos]).reshape(-1, 3)
        return deviations(told[:, 0], told[:, 1], told[:, 2], doubted(demand))

    return look
