import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from oran.e2.association import Association, Server, best_address, connect, listen, sctp_available
from oran.e2.association import base as limits
from oran.e2.association.address import Address
from oran.e2.association.packet import PacketAssociation
from oran.e2.errors import TransportError

SCTP = pytest.param("sctp", marks=pytest.mark.skipif(not sctp_available(), reason="this kernel has no SCTP"))


@pytest.fixture(params=["tcp", "unix", SCTP])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "unix":
        return f"unix://{tmp_path}/e2.sock"
    return f"{request.param}://127.0.0.1:0"


async def echo(association: Association) -> None:
    while True:
        await association.send(await association.receive())


@contextlib.asynccontextmanager
async def pair(address: str, **options: int) -> AsyncIterator[tuple[Association, Association, Server]]:
    """A client, the association that its server accepted, and the server."""
    accepted: asyncio.Queue[Association] = asyncio.Queue()

    async def keep(association: Association) -> None:
        accepted.put_nowait(association)
        await asyncio.Event().wait()

    async with await listen(address, keep, **options) as server:
        client = await connect(str(server.address))
        yield client, await accepted.get(), server
        client.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


async def test_messages_come_back_whole_and_in_order(address: str) -> None:
    messages = [os.urandom(size) for size in (1, 2, 127, 128, 1500, 16_384, 70_000, 100_000)] * 3
    async with await listen(address, echo) as server:
        client = await connect(str(server.address))

        async def send() -> None:
            for message in messages:
                await client.send(message)

        sending = asyncio.create_task(send())
        assert [await client.receive() for _ in messages] == messages
        await sending
        client.close()


async def test_the_time_of_a_message_does_not_wait_for_its_reader(address: str) -> None:
    async with pair(address) as (client, accepted, _):
        await client.send(b"one")
        await until(lambda: bool(accepted._inbox))
        await client.send(b"two")
        await until(lambda: len(accepted._inbox) == 2)
        await accepted.receive()
        first_s = accepted.received_s
        await accepted.receive()
        assert 0 < first_s < accepted.received_s


async def test_what_was_received_before_the_end_can_still_be_read(address: str) -> None:
    async with pair(address) as (client, accepted, server):
        await client.send(b"last words")
        client.close()
        await until(lambda: accepted.closed)
        assert await accepted.receive() == b"last words"
        with pytest.raises(TransportError, match=limits.PEER_CLOSED):
            await accepted.receive()
        assert server.ended[limits.PEER_CLOSED] == 1


async def test_a_waiting_reader_learns_of_the_end(address: str) -> None:
    async with pair(address) as (client, accepted, _):
        reading = asyncio.create_task(client.receive())
        await asyncio.sleep(0)
        accepted.close()
        with pytest.raises(TransportError, match=limits.PEER_CLOSED):
            await reading
        with pytest.raises(TransportError):
            await client.send(b"too late")


async def test_a_cancelled_reader_leaves_the_association_usable(address: str) -> None:
    async with pair(address) as (client, accepted, _):
        reading = asyncio.create_task(accepted.receive())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await client.send(b"hello")
        assert await accepted.receive() == b"hello"


async def test_a_second_reader_is_refused(address: str) -> None:
    async with pair(address) as (client, accepted, _):
        reading = asyncio.create_task(accepted.receive())
        await asyncio.sleep(0)
        with pytest.raises(TransportError, match="another task"):
            await accepted.receive()
        await client.send(b"mine")
        assert await reading == b"mine"


async def test_empty_and_oversized_messages_are_not_sent(address: str) -> None:
    async with pair(address) as (client, accepted, _):
        for message in (b"", bytes(limits.MAX_MESSAGE + 1)):
            with pytest.raises(TransportError, match="can be sent"):
                await client.send(message)
        await client.send(b"fine")
        assert await accepted.receive() == b"fine"


async def test_a_longer_message_than_allowed_ends_the_association(address: str) -> None:
    async with pair(address, max_message=1000) as (client, accepted, server):
        await client.send(bytes(1000))
        assert len(await accepted.receive()) == 1000
        await client.send(bytes(1001))
        with pytest.raises(TransportError, match=limits.TOO_LARGE):
            await accepted.receive()
        assert server.ended == {limits.TOO_LARGE: 1}


