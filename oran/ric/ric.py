"""The near-RT RIC as one process: E2 termination, the managers, and their REST and RMR faces."""

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from oran.e2.association import Server, listen
from oran.e2.e2ap.messages import RicSubscriptionDeleteRequired
from oran.logs import get_logger
from oran.rest import AsgiApp, RestServer, serve
from oran.ric.a1 import A1Mediator
from oran.ric.a1_rest import a1_app
from oran.ric.config import RicConfig
from oran.ric.counters import RicCounters, RicMetrics
from oran.ric.errors import RicError
from oran.ric.nodes import Node, NodeRegistry
from oran.ric.registration import XappRegistry
from oran.ric.rest_api import node_app, subscription_app, xapp_app
from oran.ric.routing import RouteManager
from oran.ric.subscriptions import SubscriptionManager
from oran.ric.termination import SubscriptionAnswer, Termination
from oran.rmr.address import parse_address
from oran.rmr.config import RmrConfig
from oran.rmr.endpoint import RmrEndpoint
from oran.rmr.errors import TransportClosed
from oran.rmr.message import RmrMessage
from oran.rmr.types import A1_POLICY_QUERY, A1_POLICY_RESP, RIC_CONTROL_REQ, ROUTE_TABLE_REQUEST
from oran.sdl import MemorySdl, RedisAddress, RedisSdl, Sdl

log = get_logger(__name__)

MESSAGES_PER_TURN = 32
"""RMR messages handled before the other tasks of the loop get their turn."""


class NearRtRic:
    """An embedded near-RT RIC that speaks the same bytes as the OSC RIC.

    >>> async with NearRtRic(RicConfig(rmr_port=0)) as ric:
    ...     print(ric.addresses["e2"])  # doctest: +SKIP
    """

    def __init__(self, config: RicConfig | None = None) -> None:
        self.config = config or RicConfig()
        self.counters = RicCounters()
        self.nodes = NodeRegistry(self.config.max_nodes)
        self._rmr = RmrEndpoint(
            RmrConfig(port=self.config.rmr_port, bind_host=self.config.host, source_name=self.config.rmr_name)
        )
        self.routing = RouteManager(self.config, self._rmr, self.nodes, self.counters)
        self.subscriptions = SubscriptionManager(self.config, self.nodes, self.routing, self.counters)
        self.xapps = XappRegistry(self.config, self.routing)
        self._sdl = _open_sdl(self.config)
        self.a1 = A1Mediator(self.config, self._sdl, self.counters, self._rmr.send)
        self._termination = Termination(
            self.config, self.nodes, _Events(self.routing, self.subscriptions), self.counters, self._rmr.send
        )
        self._handlers: Mapping[int, Callable[[RmrMessage], None]] = {
            RIC_CONTROL_REQ: self._termination.control,
            ROUTE_TABLE_REQUEST: self.routing.requested,
            A1_POLICY_RESP: self.a1.received,
            A1_POLICY_QUERY: self.a1.received,
        }
        self._started = False
        self._e2: Server | None = None
        self._servers: dict[str, RestServer] = {}
        self._receiver: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Where it listens: "e2" as a URL, "rmr" as host:port, the rest as http URLs. Complete once started."""
        found = {name: f"http://{server.address}" for name, server in self._servers.items()}
        if self._e2 is not None:
            found |= {"e2": str(self._e2.address), "rmr": self.routing.ric_address}
        return found

    async def start(self) -> None:
        """Listen everywhere; raises OSError, or oran.e2's TransportError, when a place is taken."""
        if self._started:
            raise RicError("a RIC starts once: make a new one")
        self._started = True
        try:
            await self._rmr.start()
            self.routing.apply()
            await self.subscriptions.start()
            await self.a1.start()
            self._receiver = asyncio.create_task(self._receive(), name="ric-rmr")
            for name, port, app in self._apps():
                self._servers[name] = await serve(app, self.config.host, port)
            self._e2 = await listen(self.config.e2_address, self._termination.handle)
        except BaseException:
            await self.stop()
            raise
        log.info("ric_started", **self.addresses)

    async def stop(self) -> None:
        """Close everything; a second call does nothing."""
        if self._e2 is not None:
            await self._e2.close()
            self._e2 = None
        await self._termination.close()
        servers, self._servers = list(self._servers.values()), {}
        await asyncio.gather(*(server.stop() for server in servers))
        await self.a1.stop()
        await self._sdl.close()
        await self.subscriptions.stop()
        await self.routing.stop()
        await self._rmr.stop()
        if self._receiver is not None:
            await asyncio.gather(self._receiver, return_exceptions=True)
            self._receiver = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _apps(self) -> list[tuple[str, int, AsgiApp]]:
        metrics = RicMetrics(self.counters, self._rmr.counters.dropped, self._gauges)
        config = self.config
        return [
            ("subscription", config.subscription_port, subscription_app(self.subscriptions)),
            ("a1", config.a1_port, a1_app(self.a1)),
            ("e2mgr", config.e2mgr_port, node_app(self.nodes, lambda: self.routing.ric_address, metrics.text)),
            ("appmgr", config.appmgr_port, xapp_app(self.xapps)),
        ]

    def _gauges(self) -> dict[str, float]:
        return {
            "nodes_connected": len(self.nodes.connected()),
            "subscriptions_active": self.subscriptions.active,
            "xapps_registered": len(self.routing.xapps),
        }

    async def _receive(self) -> None:
        """Hand what xApps send to its manager, until the endpoint stops."""
        handled = 0
        try:
            while True:
                message = await self._rmr.receive()
                handler = self._handlers.get(message.mtype)
                if handler is None:
                    self.counters.drop("rmr_unexpected_type")
                else:
                    handler(message)
                handled += 1
                if handled % MESSAGES_PER_TURN == 0:
                    await asyncio.sleep(0)
        except TransportClosed:
            pass


class _Events:
    """Tells the managers what happens to nodes."""

    def __init__(self, routing: RouteManager, subscriptions: SubscriptionManager) -> None:
        self._routing = routing
        self._subscriptions = subscriptions

    def node_connected(self, node: Node) -> None:
        self._routing.changed()

    def node_lost(self, node: Node) -> None:
        self._subscriptions.node_lost(node)
        self._routing.changed()

    def subscription_answered(self, node: Node, answer: SubscriptionAnswer) -> None:
        self._subscriptions.answered(node, answer)

    def delete_required(self, node: Node, message: RicSubscriptionDeleteRequired) -> None:
        self._subscriptions.delete_required(node, message)

    def functions_deleted(self, node: Node, function_ids: frozenset[int]) -> None:
        self._subscriptions.functions_deleted(node, function_ids)


def _open_sdl(config: RicConfig) -> Sdl:
    return RedisSdl(RedisAddress(*parse_address(config.redis))) if config.redis else MemorySdl()
