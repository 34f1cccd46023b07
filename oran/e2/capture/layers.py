"""The layers below E2: from a captured packet to the transport segment in it.

Ethernet (with VLAN tags), Linux cooked capture in both versions, BSD loopback and raw IP; IPv4 and IPv6.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

ETHERNET, NULL, LOOP, SLL, SLL2 = 1, 0, 108, 113, 276
RAW = frozenset((12, 14, 101, 228, 229))
USER = range(147, 163)
"""Link types for private use: such a packet is taken for a bare E2AP PDU, as srsRAN records them."""

TCP, SCTP = 6, 132
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLANS = frozenset((0x8100, 0x88A8, 0x9100))
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60


class SkippedPacket(Exception):
    """The packet carries no transport segment that could hold E2; the argument says why, for counting."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The payload of an IP packet: `source` and `destination` are addresses, `protocol` IANA's number."""

    source: str
    destination: str
    protocol: int
    data: bytes


def to_segment(link_type: int, packet: bytes) -> Segment:
    """Take off the link and network layers; SkippedPacket when there is nothing for us inside."""
    kind, data = _network(link_type, packet)
    if not data:
        raise SkippedPacket("truncated packet")
    if kind == _IPV4 or (kind is None and data[0] >> 4 == 4):
        return _ipv4(data)
    if kind == _IPV6 or (kind is None and data[0] >> 4 == 6):
        return _ipv6(data)
    raise SkippedPacket("not IP")


def _network(link_type: int, packet: bytes) -> tuple[int | None, bytes]:
    """The packet's ether type, None where the link layer names none, and what follows the link layer."""
    if link_type == ETHERNET:
        position = 12
        kind = _number(packet, position, 2)
        while kind in _VLANS:
            position += 4
            kind = _number(packet, position, 2)
        return kind, packet[position + 2 :]
    if link_type == SLL:
        return _number(packet, 14, 2), packet[16:]
    if link_type == SLL2:
        return _number(packet, 0, 2), packet[20:]
    if link_type in (NULL, LOOP):
        return None, packet[4:]
    if link_type in RAW:
        return None, packet
    raise SkippedPacket(f"link type {link_type}")


def _ipv4(data: bytes) -> Segment:
    header = (data[0] & 0x0F) * 4
    total = _number(data, 2, 2)
    if header < 20 or len(data) < header:
        raise SkippedPacket("truncated packet")
    if _number(data, 6, 2) & 0x3FFF:
        raise SkippedPacket("IP fragment")
    # Segmentation offload leaves 0 here.
    stop = total if total >= header else len(data)
    return Segment(str(IPv4Address(data[12:16])), str(IPv4Address(data[16:20])), data[9], data[header:stop])


def _ipv6(data: bytes) -> Segment:
    if len(data) < 40:
        raise SkippedPacket("truncated packet")
    size, following, position = _number(data, 4, 2), data[6], 40
    stop = 40 + size if size else len(data)
    while following in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION):
        if following == _FRAGMENT and _number(data, position + 2, 2) & 0xFFF9:
            raise SkippedPacket("IP fragment")
        words = _number(data, position + 1, 1)
        following, step = (
            _number(data, position, 1),
            {_FRAGMENT: 8, _AUTHENTICATION: (words + 2) * 4}.get(following, (words + 1) * 8),
        )
        position += step
    return Segment(str(IPv6Address(data[8:24])), str(IPv6Address(data[24:40])), following, data[position:stop])


def _number(data: bytes, position: int, size: int) -> int:
    octets = data[position : position + size]
    if len(octets) < size:
        raise SkippedPacket("truncated packet")
    return int.from_bytes(octets, "big")
