"""Oracle: the best reward that any link chain can reach, and the chain, by branch and bound over the T0 space.

The space has up to 10^11 chains, so the search leans on what is true of every answer of the twin:

1. More transmit power never makes delay, throughput or bit error rate worse. So the best chain that meets a demand
   has the least power that meets it, which is found by bisection, and the best that misses it has the most power.
2. Delay and throughput follow from the mean number of transmissions t, in 1..harq_transmissions, by the timeline
   of `twin.link.hardware`, and throughput is at most the bits sent per air time. Waste in delay and in throughput
   both shrink as t grows, so a chain's reward is at most that of the largest t that still meets the demand.
3. A bit error rate of `ber` leaves at most FAILED_PER_BIT_ERROR x ber of the bits undelivered.

A cell is a chain without its power. Cells are bounded by 2 and 3 in columns, and evaluated, by 1, only while their
bound exceeds the best reward found.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.link import hardware
from twin.link.blocks import blocks
from twin.link.catalogue import REFERENCE_NUMEROLOGY
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.plan import ChainGrid, LinkChain
from twin.link.qos import Result, Results
from twin.link.reward import DEFAULT_WEIGHTS, RewardWeights, deviations, rewards, satisfied, use_share_of
from twin.link.space import Space

Evaluate = Callable[[ChainGrid, EquipmentState], Results]

FAILED_PER_BIT_ERROR = 8448.0
"""A failed code block of at most 8448 bits has at least one of them wrong (TS 38.212 5.2.2)."""
SLACK = 1e-12
"""Rounding that a bound allows for."""
CELLS_AT_ONCE = 400_000
EVALUATED_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """The best link chain for a demand on an equipment."""

    reward: float
    bound: float
    """No chain of the space has a higher reward than this; `reward` itself when the search was exact."""
    chain: LinkChain
    result: Result
    evaluations: int
    """Chains that the twin was asked about."""
    runners_up: tuple[LinkChain, ...] = ()
    """Chains that meet the demand nearly as well, the best one first, as many as were asked for."""


def oracle(
    demand: Demand,
    equipment: EquipmentState,
    *,
    weights: RewardWeights = DEFAULT_WEIGHTS,
    tolerance: float = 0.0,
    most_evaluations: int | None = None,
    only: Mapping[str, Sequence[str | int | float]] | None = None,
    evaluate: Evaluate | None = None,
    seed: int = 0,
    runners_up: int = 0,
) -> Optimum:
    """Find the best reachable reward and a chain that reaches it, to within `tolerance` (0: exactly).

    `only` narrows parameters of the catalogue to the given values. `evaluate` answers for the twin
    (`twin.link.evaluate.evaluate_batch` by default). `seed` orders the search; it does not change the reward by
    more than `tolerance`. A search that has asked `most_evaluations` questions ends with the bound that it came
    down to. Of the chains that it came by, `runners_up` are told. PlanError when the equipment can run none.
    """
    if not (0 <= tolerance < np.inf):
        raise ValueError(f"tolerance is {tolerance}; it must be at least 0")
    space = Space.of(equipment, only)
    search = _Search(space, demand, weights, tolerance, evaluate or table_twin(), most_evaluations, runners_up)
    for cells in _cells(space, np.random.default_rng(seed)):
        search.visit(cells)
        if search.spent:
            # Cells that were not looked at may hold anything.
            search.pruned = np.inf
            break
    if search.chain is None or search.result is None:
        raise PlanError("plan", "", "no link chain fits the equipment")
    return Optimum(
        reward=search.best,
        bound=max(search.best, min(search.pruned, weights.satisfied)),
        chain=search.chain,
        result=search.result,
        evaluations=search.evaluations,
        runners_up=tuple(chains.chain(0) for _, _, chains in sorted(search.close, reverse=True)),
    )


def table_twin() -> Evaluate:
    """The twin's own answers, tier T0; its tables are loaded now."""
    from twin.link.evaluate import evaluate_batch

    return evaluate_batch


