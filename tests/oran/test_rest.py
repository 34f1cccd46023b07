"""The HTTP helper against live clients: ports, limits, clean stop."""

import asyncio
import signal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oran.rest import RequestError, RestServer, parse_json, problem, read_object, serve


async def echo(request: Request) -> Response:
    try:
        return JSONResponse(await read_object(request, max_octets=1000))
    except RequestError as error:
        return problem(error.status, error.reason)


def app() -> Starlette:
    return Starlette(routes=[Route("/echo", echo, methods=["POST"])])


@pytest.fixture
async def server():
    running = await serve(app(), "127.0.0.1", 0)
    yield running
    await running.stop()


async def test_serves_on_the_port_it_reports(server: RestServer) -> None:
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        answer = await client.post("/echo", json={"a": [1, None]})
    assert (answer.status_code, answer.json()) == (200, {"a": [1, None]})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b"[" * 900, 400),
        (b'{"a": NaN}', 400),
        (b"\xff", 400),
        (b" " * 1001, 413),
    ],
)
async def test_bad_bodies_are_refused_with_a_reason(server: RestServer, body: bytes, status: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        answer = await client.post("/echo", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["detail"]


async def test_garbage_on_one_connection_leaves_others_served(server: RestServer) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"\x00\xff" * 200 + b"\r\n\r\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        assert (await client.post("/echo", json={})).status_code == 200


async def test_a_taken_port_is_an_error_and_stop_frees_it(server: RestServer) -> None:
    with pytest.raises(OSError, match="in use"):
        await serve(app(), "127.0.0.1", server.port)
    await server.stop()
    await server.stop()
    again = await serve(app(), "127.0.0.1", server.port)
    assert again.port == server.port
    await again.stop()


async def test_signal_handlers_stay_the_process_s_own() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    running = await serve(app(), "127.0.0.1", 0)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    await running.stop()


@given(st.binary(max_size=200))
def test_any_octets_are_json_or_refused(body: bytes) -> None:
    status = 0
    try:
        parse_json(body)
    except RequestError as error:
        status = error.status
    assert status in (0, 400)
