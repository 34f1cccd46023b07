"""Proof: the power and the PRBs of planned chains, as the link twin finds by running the chains (tier T1).

Tables (T0) are some tenths of a decibel off, where the curve of a code falls by decades of bit errors. At T1 the
twin runs the chain itself, which takes torch, and a look for each size that is tried. Who has no torch takes what
the tables say and a decibel more.
"""

from collections.abc import Callable

import numpy as np

from rapps.orchestrator.sizing import SIZED, most_prbs, sent_otherwise, spread_prbs
from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment, EquipmentGrid, EquipmentState
from twin.link.evaluate import evaluate
from twin.link.plan import ChainGrid
from twin.link.power import LEAST_POWER_DBM, galloped, hopeful, interpolated, most_power_dbm
from twin.link.qos import Tier
from twin.link.reward import decades, deviations, satisfied, waste

DOUBT_DB = 1
"""What the tables of T0 may be off, as far as anything is gained by having it to spare."""
AGAIN = 1.0
"""How much further below what a demand allows a bit error rate's interval must end at T1, in parts of its upper
half: other channels may say as much."""
LEAST_DOUBT = 0.05
"""The same in decades, at least."""
SPARE = 0.03
"""How much more throughput, and less delay, than asked there must be at T1, which chance makes little of."""
NEAR_DB = 8
"""How far from what the tables say power is looked for."""
EXACT = 1e-6
"""How exactly PRBs are counted."""
CLOSE = 0.15
"""How near to a target is near enough, in decades of bit errors or logarithms of delay: looks differ as much."""
CLEARLY = 0.05
"""How much less of the reward another way of sending must promise to waste than a chain was found to."""
FINEST = 32
"""How many steps of PRBs are told apart over which a decibel of power may be spread."""

Look = Callable[[np.ndarray, ChainGrid], np.ndarray]
"""Deviations at T1 of chains [some], of these places among all, from what they must meet there [some, 3].

NaN where there is no answer.
"""


def by_tables(chains: ChainGrid, equipment: Equipment) -> ChainGrid:
    """Chains as the tables sized them, with a decibel more where there is one."""
    return chains.with_(tx_power_dbm=np.minimum(chains.tx_power_dbm + DOUBT_DB, most_power_dbm(equipment)))


