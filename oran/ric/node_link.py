"""One E2 association on the RIC's side, and what waits to be sent on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oran.e2.association import Association
from oran.e2.errors import E2Error
from oran.ric.counters import RicCounters

if TYPE_CHECKING:
    from oran.ric.nodes import Node

SEND_TIMEOUT_S = 10.0
"""A node that takes nothing for so long is cut off."""


class NodeLink:
    """One association and its bounded queue of messages to send, so that a slow node slows nobody else."""

    def __init__(self, association: Association, counters: RicCounters, queue_messages: int) -> None:
        self.association = association
        self.node: Node | None = None
        self._counters = counters
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(queue_messages)
        self._writer = asyncio.create_task(self._write(), name="e2-writer")

    def send(self, pdu: bytes) -> bool:
        """Queue a PDU; false, and counted, when the node does not keep up."""
        try:
            self._queue.put_nowait(pdu)
        except asyncio.QueueFull:
            self._counters.drop("node_queue_full")
            return False
        return True

    async def close(self) -> None:
        """Stop writing and close the association."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        self.association.close()

    async def flush(self) -> None:
        """Wait, at most a second, until everything queued is written."""
        joined = asyncio.create_task(self._queue.join())
        await asyncio.wait([joined, self._writer], timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
        joined.cancel()

    async def _write(self) -> None:
        try:
            while True:
                pdu = await self._queue.get()
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await self.association.send(pdu)
                self._queue.task_done()
        except (TimeoutError, E2Error, OSError):
            self._counters.drop("node_unreachable", 1 + self._queue.qsize())
            self.association.close()
