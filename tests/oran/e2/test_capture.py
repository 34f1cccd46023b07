import contextlib
import random
import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.capture import CapturedMessage, Messages, read_messages
from oran.e2.capture import tcp as tcp_limits
from oran.e2.e2ap.codec import encode
from oran.e2.e2ap.messages import RicIndication, RicRequestId
from oran.e2.errors import DecodeError
from oran.rmr.frame import encode_frame
from oran.rmr.message import RmrMessage
from tests.oran.e2 import capture_files as files

SHORT = encode(RicIndication(RicRequestId(1, 2), 3, 4, b"header", b"message", 5))
LONG = encode(RicIndication(RicRequestId(1, 2), 3, 4, b"header", bytes(range(256)) * 30, 6))


def read(content: bytes) -> tuple[list[CapturedMessage], Messages]:
    messages = read_messages(BytesIO(content))
    return list(messages), messages


def payloads(content: bytes) -> list[bytes]:
    return [message.data for message in read(content)[0]]


LAYERS = {
    "ethernet": (1, files.ethernet),
    "vlan": (1, lambda packet: files.ethernet(packet, [5])),
    "two vlans": (1, lambda packet: files.ethernet(packet, [5, 6])),
    "cooked": (113, files.cooked),
    "cooked v2": (276, files.cooked2),
    "raw": (101, lambda packet: packet),
    "BSD loopback": (0, lambda packet: bytes(4) + packet),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("ends", [(files.NODE, files.RIC), (files.NODE6, files.RIC6)], ids=["IPv4", "IPv6"])
def test_messages_come_out_of_every_link_layer(layer: str, ends: tuple[files.Place, files.Place]) -> None:
    link_type, wrap = LAYERS[layer]
    packet = wrap(files.sctp(files.data_chunk(SHORT), source=ends[0], destination=ends[1]))
    messages, source = read(files.pcap([packet], link_type))
    assert [message.data for message in messages] == [SHORT]
    host, port = ends[0]
    assert messages[0].source == (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    assert messages[0].transport == "sctp"
    assert not source.skipped


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_of_either_byte_order_and_resolution(order: str, nanoseconds: bool) -> None:
    packet = files.ethernet(files.sctp(files.data_chunk(SHORT)))
    messages, _ = read(files.pcap([packet], order=order, nanoseconds=nanoseconds))
    assert messages[0].time_s == pytest.approx(1000 + 500 / (1e9 if nanoseconds else 1e6), abs=1e-9)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_sections_interfaces_and_resolutions(order: str) -> None:
    packet = files.sctp(files.data_chunk(SHORT))
    other = files.sctp(files.data_chunk(LONG, 2))
    resolution = struct.pack(order + "HHB3xHHI", 9, 1, 9, 0, 0, 0)
    content = (
        files.section(order)
        + files.interface(1, order)
        + files.interface(101, order, resolution)
        + files.block(4, b"names", order)
        + files.enhanced(files.ethernet(packet), 2_000_000, 0, order)
        + files.enhanced(other, 3_000_000_000, 1, order)
        + files.section("<")
        + files.interface(113)
        + files.simple(files.cooked(files.sctp(files.data_chunk(b"third", 3))))
    )
    messages, _ = read(content)
    assert [(message.data, message.time_s) for message in messages] == [
        (SHORT, 2.0),
        (LONG, 3.0),
        (b"third", None),
    ]


def test_a_bare_message_per_packet_as_srsran_records_it() -> None:
    messages, _ = read(files.pcap([SHORT, LONG], link_type=155))
    assert [(message.data, message.transport) for message in messages] == [(SHORT, "user"), (LONG, "user")]


def test_several_chunks_of_a_packet() -> None:
    heartbeat = struct.pack(">BBHI", 4, 0, 8, 0)
    packet = files.sctp(files.data_chunk(SHORT), heartbeat, files.data_chunk(LONG, 2))
    assert payloads(files.pcap([packet], 101)) == [SHORT, LONG]


@pytest.mark.parametrize("first_tsn", [1, 2**32 - 3])
def test_fragments_are_put_together_in_any_order(first_tsn: int) -> None:
    chunks = files.fragments(LONG, 1000, first_tsn)
    assert len(chunks) > 6
    for seed in range(5):
        shuffled = random.Random(seed).sample(chunks, len(chunks))
        packets = [files.sctp(chunk) for chunk in shuffled + chunks]
        assert payloads(files.pcap(packets, 101)) == [LONG]


def test_fragments_of_different_directions_are_kept_apart() -> None:
    there = files.fragments(LONG, 1000)
    back = files.fragments(SHORT + bytes(5000), 1000)
    packets = []
    for one, two in zip(there, back, strict=False):
        packets += [
            files.sctp(one, tag=1),
            files.sctp(two, source=files.RIC, destination=files.NODE, tag=2),
        ]
    packets += [files.sctp(chunk, tag=1) for chunk in there[len(back) :]]
    assert sorted(payloads(files.pcap(packets, 101)), key=len) == [SHORT + bytes(5000), LONG]


def test_a_retransmitted_chunk_is_shown_once() -> None:
    packet = files.sctp(files.data_chunk(SHORT))
    assert payloads(files.pcap([packet, packet], 101)) == [SHORT]


def test_a_lost_fragment_loses_its_message_only() -> None:
    chunks = files.fragments(LONG, 1000)
    del chunks[2]
    packets = [files.sctp(chunk) for chunk in [*chunks, files.data_chunk(SHORT, 100)]]
    assert payloads(files.pcap(packets, 101)) == [SHORT]


def test_other_traffic_is_counted_and_left_out() -> None:
    ngap = files.sctp(files.data_chunk(b"ngap", 2, ppid=60), source=("1.1.1.1", 9), destination=("1.1.1.2", 9))
    packets = [
        files.ethernet(ngap),
        files.ethernet(files.ip(17, b"udp", "1.1.1.1", "1.1.1.2")),
        bytes(12) + b"\x08\x06" + bytes(28),
        b"short",
        files.ethernet(files.tcp(b"GET / HTTP/1.1\r\n\r\n", 1)),
        files.ethernet(files.sctp(files.data_chunk(SHORT))),
        files.ethernet(files.sctp(files.data_chunk(SHORT, 9)))[:60],
    ]
    messages, source = read(files.pcap(packets))
    assert [message.data for message in messages] == [SHORT]
    assert source.skipped == {
        "SCTP payload protocol 60": 1,
        "IP protocol 17": 1,
        "not IP": 1,
        "truncated packet": 2,
        "TCP that is neither RMR nor E2": 1,
    }


def test_data_without_a_payload_protocol_is_e2_on_its_port() -> None:
    packet = files.sctp(files.data_chunk(SHORT, ppid=0))
    assert payloads(files.pcap([packet], 101)) == [SHORT]


def segments(stream: bytes, sizes: list[int], first: int) -> list[bytes]:
    packets, start = [], 0
    for size in sizes:
        packets.append(files.tcp(stream[start : start + size], first + start))
        start += size
    packets.append(files.tcp(stream[start:], first + start))
    return packets


FRAMES = [RmrMessage(12_050, SHORT, 7, "gnb_001"), RmrMessage(12_040, LONG), RmrMessage(20_010, b"policy")]
RMR_STREAM = b"".join(encode_frame(frame, source="a:1", source_ip="b:2") for frame in FRAMES)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 3000), max_size=12),
    st.integers(0, 2**32 - 1),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_rmr_frames_are_put_together_from_segments_in_any_order(
    sizes: list[int], first: int, chance: random.Random, opened: bool
) -> None:
    packets = segments(RMR_STREAM, sizes, first)
    if opened:
        chance.shuffle(packets)
        packets.insert(0, files.tcp(b"", first - 1, flags=0x02))
        packets += packets[1:3]
    messages, source = read(files.pcap(packets, 101))
    assert [message.data for message in messages] == [SHORT, LONG, b"policy"]
    assert [message.rmr.mtype for message in messages if message.rmr] == [12_050, 12_040, 20_010]
    assert messages[0].rmr is not None
    assert (messages[0].rmr.meid, messages[0].rmr.sub_id) == ("gnb_001", 7)
    assert not source.skipped


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=12), st.integers(0, 2**32 - 1))
def test_our_own_framing_on_tcp_is_read_too(sizes: list[int], first: int) -> None:
    stream = b"".join(len(message).to_bytes(4, "big") + message for message in (SHORT, LONG, SHORT))
    messages, _ = read(files.pcap(segments(stream, sizes, first), 101))
    assert [message.data for message in messages] == [SHORT, LONG, SHORT]
    assert {message.transport for message in messages} == {"tcp"}


