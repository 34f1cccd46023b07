"""What a controller sees of one cell: its slices' KPIs in SI units, its PRBs and the quotas in force."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from oran import kpi
from oran.arrays import namespace
from oran.e2.identity import CellGlobalId
from oran.slices import SNssai

A = TypeVar("A")

FIELDS: Mapping[str, str] = {
    "throughput_bps": kpi.UE_THROUGHPUT_DL,
    "delay_s": kpi.SDU_DELAY_DL,
    "drop_rate": kpi.DROP_RATE_DL,
    "arrived_bit": kpi.PDCP_VOLUME_DL,
    "delivered_bit": kpi.RLC_VOLUME_DL,
    "prb_used": kpi.PRB_USED_DL,
    "active_ues": kpi.ACTIVE_UES_DL,
}
"""The KPI behind each per-slice field of an observation."""


@dataclass(frozen=True, slots=True)
class SliceKpis:
    """One report's KPIs per slice, arrays of shape [..., slices] in SI units; NaN where nothing was measured.

    `throughput_bps` is the mean throughput of a UE while it has data, `delay_s` the mean delay, `drop_rate` the
    share of packets lost or late, `arrived_bit` and `delivered_bit` the volumes of the period, `prb_used` and
    `active_ues` means over the period. `prb_available` counts the cell's PRBs, NaN when it was not reported.
    """

    throughput_bps: np.ndarray
    delay_s: np.ndarray
    drop_rate: np.ndarray
    arrived_bit: np.ndarray
    delivered_bit: np.ndarray
    prb_used: np.ndarray
    active_ues: np.ndarray
    prb_available: float | np.ndarray
    period_s: float

    @classmethod
    def empty(cls, slices: int, period_s: float) -> "SliceKpis":
        """Nothing measured yet; the arrays are fresh and may be filled."""
        blank = {field: np.full(slices, math.nan) for field in FIELDS}
        return cls(**blank, prb_available=math.nan, period_s=period_s)

    def by_name(self) -> dict[str, tuple[float | None, ...]]:
        """The values per slice by TS 28.552 name, None where nothing was measured."""
        return {
            name: tuple(None if math.isnan(value) else value for value in getattr(self, field).tolist())
            for field, name in FIELDS.items()
        }


@dataclass(frozen=True, slots=True)
class CellObservation:
    """One cell at the end of one reporting period.

    `kpis` holds the KPIs of `slices` in their order; `ratios` the RRM policy ratios in force while they were
    measured, [..., slices, 3] in percent; `backlog_bit` the data estimated to wait, [..., slices]. `time_s` is
    Unix time. `prb_available` is the cell's PRBs, from the report or, failing that, from the configuration.
    """

    node: str
    cell: CellGlobalId | None
    time_s: float
    period_s: float
    slices: tuple[SNssai, ...]
    kpis: SliceKpis
    prb_available: float | np.ndarray
    ratios: np.ndarray
    backlog_bit: np.ndarray


def observe(
    kpis: SliceKpis,
    *,
    node: str,
    cell: CellGlobalId | None,
    time_s: float,
    slices: tuple[SNssai, ...],
    ratios: np.ndarray,
    previous: CellObservation | None,
    cell_prbs: float,
) -> CellObservation:
    """Join a report with what is known of its cell; PRBs not reported are the last known, or `cell_prbs`."""
    came = arrived(kpis.arrived_bit, kpis.delivered_bit)
    xp = namespace(came)
    waiting = xp.zeros_like(came) if previous is None else previous.backlog_bit
    last_known = cell_prbs if previous is None else previous.prb_available
    measured = xp.asarray(kpis.prb_available)
    available = xp.where(xp.isnan(measured), last_known, measured)
    return CellObservation(
        node=node,
        cell=cell,
        time_s=time_s,
        period_s=kpis.period_s,
        slices=slices,
        kpis=kpis,
        prb_available=available if available.ndim else float(available),
        ratios=ratios,
        backlog_bit=backlog(waiting, came, kpis.delivered_bit, kpis.drop_rate, kpis.delay_s, kpis.period_s),
    )


def arrived(arrived_bit: A, delivered_bit: A) -> A:
    """The offered load, or the load carried where a node does not report what arrived; 0 for neither. [...]"""
    xp = namespace(arrived_bit)
    known: A = xp.where(xp.isnan(arrived_bit), known_or_zero(delivered_bit), arrived_bit)
    return known


def backlog(waiting_bit: A, arrived_bit: A, delivered_bit: A, drop_rate: A, delay_s: A, period_s: float) -> A:
    """Estimate the data waiting at a period's end from what waited before it; all [..., slices].

    What came and neither left nor was dropped still waits. Unseen losses would make that sum drift away, so it is
    held below four times what Little's law says of the mean delay (load x delay), plus one period's arrivals.
    """
    xp = namespace(arrived_bit)
    came: Any = arrived_bit
    lost: Any = known_or_zero(drop_rate)
    kept = came * (1.0 - lost)
    balance = waiting_bit + kept - known_or_zero(delivered_bit)
    most = came + 4.0 * came / period_s * known_or_zero(delay_s)
    estimate = xp.minimum(balance, most)
    waits: A = xp.where(estimate > 0.0, estimate, 0.0)
    return waits


def bits_per_prb(delivered_bit: A, prb_used: A, period_s: float) -> A:
    """Spectral efficiency: what one PRB held for one second carries, bit; NaN where no PRB was used. [...]"""
    xp = namespace(delivered_bit)
    carried: Any = delivered_bit
    prbs: Any = prb_used
    efficiency = carried / (xp.where(prbs > 1e-3, prbs, 1.0) * period_s)
    known: A = xp.where((prbs > 1e-3) & (efficiency > 0), efficiency, math.nan)
    return known


def known_or_zero(values: A) -> A:
    """The values, 0 where nothing was measured (NaN). [...]"""
    xp = namespace(values)
    known: A = xp.where(xp.isnan(values), 0.0, values)
    return known
