"""From KPM indications to slice KPIs: by slice labels (format 1), or by summing up UEs (format 3)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from oran import kpi
from oran.e2.identity import UeId
from oran.e2.kpm.messages import (
    IndicationFormat1,
    Label,
    MeasurementInfo,
    UeReport,
    Value,
)
from oran.slices import SNssai
from xapps.slicing.errors import ReportError
from xapps.slicing.observation import FIELDS, SliceKpis

NO_SD = 0xFFFFFF
"""An SD of all ones says that there is none (TS 23.003 28.4.2)."""

MAX_CACHED_LAYOUTS = 64

FIELD_OF = {name: field for field, name in FIELDS.items()}

OwnedReport = tuple[UeReport, int]
"""A UE's report, and the index of its slice."""

SliceOf = Callable[[UeId], int | None]
"""Tells the index of a UE's slice, None for a UE of no slice of ours."""


def without_wildcard(snssai: SNssai) -> SNssai:
    """The S-NSSAI in its one form: an SD that says "none" is None."""
    return SNssai(snssai.sst) if snssai.sd == NO_SD else snssai


@dataclass(frozen=True, slots=True)
class _Column:
    """What one value of a record is: its KPI, SI units per wire unit, and its slice (None: the whole cell)."""

    name: str
    scale: float
    slice: int | None


class ReportReader:
    """Reads the reports of one node: its unit profile, its measurement ids and our slices are fixed.

    A node repeats the same measurement list in each report, so its layout is worked out once per list.
    """

    def __init__(
        self, slices: tuple[SNssai, ...], *, profile: kpi.Profile, names: Mapping[int, str], period_s: float
    ) -> None:
        self._slices = {without_wildcard(snssai): index for index, snssai in enumerate(slices)}
        self._profile = profile
        self._names = names
        self._period_s = period_s
        self._layouts: dict[int, tuple[tuple[MeasurementInfo, ...], tuple[_Column | None, ...]]] = {}

    def of_cell(self, report: IndicationFormat1) -> SliceKpis:
        """KPIs of a format 1 report by its slice labels; raises ReportError when it says nothing of our slices."""
        values = _newest(report)
        columns = self._layout(report.info)
        if len(values) != len(columns):
            raise ReportError("wrong_length", f"{len(values)} values for {len(columns)} measurements")
        kpis = SliceKpis.empty(len(self._slices), self._period(report))
        available = math.nan
        seen = False
        for column, value in zip(columns, values, strict=True):
            if column is None or value is None:
                continue
            if column.slice is None:
                if column.name == kpi.PRB_AVAILABLE_DL:
                    available = value * column.scale
            elif column.name in FIELD_OF:
                getattr(kpis, FIELD_OF[column.name])[column.slice] = value * column.scale
                seen = True
        if not seen:
            raise ReportError("no_slice_values")
        return replace(kpis, prb_available=available)

    def of_ues(self, ues: Sequence[OwnedReport]) -> SliceKpis:
        """KPIs of one period's UE reports: what each slice's UEs have in sum or on average.

        Volumes, PRBs and active UEs are summed. Throughput is averaged over the UEs that had data, delay by the
        volume delivered, drop rate by the volume that arrived. Without UEs the cell is quiet.
        """
        period_s = self._period(ues[0][0].report) if ues else self._period_s
        owners = np.array([index for _, index in ues], dtype=np.intp)
        # Values beyond all bounds become infinite here, and are found implausible later.
        with np.errstate(over="ignore", invalid="ignore"):
            table = self._table([item.report for item, _ in ues])
            return _sum_up(table, owners, len(self._slices), period_s)

    def _table(self, reports: list[IndicationFormat1]) -> np.ndarray:
        """UEs' values in the order of `FIELDS`, then the cell's PRBs, [ues, fields + 1]; NaN for none."""
        table = np.full((len(reports), len(_PLACE)), math.nan)
        rows: dict[int, list[int]] = {}
        for index, report in enumerate(reports):
            rows.setdefault(id(report.info), []).append(index)
        # Mostly all UEs have one list of measurements, and so are read at once.
        for alike in rows.values():
            columns = self._layout(reports[alike[0]].info)
            values = [_newest(reports[index]) for index in alike]
            if any(len(row) != len(columns) for row in values):
                raise ReportError("wrong_length", f"{len(values[0])} values for {len(columns)} measurements")
            numbers = np.array(values, dtype=np.float64).reshape(len(alike), len(columns))
            for place, column in enumerate(columns):
                if column is not None and column.name in _PLACE:
                    table[alike, _PLACE[column.name]] = numbers[:, place] * column.scale
        return table

    def _period(self, report: IndicationFormat1) -> float:
        return self._period_s if report.granularity_ms is None else report.granularity_ms / 1e3

    def _layout(self, info: tuple[MeasurementInfo, ...]) -> tuple[_Column | None, ...]:
        known = self._layouts.get(id(info))
        if known is not None and known[0] is info:
            return known[1]
        columns = tuple(self._column(item, label) for item in info for label in item.labels)
        if len(self._layouts) >= MAX_CACHED_LAYOUTS:
            self._layouts.clear()
        self._layouts[id(info)] = (info, columns)
        return columns

    def _column(self, item: MeasurementInfo, label: Label) -> _Column | None:
        name = self._names.get(item.measurement) if isinstance(item.measurement, int) else item.measurement
        if name is None or name not in kpi.QUANTITIES:
            return None
        index = None
        if label.slice_id is not None:
            index = self._slices.get(without_wildcard(label.slice_id))
            if index is None:
                return None
        return _Column(name, kpi.to_si(name, 1.0, self._profile), index)


