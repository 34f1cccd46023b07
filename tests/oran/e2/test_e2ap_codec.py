import contextlib
import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.aper import Reader
from oran.e2.e2ap import asn1, codec
from oran.e2.e2ap import messages as m
from oran.e2.e2ap.codec import close_pdu, decode, encode
from oran.e2.e2ap.container import CRITICALITIES, IGNORE, NOTIFY, REJECT
from oran.e2.e2ap.procedures import PROCEDURES
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.identity import GlobalE2NodeId, NodeKind
from tests.oran.e2.e2ap_strategies import messages

REQUEST = m.RicRequestId(123, 7)
INDICATION = m.RicIndication(REQUEST, 2, 1, b"header", b"message" * 30, 9)
CONTROL = m.RicControlRequest(REQUEST, 3, b"header", b"message" * 30, m.ControlAckRequest.ACK)
ELEMENTS = list[tuple[int, int, bytes]]


def elements(message: m.E2apMessage) -> ELEMENTS:
    """The encoded IEs of a message, to be meddled with."""
    _, _, contents = codec.open_pdu(encode(message))
    return [
        (ie_id, criticality, reader.octets((reader.end - reader.position) // 8, ""))
        for ie_id, criticality, reader in contents
    ]


@settings(max_examples=300, deadline=None)
@given(messages)
def test_a_message_comes_back_as_it_was(message: m.E2apMessage) -> None:
    encoded = encode(message)
    assert decode(encoded) == message
    assert encode(decode(encoded)) == encoded


@settings(max_examples=100, deadline=None)
@given(messages)
def test_a_message_in_json_comes_back_as_it_was(message: m.E2apMessage) -> None:
    pdu = asn1.Pdu.of(message)
    assert pdu.message == message
    assert asn1.from_asn1(asn1.to_asn1(pdu)) == pdu
    assert asn1.encode(pdu) == encode(message)


@settings(max_examples=60, deadline=None)
@given(messages)
def test_every_proper_prefix_is_a_decode_error(message: m.E2apMessage) -> None:
    encoded = encode(message)
    for size in range(len(encoded)):
        with pytest.raises(DecodeError):
            decode(encoded[:size])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_noise_is_a_decode_error_or_a_message(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        message = decode(data)
        assert decode(encode(message)) == message


def test_every_field_of_every_message_is_an_ie() -> None:
    for procedure in PROCEDURES:
        fields = {field.name for field in dataclasses.fields(procedure.message)}
        attributes = {ie.attribute for ie in procedure.ies}
        if procedure.message is m.RicSubscriptionRequest:
            attributes = attributes - {"details"} | {"event_trigger", "actions"}
        assert fields == attributes, procedure.name


@pytest.mark.parametrize("criticality", [IGNORE, NOTIFY])
@pytest.mark.parametrize("place", [0, 2, -1])
def test_an_unknown_ie_that_may_be_ignored_is_stepped_over(criticality: int, place: int) -> None:
    parts = elements(INDICATION)
    parts.insert(place, (999, criticality, b"anything at all"))
    assert decode(close_pdu(0, 5, IGNORE, parts)) == INDICATION


def test_an_unknown_ie_that_must_not_be_ignored_is_named() -> None:
    parts = [*elements(INDICATION), (999, REJECT, b"new")]
    with pytest.raises(DecodeError, match=r"RICindication.*IE 999 .*reject"):
        decode(close_pdu(0, 5, IGNORE, parts))


@pytest.mark.parametrize("message", [INDICATION, CONTROL])
def test_a_missing_ie_is_named_when_it_is_mandatory(message: m.E2apMessage) -> None:
    procedure = next(item for item in PROCEDURES if item.message is type(message))
    parts = elements(message)
    for index, (ie_id, _, _) in enumerate(parts):
        rest = parts[:index] + parts[index + 1 :]
        data = close_pdu(procedure.outcome, procedure.code, REJECT, rest)
        if procedure.by_id[ie_id].optional:
            assert type(decode(data)) is type(message)
        else:
            with pytest.raises(DecodeError, match=rf"{procedure.by_id[ie_id].name}.*IE {ie_id} is missing"):
                decode(data)


@pytest.mark.parametrize("message", [INDICATION, CONTROL])
def test_an_ie_that_comes_twice_is_named(message: m.E2apMessage) -> None:
    procedure = next(item for item in PROCEDURES if item.message is type(message))
    parts = elements(message)
    for part in parts:
        with pytest.raises(DecodeError, match=f"IE {part[0]} comes twice"):
            decode(close_pdu(procedure.outcome, procedure.code, REJECT, [*parts, part]))


def test_ies_in_another_order_are_understood() -> None:
    assert decode(close_pdu(0, 5, IGNORE, elements(INDICATION)[::-1])) == INDICATION
    assert decode(close_pdu(0, 4, REJECT, elements(CONTROL)[::-1])) == CONTROL


def test_an_unknown_item_of_a_list_is_stepped_over_or_refused() -> None:
    message = m.RicServiceQuery(1, (m.FunctionRef(2, 0), m.FunctionRef(3, 1)))
    encoded = encode(message)
    at = encoded.index(bytes.fromhex("000640"), 4)
    unknown = encoded[:at] + bytes.fromhex("03e7") + encoded[at + 2 :]
    assert decode(unknown) == dataclasses.replace(message, accepted=message.accepted[1:])
    refused = encoded[:at] + bytes.fromhex("03e700") + encoded[at + 3 :]
    with pytest.raises(DecodeError, match="IE 999"):
        decode(refused)


def test_additions_of_a_later_version_are_stepped_over() -> None:
    """RICrequestID with an extension addition that nobody knows yet."""
    parts = elements(INDICATION)
    extended = bytes.fromhex("80 007b 0007 01 02 abcd".replace(" ", ""))
    assert parts[0][0] == 29
    parts[0] = (29, REJECT, extended)
    assert decode(close_pdu(0, 5, IGNORE, parts)) == INDICATION


def test_a_cause_of_a_later_version_keeps_its_number() -> None:
    message = m.ErrorIndication(cause=m.Cause("misc", "extension-70"))
    assert decode(encode(message)) == message
    assert str(message.cause) == "misc/extension-70"


@pytest.mark.parametrize("size", [16_000, 16_383, 16_384, 40_000, 65_536, 200_000])
def test_long_messages_are_sent_in_fragments(size: int) -> None:
    """Lengths from 16 K on, at each of the three nested open types."""
    payload = bytes(index * 7 & 0xFF for index in range(size))
    for message in (
        dataclasses.replace(INDICATION, message=payload),
        dataclasses.replace(CONTROL, message=payload),
        m.RicControlAcknowledge(REQUEST, 3, outcome=payload),
    ):
        assert decode(encode(message)) == message


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 70_000),
    st.integers(0, 5000),
    st.integers(-1, 300),
    st.none() | st.integers(-1, 70_000),
    st.none() | st.binary(max_size=3),
    st.sampled_from([0, 1, 125, 126, 127, 128, 129, 300, 15_990, 16_000, 16_380]),
    st.sampled_from([0, 1, 126, 127, 128, 129, 1000]),
)
def test_the_short_way_and_the_long_way_agree(
    instance: int,
    function_id: int,
    action_id: int,
    sn: int | None,
    process: bytes | None,
    long: int,
    short: int,
) -> None:
    request = m.RicRequestId(1, instance)
    indication = m.RicIndication(request, function_id, action_id, bytes(short), bytes(long), sn)
    control = m.RicControlRequest(request, function_id, bytes(short), bytes(long), call_process_id=process)
    for message in (dataclasses.replace(indication, call_process_id=process), control):
        results = [attempt(encode, message), attempt(codec.encode_declared, message)]
        assert results[0] == results[1]
        if isinstance(results[0], bytes):
            assert decode(results[0]) == codec.decode_declared(results[0]) == message


def attempt(call: Callable[[m.E2apMessage], bytes], message: m.E2apMessage) -> bytes | str:
    try:
        return call(message)
    except EncodeError as error:
        return str(error)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (dataclasses.replace(INDICATION, function_id=4096), "RANfunctionID"),
        (dataclasses.replace(INDICATION, action_id=256), "RICactionID"),
        (dataclasses.replace(INDICATION, sn=65_536), "RICindicationSN"),
        (dataclasses.replace(CONTROL, request_id=m.RicRequestId(-1, 0)), "ricRequestorID"),
        (m.RicSubscriptionResponse(REQUEST, 2, ()), "RICaction-Admitted-List"),
        (m.RicSubscriptionRequest(REQUEST, 2, b"", ()), "RICaction|ricAction-ToBeSetup-List"),
        (m.RicSubscriptionRequest(REQUEST, 2, b"", (m.Action(1, m.ActionType.REPORT),), b"x"), "Time"),
        (m.ResetRequest(0, m.Cause("misc", "bad-mood")), "bad-mood"),
        (m.ResetRequest(0, m.Cause("humour", "unspecified")), "humour"),
        (m.E2SetupRequest(0, GlobalE2NodeId(b"\0\xf1\x10", 1), ()), "RANfunctions-List"),
        (m.E2SetupResponse(0, m.GlobalRicId(b"\0\xf1\x10", 1 << 20), ()), "ric-ID"),
        (m.E2SetupResponse(0, m.GlobalRicId(b"\0\xf1", 1), ()), "pLMN-Identity"),
    ],
)
def test_a_value_that_does_not_fit_is_named(message: m.E2apMessage, field: str) -> None:
    with pytest.raises(EncodeError, match=field):
        encode(message)


