"""Where routes come from: the seed file, and the route manager that pushes tables to the control port."""

import asyncio
import time
from pathlib import Path

from oran.logs import get_logger
from oran.rmr.config import RmrConfig
from oran.rmr.message import RmrMessage
from oran.rmr.plane import Plane
from oran.rmr.routes import RouteCollector
from oran.rmr.transport import Counters
from oran.rmr.types import ROUTE_TABLE, ROUTE_TABLE_REQUEST, ROUTE_TABLE_STATE

log = get_logger(__name__)

_MAX_SEED_OCTETS = 16 << 20


class RouteControl:
    """Keeps the collector fed: reads the seed, takes and acknowledges pushes, asks the route manager.

    A push (type 20) is acknowledged (type 22) once for each table in it. While no table has arrived, a
    request (type 21) goes to `route_manager` every `request_period_s`.
    """

    def __init__(
        self, config: RmrConfig, collector: RouteCollector, counters: Counters, *, name: str, ip: str
    ) -> None:
        self._config = config
        self._collector = collector
        self._counters = counters
        self._plane = Plane(config, counters, self._deliver, name=name, ip=ip)
        self._data_source = ""
        self._pushed = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """The control port, 0 when not listening."""
        return self._plane.port

    async def start(self, data_source: str) -> None:
        """Load what is at hand and listen; `data_source` is this endpoint's own "name:port" for data."""
        self._data_source = data_source
        if self._config.routes:
            self._load(self._config.routes, "config")
        seeded = self._read_seed()
        if self._config.control_port is not None:
            await self._plane.listen(self._config.control_port)
        if self._config.route_manager:
            self._tasks.append(asyncio.create_task(self._request_tables(), name="rmr-route-request"))
        if self._config.seed_path is not None and self._config.control_port is None:
            self._tasks.append(asyncio.create_task(self._watch_seed(seeded), name="rmr-seed"))

    async def stop(self) -> None:
        """Stop asking and listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._plane.close()

    def _deliver(self, message: RmrMessage) -> None:
        if message.mtype != ROUTE_TABLE:
            self._counters.drop("unexpected_control")
            return
        for state in self._collector.load(message.text):
            self._pushed = self._pushed or state.accepted
            log.info("rmr_route_table", table_id=state.table_id, accepted=state.accepted, reason=state.reason)
            self._plane.reply(message, ROUTE_TABLE_STATE, state.payload)

    async def _request_tables(self) -> None:
        while not self._pushed:
            payload = f"{self._data_source} ts={int(time.time())}\n\0".encode("latin-1")
            request = RmrMessage(ROUTE_TABLE_REQUEST, payload, sub_id=0)
            self._plane.send((self._config.route_manager,), request)
            await asyncio.sleep(self._config.request_period_s)

    async def _watch_seed(self, seeded: bool) -> None:
        while True:
            await asyncio.sleep(self._config.seed_period_s if seeded else self._config.seed_retry_s)
            seeded = self._read_seed() or seeded

    def _read_seed(self) -> bool:
        path = self._config.seed_path
        if path is None:
            return False
        try:
            text = _read_text(path)
        except OSError as error:
            log.warning("rmr_seed_unreadable", path=str(path), reason=str(error))
            return False
        return self._load(text, str(path))

    def _load(self, text: str, origin: str) -> bool:
        states = self._collector.load(text, seed=True)
        for state in states:
            if not state.accepted:
                log.warning("rmr_routes_refused", origin=origin, table_id=state.table_id, reason=state.reason)
        return any(state.accepted for state in states)


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_SEED_OCTETS).decode("utf-8", "replace")
