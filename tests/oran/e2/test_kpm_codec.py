"""The KPM codec: every message comes back, bad bytes fail cleanly, the traps that real nodes set are passed."""

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.aper import Writer
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.identity import GnbDuUeId, NrCgi
from oran.e2.kpm import codec
from oran.e2.kpm.asn1 import codecs, from_asn1, to_asn1
from oran.e2.kpm.messages import (
    NO_LABEL,
    ActionDefinition,
    ActionFormat4,
    EventTrigger,
    IndicationFormat1,
    IndicationFormat3,
    IndicationHeader,
    Label,
    MatchingCondition,
    MeasurementInfo,
    Record,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
    UeReport,
)
from oran.e2.kpm.messages import ActionFormat1 as Subscription
from oran.e2.kpm.profile import FLEXRIC, STANDARD, NodeProfile
from oran.e2.kpm.schema import INDICATION_FORMAT_1
from oran.slices import SNssai
from tests.oran.e2 import kpm_strategies as strategies

STRATEGIES: dict[str, st.SearchStrategy[Any]] = {
    "E2SM-KPM-EventTriggerDefinition": st.builds(EventTrigger, strategies.periods),
    "E2SM-KPM-ActionDefinition": strategies.actions,
    "E2SM-KPM-IndicationMessage": strategies.messages,
    "E2SM-KPM-RANfunction-Description": strategies.functions,
}

PLAIN = (MeasurementInfo("CQI"), MeasurementInfo("RSRP"))
CELL_REPORT = IndicationFormat1(
    (Record((1500.25, 42, None, 70_000)), Record((0.0, 300, 0.5, -1.0), incomplete=True)),
    (
        MeasurementInfo("DRB.UEThpDl"),
        MeasurementInfo("RRU.PrbUsedDl", (Label(slice_id=SNssai(1, 0xABCDEF)), Label(slice_id=SNssai(2)))),
        MeasurementInfo(7),
    ),
    250,
)
CELL_REPORT_HEX = (
    "0c00010004200480fe1771002a420111704004200008012c200380ff012003c0000100000200a04452422e5545546870446c01200000"
    "00c05252552e50726255736564446c020800008080abcdef080000011000060120000000f9"
)
UE_REPORTS = IndicationFormat3(
    (
        UeReport(GnbDuUeId(1), IndicationFormat1((Record((0.25, 9)),), PLAIN, 100)),
        UeReport(GnbDuUeId(70_000), IndicationFormat1((Record((None, 9)),), PLAIN, 100)),
    )
)
UE_REPORTS_TAIL = (
    "00010800016000000002200380fe010009000100204351490120000000305253525001200000006309000111706000000002"
    "40090001002043514901200000003052535250012000000063"
)
OF_ONE_SLICE = ActionDefinition(
    4,
    ActionFormat4(
        (
            MatchingCondition(
                TestCondition(TestType.SNSSAI, TestExpression.EQUAL, TestValue("valueOctS", b"\x01\x00\x00\x01")),
                logical_or=True,
            ),
            MatchingCondition(TestCondition(TestType.CQI, TestExpression.GREATER_THAN, TestValue("valueInt", 7))),
        ),
        Subscription(PLAIN, 100, NrCgi(b"\x00\xf1\x10", 0x19B0)),
    ),
)
SAMPLES: list[tuple[str, NodeProfile, object, str]] = [
    ("E2SM-KPM-EventTriggerDefinition", STANDARD, EventTrigger(1000), "0803e7"),
    ("E2SM-KPM-IndicationHeader", STANDARD, IndicationHeader(bytes(range(8))), "000001020304050607"),
    ("E2SM-KPM-IndicationHeader", STANDARD, IndicationHeader(bytes(range(4))), "0000010203"),
    ("E2SM-KPM-IndicationMessage", STANDARD, CELL_REPORT, CELL_REPORT_HEX),
    ("E2SM-KPM-IndicationMessage", STANDARD, UE_REPORTS, "40004c00" + UE_REPORTS_TAIL),
    ("E2SM-KPM-IndicationMessage", FLEXRIC, UE_REPORTS, "20" + UE_REPORTS_TAIL),
    (
        "E2SM-KPM-ActionDefinition",
        STANDARD,
        OF_ONE_SLICE,
        "0001048038000001b8400100040401000001010100381001001001074000010020435149012000000030525352500120000000630000"
        "f1100000019b00",
    ),
    (
        "E2SM-KPM-ActionDefinition",
        FLEXRIC,
        OF_ONE_SLICE,
        "000104300001b501000401000001010100338400010740000100204351490120000000305253525001200000006300"
        "00f1100000019b00",
    ),
]
SAMPLE_IDS = [f"{name}-{profile.name}-{index}" for index, (name, profile, _, _) in enumerate(SAMPLES)]


