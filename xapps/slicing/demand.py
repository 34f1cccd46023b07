"""The `demand` controller: SLA-weighted filling of the cell, by slices' needs and spectral efficiency.

A slice's need is the share of the cell that keeps its promise: the load (with a margin for bursts, remembered for
some periods) and the backlog drained in time, over the bits one PRB carries. A slice that is promised throughput
alone is elastic: it needs no more than that throughput for each UE with data, however much it would take.

The cell is filled with promises, those worth most per PRB first. A promise that no longer fits is not kept by
halves, since its PRBs would be missed elsewhere; its slice has the least share, and what others leave unused. What
is left over goes to the slice that can wait least, because PRBs guaranteed and not used are lent anyway.
"""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from oran.sla import SlaTargets
from oran.slices import join
from xapps.slicing.observation import CellObservation, arrived, bits_per_prb, known_or_zero

MIN_DELAY_TARGET_S = 1e-4
MIN_EFFICIENCY = 1e-3


class DemandConfig(BaseModel):
    """The knobs of the demand controller, tuned on the network twin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    smoothing: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Weight of the newest period in the averages of load and efficiency."""
    peak_memory: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """How much of the remembered burst is left after one more period."""
    peak_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How far the planned load goes from the average (0) to the remembered burst (1)."""
    margin: Annotated[float, Field(ge=0, le=4)] = 0.2
    """What is planned above the load, as a share of it: the room a queue needs to stay short."""
    backlog_share: Annotated[float, Field(ge=0, le=4)] = 1.0
    """How much of the backlog is to be drained within the delay promised (or one period, where that is longer)."""
    least_percent: Annotated[float, Field(ge=0, le=100)] = 5.0
    """What a slice is guaranteed whose promise does not fit."""


class DemandController:
    """Filling with a memory; works on one cell or on a batch, [..., slices]."""

    name = "demand"

    def __init__(self, config: DemandConfig) -> None:
        self._config = config
        self._load: np.ndarray | None = None
        self._peak: np.ndarray | None = None
        self._active: np.ndarray | None = None
        self._efficiency: np.ndarray | None = None

    def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """Quotas [..., slices, 3]: min filled with promises, nothing dedicated, max 100."""
        needs = self.needs(observation, targets)
        low = fill(needs, targets.weight, self._config.least_percent, spare_to=_can_wait_least(targets))
        return join(np.zeros_like(low), low, np.full_like(low, 100.0))

    def needs(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """What each slice needs of the cell to keep its promise, [..., slices] in percent, without a limit."""
        config, kpis = self._config, observation.kpis
        rate_bps = arrived(kpis.arrived_bit, kpis.delivered_bit) / observation.period_s
        self._load = _average(self._load, rate_bps, config.smoothing)
        faded = rate_bps if self._peak is None else self._peak * config.peak_memory
        self._peak = np.maximum(rate_bps, np.maximum(faded, self._load))
        self._learn_efficiency(observation)
        planned = self._load + config.peak_share * (self._peak - self._load)
        wanted = planned * (1.0 + config.margin) + self._drain(observation, targets)
        promised = self._promised(observation, targets)
        elastic = ~np.isnan(targets.throughput_bps) & np.isnan(targets.delay_s) & np.isnan(targets.drop_rate)
        wanted = np.where(elastic, np.minimum(wanted, promised), np.maximum(wanted, promised))
        # A cell that is off has none; its quotas do not matter, but must be some.
        available = np.maximum(np.asarray(observation.prb_available)[..., None], 1.0)
        percent: np.ndarray = 100.0 * wanted / (self._efficiency * available)
        return percent

    def _drain(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The rate that drains the backlog in time, bit/s."""
        within = np.where(np.isnan(targets.delay_s), observation.period_s, targets.delay_s)
        within = np.maximum(np.maximum(within, observation.period_s), MIN_DELAY_TARGET_S)
        rate: np.ndarray = self._config.backlog_share * observation.backlog_bit / within
        return rate

    def _promised(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The rate that gives each UE with data the throughput promised, bit/s; 0 where none is."""
        active = known_or_zero(observation.kpis.active_ues)
        self._active = _average(self._active, active, self._config.smoothing)
        rate: np.ndarray = np.maximum(self._active, active) * known_or_zero(targets.throughput_bps)
        return rate * (1.0 + self._config.margin)

    def _learn_efficiency(self, observation: CellObservation) -> None:
        """Average the bits per PRB and second; a slice that used none is taken for an average one."""
        kpis = observation.kpis
        seen = bits_per_prb(kpis.delivered_bit, kpis.prb_used, observation.period_s)
        previous = np.full_like(seen, math.nan) if self._efficiency is None else self._efficiency
        typical = _typical(np.where(np.isnan(seen), previous, seen))
        start = np.where(np.isnan(previous), np.where(np.isnan(seen), typical, seen), previous)
        fresh = np.where(np.isnan(seen), start, seen)
        self._efficiency = np.maximum(_average(start, fresh, self._config.smoothing), MIN_EFFICIENCY)


def fill(needs: np.ndarray, weight: np.ndarray, least: float, *, spare_to: np.ndarray) -> np.ndarray:
    """Guarantee whole needs while they fit, those of most weight per PRB first; [..., slices] percent, sum 100.

    Every slice has at least `least` (an equal share where that is too much). Of two needs of equal weight the
    smaller comes first, and one that does not fit is passed over, not cut. `spare_to` [slices] says in what
    proportion the rest is given out. Needs are >= 0, weights > 0.
    """
    slices = needs.shape[-1]
    least = min(least, 100.0 / slices)
    extra = np.maximum(needs.reshape(-1, slices) - least, 0.0)
    order = (extra / weight).argsort(axis=-1, kind="stable")
    cells = np.arange(len(extra))
    left = np.full(len(extra), 100.0 - least * slices)
    shares: np.ndarray = np.full_like(extra, least)
    for place in order.T:
        wanted = extra[cells, place]
        given = np.where(wanted <= left, wanted, 0.0)
        shares[cells, place] += given
        left -= given
    shares += left[:, None] * (spare_to / spare_to.sum())
    return shares.reshape(needs.shape)


def _can_wait_least(targets: SlaTargets) -> np.ndarray:
    """1 for the slices with the shortest delay promised, 0 for others; all by weight where none is; [slices]."""
    delay_s = np.where(np.isnan(targets.delay_s), math.inf, targets.delay_s)
    shortest = delay_s.min()
    return targets.weight if math.isinf(shortest) else (delay_s == shortest).astype(np.float64)


def _average(before: np.ndarray | None, now: np.ndarray, share: float) -> np.ndarray:
    """Exponential average, starting at the first value."""
    if before is None:
        return now
    mean: np.ndarray = before + share * (now - before)
    return mean


def _typical(values: Any) -> np.ndarray:
    """The mean over slices of what is known, [..., slices] -> [..., 1]; 100 bit/PRB/ms when nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1, keepdims=True)
    total = np.where(known, values, 0.0).sum(axis=-1, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), 1e5)
