"""SCTP packets (RFC 9260): user messages out of their DATA chunks, whole or in fragments."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from oran.e2.capture.layers import Segment, SkippedPacket

E2_PPIDS = frozenset((70, 71, 72))
E2_PORTS = range(36_421, 36_425)
MAX_PENDING = 4 << 20
MAX_FRAGMENTS = 4096
"""Octets and fragments of unfinished messages kept in one direction of an association."""
MAX_DIRECTIONS = 4096

_DATA = 0
_ENDING, _BEGINNING = 1, 2


@dataclass(slots=True)
class _Fragment:
    flags: int
    data: bytes


@dataclass(slots=True)
class _Direction:
    """One direction of an association: fragments by transmission sequence number (TSN)."""

    fragments: OrderedDict[int, _Fragment] = field(default_factory=OrderedDict)
    pending: int = 0
    seen: set[int] = field(default_factory=set)
    order: deque[int] = field(default_factory=deque)

    def is_repeated(self, tsn: int) -> bool:
        """Whether a chunk was seen before: retransmitted, or captured on two interfaces."""
        if tsn in self.seen:
            return True
        self.seen.add(tsn)
        self.order.append(tsn)
        if len(self.order) > 4096:
            self.seen.discard(self.order.popleft())
        return False

    def add(self, tsn: int, fragment: _Fragment) -> bytes | None:
        """Keep a fragment and return the message that it completes."""
        repeated = self.fragments.pop(tsn, None)
        self.pending -= len(repeated.data) if repeated else 0
        self.fragments[tsn] = fragment
        self.pending += len(fragment.data)
        first = last = tsn
        while not self.fragments[first].flags & _BEGINNING:
            first = (first - 1) & 0xFFFF_FFFF
            if first not in self.fragments:
                self._bound()
                return None
        while not self.fragments[last].flags & _ENDING:
            last = (last + 1) & 0xFFFF_FFFF
            if last not in self.fragments:
                self._bound()
                return None
        count = ((last - first) & 0xFFFF_FFFF) + 1
        parts = [self.fragments.pop((first + index) & 0xFFFF_FFFF).data for index in range(count)]
        self.pending -= sum(map(len, parts))
        return b"".join(parts)

    def _bound(self) -> None:
        while self.pending > MAX_PENDING or len(self.fragments) > MAX_FRAGMENTS:
            _, oldest = self.fragments.popitem(last=False)
            self.pending -= len(oldest.data)


class SctpReader:
    """Puts E2's user messages together, for every association seen."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._directions: OrderedDict[tuple[int, int, int], _Direction] = OrderedDict()

    def read(self, segment: Segment) -> Iterator[tuple[str, str, bytes]]:
        """The messages that this packet completes, as (source, destination, message).

        SkippedPacket when the packet is cut short; data of other protocols are counted.
        """
        data = segment.data
        if len(data) < 12:
            raise SkippedPacket("truncated packet")
        ports = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
        # Either side may have several addresses; the peer's verification tag tells directions apart.
        direction = self._direction((int.from_bytes(data[4:8], "big"), *ports))
        source, destination = _place(segment.source, ports[0]), _place(segment.destination, ports[1])
        position = 12
        while position + 4 <= len(data):
            kind, flags = data[position], data[position + 1]
            size = int.from_bytes(data[position + 2 : position + 4], "big")
            if size < 4 or position + size > len(data):
                raise SkippedPacket("truncated packet")
            if kind == _DATA and size > 16:
                chunk = data[position : position + size]
                message = self._take(direction, flags, chunk, ports)
                if message is not None:
                    yield source, destination, message
            position += size + 3 & ~3

    def _direction(self, key: tuple[int, int, int]) -> _Direction:
        direction = self._directions.get(key)
        if direction is None:
            direction = self._directions[key] = _Direction()
            if len(self._directions) > MAX_DIRECTIONS:
                self._directions.popitem(last=False)
        return direction

    def _take(self, direction: _Direction, flags: int, chunk: bytes, ports: tuple[int, int]) -> bytes | None:
        ppid = int.from_bytes(chunk[12:16], "big")
        if ppid not in E2_PPIDS and not (ports[0] in E2_PORTS or ports[1] in E2_PORTS):
            self._skipped[f"SCTP payload protocol {ppid}"] += 1
            return None
        tsn = int.from_bytes(chunk[4:8], "big")
        if direction.is_repeated(tsn):
            return None
        if flags & _BEGINNING and flags & _ENDING:
            return chunk[16:]
        return direction.add(tsn, _Fragment(flags, chunk[16:]))


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
