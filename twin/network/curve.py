"""A link chain's SINR-to-rate curve, as plain numbers: what a slice's PHY delivers at each SINR. Without torch."""

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from twin.network.errors import ScenarioError

LONGEST_CURVE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCurve:
    """A curve on a grid of SINR; between its points it is interpolated, beyond them it keeps its end values.

    Raises ScenarioError for a grid that does not grow, columns of unlike length, or values out of range.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    snr_db: tuple[float, ...]
    """SINR of a resource element at the receiver, strictly growing; at least two points."""
    efficiency: tuple[float, ...]
    """Information bits per data resource element over all layers, while sent; 0..40."""
    bler: tuple[float, ...]
    """Share of blocks that the chain, its own repetitions included, does not get through; 0..1."""
    delay_s: float | None = None
    """From the last bit's arrival at the chain to its delivery, without waiting; None: as the scenario says."""

    def __post_init__(self) -> None:
        points = len(self.snr_db)
        if not 2 <= points <= LONGEST_CURVE:
            raise ScenarioError(f"rate curve: snr_db has {points} points; it must have 2..{LONGEST_CURVE}")
        for field, low, high in (("snr_db", -100, 100), ("efficiency", 0, 40), ("bler", 0, 1)):
            values: tuple[float, ...] = getattr(self, field)
            if len(values) != points:
                raise ScenarioError(f"rate curve: {field} has {len(values)} points; snr_db has {points}")
            for value in values:
                if not (math.isfinite(value) and low <= value <= high):
                    raise ScenarioError(f"rate curve: {field} holds {value}; it must lie in {low}..{high}")
        if any(later <= earlier for earlier, later in itertools.pairwise(self.snr_db)):
            raise ScenarioError("rate curve: snr_db must grow strictly")
        if self.delay_s is not None and not 0.0 <= self.delay_s <= 10.0:
            raise ScenarioError(f"rate curve: delay_s is {self.delay_s}; it must lie in 0..10")

    def goodput(self, snr_db: float) -> float:
        """Bits per resource element that get through at an SINR."""
        return self.at(self.efficiency, snr_db) * (1.0 - self.at(self.bler, snr_db))

    def at(self, values: Sequence[float], snr_db: float) -> float:
        """A column of the curve, interpolated at an SINR."""
        place = bisect.bisect_right(self.snr_db, snr_db)
        if place == 0 or place == len(values):
            return values[0] if place == 0 else values[-1]
        low, high = self.snr_db[place - 1], self.snr_db[place]
        return values[place - 1] + (values[place] - values[place - 1]) * (snr_db - low) / (high - low)
