"""The E2 manager's client against a live server, and the application manager's."""

import json
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oran.e2.e2ap.messages import RanFunction
from oran.errors import NodeListError, RegistrationError
from oran.nodes import NodeInfo, NodesClient
from oran.registration import Registration, RegistrationClient
from oran.rest import RestServer, serve

FUNCTION = {
    "ranFunctionId": 2,
    "ranFunctionDefinition": "304B504D",
    "ranFunctionRevision": 1,
    "ranFunctionOid": "1.3.6.1.4.1.53148.1.2.2.2",
}
KPM = RanFunction(2, b"0KPM", 1, "1.3.6.1.4.1.53148.1.2.2.2")


class Platform:
    """What the platform's REST interfaces answer, and what they were asked."""

    def __init__(self) -> None:
        self.states: object = []
        self.nodes: dict[str, object] = {}
        self.status = 200
        self.asked: list[tuple[str, object]] = []

    def app(self) -> Starlette:
        async def states(_: Request) -> Response:
            return JSONResponse(self.states, self.status)

        async def node(request: Request) -> Response:
            name = request.path_params["name"]
            return JSONResponse(self.nodes.get(name, {"errorCode": 404}), 200 if name in self.nodes else 404)

        async def app_manager(request: Request) -> Response:
            self.asked.append((request.url.path, await request.json()))
            return Response(status_code=self.status)

        return Starlette(
            routes=[
                Route("/v1/nodeb/states", states),
                Route("/v1/nodeb/{name}", node),
                Route("/ric/v1/{what}", app_manager, methods=["POST"]),
            ]
        )


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def server(platform: Platform) -> AsyncIterator[RestServer]:
    server = await serve(platform.app(), "127.0.0.1", 0)
    yield server
    await server.stop()


@pytest.fixture
async def nodes(server: RestServer) -> AsyncIterator[NodesClient]:
    client = NodesClient(f"http://{server.address}")
    yield client
    await client.close()


async def test_nodes_are_listed_with_their_state(platform: Platform, nodes: NodesClient) -> None:
    platform.states = [
        {
            "inventoryName": "gnb_1",
            "globalNbId": {"plmnId": "00F110", "nbId": "01"},
            "connectionStatus": "CONNECTED",
        },
        {"ranName": "gnb_2", "connectionStatus": "DISCONNECTED"},
        {"name": "gnb_3"},
        {"connectionStatus": "CONNECTED"},
        17,
    ]
    assert await nodes.list_nodes() == (
        NodeInfo("gnb_1", True),
        NodeInfo("gnb_2", False),
        NodeInfo("gnb_3", False),
    )
    platform.states = None
    assert await nodes.list_nodes() == ()


@pytest.mark.parametrize("holder", ["gnb", "enb", ""])
async def test_functions_are_found_where_the_e2_manager_puts_them(
    platform: Platform, nodes: NodesClient, holder: str
) -> None:
    functions = {"ranFunctions": [FUNCTION]}
    platform.nodes["gnb_1"] = {
        "ranName": "gnb_1",
        "connectionStatus": "CONNECTED",
        **({holder: functions} if holder else functions),
    }
    assert await nodes.node("gnb_1") == NodeInfo("gnb_1", True, (KPM,))


async def test_unreadable_functions_are_passed_over(platform: Platform, nodes: NodesClient) -> None:
    bare = {"ranFunctionDefinition": "00", "ranFunctionOid": "1"}
    as_text = {**FUNCTION, "ranFunctionId": "2", "ranFunctionRevision": "1"}
    broken = [{**FUNCTION, "ranFunctionDefinition": "xyz"}, {**FUNCTION, "ranFunctionId": []}, 5, None]
    platform.nodes["gnb_1"] = {"connectionStatus": "CONNECTED", "gnb": {"ranFunctions": [bare, as_text, *broken]}}
    assert (await nodes.node("gnb_1")).functions == (RanFunction(0, b"\0", 0, "1"), KPM)


async def test_an_unknown_node_and_a_failing_manager_are_clear_errors(
    platform: Platform, nodes: NodesClient, server: RestServer
) -> None:
    with pytest.raises(NodeListError, match="status 404"):
        await nodes.node("gnb/../9")
    platform.states = {"not": "a list"}
    with pytest.raises(NodeListError, match="no list"):
        await nodes.list_nodes()
    platform.status = 500
    with pytest.raises(NodeListError, match="status 500"):
        await nodes.list_nodes()
    await server.stop()
    with pytest.raises(NodeListError, match=r"127\.0\.0\.1"):
        await nodes.list_nodes()


async def test_an_xapp_registers_and_deregisters(platform: Platform, server: RestServer) -> None:
    client = RegistrationClient(f"http://{server.address}")
    ours = Registration("slicing", "0.1.0", "slicing-1", "h:8080", "r:4560", {"name": "slicing"})
    platform.status = 201
    await client.register(ours)
    platform.status = 204
    await client.deregister(ours)
    (register_path, registered), (deregister_path, deregistered) = platform.asked
    assert (register_path, deregister_path) == ("/ric/v1/register", "/ric/v1/deregister")
    assert isinstance(registered, dict)
    assert json.loads(registered.pop("config")) == {"name": "slicing"}
    assert registered == {
        "appName": "slicing",
        "appVersion": "0.1.0",
        "appInstanceName": "slicing-1",
        "httpEndpoint": "h:8080",
        "rmrEndpoint": "r:4560",
        "configPath": "/ric/v1/config",
    }
    assert deregistered == {"appName": "slicing", "appInstanceName": "slicing-1"}
    platform.status = 400
    with pytest.raises(RegistrationError, match="status 400"):
        await client.register(ours)
    await client.close()