@pytest.mark.parametrize(
    ("kind", "bits"),
    [(NodeKind.GNB, 21), (NodeKind.EN_GNB, 33), (NodeKind.NG_ENB, 28), (NodeKind.ENB, 22)],
)
def test_a_node_id_of_a_length_that_its_kind_has_not_is_refused(kind: NodeKind, bits: int) -> None:
    node = GlobalE2NodeId(b"\0\xf1\x10", 1, bits, kind)
    with pytest.raises(EncodeError, match="GlobalE2node-ID"):
        encode(m.E2NodeConfigurationUpdate(1, node))


def test_an_interface_that_contradicts_itself_is_refused() -> None:
    message = m.E2NodeConfigurationUpdate(1, removed=(m.ComponentId("f1", number=1),))
    broken = encode(message)
    at = broken.index(bytes.fromhex("003700")) + 4
    changed = broken[:at] + bytes((broken[at] & 0b11000111,)) + broken[at + 1 :]
    with pytest.raises(DecodeError, match="interface type ng"):
        decode(changed)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "truncated"),
        ("80", "unknown kind"),
        ("60050000", "outside 0..2"),
        ("00ff0000", "procedure 255"),
        ("2005400403000000", "procedure 5 has no successfulOutcome"),
        ("0005400300000000", "1 octets are left over"),
        ("0005c00100", "outside 0..2"),
        ("00054003000000", "mandatory IE 29 is missing"),
    ],
)
def test_what_is_no_pdu_is_refused_with_the_reason(data: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(bytes.fromhex(data))


def test_errors_point_at_the_bit_in_the_message() -> None:
    """The SN's element is announced with one octet too few, so its value ends too early."""
    encoded = encode(INDICATION)
    at = encoded.index(b"\0\x1b\0\2")
    broken = bytearray(encoded)
    broken[at + 1] = 0x0F
    with pytest.raises(DecodeError, match="comes twice") as caught:
        decode(bytes(broken))
    assert caught.value.bit_offset == (at + 4) * 8
    assert caught.value.field == "RICindication.RICactionID"


def test_an_unknown_ie_is_shown_and_kept() -> None:
    data = close_pdu(0, 5, IGNORE, [*elements(INDICATION), (999, NOTIFY, b"new")])
    pdu = asn1.decode(data)
    shown = asn1.to_asn1(pdu)
    assert {"id": 999, "criticality": "notify", "value": {"hex": b"new".hex()}} in shown[1]["value"][1][
        "protocolIEs"
    ]
    assert asn1.encode(asn1.from_asn1(shown)) == data


def test_criticalities_as_sent_are_shown_and_kept() -> None:
    """Some peers send requests whose procedure says ignore; the standard says reject."""
    data = close_pdu(0, 4, IGNORE, [(ie_id, NOTIFY, content) for ie_id, _, content in elements(CONTROL)])
    assert decode(data) == CONTROL
    assert asn1.encode(asn1.from_asn1(asn1.to_asn1(asn1.decode(data)))) == data
    assert CRITICALITIES[asn1.decode(data).criticality] == "ignore"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "CHOICE"),
        (["initiatingMessage", {}], "CHOICE"),
        (["initiatingMessage", {"value": ["Nonsense", {}]}], "Nonsense"),
        (["successfulOutcome", {"value": ["ResetRequest", {"protocolIEs": []}]}], "initiatingMessage"),
        (["initiatingMessage", {"procedureCode": 4, "value": ["ResetRequest", {}]}], "procedure 3"),
        (["initiatingMessage", {"value": ["ResetRequest", {"protocolIEs": [{"id": 70_000}]}]}], "65535"),
        (["initiatingMessage", {"value": ["ResetRequest", {"protocolIEs": [{"id": 1}]}]}], "CHOICE"),
        (
            ["initiatingMessage", {"value": ["ResetRequest", {"protocolIEs": [{"id": 49, "value": ["X", 1]}]}]}],
            "TransactionID",
        ),
    ],
)
def test_json_that_is_no_pdu_is_refused_with_the_reason(value: asn1.JsonValue, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason):
        asn1.from_asn1(value)


def test_json_of_an_undecodable_pdu_is_refused() -> None:
    value = ["initiatingMessage", {"value": ["ResetRequest", {"protocolIEs": []}]}]
    with pytest.raises(EncodeError, match="mandatory IE 49 is missing"):
        asn1.encode(asn1.from_asn1(value))


def test_a_bit_string_in_json_may_be_given_in_hex_too() -> None:
    message = m.E2ConnectionUpdate(1, removed=(m.TnlInformation((0x7F000001, 32), (36_421, 16)),))
    value = asn1.to_asn1(message)
    hexed = json.loads(json.dumps(value).replace("[2130706433, 32]", '[{"hex": "7f000001"}, 32]'))
    assert hexed != value
    assert asn1.from_asn1(hexed).message == message


def test_reading_needs_no_bytes_of_its_own() -> None:
    """A length field may not allocate: what it announces must be there."""
    for data in ("0005407f", "000540bfff", "000540c4" + "00" * 40):
        with pytest.raises(DecodeError):
            decode(bytes.fromhex(data))
    assert Reader(b"").end == 0
