"""The route manager: who gets which message, told to every xApp as a route table.

The same records steer the RIC's own endpoint. A table goes out by an RMR call (type 20) to the xApp's control
port at every change and whenever the xApp asks (type 21); its acknowledgement (type 22) ends the call.
"""

import asyncio
from dataclasses import dataclass, field

from oran.logs import get_logger
from oran.ric.config import RicConfig
from oran.ric.counters import RicCounters
from oran.ric.nodes import NodeRegistry
from oran.rmr.address import is_address, join_address
from oran.rmr.endpoint import RmrEndpoint
from oran.rmr.errors import CallError
from oran.rmr.message import RmrMessage
from oran.rmr.types import (
    A1_POLICY_QUERY,
    A1_POLICY_REQ,
    A1_POLICY_RESP,
    RIC_CONTROL_ACK,
    RIC_CONTROL_FAILURE,
    RIC_CONTROL_REQ,
    RIC_INDICATION,
    ROUTE_TABLE,
)

log = get_logger(__name__)

RETRY_S = 0.5
GIVE_UP_AFTER = 5
"""An xApp that only asked for tables is forgotten after so many changes it could not be told."""

MEIDS_PER_RECORD = 100

TO_RIC = (A1_POLICY_RESP, A1_POLICY_QUERY)
FROM_NODE = (RIC_INDICATION, RIC_CONTROL_ACK, RIC_CONTROL_FAILURE)
NODE_ANSWERS = (RIC_CONTROL_ACK, RIC_CONTROL_FAILURE)
PLATFORM_TYPES = frozenset((*TO_RIC, *FROM_NODE, RIC_CONTROL_REQ, A1_POLICY_REQ))


@dataclass(frozen=True, slots=True)
class XappRoutes:
    """What a registered xApp's descriptor says about RMR: its endpoints, policy types and message types."""

    rmr_address: str
    control_address: str
    policies: tuple[int, ...] = ()
    receives: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class _Target:
    """One control port that gets tables; `slot` is its sub_id in the RIC's own table, `wanted` counts changes."""

    address: str
    slot: int
    wanted: int = 0
    failures: int = 0
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Records:
    """Routes before they are written down."""

    subscriptions: dict[int, str] = field(default_factory=dict)
    xapps: dict[str, XappRoutes] = field(default_factory=dict)

    def lines(self, ric: str) -> list[str]:
        """The mse records for a RIC whose RMR endpoint is `ric`."""
        lines = [f"mse|{RIC_CONTROL_REQ}|-1|%meid"]
        lines += [f"mse|{mtype}|-1|{ric}" for mtype in TO_RIC]
        for instance, address in sorted(self.subscriptions.items()):
            lines += [f"mse|{mtype}|{instance}|{address}" for mtype in FROM_NODE]
        groups: dict[tuple[int, int], list[str]] = {}
        for xapp in self.xapps.values():
            keys = [(mtype, -1) for mtype in (*NODE_ANSWERS, *xapp.receives)]
            keys += [(A1_POLICY_REQ, policy) for policy in xapp.policies]
            for key in dict.fromkeys(keys):
                groups.setdefault(key, []).append(xapp.rmr_address)
        for (mtype, sub_id), addresses in sorted(groups.items()):
            lines.append(f"mse|{mtype}|{sub_id}|{';'.join(dict.fromkeys(addresses))}")
        return lines


