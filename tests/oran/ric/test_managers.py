"""The E2, application and route managers, as xApps and tools see them."""

from pathlib import Path

import httpx

from oran.e2.e2ap.messages import (
    Cause,
    E2NodeConfigurationUpdate,
    E2NodeConfigurationUpdateAcknowledge,
    E2RemovalRequest,
    E2RemovalResponse,
    FunctionRef,
    RanFunction,
    ResetRequest,
    ResetResponse,
    RicServiceUpdate,
    RicServiceUpdateAcknowledge,
)
from oran.ric import NearRtRic
from tests.oran.ric.material import KPM, NG, FakeNode, FakeXapp, routes_of, until


async def get(ric: NearRtRic, manager: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=10) as client:
        return await client.get(f"{ric.addresses[manager]}{path}")


async def test_nodes_are_listed_with_their_functions_and_stay_listed_when_gone(ric: NearRtRic) -> None:
    assert (await get(ric, "e2mgr", "/v1/nodeb/states")).json() == []
    node = await FakeNode.join(ric)
    entry = {
        "inventoryName": node.name,
        "globalNbId": {"plmnId": "00F110", "nbId": f"{0x19B:032b}"},
        "connectionStatus": "CONNECTED",
    }
    assert (await get(ric, "e2mgr", "/v1/nodeb/states")).json() == [entry]
    details = (await get(ric, "e2mgr", f"/v1/nodeb/{node.name}")).json()
    assert (details["ranName"], details["connectionStatus"]) == (node.name, "CONNECTED")
    function = {
        "ranFunctionId": KPM.function_id,
        "ranFunctionDefinition": KPM.definition.hex().upper(),
        "ranFunctionRevision": KPM.revision,
        "ranFunctionOid": KPM.oid,
    }
    assert details["gnb"]["ranFunctions"] == [function]
    assert details["associatedE2tInstanceAddress"] == ric.addresses["rmr"]
    await node.leave()
    await until(lambda: not ric.nodes.connected())
    states = (await get(ric, "e2mgr", "/v1/nodeb/states")).json()
    assert states == [entry | {"connectionStatus": "DISCONNECTED"}]
    assert (await get(ric, "e2mgr", "/v1/nodeb/gnb_999_999_1")).status_code == 404


async def test_service_and_configuration_updates_are_acknowledged(ric: NearRtRic, node: FakeNode) -> None:
    added = RanFunction(9, b"new", 3, "1.2.3")
    await node.send(RicServiceUpdate(5, (added,), (), (FunctionRef(KPM.function_id, KPM.revision),)))
    await until(lambda: node.of(RicServiceUpdateAcknowledge))
    answer = node.of(RicServiceUpdateAcknowledge)[0]
    assert answer.transaction_id == 5
    assert FunctionRef(9, 3) in answer.accepted
    known = ric.nodes.get(node.name)
    assert known is not None
    assert known.functions == {9: added}
    await node.send(E2NodeConfigurationUpdate(6, None, (NG,)))
    await until(lambda: node.of(E2NodeConfigurationUpdateAcknowledge))
    acknowledged = node.of(E2NodeConfigurationUpdateAcknowledge)[0]
    assert (acknowledged.transaction_id, acknowledged.added[0].component) == (6, NG.component)


