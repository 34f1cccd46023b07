"""The HTTP face of the A1 mediator: /A1-P/v2 as the Go mediator has it, and /a1-p as the Python one had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oran.errors import SdlError
from oran.rest import AsgiApp, Endpoint, RequestError, guarded, json_answer, problem, read_object
from oran.ric.a1 import MAX_POLICY_OCTETS, MAX_TYPE_OCTETS, A1Mediator

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PREFIXES = ("/A1-P/v2", "/a1-p")
_NUMBER = re.compile(r"[0-9]{1,10}")


def a1_app(mediator: A1Mediator) -> AsgiApp:
    """Health, policy types, policies and their status; errors are problem JSON with the reason."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Mount, Route

    async def healthcheck(request: Request) -> Response:
        return Response(status_code=200 if await mediator.healthy() else 503)

    async def types(request: Request) -> Response:
        return json_answer([*await mediator.types()])

    async def get_type(request: Request) -> Response:
        return json_answer(await mediator.type(_type_id(request)))

    async def put_type(request: Request) -> Response:
        await mediator.put_type(_type_id(request), await read_object(request, MAX_TYPE_OCTETS))
        return Response(status_code=201)

    async def delete_type(request: Request) -> Response:
        await mediator.delete_type(_type_id(request))
        return Response(status_code=204)

    async def policies(request: Request) -> Response:
        return json_answer([*await mediator.policies(_type_id(request))])

    async def get_policy(request: Request) -> Response:
        return json_answer(await mediator.policy(_type_id(request), request.path_params["policy_id"]))

    async def put_policy(request: Request) -> Response:
        body = await read_object(request, MAX_POLICY_OCTETS)
        await mediator.put_policy(_type_id(request), request.path_params["policy_id"], body)
        return Response(status_code=202)

    async def delete_policy(request: Request) -> Response:
        await mediator.delete_policy(_type_id(request), request.path_params["policy_id"])
        return Response(status_code=202)

    async def status(request: Request) -> Response:
        return json_answer(await mediator.status(_type_id(request), request.path_params["policy_id"]))

    one_type = "/policytypes/{type_id}"
    one_policy = f"{one_type}/policies/{{policy_id}}"
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "/healthcheck", healthcheck),
        ("GET", "/policytypes", types),
        ("GET", one_type, get_type),
        ("PUT", one_type, put_type),
        ("DELETE", one_type, delete_type),
        ("GET", f"{one_type}/policies", policies),
        ("GET", one_policy, get_policy),
        ("PUT", one_policy, put_policy),
        ("DELETE", one_policy, delete_policy),
        ("GET", f"{one_policy}/status", status),
    ]
    routes = [Route(path, guarded(_stored(endpoint)), methods=[method]) for method, path, endpoint in table]
    return Starlette(routes=[Mount(prefix, routes=routes) for prefix in PREFIXES])


def _stored(endpoint: Endpoint) -> Endpoint:
    """An endpoint that answers 503 while the store fails."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SdlError as error:
            return problem(503, str(error))

    return answer


def _type_id(request: Request) -> int:
    text = request.path_params["type_id"]
    if not _NUMBER.fullmatch(text):
        raise RequestError(400, "the policy type id must be a number")
    return int(text)
