"""The application manager: xApps register with it, and what their descriptors say becomes routes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from oran.logs import get_logger
from oran.rest import JsonObject, JsonValue, RequestError, parse_json
from oran.ric.config import RicConfig
from oran.ric.fields import Fields
from oran.ric.routing import PLATFORM_TYPES, RouteManager, XappRoutes
from oran.rmr import types
from oran.rmr.address import MAX_NAME_OCTETS, is_address, join_address, parse_address

log = get_logger(__name__)

FETCH_TRIES = 5
FETCH_PERIOD_S = 1.0
FETCH_TIMEOUT_S = 2.0
MAX_DESCRIPTOR_OCTETS = 1 << 18
MAX_POLICIES = 64
MAX_NAME = 128
MAX_TYPE_ID = 2**31 - 1

MESSAGE_NUMBERS: Mapping[str, int] = {
    name: number
    for name, number in vars(types).items()
    if name.isupper() and isinstance(number, int) and number > 0
}
"""RMR message types by the names that descriptors use."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The body of POST /ric/v1/register."""

    name: str
    version: str
    instance: str
    http_endpoint: str
    rmr_endpoint: str
    config_path: str
    config: str


@dataclass(frozen=True, slots=True)
class Xapp:
    """A registered xApp instance and the RMR part of its descriptor."""

    registration: Registration
    transmits: tuple[str, ...]
    receives: tuple[str, ...]
    routes: XappRoutes


class XappRegistry:
    """Registered xApps by instance name; their routes are kept by the route manager."""

    def __init__(self, config: RicConfig, routing: RouteManager) -> None:
        self._config = config
        self._routing = routing
        self._xapps: dict[str, Xapp] = {}

    async def register(self, body: JsonObject) -> None:
        """Take in an xApp, or its new descriptor; raises RequestError 400 or 503."""
        registration = _read_registration(body)
        if not is_address(registration.rmr_endpoint):
            raise RequestError(400, f"rmrEndpoint {registration.rmr_endpoint!r} is not host:port")
        text = registration.config or await _fetch_descriptor(registration)
        try:
            descriptor = parse_json(text) if text.strip() else {}
        except RequestError as error:
            raise RequestError(400, f"config: {error.reason}") from None
        xapp = _read_descriptor(registration, descriptor, self._config.xapp_control_port)
        known = self._xapps.get(registration.instance)
        if known is not None and known.routes.control_address != xapp.routes.control_address:
            self._routing.deregister(registration.instance)
        if not self._routing.register(registration.instance, xapp.routes):
            raise RequestError(503, f"all {self._config.max_xapps} places for xApps are taken")
        self._xapps[registration.instance] = xapp
        log.info("xapp_registered", instance=registration.instance, rmr=registration.rmr_endpoint)

    def deregister(self, body: JsonObject) -> None:
        """Forget an xApp; raises RequestError 400 or 404."""
        fields = Fields(body)
        name = fields.text("appName", shortest=1, longest=MAX_NAME)
        instance = fields.text("appInstanceName", shortest=1, longest=MAX_NAME)
        xapp = self._xapps.get(instance)
        if xapp is None or xapp.registration.name != name:
            raise RequestError(404, f"xApp {instance} is not registered")
        del self._xapps[instance]
        self._routing.deregister(instance)
        log.info("xapp_deregistered", instance=instance)

    def list(self) -> list[JsonValue]:
        """Every xApp as the application manager lists it, instances grouped by xApp."""
        groups: dict[str, list[Xapp]] = {}
        for xapp in self._xapps.values():
            groups.setdefault(xapp.registration.name, []).append(xapp)
        return [
            {
                "name": name,
                "status": "deployed",
                "version": xapps[0].registration.version,
                "instances": [_instance(xapp) for xapp in xapps],
            }
            for name, xapps in sorted(groups.items())
        ]


