"""A scripted E2 node and a scripted xApp that speak to a live RIC over loopback sockets."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oran.e2.association import Association, connect
from oran.e2.e2ap.codec import decode, encode
from oran.e2.e2ap.messages import (
    Cause,
    ComponentConfig,
    ComponentId,
    E2apMessage,
    E2SetupRequest,
    RanFunction,
    RicIndication,
    RicRequestId,
    RicSubscriptionDeleteRequest,
    RicSubscriptionDeleteResponse,
    RicSubscriptionFailure,
    RicSubscriptionRequest,
    RicSubscriptionResponse,
)
from oran.e2.errors import TransportError
from oran.e2.identity import GlobalE2NodeId, plmn_to_octets
from oran.rest import RestServer, serve
from oran.ric import NearRtRic, RicConfig
from oran.rmr.config import RmrConfig
from oran.rmr.endpoint import RmrEndpoint
from oran.rmr.errors import TransportClosed
from oran.rmr.message import RmrMessage

WAIT_S = 10.0
KPM = RanFunction(2, b"definition of a RAN function", 1, "1.3.6.1.4.1.53148.1.2.2.2")


def ric_config(**changes: Any) -> RicConfig:
    """Ephemeral ports and short timers."""
    settings: dict[str, Any] = {
        "e2_address": "tcp://127.0.0.1:0",
        "rmr_port": 0,
        "subscription_port": 0,
        "a1_port": 0,
        "e2mgr_port": 0,
        "appmgr_port": 0,
        "e2_timeout_s": 0.2,
        "notification_retries": 3,
        "notification_period_s": 0.1,
        "push_timeout_s": 0.3,
        "push_retries": 1,
    }
    return RicConfig(**(settings | changes))


def routes_of(ric: NearRtRic) -> str:
    """The route table that xApps get."""
    return ric.routing.tables()[0]


async def until(condition: Any) -> None:
    """Wait until a condition holds; TimeoutError after WAIT_S."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


NG = ComponentConfig(ComponentId("ng", name="AMF"), b"request", b"response")


class FakeNode:
    """An E2 node that answers as `mode` says: "admit", "refuse" or "silent"; everything heard is kept."""

    def __init__(self, association: Association, du: int) -> None:
        self.node_id = GlobalE2NodeId(plmn_to_octets("001", "01"), 0x19B, 32, du_id=du)
        self.name = self.node_id.ran_name
        self.association = association
        self.mode = "admit"
        self.heard: list[E2apMessage] = []
        self.raw: list[bytes] = []
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def join(cls, ric: NearRtRic, du: int = 1, mode: str = "admit") -> "FakeNode":
        """Connect and set up."""
        node = cls(await connect(ric.addresses["e2"]), du)
        node.mode = mode
        await node.send(E2SetupRequest(7, node.node_id, (KPM,), (NG,)))
        await until(lambda: node.heard)
        return node

    async def send(self, message: E2apMessage) -> bytes:
        """Send a message and return its octets."""
        pdu = encode(message)
        await self.association.send(pdu)
        return pdu

    async def indicate(self, instance: int, message: bytes = b"message", sn: int = 1) -> bytes:
        """Send an indication of one of our subscriptions."""
        return await self.send(
            RicIndication(RicRequestId(123, instance), KPM.function_id, 1, b"header", message, sn)
        )

    def of(self, kind: type[E2apMessage]) -> list[Any]:
        """What was heard of one kind."""
        return [message for message in self.heard if isinstance(message, kind)]

    async def leave(self) -> None:
        """Close the association without a word."""
        self.association.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                pdu = await self.association.receive()
            except TransportError:
                return
            message = decode(pdu)
            self.raw.append(pdu)
            self.heard.append(message)
            answer = self._answer(message)
            if answer is not None:
                await self.send(answer)

    def _answer(self, message: E2apMessage) -> E2apMessage | None:
        if self.mode == "silent":
            return None
        match message:
            case RicSubscriptionRequest(request_id, function_id, _, actions):
                if self.mode == "refuse":
                    cause = Cause("ricRequest", "action-not-supported")
                    return RicSubscriptionFailure(request_id, function_id, cause)
                return RicSubscriptionResponse(request_id, function_id, tuple(a.action_id for a in actions))
            case RicSubscriptionDeleteRequest(request_id, function_id):
                return RicSubscriptionDeleteResponse(request_id, function_id)
        return None


