"""Helpers of the RMR tests: endpoints on free loopback ports, raw sockets, waiting for a condition."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from oran.rmr import RmrConfig, RmrEndpoint, RmrMessage
from oran.rmr.frame import FrameReader, encode_frame

FAST = {"backoff_min_s": 0.02, "backoff_max_s": 0.1}


def name_of(endpoint: RmrEndpoint) -> str:
    host, port = endpoint.address
    return f"{host}:{port}"


def route_text(*records: str) -> str:
    return "\n".join(("newrt|start", *records, f"newrt|end|{len(records)}"))


async def eventually(condition: Callable[[], object], limit_s: float = 5.0) -> None:
    """Wait until a condition holds; fails the test after the limit."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.005)


async def next_message(endpoint: RmrEndpoint, limit_s: float = 5.0) -> RmrMessage:
    async with asyncio.timeout(limit_s):
        return await endpoint.receive()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config(**settings: object) -> RmrConfig:
    return RmrConfig(**{**FAST, **settings})  # type: ignore[arg-type]


class RawPeer:
    """A peer that speaks plain TCP, so that a test can send it anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._frames = FrameReader()

    async def send(self, message: RmrMessage) -> None:
        await self.send_bytes(encode_frame(message))

    async def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, limit_s: float = 5.0) -> RmrMessage:
        async with asyncio.timeout(limit_s):
            while (message := self._frames.next_message()) is None:
                data = await self.reader.read(65536)
                if not data:
                    raise EOFError("the endpoint closed the connection")
                self._frames.feed(data)
            return message

    async def closed_by_peer(self, limit_s: float = 5.0) -> bool:
        async with asyncio.timeout(limit_s):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
            return True


@asynccontextmanager
async def raw_peer(port: int) -> AsyncIterator[RawPeer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)
