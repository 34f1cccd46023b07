"""Tests, conditions and bins in action definitions and reports (O-RAN.WG3.E2SM-KPM 8.3.22 to 8.3.28).

LogicalOR is ENUMERATED {true, ...} in KPM and {true, false, ...} in RC. srsRAN takes RC's for both and so looks
for one bit more: send it no conditions joined by OR.
"""

from dataclasses import dataclass
from typing import TypeVar

from oran.e2.errors import EncodeError
from oran.e2.kpm.messages import (
    BinRange,
    Label,
    MatchingCondition,
    Measurement,
    ReportCondition,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
)
from oran.e2.kpm.types import LABEL, MEASUREMENT, UINT16, Flag, Mapped, flag
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
)

Content = TypeVar("Content", bound=int | bytes | str | float | tuple[int, int])


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