class RouteManager:
    """Keeps the records and tells every xApp. All methods but `stop` return at once."""

    def __init__(
        self, config: RicConfig, endpoint: RmrEndpoint, nodes: NodeRegistry, counters: RicCounters
    ) -> None:
        self._config = config
        self._endpoint = endpoint
        self._nodes = nodes
        self._counters = counters
        self._records = _Records()
        self._targets: dict[str, _Target] = {}
        self._slots = 0
        self._update: asyncio.Handle | None = None
        self._stopped = False

    @property
    def ric_address(self) -> str:
        """The RIC's own RMR endpoint "host:port"."""
        return join_address(*self._endpoint.address)

    @property
    def xapps(self) -> dict[str, XappRoutes]:
        """The registered xApps by instance name."""
        return self._records.xapps

    def tables(self) -> tuple[str, str]:
        """What xApps get: the routes, then the owner of each node's messages. Each text is one table."""
        routes = self._records.lines(self.ric_address)
        connected = [node.name for node in self._nodes.all() if node.connected]
        gone = [node.name for node in self._nodes.all() if not node.connected]
        owners = [f"mme_ar|{self.ric_address}|{meids}" for meids in _batches(connected)]
        owners += [f"mme_del|{meids}" for meids in _batches(gone)]
        return _table("newrt", routes), _table("meid_map", owners)

    async def stop(self) -> None:
        """Stop telling anybody anything."""
        self._stopped = True
        if self._update is not None:
            self._update.cancel()
        tasks = [target.task for target in self._targets.values() if target.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def add_subscription(self, instance: int, rmr_address: str) -> None:
        """Route a subscription's indications and control answers to an xApp, in force at once in the RIC."""
        self._records.subscriptions[instance] = rmr_address
        self.apply()

    def remove_subscription(self, instance: int) -> None:
        """Forget a subscription's routes."""
        if self._records.subscriptions.pop(instance, None) is not None:
            self.changed()

    def register(self, name: str, routes: XappRoutes) -> bool:
        """Take in an xApp; false when there are too many."""
        if name not in self._records.xapps and len(self._records.xapps) >= self._config.max_xapps:
            return False
        self._records.xapps[name] = routes
        self._target(routes.control_address)
        self.apply()
        return True

    def deregister(self, name: str) -> bool:
        """Forget an xApp; false when it is not known."""
        routes = self._records.xapps.pop(name, None)
        if routes is None:
            return False
        if routes.control_address not in self._registered_controls():
            self._drop_target(routes.control_address)
        self.changed()
        return True

    def requested(self, message: RmrMessage) -> None:
        """Answer an xApp's request for a table (type 21), which names its control port as the source."""
        address = next((name for name in (message.source, message.source_ip) if is_address(name)), None)
        if address is None:
            self._counters.drop("table_request_malformed")
            return
        known = address in self._targets
        target = self._target(address)
        if target is None:
            self._counters.drop("table_request_limit")
            return
        target.failures = 0
        if not known:
            self._load()
        self._push(target)

    def changed(self) -> None:
        """Write the table anew and tell everybody, once for all changes of this turn of the loop."""
        if self._update is None and not self._stopped:
            self._update = asyncio.get_running_loop().call_soon(self.apply)

    def apply(self) -> None:
        """Put the records in force here, then tell the xApps."""
        if self._update is not None:
            self._update.cancel()
            self._update = None
        self._load()
        for target in self._targets.values():
            self._push(target)

    def _load(self) -> None:
        """Put the records, and the way to each control port, in force in the RIC's own endpoint."""
        own = [f"mse|{ROUTE_TABLE}|{target.slot}|{target.address}" for target in self._targets.values()]
        lines = [*self._records.lines(self.ric_address), *own]
        self._endpoint.load_routes(_table("newrt", lines))

    def _target(self, address: str) -> _Target | None:
        target = self._targets.get(address)
        if target is None:
            if len(self._targets) >= 2 * self._config.max_xapps:
                return None
            self._slots += 1
            target = self._targets[address] = _Target(address, self._slots)
        return target

    def _drop_target(self, address: str) -> None:
        target = self._targets.pop(address, None)
        if target is not None and target.task is not None:
            target.task.cancel()

    def _push(self, target: _Target) -> None:
        target.wanted += 1
        if target.task is None and not self._stopped:
            target.task = asyncio.create_task(self._tell(target), name=f"route-push-{target.address}")

    async def _tell(self, target: _Target) -> None:
        """Push until the target has the newest table, or has failed too often."""
        try:
            told = -1
            while told != target.wanted:
                told = target.wanted
                if not await self._push_once(target, told):
                    self._failed(target)
                    return
                target.failures = 0
        finally:
            target.task = None

    async def _push_once(self, target: _Target, change: int) -> bool:
        """Bring the target both tables; false after the last retry. A further change ends the retries."""
        for attempt in range(1 + self._config.push_retries):
            if attempt:
                await asyncio.sleep(RETRY_S)
                if change != target.wanted:
                    return True
            routes, owners = self.tables()
            if await self._call(target, routes) and await self._call(target, owners):
                return True
        return False

    async def _call(self, target: _Target, table: str) -> bool:
        """Bring the target one table; whether it has taken it."""
        self._counters.route_pushes += 1
        message = RmrMessage(ROUTE_TABLE, table.encode(), sub_id=target.slot)
        try:
            answer = await self._endpoint.call(message, self._config.push_timeout_s)
        except CallError as error:
            log.info("route_push_unanswered", target=target.address, reason=str(error))
            return False
        if not answer.text.startswith("OK"):
            log.warning("route_push_refused", target=target.address, answer=answer.text[:200])
            return False
        return True

    def _failed(self, target: _Target) -> None:
        self._counters.route_pushes_failed += 1
        target.failures += 1
        log.warning("route_push_failed", target=target.address, failures=target.failures)
        if target.failures >= GIVE_UP_AFTER and target.address not in self._registered_controls():
            self._targets.pop(target.address, None)

    def _registered_controls(self) -> set[str]:
        return {routes.control_address for routes in self._records.xapps.values()}


def _table(kind: str, records: list[str]) -> str:
    """A table with its start and end; librmr wants the last line to end too."""
    return "\n".join((f"{kind}|start", *records, f"{kind}|end|{len(records)}", ""))


def _batches(meids: list[str]) -> list[str]:
    """Nodes as records list them; librmr reads at most 128 in one."""
    return [" ".join(meids[start : start + MEIDS_PER_RECORD]) for start in range(0, len(meids), MEIDS_PER_RECORD)]
