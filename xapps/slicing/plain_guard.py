"""The rules of `guard.apply` for one cell in plain numbers, at a third of the time that arrays of nine take.

A live cell is decided on within the latency budget, training on thousands at once; the tests hold the two forms to
be the same. The previous quotas are those that the guard itself let through, so here they are known to be safe.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

FAR = 1e6
"""Beyond this many percent all proposals are alike; sums of larger ones would overflow."""
CHANGE = 1e-6
"""Percent from which a difference counts as an intervention."""
TINY = 1e-9
"""Percent that make no difference, and that nothing is divided by."""

Row = Sequence[float]
"""One slice's dedicated, min and max in percent."""


class AppliedToCell(NamedTuple):
    """Safe quotas of a cell's slices, and what was changed."""

    rows: list[Row]
    non_finite: bool
    invalid: bool
    floor: bool
    rate: bool


def apply_to_cell(
    proposed: Sequence[Row], previous: Sequence[Row], floor: Sequence[float], most: float
) -> AppliedToCell:
    """Turn proposed quotas into safe ones: no ratio moves further than `most`, and no min is below its floor."""
    finite = all(math.isfinite(value) for row in proposed for value in row)
    wanted = [_tame(row) for row in proposed] if finite else list(previous)
    allowed = _project(wanted)
    floored = _raise_to_floor(allowed, floor)
    limited = _limit(floored, previous, most)
    return AppliedToCell(
        limited, not finite, _differ(allowed, wanted), _differ(floored, allowed), _differ(limited, floored)
    )


def _tame(row: Row) -> Row:
    """Values whose sums and quotients stay in range."""
    return [
        0.0 if -TINY < value < TINY else value if -FAR < value < FAR else math.copysign(FAR, value)
        for value in row
    ]


def _project(rows: list[Row]) -> list[Row]:
    """Valid quotas close by, as `oran.slices.project` finds them."""
    lows = [min(max(row[1], 0.0), 100.0) for row in rows]
    total = sum(lows)
    scale = 100.0 / total if total > 100.0 else 1.0
    return [
        _nest(min(max(row[0], 0.0), 100.0), low * scale, min(max(row[2], 0.0), 100.0))
        for row, low in zip(rows, lows, strict=True)
    ]


def _raise_to_floor(rows: list[Row], floor: Sequence[float]) -> list[Row]:
    """Lift each min to its floor, taking what that needs from what the others have above theirs."""
    above = [max(row[1] - least, 0.0) for row, least in zip(rows, floor, strict=True)]
    total, room = sum(above), 100.0 - sum(floor)
    scale = room / total if total > room and total > TINY else 1.0
    return [
        _nest(row[0], least + more * scale, row[2]) for row, least, more in zip(rows, floor, above, strict=True)
    ]


def _limit(target: list[Row], start: Sequence[Row], most: float) -> list[Row]:
    """Move towards the target by at most `most` per ratio; rises that would overbook min are scaled back."""
    box = [
        [min(max(value, before - most), before + most) for value, before in zip(row, at, strict=True)]
        for row, at in zip(target, start, strict=True)
    ]
    rises = [max(row[1] - at[1], 0.0) for row, at in zip(box, start, strict=True)]
    excess, total = sum(row[1] for row in box) - 100.0, sum(rises)
    back = min(excess / total, 1.0) if excess > 0 and total > TINY else 0.0
    return [_nest(row[0], row[1] - rise * back, row[2]) for row, rise in zip(box, rises, strict=True)]


def _nest(dedicated: float, low: float, high: float) -> Row:
    return min(dedicated, low), low, max(high, low)


def _differ(rows: Sequence[Row], others: Sequence[Row]) -> bool:
    return any(
        abs(value - other) > CHANGE
        for row, at in zip(rows, others, strict=True)
        for value, other in zip(row, at, strict=True)
    )
