"""Hypothesis strategies for KPM messages."""

import string
from typing import Any

from hypothesis import strategies as st

from oran.e2.functions import FunctionName
from oran.e2.identity import (
    CellGlobalId,
    EutraCgi,
    GnbCuUpUeId,
    GnbDuUeId,
    GnbUeId,
    Guami,
    NgEnbDuUeId,
    NrCgi,
    UeId,
)
from oran.e2.kpm.messages import (
    NO_LABEL,
    ActionDefinition,
    ActionFormat,
    ActionFormat1,
    ActionFormat2,
    ActionFormat3,
    ActionFormat4,
    ActionFormat5,
    BinRange,
    ConditionItem,
    ConditionUeItem,
    FunctionDefinition,
    IndicationFormat1,
    IndicationFormat2,
    IndicationFormat3,
    IndicationMessage,
    Label,
    MatchingCondition,
    Measurement,
    MeasurementInfo,
    Record,
    ReportCondition,
    ReportStyle,
    StartEnd,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
    TriggerStyle,
    UeReport,
    Value,
)
from oran.slices import SNssai

uint32 = st.integers(0, 0xFFFF_FFFF)
uint16 = st.integers(1, 65_535)
integers = st.integers(-(2**63), 2**63 - 1)
reals = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [1.5, 1234.5, 0.1, -2.5, 1e-300, 2.0**-1074]
)
periods = st.integers(1, 0xFFFF_FFFF)
PRINTABLE = string.ascii_letters + string.digits + " '()+,-./:=?"
texts = st.text(PRINTABLE, min_size=1, max_size=40)
names = st.sampled_from(["DRB.UEThpDl", "RRU.PrbTotDl", "CQI", "DRB.RlcSduDelayDl"]) | texts
plmns = st.binary(min_size=3, max_size=3)
slices = st.builds(SNssai, st.integers(0, 255), st.none() | st.integers(0, 0xFFFFFF))
cells: st.SearchStrategy[CellGlobalId] = st.one_of(
    st.builds(NrCgi, plmns, st.integers(0, 2**36 - 1)), st.builds(EutraCgi, plmns, st.integers(0, 2**28 - 1))
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value or none."""
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any], low: int = 1, high: int = 3) -> st.SearchStrategy[Any]:
    """A short tuple."""
    return st.lists(strategy, min_size=low, max_size=high).map(tuple)


ran_ue_ids = maybe(st.binary(min_size=8, max_size=8))
guamis = st.builds(Guami, plmns, st.integers(0, 255), st.integers(0, 1023), st.integers(0, 63))
ues: st.SearchStrategy[UeId] = st.one_of(
    st.builds(GnbDuUeId, uint32),
    st.builds(GnbDuUeId, uint32, ran_ue_ids),
    st.builds(GnbCuUpUeId, uint32, ran_ue_ids),
    st.builds(NgEnbDuUeId, uint32),
    st.builds(
        GnbUeId,
        st.integers(0, 2**40 - 1),
        guamis,
        some(uint32, 0, 4),
        some(uint32, 0, 2),
        ran_ue_ids,
        maybe(uint32),
    ),
)

qcis = st.integers(0, 255)
arps = st.integers(1, 15)
labels = st.just(NO_LABEL) | st.builds(
    Label,
    no_label=st.booleans(),
    plmn=maybe(plmns),
    slice_id=maybe(slices),
    five_qi=maybe(qcis),
    qfi=maybe(st.integers(0, 63)),
    qci=maybe(qcis),
    qci_max=maybe(qcis),
    qci_min=maybe(qcis),
    arp_max=maybe(arps),
    arp_min=maybe(arps),
    bitrate_range=maybe(uint16),
    layer_mu_mimo=maybe(uint16),
    sum=st.booleans(),
    dist_bin_x=maybe(uint16),
    dist_bin_y=maybe(uint16),
    dist_bin_z=maybe(uint16),
    pre_label_override=st.booleans(),
    start_end=maybe(st.sampled_from(StartEnd)),
    min=st.booleans(),
    max=st.booleans(),
    avg=st.booleans(),
    ssb_index=maybe(uint16),
    non_gob_bf_mode_index=maybe(uint16),
    mimo_mode_index=maybe(st.integers(1, 2)),
    cell=maybe(cells),
    beam_id=maybe(st.integers(0, 63)),
)

test_values = st.one_of(
    st.builds(TestValue, st.sampled_from(["valueInt", "valueEnum"]), integers),
    st.builds(TestValue, st.just("valueBool"), st.booleans()),
    st.builds(
        TestValue,
        st.just("valueBitS"),
        st.integers(0, 40).flatmap(lambda count: st.tuples(st.integers(0, max(0, 2**count - 1)), st.just(count))),
    ),
    st.builds(TestValue, st.just("valueOctS"), st.binary(max_size=20)),
    st.builds(TestValue, st.just("valuePrtS"), texts),
    st.builds(TestValue, st.just("valueReal"), reals),
)
tests = st.builds(
    TestCondition,
    st.sampled_from(TestType),
    maybe(st.sampled_from(TestExpression)),
    maybe(test_values),
)
conditions = st.builds(MatchingCondition, labels | tests, st.booleans())
ue_conditions = st.builds(MatchingCondition, tests, st.booleans())
measurements: st.SearchStrategy[Measurement] = names | st.integers(1, 65_536)
report_conditions = st.builds(ReportCondition, st.sampled_from(TestExpression), test_values, st.booleans())
infos = st.builds(MeasurementInfo, measurements, some(labels), st.just(()) | some(report_conditions))
plain_infos = st.builds(MeasurementInfo, names)
info_lists = some(plain_infos, 1, 6) | some(infos)

bounds = st.builds(TestValue, st.just("valueInt"), integers) | st.builds(TestValue, st.just("valueReal"), reals)
axes = some(st.tuples(uint16, bounds, bounds))


def bin_ranges(measurement: st.SearchStrategy[Any]) -> st.SearchStrategy[BinRange]:
    """Bins of a measurement."""
    return st.builds(BinRange, measurement, axes, st.just(()) | axes, st.just(()) | axes)


values: st.SearchStrategy[Value] = st.one_of(st.none(), st.integers(0, 300), uint32, st.floats(-1e6, 1e6), reals)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Values of one period, some of them withheld by a report condition."""
    measured = draw(some(values, 1, 8))
    missing = [index for index, value in enumerate(measured) if value is None]
    withheld = draw(st.sets(st.sampled_from(missing))) if missing else set()
    return Record(measured, draw(st.booleans()), tuple(sorted(withheld)))


reports = st.builds(IndicationFormat1, some(records()), st.just(()) | info_lists, maybe(periods))
format_2 = st.builds(
    IndicationFormat2,
    some(records()),
    some(
        st.builds(
            ConditionUeItem,
            measurements,
            some(conditions),
            some(ues, 0, 2),
            st.just(()) | some(some(ues, 0, 2)),
        ),
        1,
        2,
    ),
    maybe(periods),
)


@st.composite
def format_3(draw: st.DrawFn) -> IndicationFormat3:
    """Reports of several UEs, most with the same tail."""
    shared = draw(info_lists)
    of_ues = draw(st.lists(st.tuples(ues, reports, st.booleans()), min_size=1, max_size=4))
    return IndicationFormat3(
        tuple(
            UeReport(ue, IndicationFormat1(report.records, shared, 100) if share else report)
            for ue, report, share in of_ues
        )
    )


messages: st.SearchStrategy[IndicationMessage] = reports | format_2 | format_3()

subscriptions = st.builds(
    ActionFormat1, info_lists, periods, maybe(cells), st.just(()) | some(bin_ranges(measurements), 1, 2)
)


@st.composite
def condition_items(draw: st.DrawFn) -> ConditionItem:
    """A measurement over the UEs that meet conditions; its bins are of the same measurement."""
    measurement = draw(measurements)
    bins = draw(maybe(bin_ranges(st.just(measurement))))
    return ConditionItem(measurement, draw(some(conditions)), bins)


formats: st.SearchStrategy[ActionFormat] = st.one_of(
    subscriptions,
    st.builds(ActionFormat2, ues, subscriptions),
    st.builds(ActionFormat3, some(condition_items()), periods, maybe(cells)),
    st.builds(ActionFormat4, some(ue_conditions), subscriptions),
    st.builds(ActionFormat5, some(ues, 2, 3), subscriptions),
)
actions = st.builds(ActionDefinition, integers, formats)


@st.composite
def report_styles(draw: st.DrawFn) -> ReportStyle:
    """A report style, some of whose measurements are distributions."""
    offered = draw(st.dictionaries(texts, maybe(st.integers(1, 65_536)), min_size=1, max_size=4))
    bins = tuple(draw(bin_ranges(st.just(name))) for name in offered if draw(st.booleans()))
    small = st.integers(0, 9)
    return ReportStyle(
        draw(small), draw(texts), draw(small), tuple(offered.items()), draw(small), draw(small), bins
    )


functions = st.builds(
    FunctionDefinition,
    st.builds(FunctionName, texts, texts, texts, maybe(integers)),
    some(st.builds(TriggerStyle, integers, texts, integers), 0, 2),
    some(report_styles(), 0, 2),
)
