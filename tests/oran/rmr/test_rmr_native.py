"""The native adapter: its threads and queues over an in-memory library, and librmr itself where it exists."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from oran.rmr import (
    CallError,
    CallTimeout,
    ConfigError,
    NativeUnavailable,
    RmrEndpoint,
    RmrError,
    RmrMessage,
    SendResult,
    Transport,
    TransportClosed,
)
from oran.rmr.librmr import LibRmr
from oran.rmr.native import NativeEndpoint
from tests.oran.rmr.support import config, eventually, free_port, name_of, next_message, raw_peer, route_text

UNROUTED = 404
UNANSWERED = 405
BROKEN = 406


class Loopback:
    """A router library that brings every message back to its sender."""

    def __init__(self) -> None:
        self.messages: queue.Queue[RmrMessage] = queue.Queue()
        self.opened_on = 0
        self.closed = False
        self.gate = threading.Event()
        self.gate.set()

    def open(self, port: int, max_payload_octets: int) -> None:
        self.opened_on = port

    def close(self) -> None:
        self.closed = True

    def ready(self) -> bool:
        return self.opened_on != 0

    def receive(self, timeout_ms: int) -> RmrMessage | None:
        try:
            return self.messages.get(timeout=timeout_ms / 1000)
        except queue.Empty:
            return None

    def send(self, message: RmrMessage) -> SendResult:
        self.gate.wait()
        if message.mtype == BROKEN:
            raise ValueError("the library broke")
        if message.mtype == UNROUTED:
            return SendResult.NO_ROUTE
        self.messages.put(replace(message, connection=self))
        return SendResult.SENT

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        assert request.connection is self
        return self.send(replace(request, mtype=mtype, payload=payload))

    def call(self, message: RmrMessage, call_id: int, timeout_ms: int) -> RmrMessage | SendResult | None:
        if message.mtype == UNROUTED:
            return SendResult.NO_ROUTE
        if message.mtype == UNANSWERED:
            return None
        return replace(message, mtype=message.mtype + 1)


@pytest.fixture
async def library() -> Loopback:
    return Loopback()


@pytest.fixture
async def endpoint(library: Loopback) -> AsyncIterator[NativeEndpoint]:
    async with NativeEndpoint(config(port=4560), library=library) as running:
        yield running


async def test_messages_pass_through_both_threads(endpoint: NativeEndpoint, library: Loopback) -> None:
    transport: Transport = endpoint
    assert library.opened_on == 4560
    assert transport.ready
    for number in range(200):
        assert transport.send(RmrMessage(1, str(number).encode())) is SendResult.QUEUED
    for number in range(200):
        async with asyncio.timeout(5.0):
            assert (await transport.receive()).payload == str(number).encode()
    await eventually(lambda: endpoint.counters.sent == endpoint.counters.received == 200)


async def test_reply_and_health_check(endpoint: NativeEndpoint) -> None:
    endpoint.send(RmrMessage(1, b"ask", xid=b"id"))
    async with asyncio.timeout(5.0):
        endpoint.reply(await endpoint.receive(), 2, b"answer")
        answer = await endpoint.receive()
        assert (answer.mtype, answer.payload, answer.xid) == (2, b"answer", b"id")
        endpoint.send(RmrMessage(100))
        assert (await endpoint.receive()).mtype == 101


async def test_losses_are_counted_by_reason(endpoint: NativeEndpoint) -> None:
    for mtype in (UNROUTED, BROKEN, UNROUTED):
        endpoint.send(RmrMessage(mtype))
    await eventually(lambda: endpoint.counters.dropped == {"no_route": 2, "unreachable": 1})
    endpoint.send(RmrMessage(1, b"the thread lives on"))
    async with asyncio.timeout(5.0):
        assert (await endpoint.receive()).payload == b"the thread lives on"


async def test_calls(endpoint: NativeEndpoint) -> None:
    answers = await asyncio.gather(*(endpoint.call(RmrMessage(1, str(n).encode()), 5.0) for n in range(50)))
    assert [answer.payload for answer in answers] == [str(n).encode() for n in range(50)]
    assert all(len(answer.xid) == 32 for answer in answers)
    with pytest.raises(CallTimeout):
        await endpoint.call(RmrMessage(UNANSWERED), 0.01)
    with pytest.raises(CallError, match="no_route"):
        await endpoint.call(RmrMessage(UNROUTED), 1.0)


async def test_the_queue_to_the_sending_thread_is_bounded(endpoint: NativeEndpoint, library: Loopback) -> None:
    library.gate.clear()
    results = [endpoint.send(RmrMessage(UNROUTED)) for _ in range(5000)]
    library.gate.set()
    assert results[-1] is SendResult.QUEUE_FULL
    assert endpoint.counters.dropped["queue_full"] == results.count(SendResult.QUEUE_FULL)


async def test_the_receive_queue_is_bounded(library: Loopback) -> None:
    async with NativeEndpoint(config(port=4560, receive_queue_messages=5), library=library) as endpoint:
        for number in range(20):
            library.messages.put(RmrMessage(1, str(number).encode()))
        await eventually(lambda: endpoint.counters.dropped.total() == 15)
        kept = [endpoint.receive_nowait() for _ in range(6)]
        assert kept[-1] is None
        assert None not in kept[:-1]


async def test_stop_is_clean(endpoint: NativeEndpoint, library: Loopback) -> None:
    waiting = asyncio.create_task(endpoint.receive())
    await asyncio.sleep(0)
    await endpoint.stop()
    with pytest.raises(TransportClosed):
        await waiting
    assert library.closed
    assert endpoint.send(RmrMessage(1)) is SendResult.CLOSED
    with pytest.raises(CallError):
        await endpoint.call(RmrMessage(1), 1.0)
    await endpoint.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rmr-")]


async def test_a_second_start_is_refused(endpoint: NativeEndpoint) -> None:
    with pytest.raises(RmrError, match="already started"):
        await endpoint.start()


def test_port_zero_is_refused(library: Loopback) -> None:
    with pytest.raises(ConfigError, match="port"):
        NativeEndpoint(config(), library=library)


def librmr_missing() -> str:
    try:
        LibRmr()
    except NativeUnavailable as error:
        return str(error)
    return ""


@pytest.mark.skipif(not librmr_missing(), reason="librmr is installed")
def test_without_librmr_the_error_says_what_is_missing() -> None:
    with pytest.raises(NativeUnavailable, match="ricxappframe and librmr"):
        NativeEndpoint(config(port=4560))


@pytest.mark.skipif(bool(librmr_missing()), reason=librmr_missing() or "librmr is installed")
async def test_librmr_and_our_endpoint_understand_each_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    async with RmrEndpoint(config()) as ours:
        seed = tmp_path / "routes.rt"
        seed.write_text(route_text(f"mse|1|-1|{name_of(ours)}") + "\n")
        for name, value in (("RMR_SEED_RT", str(seed)), ("RMR_RTG_SVC", "-1"), ("RMR_SRC_ID", "127.0.0.1")):
            monkeypatch.setenv(name, value)
        async with NativeEndpoint(config(port=port)) as native:
            await eventually(lambda: native.ready)
            native.send(RmrMessage(1, b"from librmr", sub_id=7, meid="gnb_1", xid=b"id"))
            got = await next_message(ours)
            assert (got.payload, got.sub_id, got.meid, got.xid) == (b"from librmr", 7, "gnb_1", b"id")
            assert got.source == f"127.0.0.1:{port}"
            ours.reply(got, 2, b"back")
            async with asyncio.timeout(5.0):
                back = await native.receive()
            assert (back.mtype, back.payload, back.xid) == (2, b"back", b"id")
            call = asyncio.create_task(native.call(RmrMessage(1, b"call"), 5.0))
            ours.reply(await next_message(ours), 3, b"answer")
            assert (await call).payload == b"answer"
            async with raw_peer(port) as client:
                await client.send(RmrMessage(5, b"no listener"))
                async with asyncio.timeout(5.0):
                    native.reply(await native.receive(), 6, b"still reached")
                assert (await client.receive()).payload == b"still reached"
