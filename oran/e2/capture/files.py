"""Capture files: packets out of pcap (libpcap) and pcapng (draft-ietf-opsawg-pcapng)."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from oran.e2.errors import DecodeError

MAX_PACKET = 1 << 24
"""Octets of the longest packet or block believed."""

_PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
}
_PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}

INTERFACE_BLOCK, SIMPLE_BLOCK, OLD_PACKET_BLOCK, PACKET_BLOCK, SECTION_BLOCK = 1, 3, 2, 6, 0x0A0D0D0A
_RESOLUTION, _OFFSET = 9, 14


@dataclass(frozen=True, slots=True)
class Packet:
    """A captured packet; `link_type` as IANA's registry numbers it, `time_s` since 1970."""

    time_s: float | None
    link_type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Interface:
    link_type: int
    ticks_per_s: int
    offset_s: int


def is_capture(head: bytes) -> bool:
    """Whether a file that begins with these four octets is a capture file."""
    return head in _PCAP_MAGICS or head == _PCAPNG_MAGIC


def read_packets(file: BinaryIO, head: bytes) -> Iterator[Packet]:
    """Read the packets of a file whose first four octets, `head`, have been read from it.

    A file that ends within a packet, as that of a capture still running, yields what is whole. DecodeError
    when it is no capture file.
    """
    if head in _PCAP_MAGICS:
        return _read_pcap(file, *_PCAP_MAGICS[head])
    if head == _PCAPNG_MAGIC:
        return _read_pcapng(file)
    raise DecodeError("neither pcap nor pcapng", field="capture file")


def _read_pcap(file: BinaryIO, order: str, ticks_per_s: int) -> Iterator[Packet]:
    header = file.read(20)
    if len(header) < 20:
        raise DecodeError("file ends in its header", field="pcap")
    # The upper half of the link type's field may tell the length of the frame check sequence.
    link_type = Struct(order + "I").unpack_from(header, 16)[0] & 0xFFFF
    record = Struct(order + "IIII")
    position = 24
    while len(fields := file.read(record.size)) == record.size:
        seconds, ticks, captured, _ = record.unpack(fields)
        if captured > MAX_PACKET:
            raise DecodeError(f"a packet of {captured} octets", field="pcap", bit_offset=(position + 8) * 8)
        data = file.read(captured)
        if len(data) < captured:
            return
        position += record.size + captured
        yield Packet(seconds + ticks / ticks_per_s, link_type, data)


def _read_pcapng(file: BinaryIO) -> Iterator[Packet]:
    order, position, kind = "<", 0, _PCAPNG_MAGIC
    interfaces: list[_Interface] = []
    while len(kind) == 4:
        if kind == _PCAPNG_MAGIC:
            head = file.read(8)
            if len(head) < 8:
                return
            if head[4:] not in _BYTE_ORDERS:
                raise DecodeError("section without byte order", field="pcapng", bit_offset=position * 8)
            order = _BYTE_ORDERS[head[4:]]
            interfaces = []
        else:
            head = file.read(4)
            if len(head) < 4:
                return
        length: int = Struct(order + "I").unpack_from(head)[0]
        left = length - len(kind) - len(head)
        if length % 4 or left < 4 or length > MAX_PACKET:
            raise DecodeError(f"a block of {length} octets", field="pcapng", bit_offset=position * 8)
        body = file.read(left)
        if len(body) < left:
            return
        packet = _read_block(Struct(order + "I").unpack(kind)[0], body[:-4], order, interfaces)
        if packet is not None:
            yield packet
        position += length
        kind = file.read(4)


def _read_block(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Packet | None:
    """Take note of an interface or return a packet; other blocks, and malformed ones, say nothing."""
    if kind == INTERFACE_BLOCK and len(body) >= 8:
        interfaces.append(_read_interface(body, order))
        return None
    if kind == PACKET_BLOCK and len(body) >= 20:
        number, high, low, captured, _ = Struct(order + "IIIII").unpack_from(body)
    elif kind == OLD_PACKET_BLOCK and len(body) >= 20:
        number, _, high, low, captured, _ = Struct(order + "HHIIII").unpack_from(body)
    elif kind == SIMPLE_BLOCK and len(body) >= 4 and interfaces:
        size: int = Struct(order + "I").unpack_from(body)[0]
        return Packet(None, interfaces[0].link_type, body[4 : 4 + size])
    else:
        return None
    if number >= len(interfaces) or captured > len(body) - 20:
        return None
    interface = interfaces[number]
    time_s = (high << 32 | low) / interface.ticks_per_s + interface.offset_s
    return Packet(time_s, interface.link_type, body[20 : 20 + captured])


def _read_interface(body: bytes, order: str) -> _Interface:
    link_type: int = Struct(order + "H").unpack_from(body)[0]
    ticks_per_s, offset_s, position = 10**6, 0, 8
    option = Struct(order + "HH")
    while position + option.size <= len(body):
        code, size = option.unpack_from(body, position)
        value = body[position + option.size : position + option.size + size]
        if code == _RESOLUTION and size == 1 and value:
            ticks_per_s = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** min(value[0], 18)
        elif code == _OFFSET and len(value) == 8:
            offset_s = Struct(order + "q").unpack(value)[0]
        position += option.size + (size + 3 & ~3)
    return _Interface(link_type, ticks_per_s, offset_s)
