"""From KPM indications to slice KPIs: by slice labels (format 1), or by summing up UEs (format 3)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from oran import kpi
from oran.e2.kpm.messages import IndicationFormat1, IndicationFormat3, Label, MeasurementInfo, UeReport, Value
from oran.e2.kpm.tables import UeTable
from oran.slices import SNssai
from xapps.slicing.errors import ReportError
from xapps.slicing.membership import Roster
from xapps.slicing.observation import FIELDS, SliceKpis

NO_SD = 0xFFFFFF
"""An SD of all ones says that there is none (TS 23.003 28.4.2)."""

MAX_CACHED_LAYOUTS = 64

FIELD_OF = {name: field for field, name in FIELDS.items()}


@dataclass(frozen=True, slots=True, eq=False)
class UeRows:
    """What UEs reported, and whose they are."""

    table: UeTable
    roster: Roster


def without_wildcard(snssai: SNssai) -> SNssai:
    """The S-NSSAI in its one form: an SD that says "none" is None."""
    return SNssai(snssai.sst) if snssai.sd == NO_SD else snssai


@dataclass(frozen=True, slots=True)
class _Column:
    """What one value of a record is: its KPI, SI units per wire unit, and its slice (None: the whole cell)."""

    name: str
    scale: float
    slice: int | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the values of a measurement list are; behind it, how a row of `_PLACE` is made of them.

    `info` is kept so that its identity, by which layouts are found, is never another's.
    """

    info: tuple[MeasurementInfo, ...]
    columns: tuple[_Column | None, ...]
    taken: np.ndarray
    """The column that each place of a row comes from; any where the place stays empty."""
    scales: np.ndarray
    """SI units per wire unit of each place; NaN where it stays empty."""

    @classmethod
    def of(cls, info: tuple[MeasurementInfo, ...], columns: tuple[_Column | None, ...]) -> "_Layout":
        """The layout of columns; of a KPI that comes twice the last one counts."""
        taken = np.zeros(len(_PLACE), dtype=np.intp)
        scales = np.full(len(_PLACE), math.nan)
        for at, item in enumerate(columns):
            if item is not None and item.name in _PLACE:
                taken[_PLACE[item.name]], scales[_PLACE[item.name]] = at, item.scale
        return cls(info, columns, taken, scales)


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
        self._layouts: dict[int, _Layout] = {}

    def of_cell(self, report: IndicationFormat1) -> SliceKpis:
        """KPIs of a format 1 report by its slice labels; raises ReportError when it says nothing of our slices."""
        values = _newest(report)
        columns = self._layout(report.info).columns
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

    def of_ues(self, parts: Sequence[UeRows]) -> SliceKpis:
        """KPIs of one period's UE reports: what each slice's UEs have in sum or on average.

        Volumes, PRBs and active UEs are summed. Throughput is averaged over the UEs that had data, delay by the
        volume delivered, drop rate by the volume that arrived. Without UEs the cell is quiet. Raises ReportError
        where values and measurements do not fit.
        """
        # Values beyond all bounds become infinite here, and are found implausible later.
        with np.errstate(over="ignore", invalid="ignore"):
            if len(parts) == 1:
                table, owners = self._rows(parts[0]), parts[0].roster.owners
            else:
                table = np.concatenate([_NO_ROWS, *map(self._rows, parts)])
                owners = np.concatenate([_NO_OWNERS, *(part.roster.owners for part in parts)])
            period_s = self._period(parts[0].table) if parts else self._period_s
            return _sum_up(table, owners, len(self._slices), period_s)

    def _rows(self, part: UeRows) -> np.ndarray:
        """Members' values in SI units, in the order of `_PLACE`, [members, places]; NaN for none."""
        table, roster = part.table, part.roster
        layout = self._layout(table.info)
        width = len(layout.columns)
        if not width or len(table.values) != len(table.ues) * width:
            raise ReportError(
                "wrong_length", f"{len(table.values)} values for {len(table.ues)} x {width} measurements"
            )
        numbers = np.array(table.values, dtype=np.float64).reshape(len(table.ues), width)
        if len(roster.rows) != len(table.ues):
            numbers = numbers[roster.rows]
        rows: np.ndarray = numbers.take(layout.taken, axis=1) * layout.scales
        return rows

    def _period(self, report: IndicationFormat1 | UeTable) -> float:
        return self._period_s if report.granularity_ms is None else report.granularity_ms / 1e3

    def _layout(self, info: tuple[MeasurementInfo, ...]) -> _Layout:
        known = self._layouts.get(id(info))
        if known is not None and known.info is info:
            return known
        made = _Layout.of(info, tuple(self._column(item, label) for item in info for label in item.labels))
        if len(self._layouts) >= MAX_CACHED_LAYOUTS:
            self._layouts.clear()
        self._layouts[id(info)] = made
        return made

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


