"""A node's link to the RIC: connect, E2 setup, serve, and connect again when the association is lost."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from oran.e2.association import Association, connect
from oran.e2.e2ap import messages as e2ap
from oran.e2.e2ap.codec import decode, encode
from oran.e2.errors import CodecError, DecodeError, TransportError
from oran.e2.identity import GlobalE2NodeId

_log = structlog.get_logger(__name__)

_WAITS_S = {"V1S": 1.0, "V2S": 2.0, "V5S": 5.0, "V10S": 10.0, "V20S": 20.0, "V60S": 60.0}
_NO_SETUP_MESSAGE = b"\x00"
"""Stands for the F1 setup messages of the component: there is no CU."""

Answer = Callable[[e2ap.E2apMessage], e2ap.E2apMessage | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTiming:
    """How long a setup may take, and the waits between attempts, growing from first to longest."""

    setup_timeout_s: float = 5.0
    first_backoff_s: float = 0.2
    longest_backoff_s: float = 5.0


class NodeLink:
    """Keeps one E2 node connected to `ric`, the URL of an E2 association.

    `answer` acts on each message of the RIC and gives the reply, if any; `lost` is called when the association is
    gone, at which point the RIC has forgotten all subscriptions. At most `queue_messages` indications wait to be
    sent; further ones are dropped and counted, so that a slow RIC does not hold up the node.
    """

    def __init__(
        self,
        ric: str,
        node_id: GlobalE2NodeId,
        functions: tuple[e2ap.RanFunction, ...],
        *,
        answer: Answer,
        lost: Callable[[], None],
        timing: LinkTiming | None = None,
        queue_messages: int = 512,
    ) -> None:
        self.name = node_id.ran_name
        self.connected = asyncio.Event()
        self.setups = self.sent = self.dropped = self.bad_messages = 0
        self._ric = ric
        self._node_id = node_id
        self._functions = functions
        self._answer = answer
        self._lost = lost
        self._timing = timing or LinkTiming()
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(queue_messages)

    async def run(self) -> None:
        """Connect, serve, and connect again after a growing wait, until cancelled."""
        wait_s = self._timing.first_backoff_s
        while True:
            asked_s = 0.0
            try:
                asked_s = await self._session()
            except (TransportError, CodecError, TimeoutError) as error:
                _log.info("e2_association_down", node=self.name, reason=str(error) or type(error).__name__)
            finally:
                served = self.connected.is_set()
                self._forget()
            wait_s = self._timing.first_backoff_s if served else wait_s
            await asyncio.sleep(max(asked_s, wait_s * random.uniform(0.8, 1.2)))
            wait_s = min(wait_s * 2, self._timing.longest_backoff_s)

    def indicate(self, pdu: bytes) -> bool:
        """Queue an indication; false, and counted, when too many wait."""
        try:
            self._outbox.put_nowait(pdu)
        except asyncio.QueueFull:
            self.dropped += 1
            return False
        return True

    async def indicate_when_free(self, pdu: bytes) -> None:
        """Queue an indication, waiting while too many wait."""
        await self._outbox.put(pdu)

    async def _session(self) -> float:
        """One association from setup to its end; the seconds the RIC asks to wait when it refuses the setup."""
        association = await connect(self._ric, timeout_s=self._timing.setup_timeout_s)
        sender: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(self._timing.setup_timeout_s):
                refused_s = await self._set_up(association)
            if refused_s is not None:
                return refused_s
            self.setups += 1
            self.connected.set()
            _log.info("e2_setup_done", node=self.name, ric=self._ric)
            sender = asyncio.create_task(self._send_queued(association), name=f"{self.name}-sender")
            while True:
                reply = self._reply(await association.receive())
                if reply is not None:
                    await association.send(encode(reply))
        finally:
            if sender is not None:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
            association.close()

    async def _set_up(self, association: Association) -> float | None:
        component = e2ap.ComponentConfig(
            e2ap.ComponentId("f1", number=self._node_id.du_id or 0), _NO_SETUP_MESSAGE, _NO_SETUP_MESSAGE
        )
        request = e2ap.E2SetupRequest(self.setups % 256, self._node_id, self._functions, (component,))
        await association.send(encode(request))
        while True:
            answer = decode(await association.receive())
            if isinstance(answer, e2ap.E2SetupResponse):
                return None
            if isinstance(answer, e2ap.E2SetupFailure):
                _log.warning("e2_setup_refused", node=self.name, cause=str(answer.cause))
                return 0.0 if answer.time_to_wait is None else _WAITS_S[answer.time_to_wait.name]

    async def _send_queued(self, association: Association) -> None:
        try:
            while True:
                await association.send(await self._outbox.get())
                self.sent += 1
        except TransportError as error:
            _log.info("e2_send_failed", node=self.name, reason=str(error))
            association.close()

    def _reply(self, pdu: bytes) -> e2ap.E2apMessage | None:
        try:
            message = decode(pdu)
        except DecodeError as error:
            self.bad_messages += 1
            _log.warning("undecodable_message", node=self.name, reason=str(error))
            return e2ap.ErrorIndication(cause=e2ap.Cause("protocol", "transfer-syntax-error"))
        match message:
            case e2ap.RicServiceQuery():
                known = {item.function_id for item in message.accepted}
                missing = tuple(item for item in self._functions if item.function_id not in known)
                return e2ap.RicServiceUpdate(message.transaction_id, added=missing)
            case e2ap.E2ConnectionUpdate():
                return _refuse_connections(message)
            case e2ap.E2RemovalRequest():
                return e2ap.E2RemovalResponse(message.transaction_id)
            case e2ap.ErrorIndication() | e2ap.RicServiceUpdateAcknowledge() | e2ap.RicServiceUpdateFailure():
                return None
            case e2ap.RicSubscriptionRequest() | e2ap.RicSubscriptionDeleteRequest() | e2ap.RicControlRequest():
                return self._answer(message)
            case e2ap.ResetRequest():
                self._answer(message)
                return e2ap.ResetResponse(message.transaction_id)
        self.bad_messages += 1
        return e2ap.ErrorIndication(cause=e2ap.Cause("protocol", "message-not-compatible-with-receiver-state"))

    def _forget(self) -> None:
        self.connected.clear()
        while not self._outbox.empty():
            self._outbox.get_nowait()
        self._lost()


def _refuse_connections(update: e2ap.E2ConnectionUpdate) -> e2ap.E2apMessage:
    """The node keeps the association it has: further ones fail, changes are taken note of."""
    cause = e2ap.Cause("transport", "transport-resource-unavailable")
    failed = tuple((item.tnl, cause) for item in update.added)
    return e2ap.E2ConnectionUpdateAcknowledge(update.transaction_id, update.modified, failed)