async def test_a_slow_reader_holds_the_sender_back(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INBOX_MESSAGES", 16)
    total, message = 3000, bytes(10_000)
    sent = 0
    async with pair(address) as (client, accepted, _):

        async def flood() -> None:
            nonlocal sent
            for _ in range(total):
                await client.send(message)
                sent += 1

        flooding = asyncio.create_task(flood())
        await until(lambda: accepted._paused)
        await asyncio.sleep(0.05)
        assert sent < total
        assert len(accepted._inbox) < 100
        for _ in range(total):
            assert len(await accepted.receive()) == len(message)
        await flooding


async def test_one_bad_peer_does_not_disturb_another(address: str) -> None:
    async with await listen(address, echo, max_message=1000) as server:
        good = await connect(str(server.address))
        bad = await connect(str(server.address))
        await bad.send(bytes(2000))
        with pytest.raises(TransportError):
            await bad.receive()
        await good.send(b"still here")
        assert await good.receive() == b"still here"
        good.close()


async def test_a_failing_handler_ends_its_association_only(address: str) -> None:
    async def handler(association: Association) -> None:
        if await association.receive() == b"crash":
            raise ValueError("handler bug")
        await echo(association)

    problems: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    async with await listen(address, handler) as server:
        first, second = await connect(str(server.address)), await connect(str(server.address))
        await first.send(b"crash")
        with pytest.raises(TransportError):
            await first.receive()
        await second.send(b"x")
        await second.send(b"echoed")
        assert await second.receive() == b"echoed"
        second.close()
    assert [str(problem["exception"]) for problem in problems] == ["handler bug"]


async def test_closing_the_server_closes_what_it_accepted(address: str) -> None:
    server = await listen(address, echo)
    client = await connect(str(server.address))
    await client.send(b"x")
    assert await client.receive() == b"x"
    await server.close()
    with pytest.raises(TransportError):
        await client.receive()
    with pytest.raises(TransportError):
        await connect(str(server.address))


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\xff\xff\xff\xff garbage", limits.TOO_LARGE),
        (b"GET / HTTP/1.1\r\n\r\n", limits.TOO_LARGE),
        (b"\0\0\0\0", limits.EMPTY),
        (b"\0\0\0\x09half", limits.TRUNCATED),
        (b"\0\0", limits.TRUNCATED),
        (b"\0\0\0\x03abc", limits.PEER_CLOSED),
    ],
)
async def test_bad_framing_on_tcp_ends_the_association_with_its_reason(octets: bytes, reason: str) -> None:
    async with await listen("tcp://127.0.0.1:0", echo) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
        writer.write(octets)
        writer.write_eof()
        await until(lambda: server.ended.total() == 1)
        assert server.ended == {reason: 1}
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        del reader


async def test_a_stalled_message_on_tcp_ends_the_association(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STALL_S", 0.05)
    async with await listen("tcp://127.0.0.1:0", echo) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
        writer.write(b"\0\0\0\x09half")
        await until(lambda: server.ended.total() == 1)
        assert server.ended == {limits.STALLED: 1}
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_messages_split_and_joined_by_tcp_are_put_together() -> None:
    messages = [b"a", b"bc" * 400, b"def"]
    stream = b"".join(len(message).to_bytes(4, "big") + message for message in messages)
    async with await listen("tcp://127.0.0.1:0", echo) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
        for start in range(0, len(stream), 7):
            writer.write(stream[start : start + 7])
            await writer.drain()
        writer.write(stream)
        assert await reader.readexactly(2 * len(stream)) == stream * 2
        writer.close()
        await writer.wait_closed()


async def test_a_dead_servers_socket_file_is_replaced_and_a_live_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "e2.sock"
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    dead.bind(str(path))
    dead.close()
    async with await listen(f"unix://{path}", echo):
        with pytest.raises(TransportError, match="in use"):
            await listen(f"unix://{path}", echo)
        client = await connect(f"unix://{path}")
        await client.send(b"x")
        assert await client.receive() == b"x"
        client.close()
    assert not path.exists()


async def test_nobody_there_is_a_transport_error(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for address in (f"tcp://127.0.0.1:{port}", f"unix://{tmp_path}/none"):
            with pytest.raises(TransportError):
                await connect(address)


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:36421", "http://x:1", "tcp://", "tcp://h:99999", "tcp://h:1/path", "unix://host/x", "unix://"],
)
async def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(TransportError, match="address"):
        await connect(address)


def test_addresses_read_back_as_written() -> None:
    for url in ("tcp://127.0.0.1:1", "sctp://[::1]:36421", "unix:///run/e2.sock"):
        assert str(Address.parse(url)) == url
    assert Address.parse("sctp://ric").port == 36_421


def test_the_best_address_is_sctp_where_there_is_one() -> None:
    assert best_address("127.0.0.1", 5) == ("sctp" if sctp_available() else "tcp") + "://127.0.0.1:5"


async def test_a_message_handed_over_in_parts_is_put_together() -> None:
    """SCTP marks the last part of a message; the kernel's reads are played here by hand."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    association = PacketAssociation(ours, "peer", 10)
    association._in_parts = True

    def read(part: bytes, flags: int) -> None:
        association._buffer[: len(part)] = part
        association._take(len(part), flags, 1.0)

    read(b"abc", 0)
    read(b"def", 0)
    read(b"gh", socket.MSG_EOR)
    read(b"whole", socket.MSG_EOR)
    assert [await association.receive(), await association.receive()] == [b"abcdefgh", b"whole"]
    read(b"abcdefgh", 0)
    read(b"ijk", 0)
    assert association.reason == limits.TOO_LARGE
    theirs.close()
