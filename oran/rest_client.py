"""One small JSON client for the REST interfaces of the RIC platform: bounded in time and in answer size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oran.rest import JsonObject, JsonValue, RequestError, parse_json

if TYPE_CHECKING:
    import httpx

MAX_ANSWER_OCTETS = 16 << 20
"""Above any list of nodes or subscriptions a platform gives; more is cut off as an error."""


class RestError(Exception):
    """A request got no usable answer: no connection, no answer in time, or no JSON where JSON was due."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the body's JSON value (None for an empty body; text that is not JSON as a string)."""

    status: int
    body: JsonValue

    @property
    def ok(self) -> bool:
        """Whether the request was carried out (status 2xx)."""
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """The status and what the server says about it, for error messages."""
        text = self.body
        if isinstance(text, dict):
            text = next((text[key] for key in ("detail", "message", "error", "title") if text.get(key)), "")
        said = f": {text}" if text and isinstance(text, str) else ""
        return f"status {self.status}{said[:300]}"


class RestClient:
    """JSON requests to one server. The platform is reached directly: proxy settings are not read."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r}: give a URL that begins with http:// or https://")
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    async def request(self, method: str, path: str, body: JsonObject | None = None) -> Answer:
        """Send a request with an optional JSON body; raises RestError when there is no usable answer."""
        import asyncio

        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout_s, trust_env=False)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream(method, self.url + path, json=body) as response,
            ):
                text = bytearray()
                async for chunk in response.aiter_bytes():
                    text += chunk
                    if len(text) > MAX_ANSWER_OCTETS:
                        raise RestError(f"{method} {self.url}{path}: the answer is too long")
                return Answer(response.status_code, _value(bytes(text)))
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise RestError(f"{method} {self.url}{path}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Give the connections back; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _value(text: bytes) -> JsonValue:
    if not text.strip():
        return None
    try:
        return parse_json(text)
    except RequestError:
        return text.decode("utf-8", "replace")
