"""What the xApp does beside the control loop: it stays registered, follows nodes, keeps subscriptions."""

import asyncio
import contextlib
import copy
import os
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oran.a1 import policy as a1
from oran.a1.slice_sla import TYPE_ID
from oran.errors import PlatformError, RegistrationError
from oran.logs import get_logger
from oran.nodes import NodesClient
from oran.registration import Registration, RegistrationClient
from oran.rest import JsonObject
from oran.rmr.message import RmrMessage
from oran.rmr.transport import Transport
from oran.rmr.types import A1_POLICY_QUERY
from oran.sdl import Sdl
from oran.subscription_forms import ClientEndpoint
from oran.subscriptions import SubscriptionClient
from xapps.slicing.actuation import Actuator
from xapps.slicing.config import XappConfig
from xapps.slicing.fleet import Fleet
from xapps.slicing.quiet import Quiet

if TYPE_CHECKING:
    from starlette.routing import Route

PERIOD_S = 1.0
SILENT_PERIODS = 20
SILENT_LEAST_S = 5.0
"""A subscription that gives nothing for so long is made anew."""
CLOSE_TIMEOUT_S = 5.0
FIRST_ASK_S = 2.0
LONGEST_ASK_S = 60.0
"""Policies are asked for again after waits that grow from the first to the longest: RMR may lose any of them."""

_log = get_logger(__name__)


def advertised_host(config: XappConfig, environ: Mapping[str, str] = os.environ) -> str:
    """The host by which the RIC reaches this xApp's HTTP service.

    As configured; else the HTTP service beside the RMR one that RMR_SRC_ID names; else where it listens.
    """
    if config.advertised_host:
        return config.advertised_host
    source = environ.get("RMR_SRC_ID", "")
    if source:
        return source.replace("rmr", "http")
    return socket.gethostname() if config.listen_host in ("0.0.0.0", "::") else config.listen_host


