"""Subscriptions against a live subscription manager that behaves as OSC's does, and as it should not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oran import subscription_forms as forms
from oran.e2.e2ap.messages import Action, ActionType, SubsequentAction
from oran.errors import SubscriptionError, SubscriptionRefused, SubscriptionTimeout
from oran.rest import RestServer, serve
from oran.sdl import MemorySdl
from oran.subscriptions import ClientEndpoint, SubscriptionClient, SubscriptionSpec

TRIGGER = bytes([8, 3, 231])
ACTION = Action(1, ActionType.REPORT, bytes([0, 255, 7]))
SPEC = SubscriptionSpec("gnb_1", 2, TRIGGER, (ACTION,))


@dataclass
class Manager:
    """A subscription manager. `order` says when it notifies: before the 201, after it, or never."""

    order: str = "after"
    cause: str = ""
    status: int = 201
    osc_list: bool = False
    requests: list[dict[str, object]] = field(default_factory=list)
    held: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    next_id: int = 7
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/ric/v1/subscriptions", self.subscribe, methods=["POST"]),
                Route("/ric/v1/subscriptions", self.list, methods=["GET"]),
                Route("/ric/v1/subscriptions/{id}", self.delete, methods=["DELETE"]),
            ]
        )

    async def subscribe(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        if self.status != 201:
            return JSONResponse({"message": "no E2 connection"}, self.status)
        instance, self.next_id = self.next_id, self.next_id + 1
        rest_id, endpoint = f"rest-{instance}", body["ClientEndpoint"]
        rmr = f"{endpoint['Host'].replace('http', 'rmr')}:{endpoint['RMRPort']}"
        self.held[rest_id] = (body["Meid"], instance, rmr)
        results = [
            {
                "XappEventInstanceId": detail["XappEventInstanceId"],
                "E2EventInstanceId": 0 if self.cause else instance,
                "ErrorCause": self.cause,
                "ErrorSource": "E2Node" if self.cause else "",
            }
            for detail in body["SubscriptionDetails"]
        ]
        notification = {"SubscriptionId": rest_id, "SubscriptionInstances": results}
        url = f"http://{endpoint['Host']}:{endpoint['HTTPPort']}/ric/v1/subscriptions/response"
        if self.order == "before":
            await self.notify(url, notification)
        elif self.order == "after":
            task = asyncio.create_task(self.notify(url, notification))
            self.tasks.add(task)
        return JSONResponse({"SubscriptionId": rest_id, "SubscriptionInstances": None}, 201)

    async def notify(self, url: str, notification: dict[str, object]) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            self.answers.append((await client.post(url, json=notification)).status_code)

    async def list(self, _: Request) -> Response:
        return JSONResponse(
            [
                {
                    "SubscriptionId": instance if self.osc_list else rest_id,
                    "Meid": meid,
                    "ClientEndpoint": [rmr],
                }
                for rest_id, (meid, instance, rmr) in self.held.items()
            ]
        )

    async def delete(self, request: Request) -> Response:
        rest_id = request.path_params["id"]
        if self.held.pop(rest_id, None) is None:
            return Response(status_code=404)
        self.deleted.append(rest_id)
        return Response(status_code=204)


@dataclass
class Bench:
    manager: Manager
    server: RestServer
    client: SubscriptionClient
    xapp: RestServer

    def another_client(self, sdl: MemorySdl | None = None) -> SubscriptionClient:
        return SubscriptionClient(f"http://{self.server.address}", self.client.endpoint, sdl=sdl)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    manager = Manager()

    server = await serve(manager.app(), "127.0.0.1", 0)
    endpoint = ClientEndpoint("127.0.0.1", 0, 4560)
    client = SubscriptionClient(f"http://{server.address}", endpoint, timeout_s=5.0)
    xapp = await serve(Starlette(routes=client.routes()), "127.0.0.1", 0)
    client.endpoint = replace(endpoint, http_port=xapp.port)
    yield Bench(manager, server, client, xapp)
    await asyncio.gather(*manager.tasks)
    await client.close()
    await xapp.stop()
    await server.stop()


async def subscribe(client: SubscriptionClient, spec: SubscriptionSpec = SPEC):  # type: ignore[no-untyped-def]
    return await client.subscribe(spec.meid, spec.function_id, spec.event_trigger, spec.actions)


@pytest.mark.parametrize("order", ["before", "after"])
async def test_a_notification_before_or_after_the_answer_makes_a_subscription(bench: Bench, order: str) -> None:
    bench.manager.order = order
    subscription = await subscribe(bench.client)
    assert (subscription.subscription_id, subscription.instance_id) == ("rest-7", 7)
    assert bench.client.active == {SPEC: subscription}
    assert bench.client.find("gnb_1", 7) is subscription
    assert bench.client.find("gnb_2", 7) is None
    assert await subscribe(bench.client) is subscription
    assert len(bench.manager.requests) == 1


async def test_the_request_is_as_the_manager_wants_it(bench: Bench) -> None:
    waiting = Action(2, ActionType.POLICY, None, SubsequentAction(True, 0))
    await bench.client.subscribe("gnb_1", 2, TRIGGER, [ACTION, waiting])
    (request,) = bench.manager.requests
    (detail,) = request.pop("SubscriptionDetails")  # type: ignore[misc, attr-defined]
    assert request == {
        "SubscriptionId": "",
        "ClientEndpoint": {"Host": "127.0.0.1", "HTTPPort": bench.xapp.port, "RMRPort": 4560},
        "Meid": "gnb_1",
        "RANFunctionID": 2,
        "E2SubscriptionDirectives": {"E2TimeoutTimerValue": 2, "E2RetryCount": 2, "RMRRoutingNeeded": True},
    }
    assert 0 < detail.pop("XappEventInstanceId") < 1 << 31
    assert detail == {
        "EventTriggers": [8, 3, 231],
        "ActionToBeSetupList": [
            {
                "ActionID": 1,
                "ActionType": "report",
                "ActionDefinition": [0, 255, 7],
                "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
            },
            {
                "ActionID": 2,
                "ActionType": "policy",
                "SubsequentAction": {"SubsequentActionType": "wait", "TimeToWait": "w1ms"},
            },
        ],
    }


async def test_two_requests_are_never_the_same(bench: Bench) -> None:
    first = await subscribe(bench.client)
    await bench.client.unsubscribe(first)
    await subscribe(bench.client)
    assert bench.manager.requests[0] != bench.manager.requests[1]


async def test_a_refusal_carries_the_cause_and_leaves_nothing_behind(bench: Bench) -> None:
    bench.manager.cause = "action-not-supported"
    with pytest.raises(SubscriptionRefused, match="E2Node action-not-supported"):
        await subscribe(bench.client)
    assert bench.manager.deleted == ["rest-7"]
    assert bench.client.active == {}
    assert bench.client.counters.failed == {"refused": 1}


async def test_a_manager_without_the_node_is_a_refusal(bench: Bench) -> None:
    bench.manager.status = 503
    with pytest.raises(SubscriptionRefused, match="status 503: no E2 connection"):
        await subscribe(bench.client)


async def test_silence_is_a_timeout_and_the_half_made_subscription_is_deleted(bench: Bench) -> None:
    bench.manager.order = "never"
    bench.client._timeout_s = 0.05
    with pytest.raises(SubscriptionTimeout):
        await subscribe(bench.client)
    assert bench.manager.held == {}
    assert bench.client.counters.failed == {"timeout": 1}


async def test_no_manager_is_a_clear_error(bench: Bench) -> None:
    await bench.server.stop()
    with pytest.raises(SubscriptionError, match=r"127\.0\.0\.1"):
        await subscribe(bench.client)
    with pytest.raises(SubscriptionError):
        await bench.client.reconcile([SPEC])
    assert bench.client.counters.failed == {"unreachable": 1}


async def test_the_same_wish_is_not_made_twice_at_once(bench: Bench) -> None:
    results = await asyncio.gather(*(subscribe(bench.client) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(result, SubscriptionError) for result in results) == 2
    assert len(bench.manager.requests) == 1


async def test_all_are_ended_at_the_stop(bench: Bench) -> None:
    for number in range(3):
        await subscribe(bench.client, replace(SPEC, meid=f"gnb_{number}"))
    bench.manager.held.pop("rest-8")
    assert await bench.client.unsubscribe_all() == 0
    assert bench.manager.held == {}
    assert bench.client.active == {}
    await subscribe(bench.client)
    await bench.server.stop()
    assert await bench.client.unsubscribe_all() == 1


async def test_odd_notifications_are_answered_and_counted(bench: Bench) -> None:
    url = f"http://{bench.xapp.address}/ric/v1/subscriptions/response"
    async with httpx.AsyncClient(trust_env=False) as http:
        unknown = {"SubscriptionInstances": [{"XappEventInstanceId": 99, "E2EventInstanceId": 3}]}
        assert (await http.post(url, json=unknown)).status_code == 200
        assert (await http.post(url, json={"SubscriptionInstances": "none"})).status_code == 200
        assert (await http.post(url, content=b"{")).status_code == 400
        assert (await http.post(url, content=b"[" * 100_000)).status_code == 400
    assert bench.client.counters.unknown_notifications == 1


async def test_what_a_crash_left_behind_is_deleted_and_other_xapps_keep_theirs(bench: Bench) -> None:
    await subscribe(bench.client)
    bench.manager.held["foreign"] = ("gnb_1", 99, "other-rmr:4560")
    reborn = bench.another_client()
    assert await reborn.delete_stale() == 1
    assert list(bench.manager.held) == ["foreign"]
    assert reborn.counters.stale_deleted == 1
    await reborn.close()


async def test_notes_find_what_the_osc_list_does_not_tell(bench: Bench) -> None:
    bench.manager.osc_list = True
    sdl = MemorySdl()
    crashed = bench.another_client(sdl)
    crashed_xapp = await serve(Starlette(routes=crashed.routes()), "127.0.0.1", 0)
    crashed.endpoint = replace(crashed.endpoint, http_port=crashed_xapp.port)
    await subscribe(crashed)
    reborn = bench.another_client(sdl)
    assert await reborn.delete_stale() == 1
    assert await reborn.delete_stale() == 0
    assert bench.manager.held == {}
    await crashed.close()
    await reborn.close()
    await crashed_xapp.stop()


async def test_what_we_hold_is_not_stale(bench: Bench) -> None:
    for bench.manager.osc_list in (False, True):
        await subscribe(bench.client)
        assert await bench.client.delete_stale() == 0
    assert len(bench.manager.held) == 1


@pytest.mark.parametrize("osc_list", [False, True])
async def test_a_restarted_ric_gets_the_subscriptions_again_once(bench: Bench, osc_list: bool) -> None:
    bench.manager.osc_list = osc_list
    await bench.client.reconcile([SPEC])
    first = bench.client.active[SPEC]
    await bench.client.reconcile([SPEC])
    assert bench.client.active[SPEC] is first
    bench.manager.held.clear()
    await bench.client.reconcile([SPEC])
    assert bench.client.active[SPEC].instance_id == 8
    assert bench.client.find("gnb_1", 7) is None
    assert len(bench.manager.held) == 1
    assert bench.client.counters.lost == 1


async def test_a_node_that_left_is_subscribed_again_when_it_returns(bench: Bench) -> None:
    await bench.client.reconcile([SPEC], connected={"gnb_1"})
    await bench.client.reconcile([SPEC], connected=set())
    assert bench.client.active == {}
    assert bench.manager.held == {}
    await bench.client.reconcile([SPEC], connected={"gnb_1"})
    assert bench.client.active[SPEC].instance_id == 8
    assert len(bench.manager.held) == 1


async def test_a_doubted_subscription_is_made_anew(bench: Bench) -> None:
    await bench.client.reconcile([SPEC])
    bench.client.doubt(bench.client.active[SPEC])
    await bench.client.reconcile([SPEC])
    assert bench.manager.deleted == ["rest-7"]
    assert bench.client.active[SPEC].instance_id == 8


async def test_a_late_failure_notification_makes_it_anew(bench: Bench) -> None:
    await bench.client.reconcile([SPEC])
    held = bench.client.active[SPEC]
    failed = {"XappEventInstanceId": held.xapp_instance_id, "E2EventInstanceId": 0, "ErrorCause": "node gone"}
    url = f"http://{bench.xapp.address}/ric/v1/subscriptions/response"
    await bench.manager.notify(url, {"SubscriptionId": "rest-7", "SubscriptionInstances": [failed]})
    await bench.client.reconcile([SPEC])
    assert bench.client.active[SPEC].instance_id == 8


async def test_unwanted_subscriptions_are_ended(bench: Bench) -> None:
    other = replace(SPEC, meid="gnb_2")
    await bench.client.reconcile([SPEC, other])
    await bench.client.reconcile([other])
    assert bench.client.active.keys() == {other}
    assert bench.manager.deleted == ["rest-7"]


async def test_failed_subscriptions_wait_before_the_next_try(bench: Bench) -> None:
    bench.manager.cause = "busy"
    for _ in range(5):
        await bench.client.reconcile([SPEC])
    assert len(bench.manager.requests) == 1
    bench.manager.cause = ""
    bench.client._backoff[SPEC].not_before_s = 0.0
    await bench.client.reconcile([SPEC])
    assert SPEC in bench.client.active
    assert bench.client._backoff == {}


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
entries = st.dictionaries(
    st.sampled_from(
        [
            "SubscriptionId",
            "Meid",
            "ClientEndpoint",
            "SubscriptionInstances",
            "Host",
            "RMRPort",
            "XappEventInstanceId",
            "E2EventInstanceId",
            "ErrorCause",
        ]
    ),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Host", "RMRPort", "XappEventInstanceId", "E2EventInstanceId"]), inner, max_size=4
            )
        ),
        max_leaves=6,
    ),
)


@settings(deadline=None)
@given(scalars | entries | st.lists(entries, max_size=3))
def test_any_json_is_read_without_harm(body) -> None:  # type: ignore[no-untyped-def]
    assert all(item.e2_instance_id >= 0 for item in forms.instances(body))
    assert isinstance(forms.subscription_id(body), str)
    try:
        found = forms.listed(body)
    except ValueError:
        assert not isinstance(body, list)
    else:
        assert all(item.subscription_id for item in found)
