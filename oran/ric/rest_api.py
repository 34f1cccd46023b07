"""The HTTP faces of the subscription, E2 and application managers, with OSC's paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oran.rest import AsgiApp, RequestError, guarded, json_answer, read_object
from oran.ric.nodes import NodeRegistry, node_details, node_summary
from oran.ric.registration import XappRegistry
from oran.ric.subscription_request import read_request
from oran.ric.subscriptions import SubscriptionManager

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route


def subscription_app(manager: SubscriptionManager) -> AsgiApp:
    """POST, GET and DELETE /ric/v1/subscriptions, as OSC's submgr answers on port 8088."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def subscribe(request: Request) -> Response:
        subscription = manager.subscribe(read_request(await read_object(request)))
        return json_answer({"SubscriptionId": subscription.id, "SubscriptionInstances": []}, 201)

    async def list_all(request: Request) -> Response:
        return json_answer(manager.list())

    async def unsubscribe(request: Request) -> Response:
        manager.unsubscribe(request.path_params["id"])
        return Response(status_code=204)

    path = "/ric/v1/subscriptions"
    return Starlette(
        routes=[
            Route(path, guarded(subscribe), methods=["POST"]),
            Route(path, guarded(list_all), methods=["GET"]),
            Route(f"{path}/{{id}}", guarded(unsubscribe), methods=["DELETE"]),
            *_health_routes(),
        ]
    )


def node_app(nodes: NodeRegistry, termination_address: Callable[[], str], metrics: Callable[[], bytes]) -> AsgiApp:
    """GET /v1/nodeb/states and /v1/nodeb/NAME, as OSC's e2mgr answers on port 3800, and /metrics."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def states(request: Request) -> Response:
        return json_answer([node_summary(node) for node in nodes.all()])

    async def details(request: Request) -> Response:
        node = nodes.get(request.path_params["name"])
        if node is None:
            return json_answer({"errorCode": 404, "errorMessage": "Resource not found"}, 404)
        return json_answer(node_details(node, termination_address()))

    async def scrape(request: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def health(request: Request) -> Response:
        return Response()

    return Starlette(
        routes=[
            Route("/v1/nodeb/states", states),
            Route("/v1/nodeb/{name}", details),
            Route("/v1/health", health),
            Route("/metrics", scrape),
        ]
    )


def xapp_app(xapps: XappRegistry) -> AsgiApp:
    """POST /ric/v1/register and /ric/v1/deregister, GET /ric/v1/xapps, as OSC's appmgr answers."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def register(request: Request) -> Response:
        await xapps.register(await read_object(request))
        return Response(status_code=201)

    async def deregister(request: Request) -> Response:
        xapps.deregister(await read_object(request))
        return Response(status_code=204)

    async def list_all(request: Request) -> Response:
        return json_answer(xapps.list())

    async def one(request: Request) -> Response:
        name = request.path_params["name"]
        for xapp in xapps.list():
            if isinstance(xapp, dict) and xapp["name"] == name:
                return json_answer(xapp)
        raise RequestError(404, f"xApp {name[:128]} is not registered")

    return Starlette(
        routes=[
            Route("/ric/v1/register", guarded(register), methods=["POST"]),
            Route("/ric/v1/deregister", guarded(deregister), methods=["POST"]),
            Route("/ric/v1/xapps", list_all),
            Route("/ric/v1/xapps/{name}", guarded(one)),
            *_health_routes(),
        ]
    )


def _health_routes() -> list[Route]:
    from starlette.responses import Response
    from starlette.routing import Route

    async def healthy(request: Request) -> Response:
        return Response()

    return [Route("/ric/v1/health/alive", healthy), Route("/ric/v1/health/ready", healthy)]
