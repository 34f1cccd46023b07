"""The E2SM-KPM messages, declared once per dialect (O-RAN.WG3.E2SM-KPM 8.2 and 8.4)."""

from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from oran.e2.identity import UeId
from oran.e2.kpm.conditions import (
    BIN_AXES,
    BIN_RANGE,
    Axes,
    axes_of,
    matching_condition,
    test_condition,
    ue_condition,
)
from oran.e2.kpm.measurements import MEASUREMENT_INFO_LIST
from oran.e2.kpm.messages import (
    ActionDefinition,
    ActionFormat1,
    ActionFormat2,
    ActionFormat3,
    ActionFormat4,
    ActionFormat5,
    BinRange,
    ConditionItem,
    ConditionUeItem,
    EventTrigger,
    IndicationFormat1,
    IndicationFormat2,
    IndicationFormat3,
    IndicationMessage,
    MatchingCondition,
    Measurement,
    UeReport,
    Value,
)
from oran.e2.kpm.messages import Record as DataRecord
from oran.e2.kpm.profile import NodeProfile
from oran.e2.kpm.reports import RecordList, ReportList, ReportType
from oran.e2.kpm.types import MEASUREMENT, PERIOD, Flag, Mapped, Null, flag
from oran.e2.schema import (
    Alternative,
    Choice,
    Component,
    Integer,
    Real,
    Record,
    SequenceOf,
    Type,
    Wrapped,
)
from oran.e2.ue_id import CELL_GLOBAL_ID, UE_ID

T = TypeVar("T")


class _NotSatisfied:
    """What stands in a wire record for a value withheld by its report condition."""


_NOT_SATISFIED = _NotSatisfied()

_WireValue = int | float | None | _NotSatisfied


@dataclass(frozen=True, slots=True)
class _WireRecord:
    values: tuple[_WireValue, ...]
    incomplete: bool = False


def _value_kind(value: _WireValue) -> object:
    if isinstance(value, float):
        return float
    return int if isinstance(value, int) else type(value)


def _to_wire_record(record: DataRecord) -> _WireRecord:
    values: list[_WireValue] = list(record.values)
    for index in record.unsatisfied:
        if 0 <= index < len(values) and values[index] is None:
            values[index] = _NOT_SATISFIED
    return _WireRecord(tuple(values), record.incomplete)


def _from_wire_record(record: _WireRecord) -> DataRecord:
    values: list[Value] = []
    unsatisfied: list[int] = []
    for index, value in enumerate(record.values):
        if isinstance(value, _NotSatisfied):
            unsatisfied.append(index)
            values.append(None)
        else:
            values.append(value)
    return DataRecord(tuple(values), record.incomplete, tuple(unsatisfied))


_VALUE: Type[_WireValue] = Choice(
    Alternative(int, "integer", Integer(0, 0xFFFF_FFFF)),
    Alternative(float, "real", Real()),
    Alternative(type(None), "noValue", Null(None)),
    Alternative(_NotSatisfied, "notSatisfied", Null(_NOT_SATISFIED), addition=True),
    key=_value_kind,
)
DATA_RECORD: Type[DataRecord] = Mapped(
    Record(
        _WireRecord,
        Component("values", "measRecord", SequenceOf(_VALUE, 1, 0x7FFF_FFFF)),
        flag("incomplete", "incompleteFlag"),
    ),
    _to_wire_record,
    _from_wire_record,
)
"""MeasurementDataItem."""
MEASUREMENT_DATA = RecordList(DATA_RECORD)

INDICATION_FORMAT_1: Type[IndicationFormat1] = ReportType(
    IndicationFormat1,
    Component("records", "measData", MEASUREMENT_DATA),
    Component("info", "measInfoList", MEASUREMENT_INFO_LIST, optional=True),
    Component("granularity_ms", "granulPeriod", PERIOD, optional=True),
)
UE_REPORT: Type[UeReport] = Record(
    UeReport,
    Component("ue", "ueID", UE_ID),
    Component("report", "measReport", INDICATION_FORMAT_1),
)
INDICATION_FORMAT_3: Type[IndicationFormat3] = Record(
    IndicationFormat3, Component("ues", "ueMeasReportList", ReportList(UE_REPORT))
)