def _cells(space: Space, rng: np.random.Generator) -> Iterator[ChainGrid]:
    """Every chain that fits, at its least power, without HARQ and repetition, in chunks of random order."""
    modules = space.modules()
    widths = np.array(space.axes["prbs"], dtype=np.int32)
    chunk = max(1, CELLS_AT_ONCE // (len(widths) * len(_repeats(space)[0])))
    order = rng.permutation(len(modules))
    for start in range(0, len(modules), chunk):
        some = modules.take(np.repeat(order[start : start + chunk], len(widths)))
        wide = some.with_(prbs=np.tile(widths, len(some) // len(widths)))
        room = space.equipment.free_prbs * 2.0 ** (REFERENCE_NUMEROLOGY - wide.numerology)
        wide = wide.take(wide.prbs <= room)
        yield wide.take(fits(wide, space.equipment))


def _repeats(space: Space) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of harq_transmissions and repetition, [pairs] each."""
    harq, repetition = np.meshgrid(space.axes["harq_transmissions"], space.axes["repetition"], indexing="ij")
    return harq.ravel().astype(np.int32), repetition.ravel().astype(np.int32)


class _Search:
    """The state of one search: the best chain so far and what was pruned."""

    def __init__(
        self,
        space: Space,
        demand: Demand,
        weights: RewardWeights,
        tolerance: float,
        evaluate: Evaluate,
        most_evaluations: int | None,
        runners_up: int,
    ) -> None:
        self.space = space
        self.demand = demand
        self.weights = weights
        self.tolerance = tolerance
        self.evaluate = evaluate
        self.most_evaluations = most_evaluations
        self.powers = np.array(sorted(int(power) for power in space.axes["tx_power_dbm"]), dtype=np.int32)
        self.best = -np.inf
        self.pruned = -np.inf
        self.chain: LinkChain | None = None
        self.result: Result | None = None
        self.evaluations = 0
        self.runners_up = runners_up
        self.close: list[tuple[float, int, ChainGrid]] = []
        """A heap of the best chains, by reward and by when they were found."""

    @property
    def spent(self) -> bool:
        """Whether no more questions may be asked."""
        return self.most_evaluations is not None and self.evaluations >= self.most_evaluations

    def visit(self, cells: ChainGrid) -> None:
        """Bound these cells with every HARQ and repetition, and evaluate those that may beat the best."""
        harq, repetition = _repeats(self.space)
        bound = self.bound(cells, harq, repetition).ravel()
        promising = np.flatnonzero(self.worth(bound))
        promising = promising[np.argsort(-bound[promising], kind="stable")]
        for start in range(0, len(promising), EVALUATED_AT_ONCE):
            some = promising[start : start + EVALUATED_AT_ONCE]
            some = some[self.worth(bound[some])]
            if not len(some) or self.spent:
                break
            row, pair = np.divmod(some, len(harq))
            self.climb(cells.take(row).with_(harq_transmissions=harq[pair], repetition=repetition[pair]))

    def worth(self, bound: np.ndarray) -> np.ndarray:
        """Tell which bounds leave room for something better than the best; note the highest that do not."""
        good: np.ndarray = bound > self.best + self.tolerance
        self.pruned = max(self.pruned, float(np.max(bound, initial=-np.inf, where=~good)))
        return good

    def bound(self, cells: ChainGrid, harq: np.ndarray, repetition: np.ndarray) -> np.ndarray:
        """An upper bound of the reward of each cell [cells, pairs], by the twin's timeline alone."""
        target, weights = self.demand.tightened(), self.weights
        slot_s = hardware.slot_s(cells)[:, None]
        compute_s = hardware.compute_s(cells, self.space.equipment.compute_flops)[:, None]
        cut = blocks(cells)
        sent_bps = (cut.count * cut.k)[:, None] / (slot_s * repetition)
        first_s = hardware.timeline_s(slot_s, repetition, compute_s, 1.0)
        trip_s = hardware.round_trip_s(slot_s, repetition, compute_s)
        most = np.minimum(
            harq, np.minimum(1.0 + (target.max_delay_s - first_s) / trip_s, sent_bps / target.min_throughput_bps)
        )
        feasible = most >= 1.0 - SLACK
        most = np.maximum(most, 1.0)
        delivered = max(0.0, 1.0 - FAILED_PER_BIT_ERROR * target.max_ber)
        delay_s = first_s + (most - 1.0) * trip_s
        throughput_bps = np.maximum(target.min_throughput_bps, sent_bps * delivered / most)
        spare = weights.use * use_share_of(cells, self.space.equipment)[:, None] if weights.use else 0.0
        waste = weights.waste[0] * _distance(delay_s / target.max_delay_s)
        waste += weights.waste[1] * _distance(throughput_bps / target.min_throughput_bps)
        near = weights.proximity[0] * (1.0 - _distance(np.maximum(first_s / target.max_delay_s, 1.0)))
        near += weights.proximity[1] * (1.0 - _distance(np.maximum(target.min_throughput_bps / sent_bps, 1.0)))
        good = weights.satisfied - spare - waste
        bound: np.ndarray = np.where(feasible, good, near + weights.proximity[2] - weights.violated)
        return bound + SLACK

    def climb(self, cells: ChainGrid) -> None:
        """Find the best power of each cell: the least that meets the demand, or the most."""
        high = np.full(len(cells), len(self.powers) - 1)
        met = satisfied(self.ask(cells, high))
        cells, high = cells.take(met), high[met]
        low = np.full(len(cells), -1)
        # The demand is met at `high` and missed at `low` (-1: below the least power).
        while (apart := high - low > 1).any():
            cells, high, low = cells.take(apart), high[apart], low[apart]
            middle = (low + high) // 2
            errors = self.ask(cells, middle)
            met = satisfied(errors)
            high, low = np.where(met, middle, high), np.where(met, low, middle)
            # More power than one that missed wastes at least as much as that one did.
            waste = np.tanh(np.maximum(-errors, 0.0) / 2.0) @ np.array(self.weights.waste)
            hopeful = met | self.worth(self.weights.satisfied - waste + SLACK)
            cells, high, low = cells.take(hopeful), high[hopeful], low[hopeful]

    def ask(self, cells: ChainGrid, power: np.ndarray) -> np.ndarray:
        """Evaluate cells at these powers, keep the best, and give the deviations [cells, 3]."""
        chains = cells.with_(tx_power_dbm=self.powers[power])
        results = self.evaluate(chains, self.space.equipment)
        self.evaluations += len(chains)
        share = use_share_of(chains, self.space.equipment) if self.weights.use else 0.0
        values = rewards(results, self.demand, self.weights, use_share=share)
        top = int(np.argmax(values))
        if values[top] > self.best:
            self.best = float(values[top])
            self.chain, self.result = chains.chain(top), results.row(top)
        errors = deviations(results.delay_s, results.throughput_bps, results.ber_high, self.demand)
        if self.runners_up:
            self.keep(chains, np.where(satisfied(errors), values, -np.inf))
        return errors

    def keep(self, chains: ChainGrid, values: np.ndarray) -> None:
        """Keep those of the best chains so far that meet the demand; the others' values are -inf."""
        for place in np.argsort(-values)[: self.runners_up]:
            found = (float(values[place]), -self.evaluations - int(place), chains.take(np.array([place])))
            if found[0] == -np.inf:
                break
            if len(self.close) < self.runners_up:
                heapq.heappush(self.close, found)
            elif found[0] > self.close[0][0]:
                heapq.heapreplace(self.close, found)


def _distance(ratio: np.ndarray) -> np.ndarray:
    """2 sigmoid(|ln ratio|) - 1, without logarithms."""
    distance: np.ndarray = np.abs(ratio - 1.0) / (ratio + 1.0)
    return distance