async def test_a_reset_ends_the_nodes_subscriptions(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    first = await xapp.subscribe(node.name)
    await node.send(ResetRequest(3, Cause("misc", "unspecified")))
    await until(lambda: node.of(ResetResponse))
    assert node.of(ResetResponse)[0].transaction_id == 3
    assert ric.subscriptions.active == 0
    assert await xapp.subscribe(node.name) != first


async def test_a_node_that_takes_leave_is_answered_and_disconnected(ric: NearRtRic, node: FakeNode) -> None:
    await node.send(E2RemovalRequest(8))
    await until(lambda: node.of(E2RemovalResponse))
    await until(lambda: node.association.closed)
    assert not ric.nodes.connected()


async def test_xapps_register_are_listed_and_deregister(ric: NearRtRic, xapp: FakeXapp) -> None:
    assert (await xapp.register("one", (5, 6))).status_code == 201
    listed = (await get(ric, "appmgr", "/ric/v1/xapps")).json()
    assert [(app["name"], app["status"], app["version"]) for app in listed] == [("one", "deployed", "1.0.0")]
    instance = listed[0]["instances"][0]
    assert (instance["ip"], instance["port"]) == xapp.rmr.address
    assert instance["rxMessages"] == ["RIC_INDICATION", "A1_POLICY_REQ", "METRICS"]
    address = ":".join(map(str, xapp.rmr.address))
    for record in (f"mse|20010|5|{address}", f"mse|12041|-1|{address}", f"mse|120|-1|{address}"):
        assert record in routes_of(ric)
    assert (await get(ric, "appmgr", "/ric/v1/xapps/one")).json() == listed[0]
    body = {"appName": "one", "appInstanceName": "one"}
    url = f"{ric.addresses['appmgr']}/ric/v1/deregister"
    assert (await xapp.http.post(url, json=body)).status_code == 204
    assert (await xapp.http.post(url, json=body)).status_code == 404
    assert address not in routes_of(ric)
    assert (await get(ric, "appmgr", "/ric/v1/xapps")).json() == []


async def test_an_xapp_without_a_config_is_asked_for_it(ric: NearRtRic, xapp: FakeXapp, tmp_path: Path) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    from oran.rest import serve

    async def config(request: Request) -> Response:
        return JSONResponse({"rmr": {"policies": [42], "rxMessages": [], "txMessages": []}})

    web = await serve(Starlette(routes=[Route("/ric/v1/config", config)]), "127.0.0.1", 0)
    body = {
        "appName": "asked",
        "appInstanceName": "asked",
        "httpEndpoint": web.address,
        "rmrEndpoint": "127.0.0.1:4560",
        "configPath": "/ric/v1/config",
    }
    answer = await xapp.http.post(f"{ric.addresses['appmgr']}/ric/v1/register", json=body)
    await web.stop()
    assert answer.status_code == 201
    assert "mse|20010|42|127.0.0.1:4560" in routes_of(ric)


async def test_unusable_registrations_are_refused_with_the_reason(ric: NearRtRic, xapp: FakeXapp) -> None:
    good = {"appName": "x", "appInstanceName": "x", "rmrEndpoint": "127.0.0.1:4560", "config": "{}"}
    faults = [
        ({"rmrEndpoint": "nowhere"}, "rmrEndpoint"),
        ({"rmrEndpoint": "a|b\nmse:1"}, "rmrEndpoint"),
        ({"appName": ""}, "appName"),
        ({"config": "{"}, "config"),
        ({"config": "[]"}, "config"),
        ({"config": '{"rmr": {"policies": [[1]]}}'}, "policies"),
        ({"config": '{"rmr": {"policies": [true]}}'}, "policies"),
        ({"config": '{"messaging": {"ports": [{"name": "rmrroute", "port": "4561"}]}}'}, "port"),
    ]
    for change, member in faults:
        answer = await xapp.http.post(f"{ric.addresses['appmgr']}/ric/v1/register", json=good | change)
        assert answer.status_code == 400, change
        assert member in answer.json()["detail"]
    odd = good | {"config": '{"rmr": {"rxMessages": [1, "NO_SUCH"], "policies": "x"}, "messaging": []}'}
    assert (await xapp.http.post(f"{ric.addresses['appmgr']}/ric/v1/register", json=odd)).status_code == 201
    surrogate = b'{"appName":"\\ud800","appInstanceName":"y","rmrEndpoint":"127.0.0.1:4560","config":"{}"}'
    answer = await xapp.http.post(f"{ric.addresses['appmgr']}/ric/v1/register", content=surrogate)
    assert answer.status_code == 201
    assert {app["name"] for app in (await get(ric, "appmgr", "/ric/v1/xapps")).json()} == {"x", "\ud800"}


async def test_tables_come_on_request_and_follow_every_change(ric: NearRtRic, xapp: FakeXapp) -> None:
    await xapp.routed(mtype=20011)
    assert xapp.rmr.routes.targets(20012) == (ric.addresses["rmr"],)
    first = await FakeNode.join(ric, 1)
    second = await FakeNode.join(ric, 2)
    await xapp.routed(meid=first.name)
    await xapp.routed(meid=second.name)
    assert set(xapp.rmr.routes.owners.values()) == {ric.addresses["rmr"]}
    _, instance = await xapp.subscribe(first.name)
    await until(lambda: xapp.rmr.routes.find(12050, instance))
    await first.leave()
    await second.leave()
    await until(lambda: (instance, 12050) not in xapp.rmr.routes.routes)
    assert ric.counters.route_pushes >= 3
    assert ric.counters.route_pushes_failed == 0


async def test_a_registered_xapp_gets_tables_without_asking(ric: NearRtRic, node: FakeNode) -> None:
    quiet = await FakeXapp.start(ric, asks=False)
    assert not quiet.rmr.ready
    assert (await quiet.register()).status_code == 201
    await quiet.routed(meid=node.name)
    await quiet.stop()


async def test_metrics_tell_what_goes_on(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    _, instance = await xapp.subscribe(node.name)
    await node.indicate(instance)
    await until(lambda: xapp.of(12050))
    await node.indicate(instance + 1)
    await until(lambda: ric.counters.dropped["to_xapp_no_route"])
    text = (await get(ric, "e2mgr", "/metrics")).text
    for line in (
        "ranloop_ric_nodes_connected 1.0",
        "ranloop_ric_subscriptions_active 1.0",
        "ranloop_ric_indications_total 2.0",
        'ranloop_ric_dropped_total{layer="ric",reason="to_xapp_no_route"} 1.0',
    ):
        assert line in text.splitlines()
