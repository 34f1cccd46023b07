"""TCP streams: RMR frames and our own length-prefixed E2 messages, put together from segments."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oran.e2.capture.layers import Segment, SkippedPacket

if TYPE_CHECKING:
    from oran.rmr.message import RmrMessage

MAX_MESSAGE = 1 << 20
MAX_PENDING = 4 << 20
MAX_SEGMENTS = 1024
"""Octets and segments kept behind a gap in one direction of a connection, until it is given up."""
MAX_DIRECTIONS = 4096
PROCEDURES = 17
"""The highest procedure code of E2AP."""

_SYN, _RST = 0x02, 0x04
_SMALLEST_FRAME = 330


class _LostStream(Exception):
    """The stream makes no sense any more; reading begins anew with the next segment."""


class _Rmr:
    """A stream of RMR frames."""

    def __init__(self) -> None:
        # Loading oran.rmr takes a while and few captures hold any of it.
        from oran.rmr.errors import FrameError
        from oran.rmr.frame import FrameReader

        self._reader = FrameReader(MAX_MESSAGE)
        self._error = FrameError

    @staticmethod
    def begins(data: bytes) -> bool:
        first, second = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "big")
        return data[8:9] == b"$" and first == second >= _SMALLEST_FRAME

    def feed(self, data: bytes) -> "Iterator[RmrMessage | bytes]":
        self._reader.feed(data)
        try:
            while (message := self._reader.next_message()) is not None:
                yield message
        except self._error as error:
            raise _LostStream(f"RMR stream lost: {error}") from None


class _Framed:
    """A stream of E2 messages, each behind its length in four octets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @staticmethod
    def begins(data: bytes) -> bool:
        size = int.from_bytes(data[:4], "big")
        return 3 < size <= MAX_MESSAGE and data[4] & 0x9F == 0 and data[5] <= PROCEDURES

    def feed(self, data: bytes) -> "Iterator[RmrMessage | bytes]":
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 4:
            stop = 4 + int.from_bytes(buffer[:4], "big")
            if not 4 < stop <= 4 + MAX_MESSAGE:
                raise _LostStream("framed E2 stream lost")
            if stop > len(buffer):
                return
            yield bytes(buffer[4:stop])
            del buffer[:stop]


@dataclass(slots=True)
class _Direction:
    """One direction of a connection: the next sequence number and what came ahead of it."""

    following: int | None = None
    ahead: dict[int, bytes] = field(default_factory=dict)
    pending: int = 0
    head: bytes = b""
    """First octets of the stream, too few to tell its kind."""
    stream: _Rmr | _Framed | None = None

    def take(self, sequence: int, data: bytes) -> Iterator[bytes]:
        """Put a segment in its place and return what is next in line."""
        if self.following is None:
            self.following = sequence
        behind = _difference(self.following, sequence)
        if behind > 0:
            data = data[behind:]
            sequence = self.following
        if not data:
            return
        if sequence not in self.ahead or len(self.ahead[sequence]) < len(data):
            self.pending += len(data) - len(self.ahead.get(sequence, b""))
            self.ahead[sequence] = data
        yield from self._in_line()
        if self.pending > MAX_PENDING or len(self.ahead) > MAX_SEGMENTS:
            self.following = min(self.ahead, key=lambda start: _difference(start, self.following or 0))
            self.stream, self.head = None, b""
            yield from self._in_line()

    def _in_line(self) -> Iterator[bytes]:
        while self.ahead and self.following is not None:
            following = self.following
            start = following if following in self.ahead else self._overlapping(following)
            if start is None:
                return
            data = self.ahead.pop(start)
            self.pending -= len(data)
            data = data[_difference(following, start) :]
            self.following = (following + len(data)) & 0xFFFF_FFFF
            if data:
                yield data

    def _overlapping(self, following: int) -> int | None:
        return next((start for start in self.ahead if _difference(following, start) > 0), None)


class TcpReader:
    """Puts RMR and E2 messages together, for every connection seen."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._directions: OrderedDict[tuple[str, str], _Direction] = OrderedDict()

    def read(self, segment: Segment) -> "Iterator[tuple[str, str, RmrMessage | bytes]]":
        """The messages that this packet completes, as (source, destination, message).

        SkippedPacket when the packet is cut short; octets that are neither RMR nor E2 are counted.
        """
        data = segment.data
        if len(data) < 20:
            raise SkippedPacket("truncated packet")
        offset = (data[12] >> 4) * 4
        if offset < 20 or len(data) < offset:
            raise SkippedPacket("truncated packet")
        ports = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
        sequence, flags = int.from_bytes(data[4:8], "big"), data[13]
        source, destination = _place(segment.source, ports[0]), _place(segment.destination, ports[1])
        key = (source, destination)
        if flags & (_SYN | _RST):
            self._directions.pop(key, None)
        if flags & _SYN:
            sequence = (sequence + 1) & 0xFFFF_FFFF
            self._direction(key).following = sequence
        if len(data) == offset:
            return
        direction = self._direction(key)
        for piece in direction.take(sequence, data[offset:]):
            try:
                for message in _messages(direction, piece):
                    yield source, destination, message
            except _LostStream as lost:
                direction.stream = None
                self._skipped[str(lost)] += 1

    def _direction(self, key: tuple[str, str]) -> _Direction:
        direction = self._directions.get(key)
        if direction is None:
            direction = self._directions[key] = _Direction()
            if len(self._directions) > MAX_DIRECTIONS:
                self._directions.popitem(last=False)
        return direction


def _messages(direction: _Direction, piece: bytes) -> "Iterator[RmrMessage | bytes]":
    """Feed octets to the direction's stream, whose first nine tell its kind."""
    if direction.stream is None:
        piece = direction.head + piece
        if len(piece) < 9:
            direction.head = piece
            return
        direction.head = b""
        if _Rmr.begins(piece):
            direction.stream = _Rmr()
        elif _Framed.begins(piece):
            direction.stream = _Framed()
        else:
            raise _LostStream("TCP that is neither RMR nor E2")
    yield from direction.stream.feed(piece)


def _difference(left: int, right: int) -> int:
    """How far sequence number `left` is beyond `right`, across the wrap."""
    return ((left - right + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
