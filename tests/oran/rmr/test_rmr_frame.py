"""Frames: layout, round trips over any split of the stream, and everything that must be refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.rmr import FrameError, RmrMessage
from oran.rmr.frame import HEADER_OCTETS, PREFIX_OCTETS, FrameReader, decode_frame, encode_frame
from oran.rmr.message import CALL_FLAG, reply_to

names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=31)
int32 = st.integers(-(1 << 31), (1 << 31) - 1)


def ids(limit: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=limit).map(lambda raw: raw.rstrip(b"\0"))


messages = st.builds(
    RmrMessage,
    mtype=int32,
    payload=st.binary(max_size=600),
    sub_id=int32,
    meid=names,
    xid=ids(32),
    source=names,
    source_ip=names,
    flags=st.integers(0, (1 << 32) - 1),
    d1=st.binary(min_size=4, max_size=4),
    trace=st.binary(max_size=20),
    d2=st.binary(max_size=20),
    sid=ids(32),
)


def drain(reader: FrameReader) -> list[RmrMessage]:
    found = []
    while (message := reader.next_message()) is not None:
        found.append(message)
    return found


def test_layout_is_that_of_librmr() -> None:
    message = RmrMessage(
        12050,
        b"payload",
        sub_id=7,
        meid="gnb_1",
        xid=b"x" * 32,
        source="host:4560",
        source_ip="192.0.2.1:4560",
        flags=CALL_FLAG,
        d1=b"\x05\x01\x02\x03",
    )
    frame = encode_frame(message)
    total = PREFIX_OCTETS + HEADER_OCTETS + 4 + 7
    assert len(frame) == total
    assert frame[:9] == struct.pack("<I", total) + struct.pack(">I", total) + b"$"
    assert frame[9:50] == bytes(41)
    header = frame[50:]
    assert struct.unpack_from(">iii", header) == (12050, 7, 3)
    assert header[12:44] == b"x" * 32
    assert header[76:140] == b"host:4560".ljust(64, b"\0")
    assert header[140:172] == b"gnb_1".ljust(32, b"\0")
    assert header[192:196] == b"\x04\0\0\0"  # flags in host order
    assert struct.unpack_from(">IIIIi", header, 196) == (280, 0, 4, 0, 7)
    assert header[216:280] == b"192.0.2.1:4560".ljust(64, b"\0")
    assert header[280:] == b"\x05\x01\x02\x03payload"


@given(messages)
def test_round_trip(message: RmrMessage) -> None:
    assert decode_frame(encode_frame(message)) == message


@given(st.lists(messages, max_size=4), st.data())
def test_any_split_of_the_stream_gives_the_same_messages(sent: list[RmrMessage], data: st.DataObject) -> None:
    stream = b"".join(encode_frame(message) for message in sent)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    reader, found = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
        found += drain(reader)
    assert found == sent
    assert reader.pending_octets == 0


def test_octet_by_octet() -> None:
    sent = [RmrMessage(1, b"first"), RmrMessage(2, b"")]
    stream = b"".join(encode_frame(message) for message in sent)
    reader, found = FrameReader(), []
    for position in range(len(stream)):
        reader.feed(stream[position : position + 1])
        found += drain(reader)
    assert found == sent


@given(messages)
def test_a_prefix_of_a_frame_is_never_a_message(message: RmrMessage) -> None:
    frame = encode_frame(message)
    for end in range(0, len(frame), 7):
        reader = FrameReader()
        reader.feed(frame[:end])
        assert reader.next_message() is None
        assert reader.pending_octets == end


@given(messages, st.data())
def test_mutations_give_a_message_or_a_frame_error(message: RmrMessage, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(message))
    for _ in range(data.draw(st.integers(1, 6))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    reader = FrameReader(max_frame_octets=4096)
    reader.feed(bytes(frame))
    try:
        found = drain(reader)
    except FrameError:
        return
    assert all(len(one.payload) <= len(frame) for one in found)


@given(st.binary(max_size=2000))
def test_garbage_gives_nothing_or_a_frame_error(garbage: bytes) -> None:
    reader = FrameReader()
    reader.feed(garbage)
    reason = ""
    try:
        drain(reader)
    except FrameError as error:
        reason = error.reason
    assert reason in {"", "bad_length", "too_large", "bad_version", "bad_header"}


def test_junk_in_the_prefix_is_ignored_and_the_second_length_is_optional() -> None:
    message = RmrMessage(1, b"x")
    frame = bytearray(encode_frame(message))
    frame[13:50] = bytes(range(1, 38))
    assert decode_frame(bytes(frame)) == message
    frame[8] = 0
    frame[4:8] = b"\xff\xff\xff\xff"  # no marker: the second length means nothing
    assert decode_frame(bytes(frame)) == message
    frame[8] = ord("$")  # the two lengths disagree: the first one counts
    assert decode_frame(bytes(frame)) == message


def test_text_fields_end_at_their_first_nul() -> None:
    frame = bytearray(encode_frame(RmrMessage(1, meid="gnb_1", source="a:1")))
    frame[50 + 140 + 6 : 50 + 140 + 12] = b"\xdb\x7fjunk"
    frame[50 + 76 + 4 : 50 + 76 + 8] = b"junk"
    message = decode_frame(bytes(frame))
    assert (message.meid, message.source) == ("gnb_1", "a:1")


def test_transaction_id_keeps_octets_after_a_nul() -> None:
    xid = b"xact-0001\0\0\0\x01\0\0"
    assert decode_frame(encode_frame(RmrMessage(1, xid=xid))).xid == b"xact-0001\0\0\0\x01"


@pytest.mark.parametrize(
    ("offset", "octets", "reason"),
    [
        (0, struct.pack("<I", 329), "bad_length"),
        (0, struct.pack("<I", 0), "bad_length"),
        (0, struct.pack("<I", 0xFFFFFFFF), "too_large"),
        (0, struct.pack("<I", (1 << 20) + 1), "too_large"),
        (50 + 4, struct.pack(">i", -1), "bad_header"),
        (50 + 4, struct.pack(">i", 0x7FFFFFFF), "bad_header"),
        (50 + 8, struct.pack(">i", 2), "bad_version"),
        (50 + 196, struct.pack(">I", 279), "bad_header"),
        (50 + 200, struct.pack(">I", 0xFFFFFFFF), "bad_header"),
        (50 + 204, struct.pack(">I", 0xFFFFFFFF), "bad_header"),
        (50 + 208, struct.pack(">I", 100), "bad_header"),
    ],
)
def test_broken_frames_are_refused_with_a_reason(offset: int, octets: bytes, reason: str) -> None:
    frame = bytearray(encode_frame(RmrMessage(1, b"payload")))
    frame[offset : offset + len(octets)] = octets
    reader = FrameReader()
    reader.feed(bytes(frame))
    with pytest.raises(FrameError) as caught:
        reader.next_message()
    assert caught.value.reason == reason


def test_a_huge_length_is_refused_before_its_octets_arrive() -> None:
    reader = FrameReader(max_frame_octets=1000)
    reader.feed(struct.pack("<I", 1001))
    with pytest.raises(FrameError, match="exceeds the limit of 1000"):
        reader.next_message()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (RmrMessage(1, meid="m" * 32), "meid"),
        (RmrMessage(1, meid="m\0n"), "meid"),
        (RmrMessage(1, meid="gnb_€"), "meid"),
        (RmrMessage(1, xid=b"x" * 33), "xid"),
        (RmrMessage(1, sid=b"x" * 33), "sid"),
        (RmrMessage(1, source="s" * 64), "source"),
        (RmrMessage(1 << 31), "header field"),
        (RmrMessage(1, sub_id=-(1 << 31) - 1), "header field"),
        (RmrMessage(1, flags=1 << 32), "header field"),
    ],
)
def test_values_that_do_not_fit_are_named(message: RmrMessage, field: str) -> None:
    with pytest.raises(FrameError, match=field):
        encode_frame(message)


def test_exactly_one_frame_is_decoded() -> None:
    frame = encode_frame(RmrMessage(1))
    for wrong in (b"", frame[:-1], frame + b"\0", frame + frame):
        with pytest.raises(FrameError):
            decode_frame(wrong)


def test_a_reply_keeps_what_the_caller_waits_for() -> None:
    request = RmrMessage(
        100,
        b"ask",
        sub_id=3,
        meid="gnb_1",
        xid=b"x" * 32,
        source="a:1",
        flags=CALL_FLAG | 0x10,
        d1=b"\x09abc",
        trace=b"t",
        d2=b"2",
        sid=b"s",
    )
    reply = reply_to(request, 101, b"answer")
    assert (reply.mtype, reply.payload, reply.flags, reply.source) == (101, b"answer", 0x10, "")
    for name in ("sub_id", "meid", "xid", "d1", "trace", "d2", "sid"):
        assert getattr(reply, name) == getattr(request, name)


def test_payload_text_ends_at_the_first_nul() -> None:
    assert RmrMessage(1, b"OK tbl \n\0junk\xff").text == "OK tbl \n"
