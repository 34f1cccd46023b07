"""Peers that misbehave or vanish: they are cut off or waited for, and the others notice nothing."""

import asyncio
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oran.rmr import Counters, RmrEndpoint, RmrMessage, SendResult
from oran.rmr.frame import encode_frame
from oran.rmr.inbox import Inbox
from oran.rmr.link import LinkContext
from oran.rmr.peers import Peer
from tests.oran.rmr.support import config, eventually, free_port, name_of, next_message, raw_peer, route_text

GARBAGE = {
    "garbage": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20, "too_large"),
    "huge length": (struct.pack("<I", 0xFFFFFFF0) + bytes(100), "too_large"),
    "tiny length": (struct.pack("<I", 4) + bytes(400), "bad_length"),
    "header lengths": (
        encode_frame(RmrMessage(1, b"x"))[:-1].ljust(335, b"\xff").replace(b"\0\0\1\x18", b"\0\0\7\x18"),
        "bad_header",
    ),
    "other version": (
        encode_frame(RmrMessage(1))[:58] + b"\0\0\0\2" + encode_frame(RmrMessage(1))[62:],
        "bad_version",
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_a_peer_that_sends_garbage_is_cut_off_and_the_other_goes_on(name: str) -> None:
    octets, reason = GARBAGE[name]
    async with RmrEndpoint(config()) as endpoint, raw_peer(endpoint.address[1]) as good:
        async with raw_peer(endpoint.address[1]) as bad:
            await good.send(RmrMessage(1, b"before"))
            await bad.send_bytes(encode_frame(RmrMessage(2, b"still fine")) + octets)
            assert await bad.closed_by_peer()
        await good.send(RmrMessage(1, b"after"))
        got = {(await next_message(endpoint)).payload for _ in range(3)}
        assert got == {b"before", b"still fine", b"after"}
        assert endpoint.counters.dropped == {reason: 1}


async def test_half_a_frame_is_cut_off_after_a_while_and_the_other_goes_on() -> None:
    async with RmrEndpoint(config(frame_timeout_s=0.1)) as endpoint, raw_peer(endpoint.address[1]) as good:
        async with raw_peer(endpoint.address[1]) as bad:
            await bad.send_bytes(encode_frame(RmrMessage(1, b"x"))[:200])
            assert await bad.closed_by_peer()
        assert endpoint.counters.dropped == {"frame_timeout": 1}
        await good.send(RmrMessage(1, b"after"))  # idle all the while, between frames: that is allowed
        assert (await next_message(endpoint)).payload == b"after"


async def test_a_trickle_of_octets_does_not_hold_the_line() -> None:
    async with RmrEndpoint(config(frame_timeout_s=0.15)) as endpoint, raw_peer(endpoint.address[1]) as bad:
        frame = encode_frame(RmrMessage(1, bytes(4000)))

        async def trickle() -> None:
            for position in range(len(frame)):
                await bad.send_bytes(frame[position : position + 1])
                await asyncio.sleep(0.01)

        with pytest.raises(ConnectionError):
            await trickle()
        assert endpoint.counters.dropped == {"frame_timeout": 1}
        assert endpoint.receive_nowait() is None


async def test_slow_frames_in_time_are_taken() -> None:
    async with RmrEndpoint(config(frame_timeout_s=5.0)) as endpoint, raw_peer(endpoint.address[1]) as slow:
        frame = encode_frame(RmrMessage(1, b"slow")) * 3
        for position in range(0, len(frame), 100):
            await slow.send_bytes(frame[position : position + 100])
            await asyncio.sleep(0.005)
        assert [(await next_message(endpoint)).payload for _ in range(3)] == [b"slow"] * 3
        assert not endpoint.counters.dropped


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=600))
def test_no_octets_stop_an_endpoint(octets: bytes) -> None:
    async def scenario() -> None:
        async with RmrEndpoint(config(frame_timeout_s=0.02)) as endpoint:
            async with raw_peer(endpoint.address[1]) as bad:
                await bad.send_bytes(octets)
                await bad.closed_by_peer()
            assert endpoint.counters.dropped.total() == 1
            async with raw_peer(endpoint.address[1]) as good:
                await good.send(RmrMessage(1, b"fine"))
                assert (await next_message(endpoint)).payload == b"fine"

    asyncio.run(scenario())


async def test_too_many_connections_are_refused() -> None:
    async with RmrEndpoint(config(max_connections=2)) as endpoint:
        port = endpoint.address[1]
        async with raw_peer(port) as one, raw_peer(port) as two:
            for number, peer in enumerate((one, two)):
                await peer.send(RmrMessage(1, str(number).encode()))
                assert (await next_message(endpoint)).payload == str(number).encode()
            async with raw_peer(port) as three:
                assert await three.closed_by_peer()
            await one.send(RmrMessage(1, b"still here"))
            assert (await next_message(endpoint)).payload == b"still here"
        assert endpoint.counters.dropped == {"connection_limit": 1}
        async with raw_peer(port) as four:  # the places are free again
            await four.send(RmrMessage(1, b"four"))
            assert (await next_message(endpoint)).payload == b"four"


