"""Calls that wait for their answer, told apart by the call id in d1[0] and the transaction id."""

import asyncio
from dataclasses import dataclass

from oran.rmr.errors import CallError
from oran.rmr.message import RmrMessage

FIRST_CALL_ID = 2
"""Ids 0 and 1 mean "no call" and librmr's single-threaded rmr_call."""
LAST_CALL_ID = 255


@dataclass(frozen=True, slots=True)
class _Call:
    xid: bytes
    answer: asyncio.Future[RmrMessage]


class PendingCalls:
    """Up to 254 calls at a time; ids go round, so that a late answer seldom meets a new call's id."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._last_id = LAST_CALL_ID

    def open(self, xid: bytes) -> tuple[int, asyncio.Future[RmrMessage]]:
        """Take a free call id; raises CallError when all are in use."""
        for _ in range(FIRST_CALL_ID, LAST_CALL_ID + 1):
            self._last_id = self._last_id + 1 if self._last_id < LAST_CALL_ID else FIRST_CALL_ID
            if self._last_id not in self._calls:
                answer: asyncio.Future[RmrMessage] = asyncio.get_running_loop().create_future()
                self._calls[self._last_id] = _Call(xid.rstrip(b"\0"), answer)
                return self._last_id, answer
        raise CallError(f"{len(self._calls)} calls wait already")

    def close(self, call_id: int) -> None:
        """Give a call id back."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            call.answer.cancel()

    def answer(self, message: RmrMessage) -> bool:
        """Hand a message to the caller that waits for it; false when there is none."""
        call = self._calls.get(message.call_id)
        if call is None or call.answer.done() or call.xid != message.xid:
            return False
        call.answer.set_result(message)
        return True

    def fail_all(self, reason: str) -> None:
        """Release every caller with a CallError."""
        for call in self._calls.values():
            if not call.answer.done():
                call.answer.set_exception(CallError(reason))
