"""Service level agreements: targets, QoS ratio, satisfaction and the slicing reward, each defined once, here.

The functions are pure and array-generic: arrays of numpy or torch of shape [..., slices], with any leading batch
dimensions. NaN in a measured value means that nothing was measured because nothing was asked for.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from oran.arrays import namespace
from oran.slices import SNssai

A = TypeVar("A")

RATIO_CAP = 10.0
"""QoS ratios are reported up to this: ten times better than agreed is as good as it gets."""


@dataclass(frozen=True, slots=True)
class SliceSla:
    """What a slice is promised; an objective that is None is not promised.

    `weight` is the slice's share in the reward and in satisfaction, relative to the other slices.
    """

    slice: SNssai
    throughput_bps: float | None = None
    """At least this mean UE throughput while the UE has data (`DRB.UEThpDl`)."""
    delay_s: float | None = None
    """At most this mean delay (`DRB.RlcSduDelayDl`)."""
    drop_rate: float | None = None
    """At most this share of packets lost or late (`DRB.RlcPacketDropRateDl`)."""
    weight: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        objectives = {
            "throughput_bps": self.throughput_bps,
            "delay_s": self.delay_s,
            "drop_rate": self.drop_rate,
        }
        if all(value is None for value in objectives.values()):
            raise ValueError(f"slice {self.slice}: give at least one of {', '.join(objectives)}")
        for field, value in (*objectives.items(), ("weight", self.weight)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"slice {self.slice}: {field} is {value}; it must be finite and above 0")


@dataclass(frozen=True, slots=True)
class SlaTargets:
    """The promises of several slices as arrays of shape [slices]; NaN where nothing is promised."""

    throughput_bps: np.ndarray
    delay_s: np.ndarray
    drop_rate: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, slas: tuple[SliceSla, ...]) -> "SlaTargets":
        """Gather slices in the given order; weights are scaled to sum to one."""

        def column(values: list[float | None]) -> np.ndarray:
            return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

        weight = np.array([sla.weight for sla in slas], dtype=np.float64)
        return cls(
            column([sla.throughput_bps for sla in slas]),
            column([sla.delay_s for sla in slas]),
            column([sla.drop_rate for sla in slas]),
            weight / weight.sum(),
        )


def qos_ratio(targets: SlaTargets, throughput_bps: A, delay_s: A, drop_rate: A) -> A:
    """QoS achieved over QoS promised, per slice: 1 keeps the promise exactly, more is better, 0..RATIO_CAP.

    Each objective gives a ratio (throughput over its target, target over delay, target over drop rate); the slice
    has the smallest. An objective that is not promised, or for which nothing was measured (NaN), does not count; a
    slice with none left has kept its promise: 1. Inputs and result have shape [..., slices].
    """
    xp = namespace(throughput_bps)
    floor = 1e-12
    parts = (
        (throughput_bps, _like(xp, targets.throughput_bps, throughput_bps), True),
        (delay_s, _like(xp, targets.delay_s, delay_s), False),
        (drop_rate, _like(xp, targets.drop_rate, drop_rate), False),
    )
    best: Any = xp.full_like(throughput_bps, math.inf)
    for measured, target, more_is_better in parts:
        achieved = xp.where(xp.isnan(measured), xp.ones_like(measured), measured)
        if more_is_better:
            ratio = achieved / target
        else:
            ratio = target / xp.maximum(achieved, xp.full_like(achieved, floor))
        counts = ~(xp.isnan(measured) | xp.isnan(target))
        best = xp.where(counts & (ratio < best), ratio, best)
    best = xp.where(xp.isinf(best) & (best > 0), xp.ones_like(best), best)
    ratio_: A = xp.clip(best, 0.0, RATIO_CAP)
    return ratio_


def satisfied(ratio: A) -> A:
    """Tell for each slice whether its promise is kept; QoS ratio [...] -> bool [...]."""
    kept: A = ratio >= 1.0  # type: ignore[operator, assignment]
    return kept


def satisfaction(targets: SlaTargets, ratio: A) -> A:
    """Weighted share of promises kept, 0..1; QoS ratio [..., slices] -> [...]."""
    xp = namespace(ratio)
    kept = xp.where(ratio >= 1.0, xp.ones_like(ratio), xp.zeros_like(ratio))  # type: ignore[operator]
    share: A = xp.sum(kept * _like(xp, targets.weight, ratio), axis=-1)
    return share


def reward(targets: SlaTargets, ratio: A) -> A:
    """The slicing reward: weighted QoS deviation, normalised; QoS ratio [..., slices] -> (-1, 1) [...].

    A slice's deviation (ratio - 1) / (ratio + 1) is 0 when the promise is kept exactly, -1 when nothing is
    delivered, and keeps a slope everywhere, so that a hopeless slice and a spoilt one still differ by degrees.
    """
    xp = namespace(ratio)
    deviation = (ratio - 1.0) / (ratio + 1.0)  # type: ignore[operator]
    total: A = xp.sum(deviation * _like(xp, targets.weight, ratio), axis=-1)
    return total


def _like(xp: Any, constant: np.ndarray, like: Any) -> Any:
    """A numpy constant as an array of the kind, type and device of `like`."""
    return xp.asarray(constant, dtype=like.dtype, device=like.device)
