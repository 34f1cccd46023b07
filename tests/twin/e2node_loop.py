"""A live RIC and an xApp on loopback, for tests of E2 nodes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from starlette.applications import Starlette

from oran.e2.e2ap.codec import decode, encode
from oran.e2.e2ap.messages import (
    Action,
    ActionType,
    ControlAckRequest,
    E2apMessage,
    RicControlRequest,
    RicIndication,
    RicRequestId,
)
from oran.e2.kpm.codec import encode_action_definition, encode_event_trigger
from oran.e2.kpm.messages import ActionDefinition, EventTrigger
from oran.nodes import NodesClient
from oran.rest import serve
from oran.ric import NearRtRic, RicConfig
from oran.rmr import RmrConfig, RmrEndpoint, RmrMessage, TransportClosed
from oran.rmr.types import RIC_CONTROL_ACK, RIC_CONTROL_FAILURE, RIC_CONTROL_REQ, RIC_INDICATION
from oran.subscriptions import ClientEndpoint, Subscription, SubscriptionClient

WAIT_S = 15.0


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; TimeoutError after WAIT_S."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def ric_config(e2_port: int = 0) -> RicConfig:
    """Free ports, but for E2 where one is given."""
    return RicConfig(
        e2_address=f"tcp://127.0.0.1:{e2_port}",
        rmr_port=0,
        subscription_port=0,
        a1_port=0,
        e2mgr_port=0,
        appmgr_port=0,
    )


@dataclass
class Xapp:
    """Subscribes, controls, and keeps what comes."""

    rmr: RmrEndpoint
    subscriptions: SubscriptionClient
    nodes: NodesClient
    received: list[RmrMessage]

    async def subscribe(
        self, node: str, function_id: int, definition: ActionDefinition, period_ms: int = 100
    ) -> Subscription:
        action = Action(1, ActionType.REPORT, encode_action_definition(definition))
        return await self.subscriptions.subscribe(
            node, function_id, encode_event_trigger(EventTrigger(period_ms)), [action]
        )

    def indications(self, node: str) -> list[RicIndication]:
        messages = [item for item in self.received if item.mtype == RIC_INDICATION and item.meid == node]
        decoded = [decode(item.payload) for item in messages]
        return [item for item in decoded if isinstance(item, RicIndication)]

    async def control(
        self,
        subscription: Subscription,
        function_id: int,
        header: bytes,
        message: bytes,
        ack: ControlAckRequest | None = ControlAckRequest.ACK,
    ) -> None:
        node = subscription.spec.meid
        request_id = RicRequestId(123, subscription.instance_id)
        pdu = encode(RicControlRequest(request_id, function_id, header, message, ack))
        await until(lambda: self.rmr.routes.targets(RIC_CONTROL_REQ, -1, node))
        assert self.rmr.send(RmrMessage(RIC_CONTROL_REQ, pdu, meid=node))

    def answers(self) -> list[E2apMessage]:
        kinds = (RIC_CONTROL_ACK, RIC_CONTROL_FAILURE)
        return [decode(item.payload) for item in self.received if item.mtype in kinds]


@asynccontextmanager
async def xapp_on(ric: NearRtRic) -> AsyncIterator[Xapp]:
    rmr = RmrEndpoint(RmrConfig(control_port=0, route_manager=ric.addresses["rmr"], request_period_s=0.2))
    await rmr.start()
    endpoint = ClientEndpoint("127.0.0.1", 0, rmr.address[1])
    subscriptions = SubscriptionClient(ric.addresses["subscription"], endpoint)
    web = await serve(Starlette(routes=subscriptions.routes()), "127.0.0.1", 0)
    subscriptions.endpoint = replace(endpoint, http_port=web.port)
    xapp = Xapp(rmr, subscriptions, NodesClient(ric.addresses["e2mgr"]), [])

    async def receive() -> None:
        try:
            while True:
                xapp.received.append(replace(await rmr.receive(), connection=None))
        except TransportClosed:
            return

    receiver = asyncio.create_task(receive())
    try:
        yield xapp
    finally:
        await rmr.stop()
        await receiver
        await subscriptions.close()
        await xapp.nodes.close()
        await web.stop()


@asynccontextmanager
async def running(*operations: asyncio.Task[None]) -> AsyncIterator[None]:
    """Tasks that run as long as the block."""
    try:
        yield
    finally:
        for task in operations:
            task.cancel()
        await asyncio.gather(*operations, return_exceptions=True)
