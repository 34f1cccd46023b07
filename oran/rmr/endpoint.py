"""The RMR endpoint on asyncio: what librmr does for a C program, in pure Python and on one event loop."""

import asyncio
import socket
import uuid
from dataclasses import replace
from types import TracebackType
from typing import Self

from oran.rmr.address import is_unspecified, join_address, outward_ip
from oran.rmr.calls import PendingCalls
from oran.rmr.config import RmrConfig
from oran.rmr.control import RouteControl
from oran.rmr.errors import CallError, CallTimeout, RmrError, RouteTableError
from oran.rmr.inbox import Inbox
from oran.rmr.message import CALL_FLAG, RmrMessage
from oran.rmr.plane import Plane
from oran.rmr.routes import RouteCollector, RouteTable
from oran.rmr.transport import Counters, SendResult
from oran.rmr.types import HEALTH_CHECK_REQ, HEALTH_CHECK_RESP


class RmrEndpoint:
    """A `Transport` over TCP, wire-compatible with librmr 4.9 (SI95, header version 3).

    Messages that cannot be sent or kept are dropped and counted in `counters.dropped` by reason; nothing
    blocks and nothing grows without bound. All methods belong to the event loop that called `start`.
    """

    def __init__(self, config: RmrConfig | None = None) -> None:
        self.config = config or RmrConfig()
        self._counters = Counters()
        unspecified = is_unspecified(self.config.bind_host)
        bound = socket.gethostname().partition(".")[0][:57] if unspecified else self.config.bind_host
        self._name = self.config.source_name or bound
        self._own_ip = outward_ip() if unspecified else self.config.bind_host
        self._ip = self._name if self.config.source_name_only else self._own_ip
        self._collector = RouteCollector()
        self._inbox = self._new_inbox()
        self._calls = PendingCalls()
        self._data: Plane | None = None
        self._control: RouteControl | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host name and data port as peers know them; port 0 before start."""
        return self._name, self._data.port if self._data is not None else 0

    @property
    def control_port(self) -> int:
        """The port for route tables, 0 when not listening."""
        return self._control.port if self._control is not None else 0

    @property
    def ready(self) -> bool:
        """Whether it runs and has a route table."""
        return self._data is not None and self._collector.loaded

    @property
    def counters(self) -> Counters:
        """What was received, sent and dropped so far."""
        return self._counters

    @property
    def routes(self) -> RouteTable:
        """The route table in force."""
        return self._collector.table

    @property
    def peer_count(self) -> int:
        """Destinations for data that are connected or remembered."""
        return self._data.peer_count if self._data is not None else 0

    def load_routes(self, text: str) -> None:
        """Load route-table text of a running endpoint.

        Raises RouteTableError when no table ends in it or one is refused; what was in force before stays.
        """
        states = self._collector.load(text)
        refused = [state.reason for state in states if not state.accepted]
        if refused or not states:
            raise RouteTableError("; ".join(refused) or "no table ended in this text")

    async def start(self) -> None:
        """Listen and read the route table; raises OSError when a port is taken."""
        if self._data is not None:
            raise RmrError("the endpoint is already started")
        self._inbox = self._new_inbox()
        data = Plane(self.config, self._counters, self._deliver, name=self._name, ip=self._ip)
        control = RouteControl(self.config, self._collector, self._counters, name=self._name, ip=self._ip)
        try:
            await data.listen(self.config.port)
            self._collector.own_addresses = frozenset((data.source, join_address(self._own_ip, data.port)))
            await control.start(data.source)
        except BaseException:
            await control.stop()
            await data.close()
            raise
        self._data, self._control = data, control

    async def stop(self) -> None:
        """Close everything; waiting receivers and callers are released. A second call does nothing."""
        data, control, self._data, self._control = self._data, self._control, None, None
        self._inbox.close()
        self._calls.fail_all("the RMR endpoint is stopped")
        if control is not None:
            await control.stop()
        if data is not None:
            await data.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def receive(self) -> RmrMessage:
        """Wait for the next message; raises TransportClosed once stopped and drained."""
        return await self._inbox.get()

    def receive_nowait(self) -> RmrMessage | None:
        """The next message if one waits."""
        return self._inbox.get_nowait()

    def send(self, message: RmrMessage) -> SendResult:
        """Route a message by (mtype, sub_id), a copy to each group; on SENT its octets have left."""
        if message.call_id or message.is_call:  # a received message sent on is nobody's call any more
            message = replace(message, flags=message.flags & ~CALL_FLAG, d1=b"\0" + message.d1[1:])
        return self._send(message)

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        """Return to sender: to the request's source, else on its connection, else to its source IP.

        A source that is not connected yet is tried first; the reply then waits for that attempt.
        """
        if self._data is None:
            return self._lost("closed", SendResult.CLOSED)
        return self._data.reply(request, mtype, payload)

    async def call(self, message: RmrMessage, timeout_s: float) -> RmrMessage:
        """Send and wait for the answer, which carries our call id and transaction id (made when empty).

        Raises CallTimeout when none came in time, CallError when the message cannot be sent.
        """
        xid = message.xid or uuid.uuid4().hex.encode()
        call_id, answer = self._calls.open(xid)
        d1 = bytes((call_id, 0, 0, 0))
        try:
            result = self._send(replace(message, xid=xid, flags=message.flags | CALL_FLAG, d1=d1))
            if not result:
                raise CallError(f"the call of type {message.mtype} cannot be sent: {result.value}")
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError as error:
            raise CallTimeout(f"no answer to type {message.mtype} within {timeout_s} s") from error
        finally:
            self._calls.close(call_id)

    def _send(self, message: RmrMessage) -> SendResult:
        if self._data is None:
            return self._lost("closed", SendResult.CLOSED)
        targets = self._collector.table.targets(message.mtype, message.sub_id, message.meid)
        if not targets:
            return self._lost("no_route", SendResult.NO_ROUTE)
        return self._data.send(targets, message)

    def _deliver(self, message: RmrMessage) -> None:
        if message.call_id and not message.is_call:
            kept, reason = self._calls.answer(message), "late_answer"
        elif message.mtype == HEALTH_CHECK_REQ and self.config.answer_health_checks:
            self.reply(message, HEALTH_CHECK_RESP, b"OK\n")
            return
        else:
            kept, reason = self._inbox.put(message), "receive_queue_full"
        if kept:
            self._counters.received += 1
        else:
            self._counters.drop(reason)

    def _lost(self, reason: str, result: SendResult) -> SendResult:
        self._counters.drop(reason)
        return result

    def _new_inbox(self) -> Inbox:
        return Inbox(max_messages=self.config.receive_queue_messages, max_octets=self.config.receive_queue_octets)
