"""KPM reports of a node: what is admitted, what the values say, how long messages stay."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran import kpi
from oran.e2.e2ap.messages import Cause
from oran.e2.identity import GnbCuUpUeId, GnbDuUeId, NrCgi
from oran.e2.kpm.codec import (
    decode_function_definition,
    decode_indication_header,
    decode_indication_message,
    encode_action_definition,
    encode_event_trigger,
)
from oran.e2.kpm.messages import (
    NO_LABEL,
    ActionDefinition,
    ActionFormat1,
    ActionFormat3,
    ActionFormat4,
    ActionFormat5,
    ConditionItem,
    EventTrigger,
    IndicationFormat1,
    IndicationFormat3,
    Label,
    MatchingCondition,
    MeasurementInfo,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
)
from oran.e2.kpm.profile import FLEXRIC
from oran.slices import SNssai
from twin.e2node.config import NodeConfig
from twin.e2node.errors import NodeConfigError, Refused
from twin.e2node.functions import CELL_MEASUREMENTS, IDS, UE_MEASUREMENTS, ran_functions
from twin.e2node.reports import Reporter, ntp
from twin.e2node.sample import CellSample, aggregate

EMBB, URLLC, MMTC = (SNssai(sst, 1) for sst in (1, 2, 3))
LABELS = tuple(Label(slice_id=item) for item in (EMBB, URLLC, MMTC))
CONFIG = NodeConfig()
END_S = 1_800_000_000.5


def sample(ues: int = 6, *, scale: float = 1.0, first: int = 1, period_s: float = 0.1) -> CellSample:
    """Slice values that differ, UE values that tell the UE; the third slice is idle."""
    slices = {
        kpi.UE_THROUGHPUT_DL: np.array([5e6, 1e6, math.nan]) * scale,
        kpi.SDU_DELAY_DL: np.array([0.02, 0.005, math.nan]) * scale,
        kpi.DROP_RATE_DL: np.array([0.0, 0.25, math.nan]),
        kpi.PDCP_VOLUME_DL: np.array([3e6, 1e6, 0.0]) * scale,
        kpi.RLC_VOLUME_DL: np.array([2e6, 1e6, 0.0]) * scale,
        kpi.PRB_USED_DL: np.array([30.0, 10.0, 0.0]),
        kpi.PRB_AVAILABLE_DL: np.array([51.0, 51.0, 51.0]),
        kpi.PRB_TOTAL_DL: np.array([30.0, 10.0, 0.0]) / 51.0,
        kpi.ACTIVE_UES_DL: np.array([3.0, 1.0, 0.0]),
    }
    ids = np.arange(first, first + ues)
    values = dict.fromkeys(UE_MEASUREMENTS, ids * 1e3 * scale)
    values[kpi.CQI] = ids % 16.0
    values[kpi.DROP_RATE_DL] = np.full(ues, 0.5)
    return CellSample.of(period_s, slices, ids, ids % 3, values)


def reporter(action: ActionDefinition, *, period_ms: int = 100, config: NodeConfig = CONFIG) -> Reporter:
    trigger = encode_event_trigger(EventTrigger(period_ms))
    return Reporter(config, trigger, encode_action_definition(action, config.dialect))


def cell_action(*info: MeasurementInfo, granularity_ms: int = 100, cell: NrCgi | None = None) -> ActionDefinition:
    return ActionDefinition(1, ActionFormat1(info, granularity_ms, cell))


def ue_action(*conditions: MatchingCondition, names: tuple[str, ...] = (kpi.RLC_VOLUME_DL,)) -> ActionDefinition:
    inner = ActionFormat1(tuple(map(MeasurementInfo, names)), 100)
    return ActionDefinition(4, ActionFormat4(conditions, inner))


def in_slice(value: TestValue) -> MatchingCondition:
    return MatchingCondition(TestCondition(TestType.SNSSAI, TestExpression.EQUAL, value))


EVERYONE = MatchingCondition(
    TestCondition(TestType.UL_RSRP, TestExpression.LESS_THAN, TestValue("valueInt", 1000))
)


def only(reports: list[tuple[bytes, bytes]]) -> object:
    ((_, message),) = reports
    return decode_indication_message(message)


def test_the_definition_offers_what_is_reported() -> None:
    kpm = decode_function_definition(ran_functions(CONFIG)[0].definition)
    offered = {style.style: dict(style.measurements) for style in kpm.report_styles}
    assert offered == {
        1: {name: IDS[name] for name in CELL_MEASUREMENTS},
        4: {name: IDS[name] for name in UE_MEASUREMENTS},
        5: {name: IDS[name] for name in UE_MEASUREMENTS},
    }


def test_a_cell_report_has_a_value_for_each_measurement_and_label_in_order() -> None:
    info = (
        MeasurementInfo(kpi.UE_THROUGHPUT_DL, LABELS),
        MeasurementInfo(kpi.SDU_DELAY_DL, (LABELS[1], NO_LABEL)),
        MeasurementInfo(kpi.PRB_AVAILABLE_DL),
        MeasurementInfo(IDS[kpi.PDCP_VOLUME_DL], LABELS),
    )
    report = only(reporter(cell_action(*info, cell=CONFIG.cell)).add(sample(), END_S))
    assert isinstance(report, IndicationFormat1)
    assert report.info == info
    # kbit/s; 0.1 ms, the cell's weighted by volume; PRBs; Mbit.
    (record,) = report.records
    assert record.values == pytest.approx((5000, 1000, None, 50, 150, 51, 3, 1, 0))


def test_values_return_to_si_units() -> None:
    names = list(CELL_MEASUREMENTS)
    info = tuple(MeasurementInfo(name, LABELS[:1]) for name in names)
    for units in kpi.PROFILES.values():
        config = NodeConfig(units=units)
        report = only(reporter(cell_action(*info), config=config).add(sample(), END_S))
        assert isinstance(report, IndicationFormat1)
        back = [kpi.to_si(name, value, units) for name, value in zip(names, report.records[0].values, strict=True)]  # type: ignore[arg-type]
        assert back == pytest.approx([sample().slices[name][0] for name in names], rel=1e-6)


def test_values_of_any_size_are_reported() -> None:
    huge = CellSample.of(
        0.1,
        {kpi.PDCP_VOLUME_DL: np.array([1e18, math.inf, -1e6])},
        np.zeros(0, dtype=np.int64),
        np.zeros(0, dtype=np.int64),
        {},
    )
    report = only(reporter(cell_action(MeasurementInfo(kpi.PDCP_VOLUME_DL, LABELS))).add(huge, END_S))
    assert isinstance(report, IndicationFormat1)
    assert report.records[0].values == (pytest.approx(1e12), None, -1)


def test_the_header_tells_when_collection_began() -> None:
    for octets in (4, 8):
        config = NodeConfig(timestamp_octets=octets)
        ((header, _),) = reporter(cell_action(MeasurementInfo(kpi.PRB_USED_DL)), config=config).add(
            sample(), END_S
        )
        stamp = decode_indication_header(header).collection_start
        assert stamp == ntp(END_S - 0.1, octets)
        assert len(stamp) == octets
    assert ntp(0.25) == (2_208_988_800).to_bytes(4, "big") + bytes((0x40, 0, 0, 0))


def test_a_longer_period_sums_volumes_and_weighs_means() -> None:
    info = tuple(
        MeasurementInfo(name, LABELS[:1]) for name in (kpi.PDCP_VOLUME_DL, kpi.SDU_DELAY_DL, kpi.PRB_USED_DL)
    )
    made = reporter(cell_action(*info, granularity_ms=200), period_ms=400)
    steps = [sample(scale=scale) for scale in (1.0, 3.0, 1.0, 1.0)]
    early = [made.add(step, END_S) for step in steps[:3]]
    assert early == [[], [], []]
    report = only(made.add(steps[3], END_S))
    assert isinstance(report, IndicationFormat1)
    first, second = report.records
    # Delays of 20 and 60 ms over 2 and 6 Mbit: 50 ms.
    assert first.values == pytest.approx((12, 500, 30))
    assert second.values == pytest.approx((6, 200, 30))
    assert report.granularity_ms == 200


def test_each_ue_is_reported_under_its_id() -> None:
    names = (kpi.RLC_VOLUME_DL, kpi.CQI)
    report = only(reporter(ue_action(EVERYONE, names=names)).add(sample(), END_S))
    assert isinstance(report, IndicationFormat3)
    assert {item.ue: item.report.records[0].values for item in report.ues} == {
        GnbDuUeId(ue): (ue, ue) for ue in range(1, 7)
    }


@pytest.mark.parametrize(
    "value",
    [
        TestValue("valueOctS", b"\x02\x00\x00\x01"),
        TestValue("valueInt", 0x02000001),
        TestValue("valuePrtS", "2-000001"),
    ],
)
def test_a_slice_condition_takes_the_ues_of_the_slice(value: TestValue) -> None:
    report = only(reporter(ue_action(in_slice(value))).add(sample(), END_S))
    assert isinstance(report, IndicationFormat3)
    assert [item.ue for item in report.ues] == [GnbDuUeId(1), GnbDuUeId(4)]


def test_conditions_join_from_left_to_right() -> None:
    def cqi(expression: TestExpression, value: int, *, by_or: bool = False) -> MatchingCondition:
        return MatchingCondition(TestCondition(TestType.CQI, expression, TestValue("valueInt", value)), by_or)

    conditions = (
        cqi(TestExpression.EQUAL, 1, by_or=True),
        cqi(TestExpression.GREATER_THAN, 3),
        cqi(TestExpression.LESS_THAN, 6),
    )
    report = only(reporter(ue_action(*conditions)).add(sample(), END_S))
    assert isinstance(report, IndicationFormat3)
    assert [item.ue for item in report.ues] == [GnbDuUeId(1), GnbDuUeId(4), GnbDuUeId(5)]


def test_listed_ues_are_reported_while_they_are_here() -> None:
    ues = (GnbDuUeId(2), GnbDuUeId(99), GnbCuUpUeId(3))
    action = ActionDefinition(5, ActionFormat5(ues, ActionFormat1((MeasurementInfo(kpi.CQI),), 100)))
    report = only(reporter(action).add(sample(), END_S))
    assert isinstance(report, IndicationFormat3)
    assert [item.ue for item in report.ues] == [GnbDuUeId(2)]


def test_nobody_to_report_is_no_message() -> None:
    assert reporter(ue_action(EVERYONE)).add(sample(0), END_S) == []
    assert reporter(ue_action(in_slice(TestValue("valueOctS", b"\x09")))).add(sample(), END_S) == []


def test_a_ue_that_came_within_the_period_has_partial_records() -> None:
    inner = ActionFormat1((MeasurementInfo(kpi.RLC_VOLUME_DL),), 100)
    made = reporter(ActionDefinition(4, ActionFormat4((EVERYONE,), inner)), period_ms=200)
    assert made.add(sample(2), END_S) == []
    report = only(made.add(sample(2, first=2), END_S))
    assert isinstance(report, IndicationFormat3)
    old, new = report.ues
    assert [record.incomplete for record in old.report.records] == [False, False]
    assert [(record.values, record.incomplete) for record in new.report.records] == [
        ((None,), True),
        ((3,), False),
    ]


@pytest.mark.parametrize(("ues", "limit"), [(250, 100), (250, 65_535), (1, 1), (101, 100)])
def test_long_reports_are_split_and_nobody_is_lost(ues: int, limit: int) -> None:
    config = NodeConfig(max_ues_per_report=limit)
    made = reporter(ue_action(EVERYONE, names=UE_MEASUREMENTS), config=config)
    reports = made.add(sample(ues), END_S)
    assert len({header for header, _ in reports}) == 1
    assert all(len(message) < 16_384 for _, message in reports)
    decoded = [decode_indication_message(message) for _, message in reports]
    found = [item.ue for report in decoded if isinstance(report, IndicationFormat3) for item in report.ues]
    assert found == [GnbDuUeId(ue) for ue in range(1, ues + 1)]


def test_the_flexric_dialect_is_spoken_when_asked() -> None:
    config = NodeConfig(dialect=FLEXRIC)
    ((_, message),) = reporter(ue_action(EVERYONE), config=config).add(sample(), END_S)
    assert isinstance(decode_indication_message(message, FLEXRIC), IndicationFormat3)


def test_a_slice_the_cell_does_not_have_is_not_measured() -> None:
    info = MeasurementInfo(kpi.PRB_USED_DL, (Label(slice_id=SNssai(9)), LABELS[0]))
    report = only(reporter(cell_action(info)).add(sample(), END_S))
    assert isinstance(report, IndicationFormat1)
    assert report.records[0].values == (None, 30)


PLAIN = MeasurementInfo(kpi.PRB_USED_DL)
REFUSED = {
    "an unknown measurement": cell_action(MeasurementInfo("DRB.Invented")),
    "an unknown id": cell_action(MeasurementInfo(999)),
    "a UE measurement of the cell": cell_action(MeasurementInfo(kpi.CQI)),
    "a label of another kind": cell_action(MeasurementInfo(kpi.PRB_USED_DL, (Label(five_qi=9),))),
    "a slice of another PLMN": cell_action(
        MeasurementInfo(kpi.PRB_USED_DL, (Label(plmn=b"\x99\xf9\x99", slice_id=EMBB),))
    ),
    "another cell": cell_action(PLAIN, cell=NrCgi(CONFIG.plmn_octets, 1)),
    "a granularity between steps": cell_action(PLAIN, granularity_ms=150),
    "a granularity below a step": cell_action(PLAIN, granularity_ms=10),
    "a granularity above the period": cell_action(PLAIN, granularity_ms=200),
    "style 3": ActionDefinition(3, ActionFormat3((ConditionItem(kpi.PRB_USED_DL, (EVERYONE,)),), 100)),
    "a style with another's format": ActionDefinition(4, ActionFormat1((PLAIN,), 100)),
    "an undecidable condition": ue_action(
        MatchingCondition(TestCondition(TestType.RSRP, TestExpression.LESS_THAN, TestValue("valueInt", -90)))
    ),
    "a condition not known": ue_action(
        MatchingCondition(TestCondition(TestType.GBR, TestExpression.LESS_THAN, TestValue("valueInt", 1)))
    ),
    "a slice of three octets": ue_action(in_slice(TestValue("valueOctS", b"\x01\x02\x03"))),
}


@pytest.mark.parametrize("action", REFUSED.values(), ids=REFUSED)
def test_what_is_not_offered_is_refused_with_a_cause(action: ActionDefinition) -> None:
    with pytest.raises(Refused) as caught:
        reporter(action)
    assert caught.value.cause == Cause("ricRequest", "action-not-supported")


def test_a_node_without_slice_labels_measures_the_cell_only() -> None:
    config = NodeConfig(slice_labels=False)
    with pytest.raises(Refused, match="not labelled by slice"):
        reporter(cell_action(MeasurementInfo(kpi.PRB_USED_DL, LABELS)), config=config)
    report = only(reporter(cell_action(PLAIN), config=config).add(sample(), END_S))
    assert isinstance(report, IndicationFormat1)
    assert report.records[0].values == (40,)


@settings(deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_octets_are_a_report_or_a_refusal(trigger: bytes, definition: bytes) -> None:
    for event in (trigger, encode_event_trigger(EventTrigger(100))):
        try:
            made = Reporter(CONFIG, event, definition)
        except Refused:
            continue
        made.add(sample(), END_S)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5))
def test_summing_up_keeps_volumes_and_stays_within_what_was_measured(scales: list[float]) -> None:
    steps = [sample(scale=scale) for scale in scales]
    whole = aggregate(steps)
    for name in (kpi.PDCP_VOLUME_DL, kpi.RLC_VOLUME_DL):
        assert whole.slices[name] == pytest.approx(sum(step.slices[name] for step in steps))
        assert whole.cell[name] == pytest.approx(whole.slices[name].sum())
        assert whole.ues[name] == pytest.approx(sum(step.ues[name] for step in steps))
    delays = [step.slices[kpi.SDU_DELAY_DL][0] for step in steps]
    assert min(delays) * 0.999 <= whole.slices[kpi.SDU_DELAY_DL][0] <= max(delays) * 1.001
    assert math.isnan(whole.slices[kpi.SDU_DELAY_DL][2])
    assert whole.period_s == pytest.approx(0.1 * len(steps))


@pytest.mark.parametrize(
    "wrong",
    [
        {"du": 0},
        {"step_ms": 0},
        {"plmn": "1"},
        {"slices": ()},
        {"slices": (EMBB, EMBB)},
        {"rc_id": 2},
        {"timestamp_octets": 5},
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(NodeConfigError):
        NodeConfig(**wrong)  # type: ignore[arg-type]
