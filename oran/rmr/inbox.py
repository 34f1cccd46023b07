"""The bounded queue between the sockets and the application."""

import asyncio
from collections import deque

from oran.rmr.errors import TransportClosed
from oran.rmr.message import RmrMessage


class Inbox:
    """Messages waiting for the application, bounded in number and payload octets. It never blocks the sockets."""

    def __init__(self, *, max_messages: int, max_octets: int) -> None:
        self._max_messages = max_messages
        self._max_octets = max_octets
        self._messages: deque[RmrMessage] = deque()
        self._octets = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def put(self, message: RmrMessage) -> bool:
        """Append a message; false when it is full or closed, and the message is to be counted as lost."""
        octets = self._octets + len(message.payload)
        if self._closed or len(self._messages) >= self._max_messages or octets > self._max_octets:
            return False
        self._messages.append(message)
        self._octets = octets
        self._wake()
        return True

    def get_nowait(self) -> RmrMessage | None:
        """Take the oldest message, or None."""
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._octets -= len(message.payload)
        return message

    async def get(self) -> RmrMessage:
        """Wait for a message; raises TransportClosed when closed and empty."""
        while True:
            message = self.get_nowait()
            if message is not None:
                return message
            if self._closed:
                raise TransportClosed("the RMR endpoint is stopped")
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                elif self._messages:
                    self._wake()  # this wake-up was ours: hand it on, or another receiver would sleep on
                raise

    def close(self) -> None:
        """Take no more messages and release the waiting receivers."""
        self._closed = True
        while self._waiters:
            self._wake()

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
