"""Our own clients of the platform, and other E2 transports and stores, against the live RIC."""

import asyncio
import shutil
import socket
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from oran.e2.e2ap.messages import Action, ActionType, RicSubscriptionDeleteRequest, RicSubscriptionRequest
from oran.nodes import NodesClient
from oran.registration import Registration, RegistrationClient
from oran.rest import serve
from oran.ric import NearRtRic
from oran.subscriptions import ClientEndpoint, SubscriptionClient
from tests.oran.ric.material import KPM, FakeNode, FakeXapp, ric_config, routes_of, until

ACTIONS = (Action(1, ActionType.REPORT, b"definition"),)


async def test_nodes_are_found_with_their_functions(ric: NearRtRic, node: FakeNode) -> None:
    client = NodesClient(ric.addresses["e2mgr"])
    assert [(found.name, found.connected) for found in await client.list_nodes()] == [(node.name, True)]
    assert (await client.node(node.name)).functions == (KPM,)
    await client.close()


async def test_an_xapp_registers_and_deregisters(ric: NearRtRic) -> None:
    client = RegistrationClient(ric.addresses["appmgr"])
    registration = Registration("x", "1.0.0", "x-1", "127.0.0.1:8080", "127.0.0.1:9", {"rmr": {"policies": [9]}})
    await client.register(registration)
    assert "mse|20010|9|127.0.0.1:9\n" in routes_of(ric)
    await client.deregister(registration)
    assert "127.0.0.1:9\n" not in routes_of(ric)
    await client.close()


async def test_a_restarted_xapp_ends_what_it_left_behind(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    clients: list[SubscriptionClient] = []
    app = Starlette()
    web = await serve(app, "127.0.0.1", 0)
    for run in (1, 2):
        app.router.routes.clear()
        endpoint = ClientEndpoint("127.0.0.1", web.port, xapp.rmr.address[1])
        client = SubscriptionClient(ric.addresses["subscription"], endpoint)
        clients.append(client)
        app.router.routes.extend(client.routes())
        assert await client.delete_stale() == run - 1
        subscription = await client.subscribe(node.name, KPM.function_id, b"trigger", ACTIONS)
        await node.indicate(subscription.instance_id)
        await until(lambda run=run: len(xapp.of(12050)) == run)
    requests, ended = node.of(RicSubscriptionRequest), node.of(RicSubscriptionDeleteRequest)
    assert [item.request_id for item in ended] == [requests[0].request_id]
    assert ric.subscriptions.active == 1
    for client in clients:
        await client.close()
    await web.stop()


async def test_nodes_come_over_seqpacket_too(tmp_path: Path) -> None:
    async with NearRtRic(ric_config(e2_address=f"unix://{tmp_path}/e2")) as ric:
        node, xapp = await FakeNode.join(ric), await FakeXapp.start(ric)
        _, instance = await xapp.subscribe(node.name)
        pdu = await node.indicate(instance)
        await until(lambda: xapp.of(12050))
        assert xapp.of(12050)[0].payload == pdu
        await node.leave()
        await xapp.stop()


async def test_policies_outlive_the_ric_in_redis(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    redis = await asyncio.create_subprocess_exec(program, *arguments, stdout=asyncio.subprocess.DEVNULL)
    config = ric_config(redis=f"127.0.0.1:{port}")
    body = {"name": "n", "description": "d", "policy_type_id": 5, "create_schema": {"type": "object"}}
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            async with NearRtRic(config) as ric:
                base = f"{ric.addresses['a1']}/A1-P/v2"
                for _ in range(200):
                    if (await client.get(f"{base}/healthcheck")).status_code == 200:
                        break
                    await asyncio.sleep(0.05)
                assert (await client.put(f"{base}/policytypes/5", json=body)).status_code == 201
                assert (await client.put(f"{base}/policytypes/5/policies/p", json={"a": 1})).status_code == 202
            async with NearRtRic(config) as ric:
                base = f"{ric.addresses['a1']}/A1-P/v2"
                assert (await client.get(f"{base}/policytypes/5/policies/p")).json() == {"a": 1}
                redis.terminate()
                await redis.wait()
                answer = await client.get(f"{base}/policytypes/5/policies/p")
                assert answer.status_code == 503
                assert "Redis" in answer.json()["detail"]
    finally:
        if redis.returncode is None:
            redis.kill()
            await redis.wait()
