"""E2 messages over sockets that keep boundaries: SCTP (one-to-one style, RFC 6458) and AF_UNIX SEQPACKET."""

import asyncio
import errno
import socket
import struct
from time import perf_counter

from oran.e2.association.address import IPPROTO_SCTP
from oran.e2.association.base import PEER_CLOSED, TOO_LARGE, TRUNCATED, Association
from oran.e2.errors import TransportError

E2_CP_PPID = 70
"""SCTP payload protocol identifier of E2 (O-RAN.WG3.E2AP clause 7)."""
READS_PER_WAKE = 32
"""Messages read in one go before other tasks of the loop get their turn."""

_SCTP_NODELAY = 3
_SCTP_DEFAULT_SEND_PARAM = 10
_SNDRCVINFO = struct.Struct("=HHHxxIIIIIi")


def prepare_sctp(sock: socket.socket) -> None:
    """Give a socket E2's payload protocol identifier and no send delay."""
    parameters = _SNDRCVINFO.pack(0, 0, 0, socket.htonl(E2_CP_PPID), 0, 0, 0, 0, 0)
    sock.setsockopt(IPPROTO_SCTP, _SCTP_DEFAULT_SEND_PARAM, parameters)
    sock.setsockopt(IPPROTO_SCTP, _SCTP_NODELAY, 1)


class PacketAssociation(Association):
    """An association on a connected, non-blocking SCTP or SEQPACKET socket, which it owns."""

    def __init__(self, sock: socket.socket, peer: str, max_message: int) -> None:
        super().__init__(peer, max_message)
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._in_parts = sock.proto == IPPROTO_SCTP
        """SCTP may hand a long message over in parts and marks the last; SEQPACKET cuts what is too long."""
        self._buffer = bytearray(max_message + 1)
        self._parts = bytearray()
        self._sending = asyncio.Lock()
        self._writable: asyncio.Future[None] | None = None
        self._resume_reading()

    async def send(self, pdu: bytes) -> None:
        self._check(pdu)
        async with self._sending:
            while True:
                self._check(pdu)
                try:
                    self._socket.send(pdu)
                except (BlockingIOError, InterruptedError):
                    await self._until_writable()
                except OSError as error:
                    if error.errno == errno.EMSGSIZE:
                        raise TransportError(
                            f"{self.peer}: the socket takes no message of {len(pdu)} octets"
                        ) from None
                    self._end(f"lost: {error}")
                else:
                    return

    async def _until_writable(self) -> None:
        writable = self._writable = self._loop.create_future()
        self._loop.add_writer(self._socket, _settle, writable)
        try:
            await writable
        finally:
            self._writable = None
            if self.reason is None:
                self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        for _ in range(READS_PER_WAKE):
            if self._paused or self.reason is not None:
                return
            try:
                size, _, flags, _ = self._socket.recvmsg_into([self._buffer])
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._end(f"lost: {error}")
                return
            if size == 0:
                self._end(TRUNCATED if self._parts else PEER_CLOSED)
                return
            self._take(size, flags, perf_counter())

    def _take(self, size: int, flags: int, now_s: float) -> None:
        """Deliver what was read, once it is a whole message."""
        whole = not self._in_parts or bool(flags & socket.MSG_EOR)
        if size + len(self._parts) > self.max_message or flags & socket.MSG_TRUNC:
            self._end(TOO_LARGE)
        elif not whole:
            self._parts += self._buffer[:size]
            self._expect_rest(True)
        elif self._parts:
            pdu = bytes(self._parts + self._buffer[:size])
            self._parts.clear()
            self._expect_rest(False)
            self._deliver(pdu, now_s)
        else:
            self._deliver(bytes(memoryview(self._buffer)[:size]), now_s)

    def _pause_reading(self) -> None:
        self._loop.remove_reader(self._socket)

    def _resume_reading(self) -> None:
        self._loop.add_reader(self._socket, self._read)

    def _shut(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        if self._writable is not None:
            _settle(self._writable)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
