"""HTTP servers inside the running event loop, and reading what clients send them without trusting it."""

import asyncio
import contextlib
import json
import math
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response

AsgiMessage = MutableMapping[str, Any]
AsgiApp = Callable[
    [AsgiMessage, Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]], Awaitable[None]
]
"""An ASGI application; its messages are untyped by that interface's own definition."""

Endpoint = Callable[["Request"], Awaitable["Response"]]
"""What answers one kind of HTTP request."""

MAX_BODY_OCTETS = 1 << 20
BODY_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 256
STOP_TIMEOUT_S = 2

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]


class RequestError(Exception):
    """A client's request is refused with an HTTP status and a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class RestServer:
    """An HTTP server that runs as a task of the current loop and leaves the process's signals alone."""

    def __init__(self, host: str, port: int, stopping: asyncio.Event, task: "asyncio.Task[None]") -> None:
        self.host = host
        self.port = port
        self._stopping = stopping
        self._task = task

    @property
    def address(self) -> str:
        """Host and port as text, with the port that was really bound."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def stop(self) -> None:
        """Close the listener, give running requests `STOP_TIMEOUT_S`, then end; a second call does nothing."""
        self._stopping.set()
        await asyncio.wait([self._task])


async def serve(app: AsgiApp, host: str, port: int) -> RestServer:
    """Serve an ASGI application at host:port (0 takes a free port); raises OSError when that is not free."""
    listener = _listen(host, port)
    stopping = asyncio.Event()
    server = _make_server(app, stopping)
    task = asyncio.create_task(server.serve(sockets=[listener]), name=f"rest-{listener.getsockname()[1]}")
    bound_port: int = listener.getsockname()[1]
    try:
        while not server.started:
            if task.done():
                raise OSError(f"the HTTP server at {host}:{bound_port} ended while it started")
            await asyncio.sleep(0)
    except BaseException:
        task.cancel()
        listener.close()
        raise
    return RestServer(host, bound_port, stopping, task)


async def read_body(request: "Request", max_octets: int = MAX_BODY_OCTETS) -> bytes:
    """A request's body; raises RequestError 413 when it is too long, 408 when it does not come in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_octets:
                    raise RequestError(413, f"the body is longer than {max_octets} octets")
    except TimeoutError:
        raise RequestError(408, f"the body did not come within {BODY_TIMEOUT_S:g} s") from None
    return bytes(body)


async def read_json(request: "Request", max_octets: int = MAX_BODY_OCTETS) -> JsonValue:
    """A request's JSON body; raises RequestError 400 when it is none, and as `read_body`."""
    return parse_json(await read_body(request, max_octets))


async def read_object(request: "Request", max_octets: int = MAX_BODY_OCTETS) -> JsonObject:
    """A request's body as a JSON object; raises RequestError as `read_json`."""
    value = await read_json(request, max_octets)
    if not isinstance(value, dict):
        raise RequestError(400, "the body must be a JSON object")
    return value


def parse_json(text: bytes | str) -> JsonValue:
    """JSON text as a value; raises RequestError 400 for text that is not JSON (RFC 8259) or nests too deep."""
    try:
        value: JsonValue = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        reason = "it nests too deep" if isinstance(error, RecursionError) else str(error)
        raise RequestError(400, f"the body is not JSON: {reason}") from None
    return value


def json_answer(value: JsonValue, status: int = 200) -> "Response":
    """An answer in JSON; ASCII only, so that text a client sent as unpaired surrogates can be told back."""
    from starlette.responses import Response

    return Response(json.dumps(value), status, media_type="application/json")


def problem(status: int, reason: str) -> "Response":
    """An error answer as problem JSON (RFC 9457)."""
    from starlette.responses import Response

    body = json.dumps({"title": _title(status), "status": status, "detail": reason})
    return Response(body, status, media_type="application/problem+json")


def guarded(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose RequestError becomes an answer, `problem`."""

    async def answer(request: "Request") -> "Response":
        try:
            return await endpoint(request)
        except RequestError as error:
            return problem(error.status, error.reason)

    return answer


def _make_server(app: AsgiApp, stopping: asyncio.Event) -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        """A server whose process handles its signals itself, and that sleeps until it is to stop."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def main_loop(self) -> None:
            await stopping.wait()

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
    )
    return Server(config)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is out of range")
    return value


def _title(status: int) -> str:
    from http import HTTPStatus

    return HTTPStatus(status).phrase
