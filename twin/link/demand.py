"""Demand: the QoS that a task asks of the link."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.link.errors import DemandError


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a task asks for; every target is above 0, or DemandError names it.

    `margin` is a planning margin: with 0.2 every target is met only when it is met with a factor 1.2 to spare.
    """

    max_delay_s: float
    min_throughput_bps: float
    max_ber: float
    margin: float = 0.0

    def __post_init__(self) -> None:
        for field in ("max_delay_s", "min_throughput_bps", "max_ber"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise DemandError(f"{field} is {value}; it must be finite and above 0")
        if self.max_ber > 1:
            raise DemandError(f"max_ber is {self.max_ber}; it must be at most 1")
        if not (math.isfinite(self.margin) and 0 <= self.margin <= 10):
            raise DemandError(f"margin is {self.margin}; it must lie in 0..10")

    def tightened(self) -> "Demand":
        """The demand with its margin worked into the targets, and no margin left."""
        factor = 1.0 + self.margin
        return Demand(
            max_delay_s=self.max_delay_s / factor,
            min_throughput_bps=self.min_throughput_bps * factor,
            max_ber=self.max_ber / factor,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is asked of each of many chains, margins worked in, in columns [chains]."""

    max_delay_s: np.ndarray
    min_throughput_bps: np.ndarray
    max_ber: np.ndarray

    @classmethod
    def of(cls, demands: Sequence[Demand]) -> Self:
        """Those of demands in turn."""
        tight = [demand.tightened() for demand in demands]
        rows = [(demand.max_delay_s, demand.min_throughput_bps, demand.max_ber) for demand in tight]
        return cls(*np.array(rows, dtype=float).reshape(-1, 3).T)

    def take(self, rows: np.ndarray) -> Self:
        """Those of some of the chains."""
        return type(self)(self.max_delay_s[rows], self.min_throughput_bps[rows], self.max_ber[rows])
