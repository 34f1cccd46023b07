"""RMR frames over SI95 TCP: a 50-octet prefix, a version-3 header, then trace, d1, d2 and payload.

The prefix carries the whole frame's length twice: in the sender's byte order (little-endian on every platform
the RIC runs on) and, marked by a '$', in network order. The header is in network order except `flags`, which
librmr leaves in the sender's order. Layout as librmr 4.9 writes it (rmr_agnostic.h, uta_mhdr_t).
"""

import struct

from oran.rmr.errors import FrameError
from oran.rmr.message import RmrMessage

PREFIX_OCTETS = 50
HEADER_OCTETS = 280
VERSION = 3
DEFAULT_MAX_FRAME_OCTETS = 1 << 20

_LENGTH = struct.Struct("<I")
_SMALLEST = PREFIX_OCTETS + HEADER_OCTETS
# mtype plen version | xid sid src meid | pad, timespec | flags len0..len3 | sub_id srcip
_HEADER = struct.Struct(">iii32s32s64s32s20xIIIIIi64s")
_PREFIX_TAIL = b"$" + bytes(PREFIX_OCTETS - 9)


def encode_frame(message: RmrMessage, *, source: str | None = None, source_ip: str | None = None) -> bytes:
    """Encode a message as one frame; `source` and `source_ip` replace the message's own when given.

    Raises FrameError for a field that does not fit: `xid` and `sid` 32 octets, `meid` 31, `source` 63,
    `mtype` and `sub_id` 32-bit signed.
    """
    trace, d2, payload = message.trace, message.d2, message.payload
    d1 = message.d1.ljust(4, b"\0")
    total = _SMALLEST + len(trace) + len(d1) + len(d2) + len(payload)
    try:
        header = _HEADER.pack(
            message.mtype,
            len(payload),
            VERSION,
            _octets("xid", message.xid, 32),
            _octets("sid", message.sid, 32),
            _text("source", message.source if source is None else source, 63),
            _text("meid", message.meid, 31),
            _swap(message.flags),
            HEADER_OCTETS,
            len(trace),
            len(d1),
            len(d2),
            message.sub_id,
            _text("source_ip", message.source_ip if source_ip is None else source_ip, 63),
        )
        prefix = _LENGTH.pack(total) + total.to_bytes(4, "big")
    except (struct.error, OverflowError) as error:
        raise FrameError(f"a header field does not fit: {error}", reason="does_not_fit") from error
    return b"".join((prefix, _PREFIX_TAIL, header, trace, d1, d2, payload))


def decode_frame(frame: bytes, *, received_s: float = 0.0) -> RmrMessage:
    """Decode exactly one whole frame; raises FrameError when it is none."""
    reader = FrameReader(max_frame_octets=max(len(frame), _SMALLEST))
    reader.feed(frame)
    message = reader.next_message(received_s)
    if message is None or reader.pending_octets:
        raise FrameError(f"{len(frame)} octets are not exactly one frame")
    return message


class FrameReader:
    """Cuts a byte stream into messages: `feed` what was read, then call `next_message` until it gives None.

    It holds at most one unfinished frame and one read of the socket. After a FrameError the stream is lost:
    the connection must be closed.
    """

    __slots__ = ("_buffer", "_max_frame_octets", "_position")

    def __init__(self, max_frame_octets: int = DEFAULT_MAX_FRAME_OCTETS) -> None:
        self._max_frame_octets = max_frame_octets
        self._buffer: bytes | bytearray = b""
        self._position = 0

    @property
    def pending_octets(self) -> int:
        """Octets of a frame that has begun and is not complete."""
        return len(self._buffer) - self._position

    def feed(self, data: bytes) -> None:
        """Append octets as they came from the socket."""
        if self._position == len(self._buffer):
            self._buffer = data
        elif isinstance(self._buffer, bytearray) and self._position == 0:
            self._buffer += data
        else:
            self._buffer = bytearray(self._buffer[self._position :]) + data
        self._position = 0

    def next_message(self, received_s: float = 0.0, connection: object | None = None) -> RmrMessage | None:
        """The next whole message, or None while octets are missing; raises FrameError on a broken stream."""
        buffer, start = self._buffer, self._position
        available = len(buffer) - start
        if available < 4:
            return None
        # Where the two lengths of the prefix disagree librmr goes by the first, so the second adds nothing.
        total: int = _LENGTH.unpack_from(buffer, start)[0]
        if total < _SMALLEST:
            raise FrameError(f"a frame of {total} octets is shorter than its headers", reason="bad_length")
        if total > self._max_frame_octets:
            raise FrameError(
                f"a frame of {total} octets exceeds the limit of {self._max_frame_octets}", reason="too_large"
            )
        if available < total:
            return None
        self._position = start + total
        return _decode(buffer, start, total, received_s, connection)


def _decode(
    buffer: bytes | bytearray, start: int, total: int, received_s: float, connection: object | None
) -> RmrMessage:
    head = _HEADER.unpack_from(buffer, start + PREFIX_OCTETS)
    mtype, payload_octets, version, xid, sid, source, meid, flags = head[:8]
    header_octets, trace_octets, d1_octets, d2_octets, sub_id, source_ip = head[8:]
    if version != VERSION:
        raise FrameError(f"RMR header version {version} is not {VERSION}", reason="bad_version")
    trace_at = start + PREFIX_OCTETS + header_octets
    d1_at = trace_at + trace_octets
    d2_at = d1_at + d1_octets
    payload_at = d2_at + d2_octets
    end = payload_at + payload_octets
    if header_octets < HEADER_OCTETS or payload_octets < 0 or end > start + total:
        raise FrameError("the lengths in the header exceed the frame", reason="bad_header")
    return RmrMessage(
        mtype,
        bytes(buffer[payload_at:end]),
        sub_id,
        meid.split(b"\0", 1)[0].decode("latin-1"),
        xid.rstrip(b"\0"),
        source.split(b"\0", 1)[0].decode("latin-1"),
        source_ip.split(b"\0", 1)[0].decode("latin-1"),
        _swap(flags),
        bytes(buffer[d1_at:d2_at]),
        bytes(buffer[trace_at:d1_at]),
        bytes(buffer[d2_at:payload_at]),
        sid.rstrip(b"\0"),
        received_s,
        connection,
    )


def _swap(flags: int) -> int:
    return int.from_bytes(flags.to_bytes(4, "big"), "little") if flags else 0


def _octets(name: str, value: bytes, limit: int) -> bytes:
    if len(value) > limit:
        raise FrameError(f"{name} of {len(value)} octets exceeds {limit}", reason="does_not_fit")
    return value


def _text(name: str, value: str, limit: int) -> bytes:
    try:
        raw = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise FrameError(f"{name} {value!r} has characters outside Latin-1", reason="does_not_fit") from error
    if len(raw) > limit or b"\0" in raw:
        raise FrameError(f"{name} {value!r} exceeds {limit} octets or holds a NUL", reason="does_not_fit")
    return raw
