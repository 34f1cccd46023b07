"""The E2 termination: associations with E2 nodes on one side, RMR on the other.

Indications go out as RMR 12050 and control requests (12040) come in, both with the E2AP PDU unchanged in the
payload, as OSC's e2term does it; everything else of E2AP is answered here or handed to the subscriptions.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Protocol

from oran.e2.association import Association
from oran.e2.e2ap.codec import decode, encode
from oran.e2.e2ap.messages import (
    Cause,
    ComponentConfigAck,
    E2apMessage,
    E2ConnectionUpdateAcknowledge,
    E2ConnectionUpdateFailure,
    E2NodeConfigurationUpdate,
    E2NodeConfigurationUpdateAcknowledge,
    E2RemovalFailure,
    E2RemovalRequest,
    E2RemovalResponse,
    E2SetupFailure,
    E2SetupRequest,
    E2SetupResponse,
    ErrorIndication,
    FunctionRef,
    GlobalRicId,
    ResetRequest,
    ResetResponse,
    RicControlAcknowledge,
    RicControlFailure,
    RicIndication,
    RicServiceUpdate,
    RicServiceUpdateAcknowledge,
    RicSubscriptionDeleteFailure,
    RicSubscriptionDeleteRequired,
    RicSubscriptionDeleteResponse,
    RicSubscriptionFailure,
    RicSubscriptionResponse,
    TimeToWait,
)
from oran.e2.errors import DecodeError, E2Error, EncodeError, TransportError
from oran.logs import get_logger
from oran.ric.config import RicConfig
from oran.ric.counters import RicCounters
from oran.ric.node_link import NodeLink
from oran.ric.nodes import Node, NodeRegistry
from oran.rmr.message import RmrMessage
from oran.rmr.transport import SendResult
from oran.rmr.types import RIC_CONTROL_ACK, RIC_CONTROL_FAILURE, RIC_INDICATION

log = get_logger(__name__)

MESSAGES_PER_TURN = 32
"""Messages taken from one association before the other tasks of the loop get their turn."""

MAX_MEID_OCTETS = 31
_SETUP_REQUEST = b"\x00\x01"
_CONTROL_REQUEST = b"\x00\x04"
_SYNTAX_ERROR = Cause("protocol", "transfer-syntax-error")
_WRONG_STATE = Cause("protocol", "message-not-compatible-with-receiver-state")

SubscriptionAnswer = (
    RicSubscriptionResponse | RicSubscriptionFailure | RicSubscriptionDeleteResponse | RicSubscriptionDeleteFailure
)


class NodeEvents(Protocol):
    """What the rest of the RIC hears about nodes."""

    def node_connected(self, node: Node) -> None:
        """A node has been set up, perhaps anew; it has no subscriptions."""
        ...

    def node_lost(self, node: Node) -> None:
        """A node has forgotten its subscriptions: it is gone, set up anew or was reset."""
        ...

    def subscription_answered(self, node: Node, answer: SubscriptionAnswer) -> None:
        """A node has answered a subscription or delete request."""
        ...

    def delete_required(self, node: Node, message: RicSubscriptionDeleteRequired) -> None:
        """A node wants subscriptions ended."""
        ...

    def functions_deleted(self, node: Node, function_ids: frozenset[int]) -> None:
        """A node has withdrawn RAN functions."""
        ...


class Termination:
    """Serves every association; `handle` runs for as long as one lives.

    The indication path costs one decode of the E2AP envelope and one RMR send for each indication.
    """

    def __init__(
        self,
        config: RicConfig,
        nodes: NodeRegistry,
        events: NodeEvents,
        counters: RicCounters,
        send: Callable[[RmrMessage], SendResult],
    ) -> None:
        self._config = config
        self._nodes = nodes
        self._events = events
        self._counters = counters
        self._send = send
        self._links: set[NodeLink] = set()
        self._transactions = 0

    async def handle(self, association: Association) -> None:
        """Serve one association until it ends; whatever its peer sends harms no other."""
        if len(self._links) >= self._config.max_nodes:
            self._counters.drop("association_limit")
            association.close()
            return
        link = NodeLink(association, self._counters, self._config.node_queue_messages)
        self._links.add(link)
        try:
            await self._serve(link)
        except DecodeError as error:
            self._counters.drop("e2_malformed")
            log.warning("e2_association_cut_off", node=_name(link), reason=str(error))
            await link.flush()
        except (E2Error, OSError) as error:
            log.info("e2_association_ended", node=_name(link), reason=str(error))
        finally:
            self._links.discard(link)
            self._release(link)
            await link.close()

    async def close(self) -> None:
        """Close every association."""
        await asyncio.gather(*(link.close() for link in list(self._links)))

    def control(self, message: RmrMessage) -> None:
        """Forward an xApp's control request (RMR 12040) to the node its MEID names, unchanged."""
        node = self._nodes.get(message.meid)
        if node is None or not node.connected:
            self._counters.drop("control_unknown_node")
        elif message.payload[:2] != _CONTROL_REQUEST:
            self._counters.drop("control_no_request")
        elif node.send(message.payload):
            self._counters.controls += 1

    async def _serve(self, link: NodeLink) -> None:
        receive = link.association.receive
        try:
            async with asyncio.timeout(self._config.setup_timeout_s):
                pdu = await receive()
        except TimeoutError:
            raise TransportError(f"no E2 setup within {self._config.setup_timeout_s:g} s") from None
        for number in itertools.count(1):
            message = self._decode(link, pdu)
            if type(message) is RicIndication and link.node is not None:
                self._counters.indications += 1
                self._forward(RIC_INDICATION, link.node, message.request_id.instance, pdu)
            elif not await self._dispatch(link, message, pdu):
                return
            if number % MESSAGES_PER_TURN == 0:
                await asyncio.sleep(0)
            pdu = await receive()

    def _decode(self, link: NodeLink, pdu: bytes) -> E2apMessage:
        try:
            return decode(pdu)
        except DecodeError:
            if pdu[:2] == _SETUP_REQUEST:
                self._answer(link, E2SetupFailure(0, _SYNTAX_ERROR, TimeToWait.V10S))
            else:
                self._answer(link, ErrorIndication(cause=_SYNTAX_ERROR))
            raise

    async def _dispatch(self, link: NodeLink, message: E2apMessage, pdu: bytes) -> bool:
        """Act on anything but an indication; false when the association is to be closed."""
        if isinstance(message, E2SetupRequest):
            return await self._set_up(link, message)
        node = link.node
        if node is None:
            self._counters.drop("e2_before_setup")
            log.warning("e2_before_setup", message=type(message).__name__)
            self._answer(link, ErrorIndication(cause=_WRONG_STATE))
            await link.flush()
            return False
        match message:
            case RicControlAcknowledge():
                self._forward(RIC_CONTROL_ACK, node, message.request_id.instance, pdu)
            case RicControlFailure():
                self._forward(RIC_CONTROL_FAILURE, node, message.request_id.instance, pdu)
            case (
                RicSubscriptionResponse()
                | RicSubscriptionFailure()
                | RicSubscriptionDeleteResponse()
                | RicSubscriptionDeleteFailure()
            ):
                self._events.subscription_answered(node, message)
            case RicSubscriptionDeleteRequired():
                self._events.delete_required(node, message)
            case RicServiceUpdate():
                self._answer(link, self._update_functions(node, message))
            case E2NodeConfigurationUpdate():
                self._answer(link, _configuration_ack(message))
            case ResetRequest():
                self._events.node_lost(node)
                self._answer(link, ResetResponse(message.transaction_id))
            case E2RemovalRequest():
                self._answer(link, E2RemovalResponse(message.transaction_id))
                await link.flush()
                return False
            case ErrorIndication():
                self._counters.drop("error_indication")
                log.warning("e2_error_indication", node=node.name, cause=str(message.cause))
            case ResetResponse() | E2RemovalResponse() | E2RemovalFailure():
                pass
            case E2ConnectionUpdateAcknowledge() | E2ConnectionUpdateFailure():
                pass
            case _:
                self._counters.drop("e2_unexpected")
                self._answer(link, ErrorIndication(cause=_WRONG_STATE))
        return True

    async def _set_up(self, link: NodeLink, request: E2SetupRequest) -> bool:
        name = request.node_id.ran_name
        functions = {function.function_id: function for function in request.functions}
        known = self._nodes.get(name)
        if len(name) > MAX_MEID_OCTETS or len(functions) != len(request.functions):
            cause = Cause("protocol", "semantic-error")
            self._answer(link, E2SetupFailure(request.transaction_id, cause, TimeToWait.V60S))
            return True
        if link.node is not None and link.node is not known:
            self._release(link)
        if known is not None and known.link is not None:
            old = known.link
            known.link = None
            old.node = None
            self._events.node_lost(known)
            if old is not link:
                log.warning("e2_node_taken_over", node=name)
                await old.close()
        node = Node(name, request.node_id, functions, link)
        if not self._nodes.add(node):
            cause = Cause("misc", "control-processing-overload")
            self._answer(link, E2SetupFailure(request.transaction_id, cause, TimeToWait.V60S))
            return True
        link.node = node
        log.info("e2_node_connected", node=name, functions=sorted(functions))
        self._answer(
            link,
            E2SetupResponse(
                request.transaction_id,
                GlobalRicId(self._config.plmn_octets, self._config.ric_id),
                tuple(FunctionRef(item.function_id, item.revision) for item in request.functions),
                (),
                tuple(ComponentConfigAck(item.component) for item in request.components),
            ),
        )
        self._events.node_connected(node)
        return True

    def _update_functions(self, node: Node, update: RicServiceUpdate) -> RicServiceUpdateAcknowledge:
        changed = (*update.added, *update.modified)
        node.functions.update({function.function_id: function for function in changed})
        for function in update.deleted:
            node.functions.pop(function.function_id, None)
        if update.deleted:
            self._events.functions_deleted(node, frozenset(item.function_id for item in update.deleted))
        accepted = tuple(FunctionRef(function.function_id, function.revision) for function in changed)
        return RicServiceUpdateAcknowledge(update.transaction_id, accepted + update.deleted)

    def _forward(self, mtype: int, node: Node, sub_id: int, pdu: bytes) -> None:
        self._transactions += 1
        result = self._send(
            RmrMessage(mtype, pdu, sub_id=sub_id, meid=node.name, xid=b"%15d" % self._transactions)
        )
        if not result:
            self._counters.drop(f"to_xapp_{result.value}")

    def _answer(self, link: NodeLink, message: E2apMessage) -> None:
        try:
            link.send(encode(message))
        except EncodeError as error:
            self._counters.drop("e2_encode")
            log.error("e2_answer_not_encoded", node=_name(link), reason=str(error))

    def _release(self, link: NodeLink) -> None:
        """Mark the node of an association that ends as disconnected."""
        node, link.node = link.node, None
        if node is not None and node.link is link:
            node.link = None
            log.info("e2_node_disconnected", node=node.name)
            self._events.node_lost(node)


def _configuration_ack(update: E2NodeConfigurationUpdate) -> E2NodeConfigurationUpdateAcknowledge:
    return E2NodeConfigurationUpdateAcknowledge(
        update.transaction_id,
        tuple(ComponentConfigAck(item.component) for item in update.added),
        tuple(ComponentConfigAck(item.component) for item in update.updated),
        tuple(ComponentConfigAck(component) for component in update.removed),
    )


def _name(link: NodeLink) -> str:
    return link.node.name if link.node is not None else "?"
