"""KPM reports: from a subscribed action to the indications of each reporting period."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from oran import kpi
from oran.e2.e2ap.messages import Cause
from oran.e2.errors import DecodeError
from oran.e2.identity import GnbDuUeId
from oran.e2.kpm.codec import (
    decode_action_definition,
    decode_event_trigger,
    encode_indication_header,
    encode_indication_message,
)
from oran.e2.kpm.messages import (
    ActionFormat1,
    ActionFormat4,
    ActionFormat5,
    IndicationFormat1,
    IndicationFormat3,
    IndicationHeader,
    IndicationMessage,
    MatchingCondition,
    Measurement,
    Record,
    UeReport,
    Value,
)
from twin.e2node.conditions import check, label_slice, matching, normal
from twin.e2node.config import NodeConfig
from twin.e2node.errors import Refused
from twin.e2node.functions import IDS, STYLES
from twin.e2node.sample import CellSample, aggregate

_NTP_EPOCH_S = 2_208_988_800
"""NTP counts from 1900, Unix time from 1970."""

MAX_INTEGER = 0xFFFF_FFFF
"""MeasurementRecordItem's INTEGER goes so far."""

_NAME_OF_ID = {number: name for name, number in IDS.items()}


def ntp(time_s: float, octets: int = 8) -> bytes:
    """Unix time as an NTP time stamp: whole seconds in 4 octets, or 4 more with the fraction (RFC 5905)."""
    whole, fraction = divmod(time_s + _NTP_EPOCH_S, 1.0)
    seconds = struct.pack(">I", int(whole) & 0xFFFFFFFF)
    return seconds if octets == 4 else seconds + struct.pack(">I", int(fraction * 2**32) & 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class _Column:
    """One value of a record: its KPI, wire units per SI unit, its slice's index (None: whole cell or UE)."""

    name: str
    scale: float
    slice: int | None
    known: bool = True


class Reporter:
    """Makes one action's indications; `add` takes each step's sample.

    Raises Refused when the event trigger or action definition asks for what the node does not offer.
    """

    def __init__(self, config: NodeConfig, event_trigger: bytes, definition: bytes | None) -> None:
        self._config = config
        try:
            period_ms = decode_event_trigger(event_trigger).reporting_period_ms
        except DecodeError as error:
            raise Refused(f"event trigger: {error}", Cause("ricRequest", "eventTriggerNotSupported")) from None
        if definition is None:
            raise _unsupported("the action has no definition")
        try:
            action = decode_action_definition(definition, config.dialect)
        except DecodeError as error:
            raise _unsupported(f"action definition: {error}") from None
        style = STYLES.get(action.style)
        body = action.format
        self._conditions: tuple[MatchingCondition, ...] = ()
        self._listed: np.ndarray | None = None
        if isinstance(body, ActionFormat4):
            check(body.conditions, config.slices)
            self._conditions, form, inner = body.conditions, 4, body.subscription
        elif isinstance(body, ActionFormat5):
            self._listed = np.array([ue.f1ap_id for ue in body.ues if isinstance(ue, GnbDuUeId)], dtype=np.int64)
            form, inner = 5, body.subscription
        elif isinstance(body, ActionFormat1):
            form, inner = 1, body
        else:
            raise _unsupported("the action definition format is not offered")
        if style is None or style[1] != form:
            raise _unsupported(f"report style {action.style} with action definition format {form} is not offered")
        if inner.cell is not None and inner.cell != config.cell:
            raise _unsupported("the cell is not served here")
        self._per_ue = form != 1
        self._inner = inner
        self._columns = tuple(_columns(config, inner, style[2], labels=config.slice_labels or self._per_ue))
        self._steps_per_record = _steps(config, inner.granularity_ms, "granularity period")
        steps = _steps(config, period_ms, "reporting period")
        if period_ms > config.longest_period_ms or steps % self._steps_per_record:
            raise _unsupported(
                f"reporting period {period_ms} ms: give a multiple of the granularity period "
                f"({inner.granularity_ms} ms), at most {config.longest_period_ms} ms"
            )
        self._records = steps // self._steps_per_record
        self._period_s = period_ms / 1e3
        self._samples: list[CellSample] = []
        self._done: list[CellSample] = []

    def add(self, sample: CellSample, end_s: float) -> list[tuple[bytes, bytes]]:
        """Take a step that ended at Unix time `end_s`; the (header, message) pairs that are due, mostly one.

        A UE report without UEs gives none: the message cannot say "nobody".
        """
        self._samples.append(sample)
        if len(self._samples) < self._steps_per_record:
            return []
        self._done.append(aggregate(self._samples))
        self._samples.clear()
        if len(self._done) < self._records:
            return []
        done, self._done = self._done, []
        start = ntp(end_s - self._period_s, self._config.timestamp_octets)
        header = encode_indication_header(IndicationHeader(start))
        return [(header, message) for message in self._messages(done)]

    def _messages(self, done: list[CellSample]) -> Iterator[bytes]:
        if not self._per_ue:
            yield encode_indication_message(self._cell_report(done), self._config.dialect)
            return
        chosen = self._chosen(done[-1])
        most = self._config.max_ues_per_report
        for first in range(0, len(chosen), most):
            yield from self._ue_messages(done, chosen[first : first + most])

    def _ue_messages(self, done: list[CellSample], chosen: list[int]) -> Iterator[bytes]:
        """One message of these UEs, or two of half of them each where it grows too long."""
        report = IndicationFormat3(tuple(self._ue_report(done, index) for index in chosen))
        message = encode_indication_message(report, self._config.dialect)
        if len(message) <= self._config.max_report_octets or len(chosen) == 1:
            yield message
            return
        half = len(chosen) // 2
        yield from self._ue_messages(done, chosen[:half])
        yield from self._ue_messages(done, chosen[half:])

    def _chosen(self, sample: CellSample) -> list[int]:
        met = matching(self._conditions, self._config.slices, sample)
        if self._listed is not None:
            met = met & np.isin(sample.ue_ids, self._listed)
        return [int(index) for index in np.flatnonzero(met)]

    def _cell_report(self, done: list[CellSample]) -> IndicationMessage:
        records = tuple(Record(tuple(_cell_value(column, sample) for column in self._columns)) for sample in done)
        return IndicationFormat1(records, self._inner.info, self._inner.granularity_ms)

    def _ue_report(self, done: list[CellSample], index: int) -> UeReport:
        ue = int(done[-1].ue_ids[index])
        records = []
        for sample in done:
            here = np.flatnonzero(sample.ue_ids == ue) if sample is not done[-1] else (index,)
            values = tuple(
                _ue_value(column, sample, int(here[0])) if len(here) else None for column in self._columns
            )
            records.append(Record(values, incomplete=not len(here)))
        report = IndicationFormat1(tuple(records), self._inner.info, self._inner.granularity_ms)
        return UeReport(GnbDuUeId(ue), report)


def _columns(
    config: NodeConfig, inner: ActionFormat1, offered: tuple[str, ...], *, labels: bool
) -> Iterator[_Column]:
    if not inner.info:
        raise _unsupported("no measurement is asked for")
    if inner.bins:
        raise _unsupported("distributions are not measured")
    own = [normal(item) for item in config.slices]
    for item in inner.info:
        name = _name(item.measurement)
        if name not in offered or item.report_conditions:
            raise _unsupported(f"measurement {item.measurement!r:.80} is not offered in this report style")
        scale = 1.0 / kpi.to_si(name, 1.0, config.units)
        for label in item.labels:
            wanted = label_slice(label)
            if label.plmn is not None and label.plmn != config.plmn_octets:
                raise _unsupported("the PLMN is not served here")
            if wanted is not None and not labels:
                raise _unsupported("measurements are not labelled by slice")
            # A slice the cell does not have is no error: it was not measured.
            index = own.index(wanted) if wanted in own else None
            yield _Column(name, scale, index, known=wanted is None or index is not None)


def _name(measurement: Measurement) -> str:
    return measurement if isinstance(measurement, str) else _NAME_OF_ID.get(measurement, "")


def _steps(config: NodeConfig, period_ms: int, what: str) -> int:
    if period_ms < config.step_ms or period_ms % config.step_ms:
        raise _unsupported(f"{what} {period_ms} ms: give a multiple of {config.step_ms} ms")
    return period_ms // config.step_ms


def _cell_value(column: _Column, sample: CellSample) -> Value:
    if not column.known:
        return None
    if column.slice is None:
        return _wire(sample.cell[column.name], column.scale)
    return _wire(float(sample.slices[column.name][column.slice]), column.scale)


def _ue_value(column: _Column, sample: CellSample, index: int) -> Value:
    if not column.known or (column.slice is not None and sample.ue_slices[index] != column.slice):
        return None
    return _wire(float(sample.ues[column.name][index]), column.scale)


def _wire(value: float, scale: float) -> Value:
    """A value in wire units: noValue where unknown, INTEGER where whole, else a REAL with a short mantissa."""
    if not math.isfinite(value):
        return None
    # Single precision: some peers refuse mantissas of 8 octets.
    short = float(np.float32(value * scale))
    return int(short) if short.is_integer() and 0 <= short <= MAX_INTEGER else short


def _unsupported(reason: str) -> Refused:
    return Refused(reason, Cause("ricRequest", "action-not-supported"))
