"""Endpoint: an OpenAI-compatible server of language models, asked over HTTP.

Whatever the server does, each request ends in bounded time, with an answer or with the reason why there is none.
A server that answers nothing any more is given up.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oran.rest import JsonObject, JsonValue, RequestError, parse_json

if TYPE_CHECKING:
    import httpx

KEY = "RANLOOP_LLM_KEY"
"""The environment variable with the server's API key, if it asks for one."""
MAX_ANSWER_OCTETS = 1 << 20
MOST_FAILED_IN_A_ROW = 20
_AGAIN = (408, 429, 500, 502, 503, 504)
"""Statuses after which the same request may succeed."""


class EndpointError(Exception):
    """A server that cannot be asked, or that answers nothing any more; says why."""


class NoAnswer(Exception):
    """A request without a usable answer; says why."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again
        """Whether the same request may succeed another time."""


class Endpoint:
    """A server, reached directly: neither proxy settings nor redirections are followed.

    `url` is the base of its API, usually with /v1. A request is tried `tries` times for `timeout_s` each, with
    pauses of `backoff_s`, twice as long and so on between; `at_once` are under way together. EndpointError for
    values that cannot be, and for a key that cannot be sent.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 120.0, tries: int = 3, backoff_s: float = 1.0, at_once: int = 8
    ) -> None:
        if not _is_plain(url):
            raise EndpointError("the URL must read http://HOST:PORT/v1 or so, without user, password or query")
        if not (timeout_s > 0 and tries >= 1 and backoff_s >= 0 and at_once >= 1):
            raise EndpointError("timeout_s must be above 0, tries and at_once at least 1, backoff_s at least 0")
        self.url = url.rstrip("/")
        self._timeout_s, self._tries, self._backoff_s, self._at_once = timeout_s, tries, backoff_s, at_once
        self._headers = _headers()
        self._failed_in_a_row, self._last = 0, NoAnswer("it was not asked")

    def ask(self, path: str, bodies: Sequence[JsonObject]) -> list[JsonValue | NoAnswer]:
        """Post requests to a path below the URL: the JSON of each answer (None where it is empty), in order.

        EndpointError when MOST_FAILED_IN_A_ROW failed one after the other. Not for use within an event loop.
        """
        found = asyncio.run(self._all(self.url + path, bodies))
        if self._failed_in_a_row >= MOST_FAILED_IN_A_ROW:
            raise EndpointError(
                f"{self.url} is given up after {MOST_FAILED_IN_A_ROW} failures in a row: {self._last}"
            )
        return found

    async def _all(self, url: str, bodies: Sequence[JsonObject]) -> list[JsonValue | NoAnswer]:
        import httpx

        turn = asyncio.Semaphore(self._at_once)

        async def one(body: JsonObject) -> JsonValue | NoAnswer:
            async with turn:
                if self._failed_in_a_row >= MOST_FAILED_IN_A_ROW:
                    return self._last
                answer = await self._tried(client, url, body)
                if isinstance(answer, NoAnswer):
                    self._failed_in_a_row, self._last = self._failed_in_a_row + 1, answer
                else:
                    self._failed_in_a_row = 0
                return answer

        # A connection that is kept may have been closed by the server meanwhile, which would cost a try.
        limits = httpx.Limits(max_connections=self._at_once, max_keepalive_connections=0)
        # No timeout here, for a server that drips its answer would keep within any: _once bounds the whole.
        async with httpx.AsyncClient(
            headers=self._headers, timeout=None, limits=limits, trust_env=False
        ) as client:
            return await asyncio.gather(*map(one, bodies))

    async def _tried(self, client: httpx.AsyncClient, url: str, body: JsonObject) -> JsonValue | NoAnswer:
        failed = NoAnswer("it was not asked")
        for attempt in range(self._tries):
            if attempt:
                await asyncio.sleep(self._backoff_s * 2 ** (attempt - 1))
            try:
                return await self._once(client, url, body)
            except NoAnswer as error:
                failed = error
            if not failed.again:
                break
        return failed

    async def _once(self, client: httpx.AsyncClient, url: str, body: JsonObject) -> JsonValue:
        import httpx

        text = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s), client.stream("POST", url, json=body) as response:
                async for part in response.aiter_bytes():
                    text += part
                    if len(text) > MAX_ANSWER_OCTETS:
                        raise NoAnswer(f"the answer is longer than {MAX_ANSWER_OCTETS} octets")
        except TimeoutError:
            raise NoAnswer(f"there was no answer within {self._timeout_s:g} s", again=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}"[:200], again=True) from None
        if not response.is_success:
            said = text[:200].decode("utf-8", "replace")
            raise NoAnswer(f"status {response.status_code}: {said}", again=response.status_code in _AGAIN)
        try:
            return parse_json(bytes(text)) if text.strip() else None
        except RequestError as error:
            raise NoAnswer(str(error)) from None


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare and port != 0


def _headers() -> dict[str, str]:
    # What a client that decompresses is sent may be far shorter than what it gets.
    headers = {"accept-encoding": "identity"}
    key = os.environ.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(f"{KEY} holds letters that no header may have")
    return headers | ({"authorization": f"Bearer {key}"} if key else {})