def doubted(errors: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Deviations at T1 [..., 3] with what there must be to spare, so that other channels find a chain good too.

    By how many decades its bit error rate's interval ends above it [...] (`twin.link.reward.decades`).
    """
    spare = np.full_like(chance, np.log1p(SPARE))
    tight: np.ndarray = errors + np.stack((spare, spare, np.maximum(AGAIN * chance, LEAST_DOUBT)), axis=-1)
    return tight


def proved(
    chains: ChainGrid,
    beyond_db: np.ndarray | int,
    targets: Targets,
    equipment: Equipment,
    look: Look,
    *,
    otherwise: bool = False,
) -> ChainGrid:
    """Chains [chains] of the tables' sizes with the power and the PRBs that T1 says they need, and power beyond.

    Power is the least that is enough as to errors and delay, spread as widely as it is so. Then power and PRBs are
    as few decibels together as give the throughput; where PRBs are too few for it, power alone is more. Of all
    sizes that were looked at and meet the targets those are taken that waste least. Where none do, power is the
    most within NEAR_DB of the tables'. Chains that cannot be run, or are too slow for their targets, stay as they
    are. With `otherwise` blocks may also be sent as often as the tables like second best, in no more slots, where
    the first way wastes more than the tables told, and clearly more than they tell of the second.
    """
    grid, beyond = EquipmentGrid.over(equipment, len(chains)), np.broadcast_to(beyond_db, len(chains))
    rows = np.flatnonzero(hopeful(chains, targets, grid))
    if not len(rows):
        return chains
    told_dbm = np.maximum(chains.tx_power_dbm - beyond, LEAST_POWER_DBM)
    some = chains.with_(tx_power_dbm=told_dbm).take(rows)
    made, wasted = _sized(some, beyond[rows], rows, grid, look)
    if otherwise:
        other, hoped = sent_otherwise(some, targets.take(rows), grid.take(rows))
        places = np.flatnonzero(hoped + CLEARLY < wasted)
        tried, spent = _sized(other.take(places), beyond[rows[places]], rows[places], grid, look)
        better = spent < wasted[places]
        made = made.put(places[better], **{name: getattr(tried, name)[better] for name in SIZED})
    return chains.put(rows, **{name: getattr(made, name) for name in SIZED})


def _sized(
    chains: ChainGrid, beyond_db: np.ndarray, rows: np.ndarray, equipment: EquipmentGrid, look: Look
) -> tuple[ChainGrid, np.ndarray]:
    """Chains of these places among all with sizes by T1, power beyond, and what they waste without it [some]."""
    own = equipment.take(rows)
    most, told_dbm = most_power_dbm(own), chains.tx_power_dbm
    least_dbm, most_dbm = np.maximum(told_dbm - NEAR_DB, LEAST_POWER_DBM), np.minimum(told_dbm + NEAR_DB, most)
    tried = _Tried(chains.with_(tx_power_dbm=most_dbm), rows, look)
    tried.quieten(told_dbm, least_dbm)
    tried.spread(spread_prbs(chains, own))
    widest = most_prbs(chains, own)
    tried.shrink(most, widest)
    tried.amplify(widest)
    best = tried.best
    return best.with_(tx_power_dbm=np.minimum(best.tx_power_dbm + beyond_db, most)), tried.wasted


class _Tried:
    """Chains, as loud as they may be made, that are looked at in other sizes, and the best of these so far."""

    def __init__(self, chains: ChainGrid, rows: np.ndarray, look: Look) -> None:
        self._chains, self._rows, self._look = chains, rows, look
        self.best = chains
        """The sizes that meet their targets and waste least; as they were where none do."""
        self.wasted = np.full(len(chains), np.inf)
        """What these waste, without end where none do."""
        self._tight, self._rate = chains, np.full(len(chains), np.nan)
        """The sizes last found sound, and the logarithm of the part of their throughput that is needed."""
        self._spare, self._missing = np.full((2, len(chains)), np.nan)
        """How far beyond what is sound the sizes were that were last found so, and not so."""

    def quieten(self, start_dbm: np.ndarray, least_dbm: np.ndarray) -> None:
        """Look for the least power that is sound, from a start [chains]."""

        def sound(places: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
            return np.asarray(self._beyond(places, power_dbm, self._chains.prbs[places]) <= 0.0)

        galloped(sound, start_dbm, least_dbm - 1, self._chains.tx_power_dbm)

    def spread(self, widest: np.ndarray) -> None:
        """Look for the most PRBs, up to these [chains], over which that power may be spread and be sound."""
        places = np.flatnonzero(np.isfinite(self._rate))
        tight = self._tight.take(places)
        room = widest[places] - tight.prbs
        steps = np.minimum(room, FINEST)

        def beyond(rows: np.ndarray, step: np.ndarray) -> np.ndarray:
            wider = np.round(room[rows] * step / steps[rows]).astype(np.int32)
            return self._beyond(places[rows], tight.tx_power_dbm[rows], tight.prbs[rows] + wider)

        # A decibel less was too little, and that is how much thinner the power is on the most PRBs, or less.
        spare, thinner_db = self._spare[places], 10.0 * np.log10(1.0 + room / tight.prbs)
        missing = spare + (self._missing[places] - spare) * thinner_db
        interpolated(beyond, steps + 1, np.zeros_like(steps), missing, spare, CLOSE)

    def shrink(self, most_dbm: np.ndarray, most_prbs: np.ndarray) -> None:
        """Look at as little power and as few PRBs, together, as give the throughput, and a decibel above it.

        Not at more of both than were found to give it.
        """
        places = np.flatnonzero(np.isfinite(self._rate))
        tight, less_db = self._tight.take(places), np.arange(2 * NEAR_DB, -2 * NEAR_DB - 1, -1)
        prbs = np.floor(tight.prbs[:, None] * 10.0 ** (-less_db / 10.0) + EXACT)
        power_dbm = tight.tx_power_dbm[:, None] - less_db
        fast = prbs >= tight.prbs[:, None] * np.exp(self._rate[places])[:, None] + EXACT
        able = (prbs <= most_prbs[places, None]) & (power_dbm <= most_dbm[places, None])
        useful = np.where(self._rate[places, None] > 0.0, less_db != 0, less_db > 0)
        good = fast & able & (power_dbm >= LEAST_POWER_DBM) & useful
        for _ in range(2):
            rows = np.flatnonzero(good.any(axis=1))
            first = good[rows].argmax(axis=1)
            found = self._met(places[rows], power_dbm[rows, first], prbs[rows, first].astype(np.int32))
            good[rows, first] = False
            good[rows[found]] = False

    def amplify(self, most_prbs: np.ndarray) -> None:
        """Look for the least power that is enough in all, where so far none is for the throughput alone."""
        most_dbm = self._chains.tx_power_dbm
        short = np.isinf(self.wasted) & np.isfinite(self._rate) & (self._tight.tx_power_dbm < most_dbm)
        places = np.flatnonzero(short)
        tight = self._tight.take(places)
        fast = np.minimum(np.ceil(tight.prbs * np.exp(self._rate[places])), most_prbs[places])
        prbs = np.maximum(tight.prbs, fast).astype(np.int32)

        def met(rows: np.ndarray, power_dbm: np.ndarray) -> np.ndarray:
            return self._met(places[rows], power_dbm, prbs[rows])

        galloped(met, tight.tx_power_dbm + 1, tight.tx_power_dbm, most_dbm[places])

    def _met(self, places: np.ndarray, power_dbm: np.ndarray, prbs: np.ndarray) -> np.ndarray:
        """Which chains meet their targets with these sizes, bool [places]."""
        return satisfied(self._errors(places, power_dbm, prbs))

    def _beyond(self, places: np.ndarray, power_dbm: np.ndarray, prbs: np.ndarray) -> np.ndarray:
        """How far they are beyond all targets but the throughput, for which there may be more PRBs [places]."""
        errors = self._errors(places, power_dbm, prbs)
        found: np.ndarray = errors[:, [0, 2]].max(axis=1)
        good = found <= 0.0
        self._tight = self._tight.put(places[good], prbs=prbs[good], tx_power_dbm=power_dbm[good])
        self._rate[places[good]], self._spare[places[good]] = errors[good, 1], found[good]
        self._missing[places[~good]] = found[~good]
        return found

    def _errors(self, places: np.ndarray, power_dbm: np.ndarray, prbs: np.ndarray) -> np.ndarray:
        sizes = {"prbs": prbs, "tx_power_dbm": power_dbm}
        errors = self._look(self._rows[places], self._chains.take(places).with_(**sizes))
        wasted = np.where(satisfied(errors), waste(errors), np.inf)
        better = wasted < self.wasted[places]
        kept = places[better]
        self.best = self.best.put(kept, **{name: size[better] for name, size in sizes.items()})
        self.wasted[kept] = wasted[better]
        return errors


def by_twin(demand: Demand, equipment: EquipmentState, seed: int) -> Look:
    """Looks at T1 for a demand, `doubted`, on an equipment; ImportError where there is no torch."""

    def look(_: np.ndarray, chains: ChainGrid) -> np.ndarray:
        qos = [evaluate(chains.chain(row), equipment, Tier.T1, seed=seed).qos for row in range(len(chains))]
        told = np.array([(one.delay_s, one.throughput_bps, one.ber_high, one.ber) for one in qos]).reshape(-1, 4)
        delay_s, throughput_bps, ber_high, ber = told.T
        return doubted(deviations(delay_s, throughput_bps, ber_high, demand), decades(ber, ber_high))

    return look
