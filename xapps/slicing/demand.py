"""The `demand` controller: SLA-weighted water-filling over what each slice needs and what its channel carries.

Each slice's need is the bit rate that keeps its promise, over the bits one PRB carries, in percent of the cell:
what arrives (with a margin for bursts, remembered for some periods) and the backlog drained within the delay
promised, or the throughput promised to each active UE. A slice that missed its promise lately gets more than that.
Where the needs exceed the cell, it is filled like a tank: all levels rise in proportion to the SLA weights and
stop at the need (weighted max-min fairness); what is left over is given out above the needs, by weight.
"""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from oran.sla import SlaTargets, qos_ratio
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
    deficit_gain: Annotated[float, Field(ge=0, le=4)] = 0.2
    """How fast the need of a slice that misses its promise is raised."""
    deficit_most: Annotated[float, Field(ge=1, le=10)] = 3.0
    """The most that a need is raised by."""


class DemandController:
    """Water-filling with a memory; works on one cell or on a batch, [..., slices]."""

    name = "demand"

    def __init__(self, config: DemandConfig) -> None:
        self._config = config
        self._load: np.ndarray | None = None
        self._peak: np.ndarray | None = None
        self._efficiency: np.ndarray | None = None
        self._boost: np.ndarray | None = None

    def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """Quotas [..., slices, 3]: min water-filled to the needs, nothing dedicated, max 100."""
        needs = self.needs(observation, targets)
        low = fill(needs, targets.weight, 100.0)
        high = np.full_like(low, 100.0)
        return np.stack([np.zeros_like(low), low, high], axis=-1)

    def needs(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """What each slice needs of the cell to keep its promise, [..., slices] in percent, without a limit."""
        config, kpis = self._config, observation.kpis
        rate_bps = arrived(kpis.arrived_bit, kpis.delivered_bit) / observation.period_s
        self._load = _average(self._load, rate_bps, config.smoothing)
        faded = rate_bps if self._peak is None else self._peak * config.peak_memory
        self._peak = np.maximum(rate_bps, np.maximum(faded, self._load))
        self._learn_efficiency(observation)
        planned = self._load + config.peak_share * (self._peak - self._load)
        wanted = np.maximum(
            planned * (1.0 + config.margin) + self._drain(observation, targets),
            self._promised(observation, targets),
        )
        wanted = wanted * self._raise_for_deficit(observation, targets)
        available = np.asarray(observation.prb_available)[..., None]
        percent: np.ndarray = 100.0 * wanted / (self._efficiency * available)
        return percent

    def _drain(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The rate that drains the backlog in time, bit/s."""
        within = np.where(np.isnan(targets.delay_s), observation.period_s, targets.delay_s)
        within = np.maximum(np.maximum(within, observation.period_s), MIN_DELAY_TARGET_S)
        rate: np.ndarray = self._config.backlog_share * observation.backlog_bit / within
        return rate

    def _promised(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The rate that gives each active UE the throughput promised, bit/s; 0 where none is."""
        rate: np.ndarray = known_or_zero(observation.kpis.active_ues) * known_or_zero(targets.throughput_bps)
        return rate

    def _learn_efficiency(self, observation: CellObservation) -> None:
        """Average the bits per PRB and second; a slice that used none is taken for an average one."""
        kpis = observation.kpis
        seen = bits_per_prb(kpis.delivered_bit, kpis.prb_used, observation.period_s)
        previous = np.full_like(seen, math.nan) if self._efficiency is None else self._efficiency
        typical = _typical(np.where(np.isnan(seen), previous, seen))
        start = np.where(np.isnan(previous), np.where(np.isnan(seen), typical, seen), previous)
        fresh = np.where(np.isnan(seen), start, seen)
        self._efficiency = np.maximum(_average(start, fresh, self._config.smoothing), MIN_EFFICIENCY)

    def _raise_for_deficit(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """A factor >= 1 that grows while a slice misses its promise and shrinks while it keeps it with ease."""
        kpis, config = observation.kpis, self._config
        ratio = qos_ratio(targets, kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)
        miss = np.clip(1.0 / np.maximum(ratio, 1e-3) - 1.0, -1.0, 1.0)
        before = np.ones_like(ratio) if self._boost is None else self._boost
        self._boost = np.clip(before * (1.0 + config.deficit_gain * miss), 1.0, config.deficit_most)
        return self._boost


def fill(needs: np.ndarray, weight: np.ndarray, total: float) -> np.ndarray:
    """Share `total` among slices by weighted max-min fairness; [..., slices] -> [..., slices], summing to `total`.

    No slice whose need is met gets less because of one that wants more. Where all needs fit, the rest is given in
    proportion to weight. Needs are >= 0, weights > 0; exact, by raising the level over the sorted need / weight.
    """
    weight = np.broadcast_to(weight, needs.shape)
    order = (needs / weight).argsort(axis=-1)
    sorted_need = np.take_along_axis(needs, order, axis=-1)
    sorted_weight = np.take_along_axis(weight, order, axis=-1)
    # The level if those before each slice are full and the rest is shared; the highest of these is the true one.
    left = np.full_like(sorted_need, total)
    left[..., 1:] -= sorted_need[..., :-1].cumsum(axis=-1)
    weights_left = sorted_weight[..., ::-1].cumsum(axis=-1)[..., ::-1]
    level = (left / weights_left).max(axis=-1, keepdims=True)
    given = np.minimum(needs, level * weight)
    spare = np.maximum(total - given.sum(axis=-1, keepdims=True), 0.0)
    shares: np.ndarray = given + spare * weight / weight.sum(axis=-1, keepdims=True)
    return shares


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
