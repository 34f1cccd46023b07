"""The E2SM-KPM types, each declared once for the wire and for JSON (O-RAN.WG3.E2SM-KPM v2.03 to v5, 8.4).

What a later version added stands behind the extension marker; additions that we do not know are read over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonValue
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.kpm.messages import (
    NO_LABEL,
    BinRange,
    Label,
    MatchingCondition,
    Measurement,
    MeasurementInfo,
    ReportCondition,
    StartEnd,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
)
from oran.e2.schema import (
    Alternative,
    Bits,
    Boolean,
    Characters,
    Choice,
    Component,
    Enumerated,
    Integer,
    Octets,
    Real,
    Record,
    SequenceOf,
    Type,
    Wrapped,
)
from oran.e2.ue_id import CELL_GLOBAL_ID, PLMN, S_NSSAI

T = TypeVar("T")
W = TypeVar("W")
Content = TypeVar("Content", bound=int | bytes | str | float | tuple[int, int])


class Mapped(Type[T], Generic[T, W]):
    """A type whose Python value differs from what the wire nests."""

    def __init__(self, inner: Type[W], to_wire: Callable[[T], W], from_wire: Callable[[W], T]) -> None:
        self.inner = inner
        self.to_wire = to_wire
        self.from_wire = from_wire

    def read(self, reader: Reader, field: str) -> T:
        return self.from_wire(self.inner.read(reader, field))

    def write(self, writer: Writer, value: T, field: str) -> None:
        self.inner.write(writer, self.to_wire(value), field)

    def to_asn1(self, value: T) -> JsonValue:
        return self.inner.to_asn1(self.to_wire(value))

    def from_asn1(self, value: JsonValue, field: str) -> T:
        return self.from_wire(self.inner.from_asn1(value, field))


class Flag(Type[T]):
    """ENUMERATED {true, ...}, standing for one Python value."""

    def __init__(self, value: T) -> None:
        self.value = value

    def read(self, reader: Reader, field: str) -> T:
        if reader.bit(field):
            reader.fail("enumeration value is unknown", field)
        return self.value

    def write(self, writer: Writer, value: T, field: str) -> None:
        writer.bit(False)

    def to_asn1(self, value: T) -> JsonValue:
        return "true"

    def from_asn1(self, value: JsonValue, field: str) -> T:
        if value != "true":
            raise EncodeError(f"{value!r:.40} is not 'true'", field=field)
        return self.value


class Null(Type[T]):
    """NULL, standing for one Python value."""

    def __init__(self, value: T) -> None:
        self.value = value

    def read(self, reader: Reader, field: str) -> T:
        return self.value

    def write(self, writer: Writer, value: T, field: str) -> None:
        pass

    def to_asn1(self, value: T) -> JsonValue:
        return None

    def from_asn1(self, value: JsonValue, field: str) -> T:
        if value is not None:
            raise EncodeError("expected null", field=field)
        return self.value


def flag(attribute: str, name: str, *, optional: bool = True, addition: bool = False) -> Component:
    """An optional ENUMERATED {true, ...} as a bool."""
    return Component(attribute, name, Flag(True), optional and not addition, addition, absent=False)


UINT16 = Integer(1, 65_535, extensible=True)
QCI = Integer(0, 255)
ARP = Integer(1, 15, extensible=True)
PERIOD = Integer(1, 0xFFFF_FFFF)
"""GranularityPeriod and reporting period, in ms."""

MEASUREMENT_NAME = Characters(1, 150, extensible=True)
MEASUREMENT_ID = Integer(1, 65_536, extensible=True)
MEASUREMENT: Type[Measurement] = Choice(
    Alternative(str, "measName", MEASUREMENT_NAME),
    Alternative(int, "measID", MEASUREMENT_ID),
)

_BEAM_ID: Type[int] = Choice(Alternative(int, "nR-Beam-ID", Integer(0, 63)))


class LabelType(Record[Label]):
    """MeasurementLabel; where nothing later than v2 is present, what is absent costs no time."""

    def read(self, reader: Reader, field: str) -> Label:
        start = reader.position
        present = reader.bits(22, field)
        if present >> 21:
            reader.position = start
            return super().read(reader, field)
        values: dict[str, Any] = {}
        try:
            while present:
                left = present.bit_length()
                component = self.root[21 - left]
                values[component.attribute] = component.type.read(reader, component.name)
                present ^= 1 << left - 1
        except DecodeError as error:
            raise (error.within(field) if field else error) from None
        return Label(**values)


LABEL: Type[Label] = LabelType(
    Label,
    flag("no_label", "noLabel"),
    Component("plmn", "plmnID", PLMN, optional=True),
    Component("slice_id", "sliceID", S_NSSAI, optional=True),
    Component("five_qi", "fiveQI", Integer(0, 255, extensible=True), optional=True),
    Component("qfi", "qFI", Integer(0, 63, extensible=True), optional=True),
    Component("qci", "qCI", QCI, optional=True),
    Component("qci_max", "qCImax", QCI, optional=True),
    Component("qci_min", "qCImin", QCI, optional=True),
    Component("arp_max", "aRPmax", ARP, optional=True),
    Component("arp_min", "aRPmin", ARP, optional=True),
    Component("bitrate_range", "bitrateRange", UINT16, optional=True),
    Component("layer_mu_mimo", "layerMU-MIMO", UINT16, optional=True),
    flag("sum", "sUM"),
    Component("dist_bin_x", "distBinX", UINT16, optional=True),
    Component("dist_bin_y", "distBinY", UINT16, optional=True),
    Component("dist_bin_z", "distBinZ", UINT16, optional=True),
    flag("pre_label_override", "preLabelOverride"),
    Component("start_end", "startEndInd", Enumerated(StartEnd), optional=True),
    flag("min", "min"),
    flag("max", "max"),
    flag("avg", "avg"),
    Component("ssb_index", "ssbIndex", UINT16, addition=True),
    Component("non_gob_bf_mode_index", "nonGoB-BFmode-Index", UINT16, addition=True),
    Component("mimo_mode_index", "mIMO-mode-Index", Integer(1, 2, extensible=True), addition=True),
    Component("cell", "cellGlobalID", CELL_GLOBAL_ID, addition=True),
    Component("beam_id", "beamID", _BEAM_ID, addition=True),
)

NO_LABEL_BITS = 1 << 21
"""LabelInfoItem of `noLabel` alone: two extension bits, 21 presence bits, one enumeration bit."""


class LabelItem(Wrapped[Label]):
    """LabelInfoItem; the label that nearly all nodes send is read and written at once."""

    def __init__(self) -> None:
        super().__init__("measLabel", LABEL)

    def read(self, reader: Reader, field: str) -> Label:
        start = reader.position
        if reader.end - start >= 24:
            if reader.bits(24, field) == NO_LABEL_BITS:
                return NO_LABEL
            reader.position = start
        return super().read(reader, field)

    def write(self, writer: Writer, value: Label, field: str) -> None:
        if value is NO_LABEL:
            writer.bits(NO_LABEL_BITS, 24)
        else:
            super().write(writer, value, field)


def _valued(kind: str, inner: Type[Content], *, addition: bool = False) -> Alternative:
    return Alternative(
        kind,
        kind,
        Mapped(inner, lambda value: value.value, lambda value: TestValue(kind, value)),
        addition,
    )


def _kind(value: TestValue) -> object:
    return value.kind


TEST_VALUE: Type[TestValue] = Choice(
    _valued("valueInt", Integer()),
    _valued("valueEnum", Integer()),
    _valued("valueBool", Boolean()),
    _valued("valueBitS", Bits()),
    _valued("valueOctS", Octets()),
    _valued("valuePrtS", Characters()),
    _valued("valueReal", Real(), addition=True),
    key=_kind,
)
TEST_EXPRESSION = Enumerated(TestExpression)
BIN_VALUE: Type[TestValue] = Choice(_valued("valueInt", Integer()), _valued("valueReal", Real()), key=_kind)

Bin = tuple[int, TestValue, TestValue]
Axes = tuple[tuple[Bin, ...], tuple[Bin, ...], tuple[Bin, ...]]


@dataclass(frozen=True, slots=True)
class _BinItem:
    index: int
    start: TestValue
    end: TestValue


@dataclass(frozen=True, slots=True)
class _BinAxes:
    x: tuple[Bin, ...]
    y: tuple[Bin, ...] = ()
    z: tuple[Bin, ...] = ()


_BINS: Type[tuple[Bin, ...]] = SequenceOf(
    Mapped(
        Record(
            _BinItem,
            Component("index", "binIndex", UINT16),
            Component("start", "startValue", BIN_VALUE),
            Component("end", "endValue", BIN_VALUE),
        ),
        lambda bounds: _BinItem(*bounds),
        lambda item: (item.index, item.start, item.end),
    ),
    1,
    65_535,
)
BIN_AXES: Type[Axes] = Mapped(
    Record(
        _BinAxes,
        Component("x", "binRangeListX", _BINS),
        Component("y", "binRangeListY", _BINS, optional=True),
        Component("z", "binRangeListZ", _BINS, optional=True),
    ),
    lambda axes: _BinAxes(*axes),
    lambda axes: (axes.x, axes.y, axes.z),
)
"""BinRangeDefinition: the bins of the three axes."""


def axes_of(bins: BinRange) -> Axes:
    """The bins of a measurement without its name."""
    return bins.x, bins.y, bins.z


@dataclass(frozen=True, slots=True)
class _BinRangeItem:
    measurement: Measurement
    axes: Axes


BIN_RANGE: Type[BinRange] = Mapped(
    Record(
        _BinRangeItem,
        Component("measurement", "measType", MEASUREMENT),
        Component("axes", "binRangeDef", BIN_AXES),
    ),
    lambda bins: _BinRangeItem(bins.measurement, axes_of(bins)),
    lambda item: BinRange(item.measurement, *item.axes),
)
"""DistMeasurementBinRangeItem."""


@dataclass(frozen=True, slots=True)
class _ReportTest:
    expression: TestExpression
    value: TestValue


@dataclass(frozen=True, slots=True)
class _ReportItem:
    test: _ReportTest
    logical_or: bool = False


REPORT_CONDITION: Type[ReportCondition] = Mapped(
    Record(
        _ReportItem,
        Component(
            "test",
            "measValueReportCond",
            Record(
                _ReportTest,
                Component("expression", "testExpr", TEST_EXPRESSION),
                Component("value", "testValue", TEST_VALUE),
            ),
        ),
        flag("logical_or", "logicalOR"),
    ),
    lambda condition: _ReportItem(_ReportTest(condition.expression, condition.value), condition.logical_or),
    lambda item: ReportCondition(item.test.expression, item.test.value, item.logical_or),
)
"""MatchCondReportItem (v5)."""

MEASUREMENT_INFO: Type[MeasurementInfo] = Record(
    MeasurementInfo,
    Component("measurement", "measType", MEASUREMENT),
    Component("labels", "labelInfoList", SequenceOf(LabelItem(), 1, 0x7FFF_FFFF)),
    Component("report_conditions", "matchCondReportList", SequenceOf(REPORT_CONDITION, 1, 32_768), addition=True),
)
MEASUREMENT_INFO_LIST = SequenceOf(MEASUREMENT_INFO, 1, 65_535)


def test_condition(*, extensions_in_root: bool) -> Type[TestCondition]:
    """TestCondInfo; FlexRIC has all test types in the root of their CHOICE."""
    types: list[Alternative] = []
    for index, kind in enumerate(TestType):
        types.append(Alternative(kind, kind.value, Flag(kind), index >= 6 and not extensions_in_root))
    return Record(
        TestCondition,
        Component("type", "testType", Choice(*types, key=lambda kind: kind)),
        Component("expression", "testExpr", TEST_EXPRESSION, optional=True),
        Component("value", "testValue", TEST_VALUE, optional=True),
    )


def matching_condition(test: Type[TestCondition]) -> Type[MatchingCondition]:
    """MatchingCondItem: a label or a test."""
    condition: Type[Label | TestCondition] = Choice(
        Alternative(Label, "measLabel", LABEL), Alternative(TestCondition, "testCondInfo", test)
    )
    return Record(
        MatchingCondition,
        Component("condition", "matchingCondChoice", condition),
        flag("logical_or", "logicalOR"),
    )


def ue_condition(test: Type[TestCondition]) -> Type[MatchingCondition]:
    """MatchingUeCondPerSubItem: a test; labels do not choose UEs."""

    def only_tests(condition: Label | TestCondition) -> TestCondition:
        if not isinstance(condition, TestCondition):
            raise EncodeError("UEs are chosen by tests, not by labels", field="testCondInfo")
        return condition

    return Record(
        MatchingCondition,
        Component("condition", "testCondInfo", Mapped(test, only_tests, lambda condition: condition)),
        flag("logical_or", "logicalOR", addition=True),
    )
