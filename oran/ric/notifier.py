"""Notifications to xApps by HTTP, repeated until one is taken."""

import asyncio
from typing import TYPE_CHECKING

from oran.logs import get_logger
from oran.rest import JsonObject
from oran.ric.config import RicConfig
from oran.ric.counters import RicCounters

if TYPE_CHECKING:
    import httpx

log = get_logger(__name__)

TIMEOUT_S = 5.0
MAX_CONNECTIONS = 64


class Notifier:
    """Posts JSON to xApps as submgr does, with as many retries as the settings say."""

    def __init__(self, config: RicConfig, counters: RicCounters) -> None:
        self._config = config
        self._counters = counters
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Make the HTTP client."""
        import httpx

        limits = httpx.Limits(max_connections=MAX_CONNECTIONS)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, limits=limits)

    async def stop(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def send(self, url: str, body: JsonObject) -> None:
        """Post until the answer is a success or the retries are used up, which is counted."""
        import httpx

        reason = "the RIC is stopping"
        for attempt in range(1 + self._config.notification_retries):
            if attempt:
                await asyncio.sleep(self._config.notification_period_s)
            if self._client is None:
                break
            try:
                response = await self._client.post(url, json=body)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
                continue
            if response.is_success:
                return
            reason = f"HTTP status {response.status_code}"
        self._counters.notifications_failed += 1
        log.warning("notification_failed", url=url, reason=reason)