FAR = 1e150
"""Larger values are taken for this one, so that a sum is never NaN: that would pass for a KPI without a value."""

_PLACE = {name: place for place, name in enumerate((*FIELDS.values(), kpi.PRB_AVAILABLE_DL))}
"""Where each KPI stands in a UE's row: the fields, then the cell's PRBs."""
_NO_ROWS, _NO_OWNERS = np.empty((0, len(_PLACE))), np.empty(0, dtype=np.intp)


def tables(report: IndicationFormat3) -> list[UeTable]:
    """A report of any form as tables, one for each list of measurements; raises ReportError as `of_cell` does."""
    alike: dict[tuple[int, int | None], list[UeReport]] = {}
    for item in report.ues:
        alike.setdefault((id(item.report.info), item.report.granularity_ms), []).append(item)
    made = []
    for items in alike.values():
        rows = [_newest(item.report) for item in items]
        info, granularity_ms = items[0].report.info, items[0].report.granularity_ms
        width = sum(len(item.labels) for item in info)
        if any(len(row) != width for row in rows):
            raise ReportError("wrong_length", f"{len(rows[0])} values for {width} measurements")
        ues = tuple(item.ue for item in items)
        made.append(UeTable(ues, [value for row in rows for value in row], info, granularity_ms))
    return made


def _newest(report: IndicationFormat1) -> Sequence[Value]:
    """The values of the newest complete record; a partial period would pass for a quiet one."""
    for record in reversed(report.records):
        if not record.incomplete:
            return record.values
    raise ReportError("incomplete" if report.records else "empty")


def _sum_up(table: np.ndarray, owners: np.ndarray, slices: int, period_s: float) -> SliceKpis:
    """Aggregate UE rows [ues, fields + 1] by slice; see `ReportReader.of_ues`.

    All sums are columns of one matrix product, as a call costs more than its numbers. Values are held within
    `FAR`, far beyond what is plausible, where their products and sums are still finite.
    """
    table = np.minimum(np.maximum(table, -FAR), FAR)
    throughput, _, _, came, left, _, active, available = table.T
    has_data = (throughput > 0) | (came > 0) | (left > 0) | (active > 0)
    known = ~np.isnan(table[:, :-1])
    known[:, 0] &= has_data
    parts = np.ones((len(table), 22))
    value, worth = parts[:, :7], parts[:, 14:17]
    value[:] = np.where(known, table[:, :-1], 0.0)
    parts[:, 7:14] = known
    # Throughput is weighed by who has data, delay by the data delivered, drop rate by the data that came.
    worth[:, 0], worth[:, 1], worth[:, 2] = has_data, value[:, 4], value[:, 3]
    worth *= known[:, :3] & (worth > 0)
    parts[:, 17:20] = value[:, :3] * worth
    parts[:, 20] = has_data
    sums = (owners == np.arange(slices)[:, None]).astype(np.float64) @ parts
    total, count, weights, weighted = sums[:, :7], sums[:, 7:14], sums[:, 14:17], sums[:, 17:20]
    heavy = weights > 0
    divisor = np.maximum(np.where(heavy, weights, count[:, :3]), 1e-300)
    # Nothing is known where no UE tells it; of what is summed, a slice without UEs has none.
    mean = np.where(count[:, :3] > 0, np.where(heavy, weighted, total[:, :3]) / divisor, math.nan)
    silent = (count[:, 3:] == 0) & (sums[:, 21:] > 0)
    whole = np.where(silent, math.nan, total[:, 3:])
    told = available[~np.isnan(available)]
    return SliceKpis(
        throughput_bps=mean[:, 0],
        delay_s=mean[:, 1],
        drop_rate=mean[:, 2],
        arrived_bit=whole[:, 0],
        delivered_bit=whole[:, 1],
        prb_used=whole[:, 2],
        active_ues=np.where(silent[:, 3], sums[:, 20], whole[:, 3]),
        prb_available=float(told.max()) if told.size else math.nan,
        period_s=period_s,
    )
