"""E2 messages over TCP: each behind its length in 4 octets, most significant first."""

import asyncio
import socket
from time import perf_counter
from typing import cast

from oran.e2.association.base import EMPTY, LOCALLY_CLOSED, PEER_CLOSED, TOO_LARGE, TRUNCATED, Association
from oran.e2.errors import TransportError

PREFIX = 4


class StreamAssociation(Association, asyncio.Protocol):
    """An association on a TCP connection; the event loop calls its protocol side."""

    def __init__(self, max_message: int) -> None:
        super().__init__("", max_message)
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._writable: asyncio.Future[None] | None = None

    async def send(self, pdu: bytes) -> None:
        self._check(pdu)
        assert self._transport is not None
        self._transport.write(len(pdu).to_bytes(PREFIX, "big") + pdu)
        while self._writable is not None:
            await asyncio.shield(self._writable)
            if self.reason is not None:
                raise TransportError(f"{self.peer}: {self.reason}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else "unknown"
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        now_s = perf_counter()
        if self._buffer:
            self._buffer += data
            rest = self._take_messages(self._buffer, now_s)
            del self._buffer[:rest]
        else:
            rest = self._take_messages(data, now_s)
            self._buffer += data[rest:]
        if self.reason is None:
            self._expect_rest(bool(self._buffer))

    def _take_messages(self, data: bytes | bytearray, now_s: float) -> int:
        """Deliver every whole message in `data` and return where the rest begins."""
        position, size = 0, len(data)
        while size - position >= PREFIX and self.reason is None:
            start = position + PREFIX
            length = int.from_bytes(data[position:start], "big")
            if length > self.max_message:
                self._end(TOO_LARGE)
            elif length == 0:
                self._end(EMPTY)
            elif start + length > size:
                break
            else:
                position = start + length
                self._deliver(bytes(data[start:position]), now_s)
        return position if self.reason is None else size

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"lost: {error}" if error else TRUNCATED if self._buffer else PEER_CLOSED)
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _pause_reading(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()

    def _resume_reading(self) -> None:
        assert self._transport is not None
        self._transport.resume_reading()

    def _shut(self) -> None:
        if self._transport is None:
            return
        if self.reason == LOCALLY_CLOSED:
            self._transport.close()
        else:
            self._transport.abort()
