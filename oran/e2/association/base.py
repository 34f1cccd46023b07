"""What all kinds of E2 association share: a bounded inbox, and one end with its reason."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from oran.e2.errors import TransportError

MAX_MESSAGE = 1 << 20
"""Octets of the longest message taken or sent, unless told otherwise."""
INBOX_MESSAGES = 1024
INBOX_OCTETS = 4 << 20
"""Beyond either bound nothing more is read from the peer until the inbox has half emptied."""
STALL_S = 10.0
"""A message that has begun must end within this time."""

PEER_CLOSED = "closed by the peer"
LOCALLY_CLOSED = "closed here"
TOO_LARGE = "message too large"
EMPTY = "empty message"
TRUNCATED = "closed within a message"
STALLED = "message stalled"


class Association(ABC):
    """One E2 connection, keeping message boundaries; for one receiving and any number of sending tasks.

    `peer` tells who is at the other end; `received_s` is the `time.perf_counter` at which the last octet of
    the message last returned by `receive` arrived; `reason` says why the association ended, once it has.
    """

    def __init__(self, peer: str, max_message: int) -> None:
        self.peer = peer
        self.received_s = 0.0
        self.reason: str | None = None
        self.max_message = max_message
        self.on_close: Callable[[str], None] | None = None
        self._inbox: deque[tuple[bytes, float]] = deque()
        self._inbox_octets = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._stall: asyncio.TimerHandle | None = None

    @property
    def closed(self) -> bool:
        """Whether the association has ended; messages received before may still wait in the inbox."""
        return self.reason is not None

    @abstractmethod
    async def send(self, pdu: bytes) -> None:
        """Send one message, waiting while the peer is slow; TransportError when it cannot be sent."""

    async def receive(self) -> bytes:
        """Return the next message; TransportError once the association has ended and the inbox is empty."""
        while not self._inbox:
            if self.reason is not None:
                raise TransportError(f"{self.peer}: {self.reason}")
            if self._waiter is not None:
                raise TransportError(f"{self.peer}: another task is receiving")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        pdu, self.received_s = self._inbox.popleft()
        self._inbox_octets -= len(pdu)
        if self._paused and len(self._inbox) <= INBOX_MESSAGES // 2 and self._inbox_octets <= INBOX_OCTETS // 2:
            self._paused = False
            if self.reason is None:
                self._resume_reading()
        return pdu

    def close(self) -> None:
        """End the association; what was sent before still goes out."""
        self._end(LOCALLY_CLOSED)

    def _deliver(self, pdu: bytes, now_s: float) -> None:
        self._inbox.append((pdu, now_s))
        self._inbox_octets += len(pdu)
        if not self._paused and (len(self._inbox) >= INBOX_MESSAGES or self._inbox_octets >= INBOX_OCTETS):
            self._paused = True
            self._pause_reading()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expect_rest(self, partial: bool) -> None:
        """Start or stop the clock within which a message that has begun must end."""
        if partial and self._stall is None:
            loop = asyncio.get_running_loop()
            self._stall = loop.call_later(STALL_S, self._end, STALLED)
        elif not partial and self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _end(self, reason: str) -> None:
        """End once; later reasons are not looked at."""
        if self.reason is not None:
            return
        self.reason = reason
        self._expect_rest(False)
        self._shut()
        self._wake()
        if self.on_close is not None:
            self.on_close(reason)

    def _check(self, pdu: bytes) -> None:
        if self.reason is not None:
            raise TransportError(f"{self.peer}: {self.reason}")
        if not 0 < len(pdu) <= self.max_message:
            raise TransportError(f"{self.peer}: {len(pdu)} octets; 1..{self.max_message} can be sent")

    @abstractmethod
    def _pause_reading(self) -> None:
        """Stop reading from the peer."""

    @abstractmethod
    def _resume_reading(self) -> None:
        """Read from the peer again."""

    @abstractmethod
    def _shut(self) -> None:
        """Let go of the socket."""
