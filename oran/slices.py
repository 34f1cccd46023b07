"""Slices: S-NSSAI, and the RRM policy ratios that share a cell's PRBs among them (TS 28.541 4.3.36).

A policy for one cell and resource type gives each slice three percentages. `dedicated` PRBs are never lent,
`min` PRBs are the slice's whenever it has demand, and it may grow to `max` with PRBs that others leave unused:
0 <= dedicated <= min <= max <= 100, and the sum of min stays <= 100 while the sum of max may exceed it.

The array functions take and give arrays of shape [..., slices, 3] in the order dedicated, min, max, of numpy
or torch alike, with any leading batch dimensions.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from oran.arrays import namespace

A = TypeVar("A")

DEDICATED, MIN, MAX = 0, 1, 2


@dataclass(frozen=True, slots=True, order=True)
class SNssai:
    """A slice: service type SST (0..255) and, where given, differentiator SD (24 bits) (TS 23.003 28.4)."""

    sst: int
    sd: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.sst <= 255:
            raise ValueError(f"SST {self.sst} is outside 0..255")
        if self.sd is not None and not 0 <= self.sd <= 0xFFFFFF:
            raise ValueError(f"SD {self.sd} is outside 0..16777215")

    def __str__(self) -> str:
        return str(self.sst) if self.sd is None else f"{self.sst}-{self.sd:06x}"

    @classmethod
    def parse(cls, text: str) -> "SNssai":
        """Read `1` or `1-000001` (SD in hex), as `str` writes it; ValueError otherwise."""
        sst, _, sd = text.partition("-")
        if not sst.isdecimal() or (sd and len(sd) != 6):
            raise ValueError(f"S-NSSAI {text!r}: write SST or SST-SD, e.g. 1 or 1-0000ff")
        return cls(int(sst), int(sd, 16) if sd else None)


@dataclass(frozen=True, slots=True)
class RrmPolicyRatio:
    """One slice's share of a cell's PRBs, in whole percent."""

    slice: SNssai
    dedicated: int
    min: int
    max: int

    def __post_init__(self) -> None:
        if not 0 <= self.dedicated <= self.min <= self.max <= 100:
            raise ValueError(
                f"slice {self.slice}: dedicated {self.dedicated}, min {self.min}, max {self.max} "
                "break 0 <= dedicated <= min <= max <= 100"
            )


def static_ratios(slices: int) -> np.ndarray:
    """The reference policy: every slice is sure of an equal share and may use the whole cell; [slices, 3]."""
    ratios = np.empty((slices, 3))
    ratios[:] = 0.0, 100 // slices, 100.0
    return ratios


def hard_ratios(slices: int) -> np.ndarray:
    """The hard partition: every slice has an equal share and never more; [slices, 3]."""
    return np.full((slices, 3), float(100 // slices))


def valid(ratios: A, *, tolerance: float = 1e-6) -> A:
    """Tell for each policy whether it keeps every rule; [..., slices, 3] -> bool [...]. NaN is not valid."""
    xp = namespace(ratios)
    dedicated, low, high = ratios[..., DEDICATED], ratios[..., MIN], ratios[..., MAX]  # type: ignore[index]
    ordered = (
        (dedicated >= -tolerance)
        & (low >= dedicated - tolerance)
        & (high >= low - tolerance)
        & (high <= 100 + tolerance)
    )
    kept: A = xp.all(ordered, axis=-1) & (xp.sum(low, axis=-1) <= 100 + tolerance)
    return kept


def project(ratios: A) -> A:
    """Move each policy to a valid one close by; valid policies stay as they are.

    Everything is clipped to 0..100; an overbooked sum of min is scaled down to 100; then max is raised to min and
    dedicated lowered to min. [..., slices, 3] -> the same shape. NaN stays NaN: refuse it before.
    """
    xp = namespace(ratios)
    clipped = xp.clip(ratios, 0.0, 100.0)
    low = clipped[..., MIN]
    total = xp.sum(low, axis=-1, keepdims=True)
    low = low * (100.0 / xp.where(total > 100.0, total, 100.0))
    high = xp.maximum(clipped[..., MAX], low)
    dedicated = xp.minimum(clipped[..., DEDICATED], low)
    moved: A = join(dedicated, low, high)
    return moved


def join(dedicated: A, low: A, high: A) -> A:
    """Ratios [..., slices, 3] of their three parts [..., slices]."""
    xp = namespace(dedicated, low, high)
    # Quicker than stacking, which counts for the few numbers of a cell.
    ratios: A = xp.concat([dedicated[..., None], low[..., None], high[..., None]], axis=-1)  # type: ignore[index]
    return ratios


def to_policy(slices: tuple[SNssai, ...], ratios: np.ndarray) -> tuple[RrmPolicyRatio, ...]:
    """Round a valid policy [slices, 3] to whole percent for the wire, keeping it valid.

    min is rounded down and the percent points lost are given back to the largest remainders, so that the sum of
    min never grows. Raises ValueError when the policy is not valid or the shape does not fit the slices.
    """
    rows: list[tuple[float, float, float]] = ratios.tolist()
    # Plain numbers: for a handful of slices numpy's calls would cost ten times what they compute.
    if ratios.shape != (len(slices), 3) or not _valid(rows):
        raise ValueError(f"ratios {rows} are no valid policy for {len(slices)} slices")
    exact = [min(max(low, 0.0), 100.0) for _, low, _ in rows]
    floors = [math.floor(low + 1e-9) for low in exact]
    spare = round(sum(exact) - 1e-9) - sum(floors)
    lows = list(floors)
    for index in sorted(range(len(rows)), key=lambda i: floors[i] - exact[i])[: max(0, spare)]:
        lows[index] += 1
    if sum(lows) > 100:
        lows = floors
    return tuple(
        RrmPolicyRatio(name, min(max(round(row[DEDICATED]), 0), low), low, max(min(round(row[MAX]), 100), low))
        for name, row, low in zip(slices, rows, lows, strict=True)
    )


def _valid(rows: list[tuple[float, float, float]], tolerance: float = 1e-6) -> bool:
    """`valid` of one policy in plain numbers."""
    ordered = all(
        -tolerance <= dedicated <= low + tolerance and low <= high + tolerance and high <= 100 + tolerance
        for dedicated, low, high in rows
    )
    return ordered and sum(low for _, low, _ in rows) <= 100 + tolerance


def from_policy(policy: tuple[RrmPolicyRatio, ...]) -> np.ndarray:
    """The ratios of a policy as an array [slices, 3]."""
    return np.array([[item.dedicated, item.min, item.max] for item in policy], dtype=np.float64)
