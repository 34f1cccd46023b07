"""Live endpoints on loopback: routed sends, groups, node owners, calls, replies to senders of every kind."""

import asyncio
import socket
from time import perf_counter

import pytest

from oran.rmr import (
    CallError,
    CallTimeout,
    RmrEndpoint,
    RmrError,
    RmrMessage,
    RouteTableError,
    SendResult,
    Transport,
    TransportClosed,
)
from oran.rmr.frame import FrameReader
from oran.rmr.inbox import Inbox
from oran.rmr.link import Link
from oran.rmr.message import CALL_FLAG
from tests.oran.rmr.support import config, eventually, free_port, name_of, next_message, raw_peer, route_text


async def answer_calls(endpoint: RmrEndpoint) -> None:
    while True:
        request = await endpoint.receive()
        endpoint.reply(request, request.mtype + 1, request.payload[::-1])


async def test_a_routed_message_arrives_whole() -> None:
    async with RmrEndpoint(config()) as sender, RmrEndpoint(config()) as receiver:
        transport: Transport = sender
        sender.load_routes(route_text(f"mse|12050|7|{name_of(receiver)}"))
        assert transport.ready
        sent = RmrMessage(12050, bytes(range(256)) * 800, sub_id=7, meid="gnb_1", xid=b"x" * 32, trace=b"t")
        before_s = perf_counter()
        assert transport.send(sent)
        got = await next_message(receiver)
        assert (got.mtype, got.payload, got.sub_id, got.meid, got.xid) == (
            12050,
            sent.payload,
            7,
            "gnb_1",
            b"x" * 32,
        )
        assert got.source == got.source_ip == name_of(sender)
        assert before_s <= got.received_s <= perf_counter()
        assert transport.send(sent) is not SendResult.NO_ROUTE
        await next_message(receiver)
        assert sender.counters.sent == 2
        assert receiver.counters.received == 2
        assert not sender.counters.dropped


async def test_order_is_kept_from_the_first_message_on() -> None:
    async with RmrEndpoint(config()) as sender, RmrEndpoint(config()) as receiver:
        sender.load_routes(route_text(f"mse|1|-1|{name_of(receiver)}"))
        for number in range(500):
            sender.send(RmrMessage(1, str(number).encode()))
            if number % 7 == 0:
                await asyncio.sleep(0)
        got = [int((await next_message(receiver)).payload) for _ in range(500)]
        assert got == list(range(500))


async def test_a_connected_peer_gets_the_octets_before_send_returns() -> None:
    async with RmrEndpoint(config()) as sender:
        with socket.create_server(("127.0.0.1", 0)) as server:
            sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{server.getsockname()[1]}"))
            assert sender.send(RmrMessage(1, b"first")) is SendResult.QUEUED
            loop = asyncio.get_running_loop()
            server.setblocking(False)
            connection, _ = await loop.sock_accept(server)
            with connection:
                first = await loop.sock_recv(connection, 4096)
                assert first.endswith(b"first")
                connection.setblocking(True)
                connection.settimeout(5)
                assert sender.send(RmrMessage(1, b"second")) is SendResult.SENT
                assert connection.recv(4096).endswith(b"second")  # no turn of the event loop in between