def test_a_lost_segment_does_not_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_limits, "MAX_SEGMENTS", 4)
    frame = encode_frame(FRAMES[0], source="a:1", source_ip="b:2")
    packets = [files.tcp(frame, index * len(frame)) for index in range(10) if index != 2]
    assert len(payloads(files.pcap(packets, 101))) == 9


def test_a_new_connection_on_the_same_ports_starts_anew() -> None:
    frame = encode_frame(FRAMES[0], source="a:1", source_ip="b:2")
    packets = [
        files.tcp(b"", 99, flags=0x02),
        files.tcp(frame[:100], 100),
        files.tcp(b"", 5_000_000, flags=0x02),
        files.tcp(frame, 5_000_001),
    ]
    assert payloads(files.pcap(packets, 101)) == [SHORT]


def test_a_broken_rmr_stream_is_counted() -> None:
    frame = bytearray(encode_frame(FRAMES[0], source="a:1", source_ip="b:2"))
    frame[58:62] = b"\0\0\0\x09"
    messages, source = read(files.pcap([files.tcp(bytes(frame), 1)], 101))
    assert not messages
    assert [reason for reason in source.skipped if reason.startswith("RMR stream lost")]


def test_a_hex_list() -> None:
    text = f"""# a comment
{SHORT.hex()}

0x{LONG.hex()}  # another
{SHORT.hex(":")}
{SHORT.hex(" ").upper()}
E2SM-KPM-EventTriggerDefinition 00 63
"""
    messages, _ = read(text.encode())
    assert [message.data for message in messages] == [SHORT, LONG, SHORT, SHORT, b"\0c"]
    assert [message.number for message in messages] == [2, 4, 5, 6, 7]
    assert messages[-1].type == "E2SM-KPM-EventTriggerDefinition"