class Upkeep:
    """Talks to the RIC platform. One that does not answer is tried again, and nothing is raised."""

    def __init__(
        self, config: XappConfig, fleet: Fleet, actuator: Actuator, transport: Transport, sdl: Sdl
    ) -> None:
        self._config = config
        self._fleet = fleet
        self._actuator = actuator
        self._transport = transport
        self._host = advertised_host(config)
        endpoint = ClientEndpoint(self._host, config.http_port, transport.address[1])
        self.subscriptions = SubscriptionClient(config.ric.subscriptions_url, endpoint, sdl=sdl)
        self._nodes = NodesClient(config.ric.nodes_url)
        self._registrar = RegistrationClient(config.ric.registration_url)
        self._registration: Registration | None = None
        self._registered = False
        self._stale_deleted = False
        self._ask_wait_s = FIRST_ASK_S
        self._ask_at_s = 0.0
        self._lost = 0
        self._quiet = Quiet(_log)
        self.platform_up = False
        """Whether the last round reached the platform."""
        self.descriptor: JsonObject = {}

    @property
    def notification_routes(self) -> "list[Route]":
        """HTTP routes of the RIC's subscription notifications."""
        return self.subscriptions.routes()

    def begin(self, descriptor: JsonObject, *, http_port: int, control_port: int) -> None:
        """Fix the ports that are known once everything listens, here and in the descriptor."""
        rmr_port = self._transport.address[1]
        self.subscriptions.endpoint = ClientEndpoint(self._host, http_port, rmr_port)
        self.descriptor = with_ports(
            descriptor, {"http": http_port, "rmrdata": rmr_port, "rmrroute": control_port}
        )
        name = str(descriptor.get("name", "ranloop-slicing"))
        self._registration = Registration(
            name=name,
            version=str(descriptor.get("version", "0.1.0")),
            instance=self._config.instance or f"{name}-{self._host}-{rmr_port}"[:128],
            http_endpoint=f"{self._host}:{http_port}",
            rmr_endpoint=self.subscriptions.endpoint.rmr,
            config=self.descriptor,
        )

    async def run(self) -> None:
        """A round every second, for ever."""
        while True:
            started_s = time.monotonic()
            try:
                await self.round()
            except Exception:
                # Whatever a platform answers, the xApp goes on trying.
                _log.exception("upkeep_failed")
            await asyncio.sleep(max(0.05, PERIOD_S - (time.monotonic() - started_s)))

    async def round(self) -> None:
        """Bring registration, nodes, subscriptions and policies up to date, as far as the platform answers."""
        try:
            await self._register()
            await self._follow_nodes()
            if not self._stale_deleted:
                await self.subscriptions.delete_stale()
                self._stale_deleted = True
            self._doubt_silent()
            await self.subscriptions.reconcile(self._fleet.wanted(), self._fleet.connected)
            self._ask_policies()
        except PlatformError as error:
            self._quiet.warning("platform_unreachable", type(error).__name__, reason=str(error))
            # It may have restarted, and then it has forgotten us.
            self.platform_up = False
            self._introduce_anew()
            return
        if self.subscriptions.counters.lost != self._lost:
            self._lost = self.subscriptions.counters.lost
            self._introduce_anew()
        self.platform_up = True

    async def end_subscriptions(self) -> None:
        """End all subscriptions, within some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.subscriptions.unsubscribe_all()

    async def close(self) -> None:
        """Deregister and give the connections back, within some seconds."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if self._registered and self._registration is not None:
                    await self._registrar.deregister(self._registration)
        except (RegistrationError, TimeoutError) as error:
            _log.warning("not_deregistered", reason=str(error))
        for client in (self._registrar, self._nodes, self.subscriptions):
            await client.close()

    async def _register(self) -> None:
        """Registration is needed for A1 and route tables; a RIC without application manager works without."""
        if self._registered or self._registration is None:
            return
        try:
            await self._registrar.register(self._registration)
            self._registered = True
            _log.info("registered", instance=self._registration.instance)
        except RegistrationError as error:
            self._quiet.warning("not_registered", "", reason=str(error))

    async def _follow_nodes(self) -> None:
        infos = await self._nodes.list_nodes()
        for name in await self._fleet.update(infos, self._nodes.node):
            self._actuator.forget(name)

    def _doubt_silent(self) -> None:
        """Have subscriptions made anew that are in force but give nothing."""
        now_s = time.monotonic()
        patience_s = max(SILENT_LEAST_S, SILENT_PERIODS * self._config.period_s)
        for feed in self._fleet.feeds():
            held = self.subscriptions.active.get(feed.report.spec)
            if held is None or not feed.heard_s:
                feed.heard_s = now_s
            elif now_s - feed.heard_s > patience_s:
                feed.heard_s = now_s
                self._quiet.warning("subscription_silent", feed.report.spec.meid)
                self.subscriptions.doubt(held)

    def _introduce_anew(self) -> None:
        """Register and ask for policies at the next round."""
        self._registered, self._ask_wait_s, self._ask_at_s = False, FIRST_ASK_S, 0.0

    def _ask_policies(self) -> None:
        """Ask the A1 mediator for the policies there are, once it can be reached."""
        now_s = time.monotonic()
        if now_s >= self._ask_at_s and self._transport.ready:
            query = RmrMessage(A1_POLICY_QUERY, a1.query(TYPE_ID))
            if self._transport.send(query):
                self._ask_at_s = now_s + self._ask_wait_s
                self._ask_wait_s = min(2 * self._ask_wait_s, LONGEST_ASK_S)


def with_ports(descriptor: JsonObject, ports: Mapping[str, int]) -> JsonObject:
    """A copy of a descriptor whose messaging ports are those really in use; 0 leaves one as it is."""
    copied: JsonObject = copy.deepcopy(descriptor)
    messaging = copied.get("messaging")
    listed = messaging.get("ports") if isinstance(messaging, dict) else None
    for port in listed if isinstance(listed, list) else ():
        if isinstance(port, dict) and ports.get(str(port.get("name"))):
            port["port"] = ports[str(port["name"])]
    return copied