@pytest.mark.parametrize("profile", [STANDARD, FLEXRIC], ids=lambda profile: profile.name)
@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_message_comes_back(profile: NodeProfile, name: str, data: st.DataObject) -> None:
    entry = codecs(profile)[name]
    message = data.draw(STRATEGIES[name])
    encoded = entry.encode(message)
    assert entry.decode(encoded) == message
    assert entry.encode(entry.decode(encoded)) == encoded
    assert entry.from_asn1(entry.to_asn1(message)) == message


@pytest.mark.parametrize(("name", "profile", "message", "octets"), SAMPLES, ids=SAMPLE_IDS)
def test_samples_have_their_known_form(name: str, profile: NodeProfile, message: object, octets: str) -> None:
    entry = codecs(profile)[name]
    assert entry.encode(message).hex() == octets
    assert entry.decode(bytes.fromhex(octets)) == message


@pytest.mark.parametrize(("name", "profile", "message", "octets"), SAMPLES[3:], ids=SAMPLE_IDS[3:])
def test_every_proper_prefix_is_refused(name: str, profile: NodeProfile, message: object, octets: str) -> None:
    data = bytes.fromhex(octets)
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            codecs(profile)[name].decode(data[:length])


@pytest.mark.parametrize(("name", "profile", "message", "octets"), SAMPLES, ids=SAMPLE_IDS)
def test_mutations_give_a_value_or_a_decode_error(
    name: str, profile: NodeProfile, message: object, octets: str
) -> None:
    entry = codecs(profile)[name]
    draw = random.Random(octets)
    for _ in range(1500):
        data = bytearray.fromhex(octets)
        for _ in range(draw.randint(1, 4)):
            kind, at = draw.randrange(3), draw.randrange(len(data))
            if kind == 0:
                data[at] = draw.choice((0, 0x7F, 0x80, 0xC4, 0xFF, draw.randrange(256)))
            elif kind == 1:
                data[at] ^= 1 << draw.randrange(8)
            else:
                data[at:at] = draw.randbytes(draw.randint(1, 3))
        error = None
        try:
            decoded = entry.decode(bytes(data))
        except DecodeError as raised:
            error = raised
        if error is None:
            json.dumps(entry.to_asn1(decoded))
        else:
            assert error.reason
            assert 0 <= error.bit_offset <= len(data) * 8 + 8


def test_an_error_names_the_field_and_the_bit() -> None:
    data = bytes.fromhex("40004c00" + UE_REPORTS_TAIL)
    broken = bytearray(data)
    broken[19] = 0x60
    with pytest.raises(DecodeError) as caught:
        codec.decode_indication_message(bytes(broken))
    assert "ueMeasReportList[0].measReport.measData[0].measRecord[1]" in str(caught.value)
    assert caught.value.bit_offset in range(19 * 8, 20 * 8)


def test_padding_behind_a_message_is_passed_over_and_anything_else_refused() -> None:
    data = bytes.fromhex(CELL_REPORT_HEX)
    assert codec.decode_indication_message(data + bytes(3)) == CELL_REPORT
    with pytest.raises(DecodeError, match="follow the message"):
        codec.decode_indication_message(data + b"\x00\x01")


@pytest.mark.parametrize("message", ["", "00", "ff" * 40, "4000ff", "4000c4"])
def test_hopeless_octets_are_refused(message: str) -> None:
    with pytest.raises(DecodeError):
        codec.decode_indication_message(bytes.fromhex(message))


def test_a_count_does_not_allocate() -> None:
    with pytest.raises(DecodeError):
        codec.decode_indication_message(bytes.fromhex("00ffff00bfff20"))
    with pytest.raises(DecodeError):
        codec.decode_indication_message(bytes.fromhex("400006" + "00ffff08000100"))


def reports(count: int, measurements: int) -> IndicationFormat3:
    """Format 3 of many UEs."""
    info = tuple(MeasurementInfo(f"DRB.Measurement{index}.Of.The.Twin") for index in range(measurements))
    values = tuple(range(measurements))
    return IndicationFormat3(
        tuple(
            UeReport(GnbDuUeId(index), IndicationFormat1((Record(values),), info, 100)) for index in range(count)
        )
    )


@pytest.mark.parametrize("count", [80, 160, 400, 700])
def test_long_messages_come_in_fragments(count: int) -> None:
    message = reports(count, 5)
    encoded = codec.encode_indication_message(message)
    assert (len(encoded) > 16_384) == (encoded[2] >= 0xC1) == (count > 80)
    assert codec.decode_indication_message(encoded) == message
    with pytest.raises(DecodeError):
        codec.decode_indication_message(encoded[:-1])