EVENT_TRIGGER: Type[EventTrigger] = Wrapped(
    "eventDefinition-formats",
    Choice(
        Alternative(
            EventTrigger,
            "eventDefinition-Format1",
            Record(EventTrigger, Component("reporting_period_ms", "reportingPeriod", PERIOD)),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The messages that depend on where a node's ASN.1 has its extension markers."""

    action: Type[ActionDefinition]
    message: Type[IndicationMessage]


@cache
def dialect(profile: NodeProfile) -> Dialect:
    """The messages as nodes of `profile` code them."""
    in_root = profile.extensions_in_root
    test = test_condition(extensions_in_root=in_root)
    condition = matching_condition(test)
    return Dialect(_action(in_root, ue_condition(test), condition), _message(in_root, condition))


def _later(attribute: str, name: str, kind: Type[T], in_root: bool) -> Component:
    return Component(attribute, name, kind, optional=in_root, addition=not in_root)


@dataclass(frozen=True, slots=True)
class _WireConditionItem:
    measurement: Measurement
    conditions: tuple[MatchingCondition, ...]
    axes: Axes | None = None


def _action(
    in_root: bool, ue_condition: Type[MatchingCondition], condition: Type[MatchingCondition]
) -> Type[ActionDefinition]:
    subscription: Type[ActionFormat1] = Record(
        ActionFormat1,
        Component("info", "measInfoList", MEASUREMENT_INFO_LIST),
        Component("granularity_ms", "granulPeriod", PERIOD),
        Component("cell", "cellGlobalID", CELL_GLOBAL_ID, optional=True),
        _later("bins", "distMeasBinRangeInfo", SequenceOf(BIN_RANGE, 1, 65_535), in_root),
    )
    item: Type[ConditionItem] = Mapped(
        Record(
            _WireConditionItem,
            Component("measurement", "measType", MEASUREMENT),
            Component("conditions", "matchingCond", SequenceOf(condition, 1, 32_768)),
            _later("axes", "binRangeDef", BIN_AXES, in_root),
        ),
        lambda item: _WireConditionItem(
            item.measurement, item.conditions, axes_of(item.bins) if item.bins else None
        ),
        lambda item: ConditionItem(
            item.measurement, item.conditions, BinRange(item.measurement, *item.axes) if item.axes else None
        ),
    )
    ues: Type[tuple[UeId, ...]] = SequenceOf(Wrapped("ueID", UE_ID), 2, 65_535)
    formats: Type[object] = Choice(
        Alternative(ActionFormat1, "actionDefinition-Format1", subscription),
        Alternative(
            ActionFormat2,
            "actionDefinition-Format2",
            Record(
                ActionFormat2,
                Component("ue", "ueID", UE_ID),
                Component("subscription", "subscriptInfo", subscription),
            ),
        ),
        Alternative(
            ActionFormat3,
            "actionDefinition-Format3",
            Record(
                ActionFormat3,
                Component("items", "measCondList", SequenceOf(item, 1, 65_535)),
                Component("granularity_ms", "granulPeriod", PERIOD),
                Component("cell", "cellGlobalID", CELL_GLOBAL_ID, optional=True),
            ),
        ),
        Alternative(
            ActionFormat4,
            "actionDefinition-Format4",
            Record(
                ActionFormat4,
                Component("conditions", "matchingUeCondList", SequenceOf(ue_condition, 1, 32_768)),
                Component("subscription", "subscriptionInfo", subscription),
            ),
            addition=not in_root,
        ),
        Alternative(
            ActionFormat5,
            "actionDefinition-Format5",
            Record(
                ActionFormat5,
                Component("ues", "matchingUEidList", ues),
                Component("subscription", "subscriptionInfo", subscription),
            ),
            addition=not in_root,
        ),
    )
    return Record(
        ActionDefinition,
        Component("style", "ric-Style-Type", Integer()),
        Component("format", "actionDefinition-formats", formats),
    )


def _message(in_root: bool, condition: Type[MatchingCondition]) -> Type[IndicationMessage]:
    ues: Type[tuple[UeId, ...]] = SequenceOf(Wrapped("ueID", UE_ID), 1, 65_535)
    no_ues: tuple[UeId, ...] = ()
    matched: Type[tuple[UeId, ...]] = Choice(
        Alternative(False, "noUEmatched", Flag(no_ues)),
        Alternative(True, "oneOrMoreUEmatched", ues),
        key=bool,
    )
    item: Type[ConditionUeItem] = Record(
        ConditionUeItem,
        Component("measurement", "measType", MEASUREMENT),
        Component("conditions", "matchingCond", SequenceOf(condition, 1, 32_768)),
        Component("ues", "matchingUEidList", ues, optional=True),
        _later(
            "ues_per_period",
            "matchingUEidPerGP",
            SequenceOf(Wrapped("matchedPerGP", matched), 1, 65_535),
            in_root,
        ),
    )
    format_2: Type[IndicationFormat2] = Record(
        IndicationFormat2,
        Component("records", "measData", MEASUREMENT_DATA),
        Component("info", "measCondUEidList", SequenceOf(item, 1, 65_535)),
        Component("granularity_ms", "granulPeriod", PERIOD, optional=True),
    )
    return Wrapped(
        "indicationMessage-formats",
        Choice(
            Alternative(IndicationFormat1, "indicationMessage-Format1", INDICATION_FORMAT_1),
            Alternative(IndicationFormat2, "indicationMessage-Format2", format_2),
            Alternative(IndicationFormat3, "indicationMessage-Format3", INDICATION_FORMAT_3, not in_root),
        ),
    )
