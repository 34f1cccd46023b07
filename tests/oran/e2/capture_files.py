"""Writes capture files, layer by layer, as a recorder would."""

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

NODE, RIC = ("10.0.0.1", 40_000), ("10.0.0.2", 36_421)
NODE6, RIC6 = ("fd00::1", 40_000), ("fd00::2", 36_421)
Place = tuple[str, int]


def pcap(packets: Iterable[bytes], link_type: int = 1, order: str = "<", nanoseconds: bool = False) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link_type)]
    for index, packet in enumerate(packets):
        parts.append(struct.pack(order + "IIII", 1000 + index, 500, len(packet), len(packet)) + packet)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type: int = 1, order: str = "<", options: bytes = b"") -> bytes:
    return block(1, struct.pack(order + "HHI", link_type, 0, 0) + options, order)


def enhanced(packet: bytes, ticks: int = 0, number: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(6, head + packet, order)


def simple(packet: bytes, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(packet)) + packet, order)


def ip(protocol: int, data: bytes, source: str, destination: str) -> bytes:
    addresses = ip_address(source).packed + ip_address(destination).packed
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + addresses + data
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0) + addresses + data


def ethernet(packet: bytes, vlans: Sequence[int] = ()) -> bytes:
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    tags = b"".join(struct.pack(">HH", 0x8100, vlan) for vlan in vlans)
    return bytes(12) + tags + struct.pack(">H", kind) + packet


def cooked(packet: bytes) -> bytes:
    return bytes(14) + struct.pack(">H", 0x86DD if packet[0] >> 4 == 6 else 0x0800) + packet


def cooked2(packet: bytes) -> bytes:
    return struct.pack(">H", 0x86DD if packet[0] >> 4 == 6 else 0x0800) + bytes(18) + packet


def data_chunk(message: bytes, tsn: int = 1, flags: int = 3, ppid: int = 70, stream: int = 0) -> bytes:
    head = struct.pack(">BBHIHHI", 0, flags, 16 + len(message), tsn, stream, 0, ppid)
    return head + message + bytes(-len(message) % 4)


def fragments(message: bytes, size: int, tsn: int = 1) -> list[bytes]:
    parts = [message[start : start + size] for start in range(0, len(message), size)]
    last = len(parts) - 1
    return [
        data_chunk(part, (tsn + index) & 0xFFFFFFFF, (index == 0) << 1 | (index == last))
        for index, part in enumerate(parts)
    ]


def sctp(*chunks: bytes, source: Place = NODE, destination: Place = RIC, tag: int = 7) -> bytes:
    head = struct.pack(">HHII", source[1], destination[1], tag, 0)
    return ip(132, head + b"".join(chunks), source[0], destination[0])


def tcp(data: bytes, sequence: int, *, source: Place = NODE, destination: Place = RIC, flags: int = 0x18) -> bytes:
    head = struct.pack(">HHIIBBHHH", source[1], destination[1], sequence & 0xFFFFFFFF, 0, 0x50, flags, 8192, 0, 0)
    return ip(6, head + data, source[0], destination[0])