_PLACE = {name: place for place, name in enumerate((*FIELDS.values(), kpi.PRB_AVAILABLE_DL))}


def _newest(report: IndicationFormat1) -> Sequence[Value]:
    """The values of the newest complete record; a partial period would pass for a quiet one."""
    for record in reversed(report.records):
        if not record.incomplete:
            return record.values
    raise ReportError("incomplete" if report.records else "empty")


def _sum_up(table: np.ndarray, owners: np.ndarray, slices: int, period_s: float) -> SliceKpis:
    """Aggregate UE rows [ues, fields + 1] by slice; see `ReportReader.of_ues`."""
    throughput, delay, drop, came, left, prbs, active, available = table.T
    has_data = (throughput > 0) | (came > 0) | (left > 0) | (active > 0)
    there = np.bincount(owners, minlength=slices) > 0
    with_data = np.bincount(owners, weights=has_data, minlength=slices)
    reported = _sum(active, owners, there)
    known = available[~np.isnan(available)]
    return SliceKpis(
        throughput_bps=_mean(np.where(has_data, throughput, math.nan), has_data, owners, there),
        delay_s=_mean(delay, left, owners, there),
        drop_rate=_mean(drop, came, owners, there),
        arrived_bit=_sum(came, owners, there),
        delivered_bit=_sum(left, owners, there),
        prb_used=_sum(prbs, owners, there),
        active_ues=np.where(np.isnan(reported), with_data, reported),
        prb_available=float(known.max()) if known.size else math.nan,
        period_s=period_s,
    )


def _sum(values: np.ndarray, owners: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Sums per slice: 0 for a slice without UEs, NaN for one whose UEs tell nothing."""
    known = ~np.isnan(values)
    count = np.bincount(owners, weights=known, minlength=len(there))
    total = np.bincount(owners, weights=np.where(known, values, 0.0), minlength=len(there))
    return np.where(there & (count == 0), math.nan, total)


def _mean(values: np.ndarray, weights: np.ndarray, owners: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Weighted means per slice of what is known; the plain one where no weight is, NaN of nothing."""
    known = ~np.isnan(values)
    worth = np.where(known & (weights > 0), weights, 0.0)
    value = np.where(known, values, 0.0)
    slices = len(there)
    weight = np.bincount(owners, weights=worth, minlength=slices)
    count = np.bincount(owners, weights=known, minlength=slices)
    weighted = np.bincount(owners, weights=value * worth, minlength=slices)
    plain = np.bincount(owners, weights=value, minlength=slices)
    mean = np.where(weight > 0, weighted, plain) / np.maximum(np.where(weight > 0, weight, count), 1e-300)
    return np.where(count > 0, mean, math.nan)