def _read_registration(body: JsonObject) -> Registration:
    fields = Fields(body)
    return Registration(
        fields.text("appName", shortest=1, longest=MAX_NAME),
        fields.text("appVersion", longest=64, default=""),
        fields.text("appInstanceName", shortest=1, longest=MAX_NAME),
        fields.text("httpEndpoint", longest=MAX_NAME_OCTETS, default=""),
        fields.text("rmrEndpoint", longest=MAX_NAME_OCTETS),
        fields.text("configPath", longest=256, default=""),
        fields.text("config", longest=MAX_DESCRIPTOR_OCTETS, default=""),
    )


def _instance(xapp: Xapp) -> JsonObject:
    host, port = parse_address(xapp.registration.rmr_endpoint)
    return {
        "name": xapp.registration.instance,
        "status": "running",
        "ip": host,
        "port": port,
        "txMessages": list(xapp.transmits),
        "rxMessages": list(xapp.receives),
        "policies": list(xapp.routes.policies),
    }


def _read_descriptor(registration: Registration, descriptor: JsonValue, control_port: int) -> Xapp:
    """Read a descriptor's RMR part: the top-level "rmr" if there is one, else all of "messaging.ports"."""
    if not isinstance(descriptor, dict):
        raise RequestError(400, "config must be a JSON object")
    messaging = descriptor.get("messaging")
    listed = messaging.get("ports") if isinstance(messaging, dict) else None
    ports = [port for port in listed if isinstance(port, dict)] if isinstance(listed, list) else []
    rmr = descriptor.get("rmr")
    parts: list[JsonObject] = [rmr] if isinstance(rmr, dict) else ports
    for port in ports:
        if port.get("name") == "rmrroute":
            control_port = Fields(port, "config.messaging.ports").integer("port", 1, 65_535)
    transmits, receives = _names(parts, "txMessages"), _names(parts, "rxMessages")
    numbers = {MESSAGE_NUMBERS[name] for name in receives if name in MESSAGE_NUMBERS} - PLATFORM_TYPES
    host, _ = parse_address(registration.rmr_endpoint)
    routes = XappRoutes(
        registration.rmr_endpoint, join_address(host, control_port), _policies(parts), tuple(sorted(numbers))
    )
    return Xapp(registration, transmits, receives, routes)


def _names(parts: list[JsonObject], key: str) -> tuple[str, ...]:
    lists = [found for part in parts if isinstance(found := part.get(key), list)]
    return tuple(dict.fromkeys(name for found in lists for name in found if isinstance(name, str)))


def _policies(parts: list[JsonObject]) -> tuple[int, ...]:
    lists = [found for part in parts if isinstance(found := part.get("policies"), list)]
    named = [number for found in lists for number in found]
    policies = [number for number in named if isinstance(number, int) and not isinstance(number, bool)]
    if (
        len(policies) != len(named)
        or len(named) > MAX_POLICIES
        or not all(0 <= n <= MAX_TYPE_ID for n in policies)
    ):
        raise RequestError(400, f"policies must be at most {MAX_POLICIES} policy type ids from 0 to {MAX_TYPE_ID}")
    return tuple(dict.fromkeys(policies))


async def _fetch_descriptor(registration: Registration) -> str:
    """Get the descriptor from the xApp itself, as appmgr does; empty when it has none to give."""
    import httpx

    if not registration.config_path or not is_address(registration.http_endpoint):
        return ""
    url = f"http://{registration.http_endpoint}/{registration.config_path.lstrip('/')}"
    async with httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, trust_env=False) as client:
        for attempt in range(FETCH_TRIES):
            if attempt:
                await asyncio.sleep(FETCH_PERIOD_S)
            try:
                async with client.stream("GET", url) as response:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > MAX_DESCRIPTOR_OCTETS:
                            raise RequestError(400, f"the descriptor exceeds {MAX_DESCRIPTOR_OCTETS} octets")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                log.info("descriptor_unavailable", url=url, reason=str(error))
                continue
            if response.is_success:
                return body.decode("utf-8", "replace")
    raise RequestError(400, f"config is empty, and {url} does not give it")