async def test_the_receive_queue_is_bounded_in_messages() -> None:
    async with RmrEndpoint(config(receive_queue_messages=10)) as endpoint, raw_peer(endpoint.address[1]) as client:
        for number in range(25):
            await client.send(RmrMessage(1, str(number).encode()))
        await eventually(lambda: endpoint.counters.dropped["receive_queue_full"] == 15)
        assert [(await next_message(endpoint)).payload for _ in range(10)] == [str(n).encode() for n in range(10)]
        assert endpoint.receive_nowait() is None
        await client.send(RmrMessage(1, b"again"))
        assert (await next_message(endpoint)).payload == b"again"


def test_the_receive_queue_is_bounded_in_octets() -> None:
    inbox = Inbox(max_messages=100, max_octets=250)
    assert [inbox.put(RmrMessage(1, bytes(100))) for _ in range(3)] == [True, True, False]
    assert inbox.get_nowait() is not None
    assert inbox.put(RmrMessage(1, bytes(100)))
    inbox.close()
    assert not inbox.put(RmrMessage(1))


async def test_a_peer_that_does_not_read_fills_its_own_queue_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stuck:
        async with RmrEndpoint(config(send_queue_octets=1 << 20)) as sender, RmrEndpoint(config()) as good:
            port = stuck.getsockname()[1]
            sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{port}", f"mse|2|-1|{name_of(good)}"))
            results = []
            for _ in range(400):
                results.append(sender.send(RmrMessage(1, bytes(100_000))))
                await asyncio.sleep(0)
            assert results[-1] is SendResult.QUEUE_FULL
            assert sender.counters.dropped["queue_full"] == results.count(SendResult.QUEUE_FULL)
            sender.send(RmrMessage(2, b"through"))
            assert (await next_message(good)).payload == b"through"


async def test_messages_for_an_absent_peer_wait_within_bounds_and_expire() -> None:
    port = free_port()
    async with RmrEndpoint(config(send_queue_s=0.2, send_queue_octets=1 << 20)) as sender:
        sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{port}"))
        results = [sender.send(RmrMessage(1, bytes(100_000))) for _ in range(12)]
        assert results == [SendResult.QUEUED] * 10 + [SendResult.QUEUE_FULL] * 2
        await eventually(lambda: sender.counters.dropped == {"queue_full": 2, "expired": 10})


async def test_expired_messages_make_room_while_the_peer_backs_off() -> None:
    port = free_port()
    settings = config(send_queue_s=0.05, send_queue_octets=1 << 20, backoff_min_s=30.0, backoff_max_s=30.0)
    async with RmrEndpoint(settings) as sender:
        sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{port}"))
        assert all(sender.send(RmrMessage(1, bytes(200_000))) for _ in range(5))
        assert sender.send(RmrMessage(1, bytes(200_000))) is SendResult.QUEUE_FULL
        await asyncio.sleep(0.1)
        assert sender.send(RmrMessage(1, bytes(200_000))) is SendResult.QUEUED
        assert sender.counters.dropped == {"queue_full": 1, "expired": 5}


async def test_messages_wait_for_a_peer_that_starts_late() -> None:
    port = free_port()
    async with RmrEndpoint(config()) as sender:
        sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{port}"))
        for number in range(3):
            assert sender.send(RmrMessage(1, str(number).encode())) is SendResult.QUEUED
        await asyncio.sleep(0.05)
        async with RmrEndpoint(config(port=port)) as late:
            assert [(await next_message(late)).payload for _ in range(3)] == [b"0", b"1", b"2"]


async def test_reconnect_after_the_peer_restarts() -> None:
    async with RmrEndpoint(config()) as sender:
        port = free_port()
        sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{port}"))
        for life in range(3):
            async with RmrEndpoint(config(port=port)) as peer:
                async with asyncio.timeout(5.0):
                    while peer.counters.received == 0:  # one sent into the old, dying connection may be lost
                        sender.send(RmrMessage(1, str(life).encode()))
                        await asyncio.sleep(0.02)
                assert (await next_message(peer)).payload in {str(n).encode() for n in range(life + 1)}


async def test_attempts_on_an_absent_peer_back_off() -> None:
    context = LinkContext(config(backoff_min_s=0.01, backoff_max_s=0.05), Counters(), lambda message: None)
    peer = Peer(f"127.0.0.1:{free_port()}", context)
    seen = [peer.backoff_s]
    async with asyncio.timeout(10.0):
        while seen[-1] < 0.05:
            peer.send(b"frame")
            await asyncio.sleep(0)
            if peer.backoff_s != seen[-1]:
                seen.append(peer.backoff_s)
    await peer.close()
    assert seen == [0.0, 0.01, 0.02, 0.04, 0.05]


async def test_a_peer_that_slams_the_door_is_backed_off_too() -> None:
    visits = 0

    def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        writer.transport.abort()

    async with await asyncio.start_server(slam, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RmrEndpoint(config(backoff_min_s=10.0, backoff_max_s=10.0, send_queue_s=60.0)) as sender:
            sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{port}"))
            sender.send(RmrMessage(1))
            await eventually(lambda: visits == 1)
            for _ in range(50):
                sender.send(RmrMessage(1))
                await asyncio.sleep(0.002)
            assert visits == 1


async def test_senders_with_ever_new_names_do_not_pile_up() -> None:
    async with RmrEndpoint(config(max_peers=4)) as endpoint, raw_peer(endpoint.address[1]) as client:
        for number in range(20):
            await client.send(RmrMessage(1, source=f"127.0.0.1:{number + 1}"))
            endpoint.reply(await next_message(endpoint), 2, b"")
            assert (await client.receive()).mtype == 2
        assert endpoint.peer_count <= 4