@pytest.mark.parametrize("text", ["\n00", "#\n00\n", "00", "00\r\n", "\n\n\n\n\n00\n", "0 0"])
def test_a_hex_list_of_any_beginning(text: str) -> None:
    assert payloads(text.encode()) == [b"\0"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"00\nxy\n", "line 2.*hexadecimal"),
        (b"abc\n", "line 1.*hexadecimal"),
        (b"\x89PNG\r\n\x1a\n", "line 1.*neither"),
        (files.pcap([])[:10], "header"),
        (files.pcap([]) + struct.pack("<IIII", 0, 0, 1 << 30, 0), "a packet of 1073741824 octets"),
        (files.section() + struct.pack("<III", 6, 13, 0), "a block of 13 octets"),
        (files.section() + struct.pack("<III", 6, 1 << 31, 0), "a block of 2147483648 octets"),
        (files.section()[:8] + b"what" + files.section()[12:], "byte order"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read(content)


CAPTURES = [
    files.pcap([files.ethernet(files.sctp(*files.fragments(LONG, 3000)))] * 2),
    files.section() + files.interface(101) + files.enhanced(files.tcp(RMR_STREAM[:900], 5)),
    f"# list\n{SHORT.hex()}\nE2SM-KPM-EventTriggerDefinition 0063".encode(),
]


@pytest.mark.parametrize("content", CAPTURES, ids=["pcap", "pcapng", "list"])
def test_a_file_cut_anywhere_is_read_or_refused(content: bytes) -> None:
    for size in range(0, len(content), 1 if len(content) < 2000 else 13):
        with contextlib.suppress(DecodeError):
            read(content[:size])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CAPTURES), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=8))
def test_a_damaged_file_is_read_or_refused(content: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(content)
    for position, octet in changes:
        damaged[position % len(damaged)] = octet
    with contextlib.suppress(DecodeError):
        read(bytes(damaged))
