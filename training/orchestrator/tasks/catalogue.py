"""The training catalogue: services by vertical and the range of what each asks (catalogue.yaml)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml

FILE = Path(__file__).parent / "catalogue.yaml"

Axis = Literal["delay", "throughput", "ber"]
AXES: tuple[Axis, ...] = ("delay", "throughput", "ber")
"""What a demand limits, in the order of the fields of `twin.link.demand.Demand`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Where a target lies. ValueError unless 0 < low < high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise ValueError(f"a range is {self.low}..{self.high}; it must be 0 < low < high")

    @property
    def middle(self) -> float:
        """The geometric mean of the ends."""
        return math.sqrt(self.low * self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An upper-layer service."""

    key: str
    vertical: str
    names: tuple[str, ...]
    about: tuple[str, ...]
    cues: tuple[str, ...]
    """What people say of it instead of numbers."""
    delay_s: Range
    throughput_bps: Range
    ber: Range
    source: str

    def range(self, axis: Axis) -> Range:
        """The range of one target, in SI units."""
        return {"delay": self.delay_s, "throughput": self.throughput_bps, "ber": self.ber}[axis]


@lru_cache
def services() -> tuple[Service, ...]:
    """The catalogue in the order of its file."""
    verticals = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Service(
            key=key,
            vertical=vertical,
            names=tuple(told["names"]),
            about=tuple(told["about"]),
            cues=tuple(told["cues"]),
            delay_s=_range(told["needs"][0]),
            throughput_bps=_range(told["needs"][1]),
            ber=_range(told["needs"][2]),
            source=told["source"],
        )
        for vertical, group in verticals.items()
        for key, told in group.items()
    )


def _range(ends: Sequence[float | str]) -> Range:
    # YAML 1.1 reads 1e-5 as a string.
    low, high = map(float, ends)
    return Range(low=low, high=high)
