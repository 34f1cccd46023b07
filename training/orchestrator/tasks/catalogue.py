"""The training catalogue: services by vertical and the range of what each asks (services/).

A file holds the services of a vertical, written by us. names: how the service is called in a sentence. about: what
it is, in everyday words. cues: what people say of it instead of numbers. needs: [lowest, highest] of the largest
delay in s, of the smallest throughput in bit/s and of the largest bit error rate. source: where delay and
throughput come from; the standards state reliability or packet error rates, the bit error rates that go with them
are our reading. "judgement" is engineering judgement.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from yaml import CSafeLoader

FOLDER = Path(__file__).parent / "services"

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
    """The catalogue, vertical by vertical."""
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
        for path in sorted(FOLDER.glob("*.yaml"))
        for vertical, group in yaml.load(path.read_text(encoding="utf-8"), Loader=CSafeLoader).items()
        for key, told in group.items()
    )


def _range(ends: Sequence[float | str]) -> Range:
    # YAML 1.1 reads 1e-5 as a string.
    low, high = map(float, ends)
    return Range(low=low, high=high)