class FakeXapp:
    """An xApp: an RMR endpoint with a control port, and a web server for notifications."""

    def __init__(self, ric: NearRtRic, rmr: RmrEndpoint) -> None:
        self.ric = ric
        self.rmr = rmr
        self.web: RestServer | None = None
        self.notes: list[dict[str, Any]] = []
        self.note_status = 200
        self.received: list[RmrMessage] = []
        self.http = httpx.AsyncClient(timeout=WAIT_S)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, ric: NearRtRic, *, asks: bool = True) -> "FakeXapp":
        """Start; with `asks` it requests its route table from the RIC."""
        manager = ric.addresses["rmr"] if asks else ""
        rmr = RmrEndpoint(RmrConfig(control_port=0, route_manager=manager, request_period_s=0.2))
        await rmr.start()
        xapp = cls(ric, rmr)
        routes = [Route("/ric/v1/subscriptions/response", xapp._note, methods=["POST"])]
        xapp.web = await serve(Starlette(routes=routes), "127.0.0.1", 0)
        xapp._task = asyncio.create_task(xapp._receive())
        return xapp

    async def stop(self) -> None:
        """Stop everything."""
        assert self.web is not None
        assert self._task is not None
        await asyncio.gather(self.rmr.stop(), self.http.aclose(), self.web.stop())
        await self._task

    def request(self, meid: str, **changes: Any) -> dict[str, Any]:
        """The body of a subscription request."""
        assert self.web is not None
        body: dict[str, Any] = {
            "SubscriptionId": "",
            "ClientEndpoint": {
                "Host": "127.0.0.1",
                "HTTPPort": self.web.port,
                "RMRPort": self.rmr.address[1],
            },
            "Meid": meid,
            "RANFunctionID": KPM.function_id,
            "SubscriptionDetails": [
                {
                    "XappEventInstanceId": 12345,
                    "EventTriggers": [8, 3, 231],
                    "ActionToBeSetupList": [
                        {
                            "ActionID": 1,
                            "ActionType": "report",
                            "ActionDefinition": [1, 2, 255],
                            "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
                        }
                    ],
                }
            ],
        }
        return body | changes

    async def post(self, body: Any) -> httpx.Response:
        """Ask for a subscription."""
        return await self.http.post(f"{self.ric.addresses['subscription']}/ric/v1/subscriptions", json=body)

    async def subscribe(self, meid: str, **changes: Any) -> tuple[str, int]:
        """Subscribe and wait for the notification: the subscription's id and instance."""
        count = len(self.notes)
        answer = await self.post(self.request(meid, **changes))
        assert answer.status_code == 201, answer.text
        await until(lambda: len(self.notes) > count)
        note = self.notes[-1]
        assert note["SubscriptionId"] == answer.json()["SubscriptionId"]
        return note["SubscriptionId"], note["SubscriptionInstances"][0]["E2EventInstanceId"]

    async def delete(self, subscription_id: str) -> int:
        """End a subscription; the HTTP status."""
        url = f"{self.ric.addresses['subscription']}/ric/v1/subscriptions/{subscription_id}"
        return (await self.http.delete(url)).status_code

    async def register(self, name: str = "ue-xapp", policies: tuple[int, ...] = ()) -> httpx.Response:
        """Register with the RIC, with a descriptor that names our control port."""
        host, port = self.rmr.address
        ports = [
            {"name": "rmrroute", "container": "x", "port": self.rmr.control_port},
            {
                "name": "rmrdata",
                "container": "x",
                "port": port,
                "txMessages": ["RIC_CONTROL_REQ", "A1_POLICY_QUERY"],
                "rxMessages": ["RIC_INDICATION", "A1_POLICY_REQ", "METRICS"],
                "policies": list(policies),
            },
        ]
        body = {
            "appName": name,
            "appVersion": "1.0.0",
            "appInstanceName": name,
            "httpEndpoint": "",
            "rmrEndpoint": f"{host}:{port}",
            "config": httpx.Response(200, json={"name": name, "messaging": {"ports": ports}}).text,
        }
        return await self.http.post(f"{self.ric.addresses['appmgr']}/ric/v1/register", json=body)

    async def routed(self, *, mtype: int = 12040, meid: str = "") -> None:
        """Wait until the route table leads a message somewhere."""
        await until(lambda: self.rmr.routes.targets(mtype, -1, meid))

    def of(self, mtype: int) -> list[RmrMessage]:
        """What was received of one type."""
        return [message for message in self.received if message.mtype == mtype]

    async def _note(self, request: Request) -> Response:
        self.notes.append(await request.json())
        return Response(status_code=self.note_status)

    async def _receive(self) -> None:
        try:
            while True:
                self.received.append(replace(await self.rmr.receive(), connection=None))
        except TransportClosed:
            pass
