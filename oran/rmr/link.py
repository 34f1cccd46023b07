"""One TCP connection, of either direction: bytes to messages, frames to the socket, and its limits."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from oran.logs import get_logger
from oran.rmr.config import RmrConfig
from oran.rmr.errors import FrameError
from oran.rmr.frame import FrameReader
from oran.rmr.message import RmrMessage
from oran.rmr.transport import Counters, SendResult

_KEEPALIVE_PROBES = 3

log = get_logger(__name__)


@dataclass(slots=True)
class LinkContext:
    """What the links of one port share: the limits, the counts and where messages go."""

    config: RmrConfig
    counters: Counters
    deliver: Callable[[RmrMessage], None]
    links: set["Link"] = field(default_factory=set)


class Link(asyncio.Protocol):
    """Reads frames as they arrive and writes frames at once (asyncio sets TCP_NODELAY on its TCP sockets).

    A peer that sends anything but frames, or leaves one unfinished for `frame_timeout_s`, is cut off.
    """

    def __init__(self, context: LinkContext, *, inbound: bool, on_lost: Callable[[], None] | None = None) -> None:
        self._context = context
        self._inbound = inbound
        self._on_lost = on_lost
        self._reader = FrameReader(context.config.max_frame_octets)
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.peer = ""

    @property
    def open(self) -> bool:
        """Whether frames can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        assert isinstance(transport, asyncio.Transport)
        name = transport.get_extra_info("peername")
        self.peer = f"{name[0]}:{name[1]}" if name else "?"
        links, limit = self._context.links, self._context.config.max_connections
        if self._inbound and len(links) >= limit:
            self._context.counters.drop("connection_limit")
            log.warning("rmr_connection_refused", peer=self.peer, limit=limit)
            transport.abort()
            return
        self._transport = transport
        _watch(transport.get_extra_info("socket"), self._context.config.silent_peer_s)
        links.add(self)

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into messages and deliver each with the time it was complete."""
        received_s = perf_counter()
        if not self.open:
            return
        reader, deliver = self._reader, self._context.deliver
        reader.feed(data)
        complete = False
        try:
            while (message := reader.next_message(received_s, self)) is not None:
                complete = True
                deliver(message)
        except FrameError as error:
            self._cut_off(error.reason, str(error))
            return
        if complete and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if reader.pending_octets and self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._context.config.frame_timeout_s, self._frame_timed_out)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._context.links.discard(self)
        self._transport = None
        self._reader = FrameReader(self._context.config.max_frame_octets)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._on_lost is not None:
            self._on_lost()

    def write(self, frame: bytes) -> SendResult:
        """Write one frame; the kernel has it on SENT, and a slow peer's backlog is bounded."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return SendResult.UNREACHABLE
        counters = self._context.counters
        if transport.get_write_buffer_size() + len(frame) > self._context.config.send_queue_octets:
            counters.drop("queue_full")
            return SendResult.QUEUE_FULL
        transport.write(frame)
        counters.sent += 1
        return SendResult.QUEUED if transport.get_write_buffer_size() else SendResult.SENT

    def socket_option(self, level: int, option: int) -> int:
        """An option of the socket, 0 when it is closed."""
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        return int(sock.getsockopt(level, option)) if sock is not None else 0

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _frame_timed_out(self) -> None:
        self._deadline = None
        self._cut_off("frame_timeout", f"{self._reader.pending_octets} octets of an unfinished frame")

    def _cut_off(self, reason: str, detail: str) -> None:
        self._context.counters.drop(reason)
        log.warning("rmr_peer_cut_off", peer=self.peer, reason=reason, detail=detail)
        self.abort()


class _Socket(Protocol):
    def setsockopt(self, level: int, option: int, value: int, /) -> None: ...


def _watch(sock: _Socket, silent_s: float) -> None:
    """Let the kernel close a connection whose other machine has vanished without a word."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    probe_s = max(1, round(silent_s / (_KEEPALIVE_PROBES + 1)))
    for name, value in (
        ("TCP_KEEPIDLE", probe_s),
        ("TCP_KEEPINTVL", probe_s),
        ("TCP_KEEPCNT", _KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", round(silent_s * 1000)),
    ):
        option = getattr(socket, name, None)  # Linux has them all, other systems some
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
