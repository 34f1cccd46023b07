"""Tables say what the messages say, and pass on what they are not made for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.errors import DecodeError
from oran.e2.identity import GnbDuUeId, GnbUeId, Guami
from oran.e2.kpm.codec import decode_indication_message, encode_indication_message
from oran.e2.kpm.messages import (
    IndicationFormat1,
    IndicationFormat3,
    IndicationMessage,
    MeasurementInfo,
    Record,
    UeReport,
    Value,
)
from oran.e2.kpm.profile import FLEXRIC, STANDARD, NodeProfile
from oran.e2.kpm.tables import UeTable, decode_ue_table
from tests.oran.e2 import kpm_strategies as strategies

INFO = (MeasurementInfo("DRB.UEThpDl"), MeasurementInfo(7), MeasurementInfo("CQI"))
DIALECTS = st.sampled_from((STANDARD, FLEXRIC))
VALUES = st.one_of(st.none(), st.integers(0, 0xFFFF_FFFF), st.floats(-1e6, 1e6, width=32))


def message(rows: dict[int, tuple[Value, ...]], granularity_ms: int | None = 100) -> IndicationFormat3:
    return IndicationFormat3(
        tuple(
            UeReport(GnbDuUeId(ue), IndicationFormat1((Record(row),), INFO, granularity_ms))
            for ue, row in rows.items()
        )
    )


def told(table: UeTable) -> list[tuple[object, ...]]:
    """Each UE with its values."""
    width = len(table.values) // len(table.ues)
    rows = [tuple(table.values[start : start + width]) for start in range(0, len(table.values), width)]
    return [(ue, row, table.info, table.granularity_ms) for ue, row in zip(table.ues, rows, strict=True)]


def said(report: IndicationFormat3) -> list[tuple[object, ...]]:
    return [
        (item.ue, item.report.records[0].values, item.report.info, item.report.granularity_ms)
        for item in report.ues
    ]


@given(
    rows=st.dictionaries(st.integers(0, 0xFFFF_FFFF), st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=40),
    profile=DIALECTS,
)
def test_ordinary_messages_are_tables(rows: dict[int, tuple[Value, ...]], profile: NodeProfile) -> None:
    octets = encode_indication_message(message(rows), profile)
    table = decode_ue_table(octets, profile)
    assert table is not None
    report = decode_indication_message(octets, profile)
    assert isinstance(report, IndicationFormat3)
    assert told(table) == said(report)


@settings(max_examples=200)
@given(sent=strategies.messages, profile=DIALECTS, data=st.data())
def test_what_is_read_as_a_table_is_what_the_message_says(
    sent: IndicationMessage, profile: NodeProfile, data: st.DataObject
) -> None:
    octets = encode_indication_message(sent, profile)
    at = data.draw(st.integers(0, len(octets) - 1))
    damaged = octets[:at] + bytes((data.draw(st.integers(0, 255)),)) + octets[at + 1 :]
    for variant in (octets, damaged, octets[:at], octets + b"\0"):
        table = decode_ue_table(variant, profile)
        if table is not None:
            report = decode_indication_message(variant, profile)
            assert isinstance(report, IndicationFormat3)
            assert told(table) == said(report)


@given(data=st.binary(max_size=300), profile=DIALECTS)
def test_noise_is_no_table_or_a_message(data: bytes, profile: NodeProfile) -> None:
    if decode_ue_table(data, profile) is not None:
        decode_indication_message(data, profile)


def test_every_cut_is_passed_on() -> None:
    octets = encode_indication_message(message(dict.fromkeys(range(1, 40), (1, 2.5, None))))
    for stop in range(len(octets)):
        assert decode_ue_table(octets[:stop]) is None
        try:
            decode_indication_message(octets[:stop])
        except DecodeError:
            continue
        raise AssertionError(f"{stop} of {len(octets)} octets were read as a whole message")
    assert decode_ue_table(octets) is not None


def test_what_is_out_of_the_ordinary_is_passed_on() -> None:
    ordinary = message({1: (1, 2, 3)}).ues[0]
    report = ordinary.report
    others = (
        UeReport(GnbDuUeId(2, bytes(8)), report),
        UeReport(GnbUeId(1, Guami(bytes(3), 1, 1, 1)), report),
        UeReport(GnbDuUeId(2), IndicationFormat1(report.records * 2, INFO, 100)),
        UeReport(GnbDuUeId(2), IndicationFormat1((Record((1, 2, 3), incomplete=True),), INFO, 100)),
        UeReport(GnbDuUeId(2), IndicationFormat1((Record((1, 2)),), INFO[:2], 100)),
        UeReport(GnbDuUeId(2), IndicationFormat1(report.records, INFO[::-1], 100)),
        UeReport(GnbDuUeId(2), IndicationFormat1(report.records, (), 100)),
        UeReport(GnbDuUeId(2), IndicationFormat1(report.records, INFO, None)),
    )
    assert decode_ue_table(encode_indication_message(IndicationFormat3((ordinary,)))) is not None
    for other in others:
        assert decode_ue_table(encode_indication_message(IndicationFormat3((ordinary, other)))) is None, other
