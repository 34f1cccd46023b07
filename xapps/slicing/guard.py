"""The guard between any controller and the network: quotas that leave it are valid, fair and change gently.

`apply` is the pure part, of numpy or torch arrays with any leading batch dimensions: training acts through it, so
that what is learnt is what is deployed. `CellGuard` adds what a live cell needs: KPIs that are stale or cannot be
true hold the last safe quotas, and later bring the static ones back.
"""

import enum
import math
from typing import Annotated, Any, Generic, NamedTuple, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from oran import kpi
from oran.arrays import namespace
from oran.slices import DEDICATED, MAX, MIN, join, project, static_ratios
from xapps.slicing.observation import FIELDS, CellObservation, known_or_zero

A = TypeVar("A")

FAR = 1e6
"""Beyond this many percent all proposals are alike; sums of larger ones would overflow."""
CHANGE = 1e-6
"""Percent from which a difference counts as an intervention."""
TINY = 1e-9
"""Percent that make no difference, and that nothing is divided by."""

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class GuardLimits(BaseModel):
    """How fast quotas may change, and how long KPIs may be missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_change_percent: Annotated[float, Field(gt=0, le=100)] = 20.0
    """Most that any ratio moves in one decision."""
    stale_periods: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0
    """Age of a cell's newest KPIs, in periods, from which the last safe quotas are held."""
    static_periods: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
    """Further periods without KPIs that can be used, after which the static quotas return."""


class GuardConfig(GuardLimits):
    """All limits a guard keeps. `floor_percent` holds one value per slice, or one for all."""

    floor_percent: tuple[Percent, ...] = (5.0,)
    """Least min ratio of each slice; they sum to at most 100."""

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        if not self.floor_percent or sum(self.floor_percent) > 100:
            raise ValueError(f"floor_percent {self.floor_percent} must hold at least one value and sum to <= 100")
        return self

    def floor(self, slices: int) -> np.ndarray:
        """The floor of each slice; [slices] percent. Raises ValueError when it does not fit the slices."""
        floors = self.floor_percent * slices if len(self.floor_percent) == 1 else self.floor_percent
        if len(floors) != slices or sum(floors) > 100:
            raise ValueError(f"floor_percent {self.floor_percent} does not fit {slices} slices")
        return np.array(floors, dtype=np.float64)


class Reason(enum.Enum):
    """Why the guard changed or replaced what a controller proposed."""

    NON_FINITE = "non_finite"
    """NaN or infinity: the previous quotas stay."""
    INVALID = "invalid"
    """The rules of RRM policy ratios were broken: moved to valid ones."""
    FLOOR = "floor"
    RATE = "rate"
    CONTROLLER = "controller"
    """The controller raised, or gave another shape: the previous quotas stay."""
    STALE = "stale"
    IMPLAUSIBLE = "implausible"
    """KPIs that cannot be true: the last safe quotas stay."""
    STATIC = "static"
    """No KPIs to act on for long: back to the static quotas."""


class Applied(NamedTuple, Generic[A]):
    """Safe quotas [..., slices, 3], and for each policy of the batch what was changed, bool [...]."""

    ratios: A
    non_finite: A
    invalid: A
    floor: A
    rate: A


def apply(proposed: A, previous: A, config: GuardConfig) -> Applied[A]:
    """Turn proposed quotas into safe ones; both [..., slices, 3] in percent, numpy or torch.

    The result is valid whatever is proposed; every min is at least its floor; and no ratio is further than
    `max_change_percent` from `previous`, provided that is itself valid and keeps the floor (else it is first moved
    there, at once). Quotas with NaN or infinity are refused as a whole.
    """
    xp = namespace(proposed, previous)
    slices: int = proposed.shape[-2]  # type: ignore[attr-defined]
    dtype, device = previous.dtype, previous.device  # type: ignore[attr-defined]
    floor = xp.asarray(config.floor(slices), dtype=dtype, device=device)
    static = xp.asarray(static_ratios(slices), dtype=dtype, device=device)
    finite = xp.all(xp.isfinite(xp.stack([previous, proposed])), axis=(-2, -1))
    start = xp.where(finite[0, ..., None, None], previous, static)
    wanted = xp.where(finite[1, ..., None, None], proposed, start)
    # Both go the same way at once: small arrays cost by the call, not by the number.
    both = _tame(xp, xp.stack([start, wanted]))
    allowed = project(both)
    start, floored = _raise_to_floor(xp, allowed, floor)
    limited = _limit(xp, floored, start, config.max_change_percent)
    # Projection leaves valid quotas as they are.
    moved = xp.abs(xp.stack([allowed[1] - both[1], floored - allowed[1], limited - floored])) > CHANGE
    invalid, by_floor, by_rate = xp.any(moved, axis=(-2, -1))
    return Applied(limited, ~finite[1], invalid, by_floor, by_rate)


