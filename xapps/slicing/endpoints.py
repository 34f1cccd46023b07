"""What the xApp answers over HTTP: health, metrics, its configuration, and what other parts answer."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from oran.rest import AsgiApp, JsonObject
from xapps.slicing.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route


def make_app(
    *,
    more: "list[Route]",
    ready: Callable[[], bool],
    metrics: Callable[[], bytes],
    descriptor: Callable[[], JsonObject],
) -> AsgiApp:
    """The ASGI application; `more` are the routes of other parts."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def alive(request: "Request") -> "Response":
        return Response("alive", media_type="text/plain")

    async def readiness(request: "Request") -> "Response":
        return Response("ready", media_type="text/plain") if ready() else Response("not ready", 503)

    async def exposition(request: "Request") -> "Response":
        return Response(metrics(), headers={"content-type": CONTENT_TYPE})

    async def configuration(request: "Request") -> "Response":
        return Response(json.dumps(descriptor()), media_type="application/json")

    return Starlette(
        routes=[
            Route("/ric/v1/health/alive", alive),
            Route("/ric/v1/health/ready", readiness),
            Route("/metrics", exposition),
            Route("/ric/v1/metrics", exposition),
            Route("/ric/v1/config", configuration),
            *more,
        ]
    )
