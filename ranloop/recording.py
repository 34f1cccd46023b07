"""Recordings of E2 traffic: capture files that Wireshark, our inspector and `ranloop replay` read.

A recording is a classic pcap with link type RAW: each node has an IPv4 address of its own and speaks SCTP with
payload protocol 70 (E2-CP) to the RIC's. It holds each node's E2 setup request, the RIC's subscription requests
and the nodes' indications. Captures of real E2 traffic that hold the setup requests can be read as well.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from oran.e2.capture import read_messages
from oran.e2.e2ap.codec import decode, encode
from oran.e2.e2ap.messages import (
    ComponentConfig,
    ComponentId,
    E2SetupRequest,
    RanFunction,
    RicIndication,
)
from oran.e2.errors import DecodeError
from oran.e2.identity import GlobalE2NodeId
from ranloop.errors import RecordingError

E2_PORT = 36_421
MAX_INDICATIONS = 2_000_000
"""A recording of 30 nodes at 100 ms has so many after two hours."""

_LINK_TYPE_RAW = 101
_PPID_E2_CP = 70
_RIC_ADDRESS = bytes((10, 0, 0, 1))
_MAX_CHUNK_DATA = 60_000
"""Octets of a message per packet: an IPv4 packet holds no more than 65,535."""


@dataclass(frozen=True, slots=True)
class RecordedNode:
    """One node: who it is, what it offers, and its indications with their Unix times, in order of time."""

    node_id: GlobalE2NodeId
    functions: tuple[RanFunction, ...]
    indications: tuple[tuple[float, RicIndication], ...] = ()

    @property
    def name(self) -> str:
        """The name the RIC gives the node."""
        return self.node_id.ran_name


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded of several nodes."""

    nodes: tuple[RecordedNode, ...]

    @property
    def indications(self) -> int:
        """How many indications there are."""
        return sum(len(node.indications) for node in self.nodes)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last indication."""
        times = [time_s for node in self.nodes for time_s, _ in (node.indications[:1] + node.indications[-1:])]
        return max(times) - min(times) if times else 0.0


@dataclass(slots=True)
class _Direction:
    """One node's side of its association in the file."""

    address: bytes
    tag: int
    tsn: int = 0
    ssn: int = 0


@dataclass(slots=True)
class RecordingWriter:
    """Writes a recording as it happens; `node` comes before the node's messages."""

    file: BinaryIO
    indications: int = 0
    _sides: dict[str, tuple[_Direction, _Direction]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 20, _LINK_TYPE_RAW))

    def node(self, node_id: GlobalE2NodeId, functions: tuple[RanFunction, ...], time_s: float) -> None:
        """Introduce a node by its E2 setup request; once more when it was set up anew."""
        number = len(self._sides) + 1
        if node_id.ran_name not in self._sides:
            address = bytes((10, 64 + (number >> 16), number >> 8 & 0xFF, number & 0xFF))
            self._sides[node_id.ran_name] = (
                _Direction(address, 2 * number),
                _Direction(_RIC_ADDRESS, 2 * number + 1),
            )
        # The component's own messages are not known to the RIC's E2 manager.
        component = ComponentConfig(ComponentId("f1", number=node_id.du_id or 0), b"\x00", b"\x00")
        self._write(node_id.ran_name, encode(E2SetupRequest(1, node_id, functions, (component,))), time_s, False)

    def from_node(self, name: str, pdu: bytes, time_s: float) -> None:
        """Write an E2AP PDU that a node sent; KeyError for a node not introduced."""
        self._write(name, pdu, time_s, False)
        self.indications += 1

    def to_node(self, name: str, pdu: bytes, time_s: float) -> None:
        """Write an E2AP PDU that the RIC sent to a node; KeyError for a node not introduced."""
        self._write(name, pdu, time_s, True)

    def knows(self, name: str) -> bool:
        """Whether a node was introduced."""
        return name in self._sides

    def _write(self, name: str, pdu: bytes, time_s: float, from_ric: bool) -> None:
        node, ric = self._sides[name]
        source, target = (ric, node) if from_ric else (node, ric)
        parts = range(0, len(pdu), _MAX_CHUNK_DATA)
        for start in parts:
            source.tsn = source.tsn % 0xFFFFFFFF + 1
            first, last = start == 0, start + _MAX_CHUNK_DATA >= len(pdu)
            chunk = _data_chunk(source, pdu[start : start + _MAX_CHUNK_DATA], flags=first << 1 | last)
            packet = _ipv4(source.address, target.address, _sctp(source.tag, chunk))
            whole = int(time_s)
            self.file.write(struct.pack("<IIII", whole, int((time_s - whole) * 1e6), len(packet), len(packet)))
            self.file.write(packet)
        source.ssn = (source.ssn + 1) % 65_536


def write_recording(recording: Recording, path: Path) -> None:
    """Write a whole recording to a file."""
    with path.open("wb") as file:
        writer = RecordingWriter(file)
        start_s = min((node.indications[0][0] for node in recording.nodes if node.indications), default=0.0)
        for node in recording.nodes:
            writer.node(node.node_id, node.functions, start_s)
        everything = sorted(
            ((time_s, node.name, item) for node in recording.nodes for time_s, item in node.indications),
            key=lambda entry: entry[0],
        )
        for time_s, name, item in everything:
            writer.from_node(name, encode(item), time_s)


def read_recording(path: Path) -> Recording:
    """Read a capture file; raises RecordingError when it holds no E2 node.

    Nodes are told apart by their transport address. Messages that cannot be decoded are passed over, as are those
    of a node whose setup the file does not hold.
    """
    setups: dict[str, E2SetupRequest] = {}
    indications: dict[str, list[tuple[float, RicIndication]]] = {}
    try:
        with path.open("rb") as file:
            for source, time_s, message in _messages(file):
                if isinstance(message, E2SetupRequest):
                    setups[source] = message
                elif source in setups:
                    indications.setdefault(source, []).append((time_s, message))
    except (OSError, DecodeError) as error:
        raise RecordingError(f"{path}: {error}") from error
    if not setups:
        raise RecordingError(f"{path} holds no E2 setup request: nothing tells the nodes")
    return Recording(
        tuple(
            RecordedNode(setup.node_id, setup.functions, tuple(indications.get(source, ())))
            for source, setup in setups.items()
        )
    )


def _messages(file: BinaryIO) -> Iterator[tuple[str, float, E2SetupRequest | RicIndication]]:
    count = 0
    for captured in read_messages(file):
        if captured.transport == "rmr" or captured.time_s is None or count >= MAX_INDICATIONS:
            continue
        try:
            message = decode(captured.data)
        except DecodeError:
            continue
        if isinstance(message, E2SetupRequest | RicIndication):
            count += 1
            yield captured.source, captured.time_s, message


def _data_chunk(side: _Direction, data: bytes, *, flags: int) -> bytes:
    """A DATA chunk of stream 0 (RFC 9260 3.3.1), padded."""
    head = struct.pack(">BBHIHHI", 0, flags, 16 + len(data), side.tsn, 0, side.ssn, _PPID_E2_CP)
    return head + data + bytes(-len(data) % 4)


def _sctp(tag: int, chunk: bytes) -> bytes:
    """A packet; the checksum stays 0, as in captures where the network card computes it."""
    return struct.pack(">HHII", E2_PORT, E2_PORT, tag, 0) + chunk


def _ipv4(source: bytes, target: bytes, payload: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, 132, 0, source, target)
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack(">H", checksum) + head[12:] + payload