def _limit(xp: Any, target: Any, start: Any, most: float) -> Any:
    """Move from one safe policy towards another by at most `most` per ratio, staying safe.

    Clipping each ratio to its box keeps dedicated <= min <= max. Where a slow fall and a fast rise would overbook
    min, the rises are scaled back, which never takes a min below where it was.
    """
    low, high = start - most, start + most
    box = xp.minimum(xp.maximum(target, low), high)
    minimum, before = box[..., MIN], start[..., MIN]
    rise = xp.where(minimum > before, minimum - before, 0.0)
    excess = xp.sum(minimum, axis=-1, keepdims=True) - 100.0
    total = xp.sum(rise, axis=-1, keepdims=True)
    overbooked = (excess > 0) & (total > TINY)
    back = xp.where(overbooked, excess / xp.where(overbooked, total, 1.0), 0.0)
    minimum = minimum - rise * xp.where(back < 1.0, back, 1.0)
    dedicated = xp.minimum(box[..., DEDICATED], minimum)
    return join(dedicated, minimum, xp.maximum(box[..., MAX], minimum))


def _raise_to_floor(xp: Any, ratios: Any, floor: Any) -> Any:
    """Lift each min to its floor, taking what that needs from what the others have above theirs."""
    above = xp.where(ratios[..., MIN] > floor, ratios[..., MIN] - floor, 0.0)
    room = 100.0 - xp.sum(floor)
    total = xp.sum(above, axis=-1, keepdims=True)
    crowded = (total > room) & (total > TINY)
    scale = xp.where(crowded, room / xp.where(crowded, total, 1.0), 1.0)
    minimum = floor + above * scale
    dedicated = xp.minimum(ratios[..., DEDICATED], minimum)
    return join(dedicated, minimum, xp.maximum(ratios[..., MAX], minimum))


def _tame(xp: Any, ratios: Any) -> Any:
    """Values whose sums and quotients stay in range; those that are meant as percent do not change."""
    tame = xp.where(xp.abs(ratios) < FAR, ratios, xp.sign(ratios) * FAR)
    return xp.where(xp.abs(ratios) < TINY, 0.0, tame)


_LOWEST = np.array([[kpi.QUANTITIES[name].lowest] for name in FIELDS.values()])
_HIGHEST = np.array([[kpi.QUANTITIES[name].highest] for name in FIELDS.values()])


def implausible(observation: CellObservation) -> str | None:
    """Name the first KPI of a cell that cannot be true, or None.

    NaN is a KPI without a value, which is allowed; but a cell needs PRBs, and its slices cannot use more of them
    than it has (a tenth is let pass for rounding and averaging).
    """
    kpis = observation.kpis
    values = np.array([getattr(kpis, field) for field in FIELDS])
    # NaN is neither too low nor too high.
    wrong = (values < _LOWEST) | (values > _HIGHEST)
    if wrong.any():
        return next(name for name, row in zip(FIELDS.values(), wrong, strict=True) if row.any())
    available = float(observation.prb_available)
    if not 0 < available <= kpi.QUANTITIES[kpi.PRB_AVAILABLE_DL].highest:
        return kpi.PRB_AVAILABLE_DL
    if known_or_zero(kpis.prb_used).sum() > 1.1 * available + 1:
        return kpi.PRB_USED_DL
    return None


class CellGuard:
    """The guard of one live cell; `ratios` are the quotas it last let through. Its methods never raise."""

    def __init__(
        self, config: GuardConfig, slices: int, *, period_s: float, initial: np.ndarray | None = None
    ) -> None:
        self._config = config
        self._slices = slices
        self._period_s = period_s
        self._static = static_ratios(slices)
        start = self._static if initial is None else initial
        self.ratios: np.ndarray = apply(start, start, config).ratios
        self._fresh_s = -math.inf
        """When KPIs that could be used last came."""

    def decide(self, proposed: np.ndarray | None, now_s: float) -> tuple[np.ndarray, tuple[Reason, ...]]:
        """Safe quotas [slices, 3] for what a controller made of fresh, plausible KPIs (None: it failed)."""
        self._fresh_s = now_s
        if proposed is None or np.shape(proposed) != (self._slices, 3):
            return self.ratios, (Reason.CONTROLLER,)
        return self._let_through(np.asarray(proposed, dtype=np.float64))

    def hold(self, now_s: float, cause: Reason = Reason.STALE) -> tuple[np.ndarray, tuple[Reason, ...]]:
        """Safe quotas while no KPIs can be used, because they are stale or, by `cause`, implausible.

        These are the last ones, and after long the static ones, step by step. No reason means not stale yet.
        """
        if math.isinf(self._fresh_s):
            self._fresh_s = now_s
        age = (now_s - self._fresh_s) / self._period_s
        if age <= self._config.stale_periods:
            return self.ratios, () if cause is Reason.STALE else (cause,)
        if age <= self._config.stale_periods + self._config.static_periods:
            return self.ratios, (cause,)
        ratios, reasons = self._let_through(self._static)
        return ratios, (cause, Reason.STATIC, *reasons)

    def _let_through(self, proposed: np.ndarray) -> tuple[np.ndarray, tuple[Reason, ...]]:
        applied = apply(proposed, self.ratios, self._config)
        self.ratios = applied.ratios
        flags = (
            (applied.non_finite, Reason.NON_FINITE),
            (applied.invalid, Reason.INVALID),
            (applied.floor, Reason.FLOOR),
            (applied.rate, Reason.RATE),
        )
        return self.ratios, tuple(reason for flag, reason in flags if flag)

    def begin(self, ratios: np.ndarray) -> None:
        """Take over the quotas that are in force in the cell, as far as they are safe."""
        self.ratios = apply(ratios, ratios, self._config).ratios