async def test_nagle_is_off_and_keepalive_on_in_both_directions() -> None:
    async with RmrEndpoint(config()) as sender, RmrEndpoint(config()) as receiver:
        sender.load_routes(route_text(f"mse|1|-1|{name_of(receiver)}"))
        sender.send(RmrMessage(1))
        request = await next_message(receiver)
        receiver.reply(request, 2, b"")
        reply = await next_message(sender)
        for message in (request, reply):
            assert isinstance(message.connection, Link)
            assert message.connection.socket_option(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert message.connection.socket_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0


async def test_groups_get_copies_and_take_turns() -> None:
    async with (
        RmrEndpoint(config()) as sender,
        RmrEndpoint(config()) as one,
        RmrEndpoint(config()) as two,
        RmrEndpoint(config()) as tap,
    ):
        sender.load_routes(route_text(f"mse|1|-1|{name_of(one)},{name_of(two)};{name_of(tap)}"))
        for number in range(6):
            assert sender.send(RmrMessage(1, str(number).encode()))
        assert [(await next_message(one)).payload for _ in range(3)] == [b"0", b"2", b"4"]
        assert [(await next_message(two)).payload for _ in range(3)] == [b"1", b"3", b"5"]
        assert [(await next_message(tap)).payload for _ in range(6)] == [b"0", b"1", b"2", b"3", b"4", b"5"]


async def test_node_owner_gets_the_control() -> None:
    async with RmrEndpoint(config()) as xapp, RmrEndpoint(config()) as east, RmrEndpoint(config()) as west:
        xapp.load_routes(
            route_text("mse|12040|-1|%meid")
            + f"\nmeid_map|start\nmme_ar|{name_of(east)}|gnb_1 gnb_2\nmme_ar|{name_of(west)}|gnb_3\nmeid_map|end|2"
        )
        xapp.send(RmrMessage(12040, b"to west", meid="gnb_3"))
        xapp.send(RmrMessage(12040, b"to east", meid="gnb_2"))
        assert (await next_message(west)).payload == b"to west"
        assert (await next_message(east)).payload == b"to east"
        assert xapp.send(RmrMessage(12040, meid="gnb_9")) is SendResult.NO_ROUTE
        assert xapp.counters.dropped == {"no_route": 1}


async def test_subscription_route_falls_back_to_the_type() -> None:
    async with RmrEndpoint(config()) as sender, RmrEndpoint(config()) as seven, RmrEndpoint(config()) as other:
        sender.load_routes(route_text(f"mse|1|7|{name_of(seven)}", f"rte|1|{name_of(other)}"))
        sender.send(RmrMessage(1, b"a", sub_id=7))
        sender.send(RmrMessage(1, b"b", sub_id=8))
        assert (await next_message(seven)).payload == b"a"
        assert (await next_message(other)).payload == b"b"


async def test_calls_find_their_own_answers() -> None:
    async with RmrEndpoint(config()) as caller, RmrEndpoint(config()) as server:
        caller.load_routes(route_text(f"mse|5|-1|{name_of(server)}"))
        task = asyncio.create_task(answer_calls(server))
        answers = await asyncio.gather(*(caller.call(RmrMessage(5, f"{n}!".encode()), 5.0) for n in range(100)))
        assert [answer.payload for answer in answers] == [f"!{str(n)[::-1]}".encode() for n in range(100)]
        assert {answer.mtype for answer in answers} == {6}
        assert caller.receive_nowait() is None  # answers never reach the queue
        task.cancel()


async def test_a_call_without_answer_times_out_and_the_late_answer_is_counted() -> None:
    async with RmrEndpoint(config()) as caller, RmrEndpoint(config()) as server:
        caller.load_routes(route_text(f"mse|5|-1|{name_of(server)}"))
        with pytest.raises(CallTimeout):
            await caller.call(RmrMessage(5, xid=b"mine"), 0.05)
        request = await next_message(server)
        assert (request.is_call, request.xid) == (True, b"mine")
        assert request.call_id >= 2
        server.reply(request, 6, b"late")
        await eventually(lambda: caller.counters.dropped["late_answer"] == 1)
        assert caller.receive_nowait() is None


async def test_an_answer_with_another_transaction_id_is_not_ours() -> None:
    async with RmrEndpoint(config()) as caller, RmrEndpoint(config()) as server:
        caller.load_routes(route_text(f"mse|5|-1|{name_of(server)}"))
        call = asyncio.create_task(caller.call(RmrMessage(5, xid=b"mine"), 5.0))
        request = await next_message(server)
        async with raw_peer(caller.address[1]) as stranger:
            await stranger.send(RmrMessage(6, b"wrong", xid=b"other", d1=request.d1))
            await stranger.send(RmrMessage(6, b"right", xid=b"mine", d1=request.d1))
            assert (await call).payload == b"right"
        assert caller.counters.dropped["late_answer"] == 1


async def test_calls_that_cannot_be_sent() -> None:
    async with RmrEndpoint(config()) as endpoint:
        with pytest.raises(CallError, match="no_route"):
            await endpoint.call(RmrMessage(5), 1.0)
    with pytest.raises(CallError, match="closed"):
        await endpoint.call(RmrMessage(5), 1.0)


async def test_at_most_254_calls_at_a_time() -> None:
    async with RmrEndpoint(config()) as caller, RmrEndpoint(config()) as server:
        caller.load_routes(route_text(f"mse|5|-1|{name_of(server)}"))
        calls = [asyncio.create_task(caller.call(RmrMessage(5), 5.0)) for _ in range(254)]
        requests = [await next_message(server) for _ in calls]
        assert len({request.call_id for request in requests}) == 254
        with pytest.raises(CallError, match="254 calls"):
            await caller.call(RmrMessage(5), 5.0)
        for request in requests:
            server.reply(request, 6, b"")
        await asyncio.gather(*calls)


async def test_stop_releases_callers_and_receivers() -> None:
    async with RmrEndpoint(config()) as caller, RmrEndpoint(config()) as server:
        caller.load_routes(route_text(f"mse|5|-1|{name_of(server)}"))
        call = asyncio.create_task(caller.call(RmrMessage(5), 60.0))
        receiver = asyncio.create_task(caller.receive())
        await next_message(server)
        await caller.stop()
        with pytest.raises(CallError):
            await call
        with pytest.raises(TransportClosed):
            await receiver
        with pytest.raises(TransportClosed):
            await caller.receive()
        assert caller.send(RmrMessage(5)) is SendResult.CLOSED
        await caller.stop()


async def test_reply_to_a_sender_with_a_listener_goes_there() -> None:
    async with (
        RmrEndpoint(config()) as endpoint,
        RmrEndpoint(config()) as listener,
        raw_peer(endpoint.address[1]) as client,
    ):
        await client.send(RmrMessage(1, source=name_of(listener), xid=b"id", meid="gnb", sub_id=4))
        assert endpoint.reply(await next_message(endpoint), 2, b"answer")
        reply = await next_message(listener)
        assert (reply.mtype, reply.payload, reply.xid) == (2, b"answer", b"id")
        assert (reply.meid, reply.sub_id, reply.source) == ("gnb", 4, name_of(endpoint))


@pytest.mark.parametrize("source", ["", "nonsense", "no-such-host.invalid:4560", "127.0.0.1:1"])
async def test_reply_to_a_sender_without_a_listener_comes_back_on_its_socket(source: str) -> None:
    async with RmrEndpoint(config()) as endpoint, raw_peer(endpoint.address[1]) as client:
        for number in range(3):
            request = RmrMessage(1, source=source, xid=b"x" * 32, flags=CALL_FLAG, d1=bytes((9, 1, 2, number)))
            await client.send(request)
            assert endpoint.reply(await next_message(endpoint), 2, b"answer")
            reply = await client.receive()
            assert (reply.mtype, reply.payload, reply.xid, reply.d1) == (2, b"answer", request.xid, request.d1)
            assert not reply.is_call
        assert not endpoint.counters.dropped


async def test_reply_goes_to_the_ip_when_source_and_socket_are_gone() -> None:
    async with RmrEndpoint(config()) as endpoint, RmrEndpoint(config()) as listener:
        async with raw_peer(endpoint.address[1]) as client:
            await client.send(RmrMessage(1, source="127.0.0.1:1", source_ip=name_of(listener)))
            request = await next_message(endpoint)
        await eventually(lambda: isinstance(request.connection, Link) and not request.connection.open)
        assert endpoint.reply(request, 2, b"answer")
        assert (await next_message(listener)).payload == b"answer"


async def test_reply_with_nowhere_to_go_is_counted() -> None:
    async with RmrEndpoint(config()) as endpoint:
        async with raw_peer(endpoint.address[1]) as client:
            await client.send(RmrMessage(1))
            request = await next_message(endpoint)
        await eventually(lambda: isinstance(request.connection, Link) and not request.connection.open)
        assert endpoint.reply(request, 2, b"") is SendResult.UNREACHABLE
        assert endpoint.counters.dropped == {"unreachable": 1}


async def test_a_forwarded_call_is_nobodys_call_any_more() -> None:
    async with RmrEndpoint(config()) as relay, RmrEndpoint(config()) as last:
        relay.load_routes(route_text(f"mse|1|-1|{name_of(last)}"))
        async with raw_peer(relay.address[1]) as client:
            await client.send(RmrMessage(1, b"x", flags=CALL_FLAG, d1=b"\x07abc"))
            relay.send(await next_message(relay))
        got = await next_message(last)
        assert (got.call_id, got.is_call, got.d1) == (0, False, b"\0abc")


async def test_health_check_is_answered() -> None:
    async with RmrEndpoint(config()) as endpoint, raw_peer(endpoint.address[1]) as client:
        await client.send(RmrMessage(100, b"\0" + bytes(1023)))
        reply = await client.receive()
        assert (reply.mtype, reply.text.split()[0]) == (101, "OK")
        assert endpoint.receive_nowait() is None
    async with (
        RmrEndpoint(config(answer_health_checks=False)) as endpoint,
        raw_peer(endpoint.address[1]) as client,
    ):
        await client.send(RmrMessage(100))
        assert (await next_message(endpoint)).mtype == 100


async def test_source_name_and_ip() -> None:
    async with RmrEndpoint(config()) as receiver:
        routes = route_text(f"mse|1|-1|{name_of(receiver)}")
        for settings, name, ip in (
            ({"source_name": "service-x-rmr.ricxapp"}, "service-x-rmr.ricxapp", "127.0.0.1"),
            ({"source_name": "x", "source_name_only": True}, "x", "x"),
        ):
            async with RmrEndpoint(config(routes=routes, **settings)) as sender:
                assert sender.address[0] == name
                sender.send(RmrMessage(1))
                got = await next_message(receiver)
                port = sender.address[1]
                assert (got.source, got.source_ip) == (f"{name}:{port}", f"{ip}:{port}")


async def test_all_interfaces_take_the_host_name() -> None:
    async with RmrEndpoint(config(bind_host="0.0.0.0")) as endpoint, raw_peer(endpoint.address[1]) as client:
        assert endpoint.address[0] == socket.gethostname().partition(".")[0][:57]
        await client.send(RmrMessage(1))
        assert (await next_message(endpoint)).mtype == 1


async def test_start_fails_cleanly_when_the_port_is_taken() -> None:
    async with RmrEndpoint(config()) as first:
        second = RmrEndpoint(config(port=first.address[1]))
        with pytest.raises(OSError, match="in use"):
            await second.start()
        assert not second.ready
        third = RmrEndpoint(config(control_port=first.address[1], port=(port := free_port())))
        with pytest.raises(OSError, match="in use"):
            await third.start()
        async with RmrEndpoint(config(port=port)):
            pass  # the data port was given back
        with pytest.raises(RmrError, match="already started"):
            await first.start()


async def test_an_endpoint_may_start_again() -> None:
    endpoint = RmrEndpoint(config())
    for _ in range(2):
        async with endpoint, raw_peer(endpoint.address[1]) as client:
            await client.send(RmrMessage(1, b"x"))
            assert (await next_message(endpoint)).payload == b"x"


async def test_refused_route_text_keeps_the_routes() -> None:
    async with RmrEndpoint(config(routes=route_text("mse|1|-1|a:1"))) as endpoint:
        for text in ("newrt|start\nmse|1|-1|b:1\nnewrt|end|7", "mse|1|-1|b:1", ""):
            with pytest.raises(RouteTableError):
                endpoint.load_routes(text)
        assert endpoint.routes.targets(1) == ("a:1",)


async def test_what_waits_can_be_drained_after_stop() -> None:
    async with RmrEndpoint(config()) as endpoint, raw_peer(endpoint.address[1]) as client:
        await client.send(RmrMessage(1, b"kept"))
        await eventually(lambda: endpoint.counters.received == 1)
        await endpoint.stop()
        assert (await endpoint.receive()).payload == b"kept"


async def test_a_receiver_cancelled_at_the_last_moment_loses_no_message() -> None:
    inbox = Inbox(max_messages=1, max_octets=100)
    impatient, patient = asyncio.create_task(inbox.get()), asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(RmrMessage(1, b"x"))  # wakes the first ...
    impatient.cancel()  # ... which leaves before it runs
    async with asyncio.timeout(5.0):
        assert (await patient).payload == b"x"
    assert impatient.cancelled()


async def test_messages_that_do_not_fit_are_refused() -> None:
    async with RmrEndpoint(config(max_frame_octets=1000)) as sender, RmrEndpoint(config()) as receiver:
        sender.load_routes(route_text(f"mse|1|-1|{name_of(receiver)}"))
        assert sender.send(RmrMessage(1, bytes(1000))) is SendResult.DOES_NOT_FIT
        assert sender.send(RmrMessage(1, meid="m" * 40)) is SendResult.DOES_NOT_FIT
        assert sender.counters.dropped == {"too_large": 1, "does_not_fit": 1}
        assert sender.send(RmrMessage(1, bytes(1000 - 334)))
        assert len((await next_message(receiver)).payload) == 666


async def test_a_frame_of_the_largest_size_passes() -> None:
    async with RmrEndpoint(config()) as sender, RmrEndpoint(config()) as receiver:
        sender.load_routes(route_text(f"mse|1|-1|{name_of(receiver)}"))
        payload = bytes(sender.config.max_frame_octets - 334)
        sender.send(RmrMessage(1, payload))
        assert (await next_message(receiver)).payload == payload


async def test_frames_on_the_wire_carry_both_lengths() -> None:
    async with RmrEndpoint(config()) as sender:
        with socket.create_server(("127.0.0.1", 0)) as server:
            sender.load_routes(route_text(f"mse|1|-1|127.0.0.1:{server.getsockname()[1]}"))
            sender.send(RmrMessage(1, b"x"))
            loop = asyncio.get_running_loop()
            server.setblocking(False)
            connection, _ = await loop.sock_accept(server)
            with connection:
                frame = await loop.sock_recv(connection, 4096)
        assert frame[:9] == len(frame).to_bytes(4, "little") + len(frame).to_bytes(4, "big") + b"$"
        reader = FrameReader()
        reader.feed(frame)
        assert reader.next_message() is not None
