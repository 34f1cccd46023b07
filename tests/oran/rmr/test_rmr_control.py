"""The control port: tables pushed by a route manager and acknowledged, requests for one, the seed file."""

import asyncio
from pathlib import Path

import pytest

from oran.rmr import RmrEndpoint, RmrMessage
from oran.rmr.message import CALL_FLAG
from tests.oran.rmr.support import config, eventually, free_port, name_of, next_message, raw_peer, route_text

PUSH = (
    "newrt|start|tbl-42\nmse|30000|-1|{target}\nmse|12040,{own}|-1|%meid\nmse|9,other:1|-1|{target}\nnewrt|end|3\n"
    "meid_map|start|map-43\nmme_ar|{target}|gnb_1 gnb_2\nmeid_map|end|1\n"
)


def call_of(text: str, source: str = "") -> RmrMessage:
    return RmrMessage(20, text.encode(), source=source, flags=CALL_FLAG, d1=b"\x05\0\0\0", xid=b"f" * 32)


async def test_push_is_taken_and_each_table_acknowledged_to_the_caller() -> None:
    async with (
        RmrEndpoint(config(control_port=0)) as xapp,
        RmrEndpoint(config()) as target,
        raw_peer(xapp.control_port) as manager,
    ):
        ready_before = xapp.ready
        await manager.send(call_of(PUSH.format(target=name_of(target), own=name_of(xapp))))
        for expected in (b"OK tbl-42 \n\0", b"OK map-43 \n\0"):
            ack = await manager.receive()
            assert (ack.mtype, ack.payload, ack.d1, ack.xid) == (22, expected, b"\x05\0\0\0", b"f" * 32)
            assert not ack.is_call
            assert ack.source == f"127.0.0.1:{xapp.control_port}"
        assert (ready_before, xapp.ready) == (False, True)
        assert xapp.send(RmrMessage(30000, b"a"))
        assert xapp.send(RmrMessage(12040, b"b", meid="gnb_2"))
        assert {(await next_message(target)).payload for _ in range(2)} == {b"a", b"b"}
        assert not xapp.send(RmrMessage(9))


async def test_acknowledgement_goes_to_the_managers_listener() -> None:
    async with RmrEndpoint(config(control_port=0)) as xapp, RmrEndpoint(config()) as manager:
        manager.load_routes(route_text(f"mse|20|-1|127.0.0.1:{xapp.control_port}"))
        ack = await manager.call(RmrMessage(20, b"newrt|start|t1\nnewrt|end|0\n"), 5.0)
        assert (ack.mtype, ack.payload) == (22, b"OK t1 \n\0")
        refused = await manager.call(RmrMessage(20, b"newrt|start|t2\nmse|1|-1|a:1\nnewrt|end|2\n"), 5.0)
        assert refused.payload.startswith(b"ERR t2 ")


async def test_updates_of_a_subscription() -> None:
    async with RmrEndpoint(config(control_port=0)) as xapp, raw_peer(xapp.control_port) as manager:
        await manager.send(call_of("newrt|start\nmse|12050|1|a:1\nnewrt|end\n"))
        await manager.receive()
        await manager.send(call_of("updatert|start|u\nmse|12050|2|b:1\ndel|12050|1\nupdatert|end|2\n"))
        assert (await manager.receive()).payload == b"OK u \n\0"
        assert xapp.routes.targets(12050, 2) == ("b:1",)
        assert xapp.routes.targets(12050, 1) == ()


async def test_other_types_on_the_control_port_are_dropped() -> None:
    async with RmrEndpoint(config(control_port=0)) as xapp, raw_peer(xapp.control_port) as stranger:
        await stranger.send(RmrMessage(12050, b"not here"))
        await eventually(lambda: xapp.counters.dropped == {"unexpected_control": 1})
        assert xapp.receive_nowait() is None


async def test_garbage_on_the_control_port_leaves_the_data_port_alone() -> None:
    async with RmrEndpoint(config(control_port=0)) as xapp, raw_peer(xapp.address[1]) as good:
        async with raw_peer(xapp.control_port) as bad:
            await bad.send_bytes(b"\xff" * 400)
            assert await bad.closed_by_peer()
        await good.send(RmrMessage(1, b"fine"))
        assert (await next_message(xapp)).payload == b"fine"


async def test_the_route_manager_is_asked_until_a_table_arrives() -> None:
    port = free_port()
    settings = config(control_port=0, route_manager=f"127.0.0.1:{port}", request_period_s=0.05, send_queue_s=0.05)
    async with RmrEndpoint(settings) as xapp:
        await asyncio.sleep(0.1)  # the manager comes later than the xApp
        async with RmrEndpoint(config(port=port)) as manager:
            requests = [await next_message(manager) for _ in range(2)]
            for request in requests:
                assert (request.mtype, request.sub_id) == (21, 0)
                assert request.source == f"127.0.0.1:{xapp.control_port}"
                name, _, stamp = request.text.partition(" ts=")
                assert name == name_of(xapp)
                assert stamp.strip().isdigit()
            assert request.payload.endswith(b"\n\0")
            manager.load_routes(route_text(f"mse|20|-1|{requests[0].source}"))
            await manager.call(RmrMessage(20, b"newrt|start|t\nmse|1|-1|a:1\nnewrt|end|1\n"), 5.0)
            await eventually(lambda: xapp.ready)
            await asyncio.sleep(0.1)
            while manager.receive_nowait() is not None:
                pass
            await asyncio.sleep(0.2)
            assert manager.receive_nowait() is None


async def test_seed_file(tmp_path: Path) -> None:
    seed = tmp_path / "routes.rt"
    seed.write_text(route_text("rte|100|a:1") + "\n")
    async with RmrEndpoint(config(seed_path=seed)) as endpoint:
        assert endpoint.ready
        assert endpoint.routes.targets(100) == ("a:1",)


async def test_seed_file_that_comes_late_and_changes(tmp_path: Path) -> None:
    seed = tmp_path / "routes.rt"
    async with RmrEndpoint(config(seed_path=seed, seed_period_s=0.05, seed_retry_s=0.05)) as endpoint:
        assert not endpoint.ready
        seed.write_text(route_text("rte|100|a:1"))
        await eventually(lambda: endpoint.ready)
        seed.write_text(route_text("rte|100|b:1"))
        await eventually(lambda: endpoint.routes.targets(100) == ("b:1",))
        seed.write_text("newrt|start\nrte|100|c:1\nnewrt|end|9")
        await asyncio.sleep(0.2)
        assert endpoint.routes.targets(100) == ("b:1",)


@pytest.mark.parametrize("octets", [b"", b"\xff\xfe\0", b"newrt|start\n" * 3])
async def test_a_seed_without_a_table_leaves_the_endpoint_not_ready(tmp_path: Path, octets: bytes) -> None:
    seed = tmp_path / "routes.rt"
    seed.write_bytes(octets)
    async with RmrEndpoint(config(seed_path=seed)) as endpoint:
        assert not endpoint.ready