def test_long_records_come_in_fragments() -> None:
    values = tuple(index % 300 if index % 7 else None for index in range(40_000))
    message = IndicationFormat1((Record(values, unsatisfied=(0, 16_387, 39_998 // 7 * 7)),))
    assert codec.decode_indication_message(codec.encode_indication_message(message)) == message


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, -0.0, 5e-324, 1.7976931348623157e308])
def test_unusual_reals_come_back(value: float) -> None:
    encoded = codec.encode_indication_message(IndicationFormat1((Record((value, 1)),)))
    decoded = codec.decode_indication_message(encoded)
    assert isinstance(decoded, IndicationFormat1)
    (found, one) = decoded.records[0].values
    assert repr(found) == repr(value)
    assert one == 1
    shown = to_asn1("E2SM-KPM-IndicationMessage", decoded)
    assert repr(from_asn1("E2SM-KPM-IndicationMessage", shown)) == repr(decoded)


@pytest.mark.parametrize(
    "real",
    [
        "80ff03",
        "81ffff03",
        "8302ffff03",
        "84fe03",
        "90ff0c",
        "a0ff18",
        "80c900c0000000000000",
        "02" + b"1.5".hex(),
        "02" + b"1,5".hex(),
        "03" + b"15E-1".hex(),
    ],
)
def test_a_real_is_read_in_each_of_its_forms(real: str) -> None:
    content = bytes.fromhex(real)
    data = bytes.fromhex("000000000120") + bytes((len(content),)) + content
    assert codec.decode_indication_message(data) == IndicationFormat1((Record((1.5,)),))


def test_values_that_do_not_fit_are_named() -> None:
    for value in (-1, 2**32):
        with pytest.raises(EncodeError, match=r"measRecord\[1\]"):
            codec.encode_indication_message(IndicationFormat1((Record((None, value)),)))
    with pytest.raises(EncodeError, match="measRecord"):
        codec.encode_indication_message(IndicationFormat1((Record(()),)))
    with pytest.raises(EncodeError, match="reportingPeriod"):
        codec.encode_event_trigger(EventTrigger(0))
    with pytest.raises(EncodeError, match="testCondInfo"):
        codec.encode_action_definition(
            ActionDefinition(4, ActionFormat4((MatchingCondition(NO_LABEL),), Subscription(PLAIN, 100)))
        )


@pytest.mark.parametrize("stamp", [b"\x01\x02\x03\x04", b"\x01\x02\x03\x04\x05\x06\x07\x08"])
@pytest.mark.parametrize("extension_bits", [True, False])
def test_headers_are_read_in_every_form(stamp: bytes, extension_bits: bool) -> None:
    header = IndicationHeader(stamp, "1.0", "twin", "gNB", None)
    encoded = codec.encode_indication_header(header)
    if not extension_bits:
        encoded = without_extension_bits(stamp)
    assert codec.decode_indication_header(encoded) == header


def without_extension_bits(stamp: bytes) -> bytes:
    """The header of the test above as a node writes it that leaves out the strings' extension bits."""
    return b"\x1c" + stamp + b"\x30" + b"1.0" + b"\x00\x04" + b"twin" + b"\x30" + b"gNB"


def test_a_header_of_no_form_is_refused() -> None:
    for octets in ("", "00", "0001", "8000000000", "1c01020304ff", "00" * 8, "00" * 12 + "01"):
        with pytest.raises(DecodeError):
            codec.decode_indication_header(bytes.fromhex(octets))
    with pytest.raises(EncodeError, match="colletStartTime"):
        codec.encode_indication_header(IndicationHeader(b"123"))


def test_additions_of_later_versions_are_read_over() -> None:
    writer = Writer()
    writer.bits(0b100, 3)
    INDICATION_FORMAT_1.write(writer, CELL_REPORT, "")
    writer.extension_additions([b"\xaa\xbb", None, b"\xcc"])
    assert codec.decode_indication_message(writer.getvalue()) == CELL_REPORT

    writer = Writer()
    writer.bits(0b0010000, 7)
    writer.octets(bytes(8))
    writer.extension_additions([b"\x00\x07"])
    assert codec.decode_indication_header(writer.getvalue()) == IndicationHeader(bytes(8))


def test_json_that_is_no_message_is_refused() -> None:
    for value in (None, [], {}, {"indicationHeader-formats": ["indicationHeader-Format1", {}]}, 3):
        with pytest.raises(EncodeError):
            from_asn1("E2SM-KPM-IndicationHeader", value)
    for value in (None, [], {}, {"indicationMessage-formats": ["indicationMessage-Format9", {}]}):
        with pytest.raises(EncodeError):
            from_asn1("E2SM-KPM-IndicationMessage", value)
