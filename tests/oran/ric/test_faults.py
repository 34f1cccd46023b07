"""What goes wrong on one side harms no other."""

import asyncio
import random
import signal
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oran.e2.association import Association, connect
from oran.e2.e2ap.codec import decode, encode
from oran.e2.e2ap.messages import (
    Cause,
    E2SetupFailure,
    E2SetupRequest,
    ErrorIndication,
    RicControlRequest,
    RicIndication,
    RicRequestId,
    RicSubscriptionDeleteRequest,
    RicSubscriptionDeleteRequired,
    RicSubscriptionRequest,
    RicSubscriptionResponse,
    SubscriptionWithCause,
)
from oran.e2.errors import TransportError
from oran.e2.identity import GlobalE2NodeId
from oran.rest import RequestError
from oran.ric import ConfigError, NearRtRic, RicConfig
from oran.ric.subscription_request import read_request
from oran.rmr.message import RmrMessage
from tests.oran.ric.material import KPM, NG, FakeNode, FakeXapp, ric_config, routes_of, until


async def failure_of(xapp: FakeXapp, meid: str, **changes: object) -> dict[str, object]:
    """Subscribe in vain; what the notification says."""
    answer = await xapp.post(xapp.request(meid, **changes))
    assert answer.status_code == 201
    await until(lambda: xapp.notes)
    note = xapp.notes[-1]["SubscriptionInstances"][0]
    assert (note["E2EventInstanceId"], note["XappEventInstanceId"]) == (0, 12345)
    return dict(note)


async def until_closed(association: Association) -> None:
    """Read until the other side has closed."""
    await until(lambda: association.closed)


async def test_a_node_that_refuses_is_told_with_its_cause(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    node.mode = "refuse"
    note = await failure_of(xapp, node.name)
    assert note["ErrorSource"] == "E2Node"
    assert "ricRequest/action-not-supported" in str(note["ErrorCause"])
    await until(lambda: "12050" not in routes_of(ric))
    node.mode = "admit"
    _, instance = await xapp.subscribe(node.name)
    assert instance


async def test_a_node_that_never_answers_is_a_timeout(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    node.mode = "silent"
    note = await failure_of(xapp, node.name)
    assert (note["ErrorCause"], note["TimeoutType"]) == ("E2 RICSubscriptionResponse timeout", "E2-Timeout")
    requests = node.of(RicSubscriptionRequest)
    assert len(requests) == 2
    assert requests[0] == requests[1]
    await until(lambda: ric.counters.dropped["delete_unanswered"])
    assert node.of(RicSubscriptionDeleteRequest)
    assert "12050" not in routes_of(ric)


async def test_directives_set_the_tries_and_must_ask_for_routes(
    ric: NearRtRic, node: FakeNode, xapp: FakeXapp
) -> None:
    _, instance = await xapp.subscribe(node.name, E2SubscriptionDirectives={"E2TimeoutTimerValue": 1})
    assert f"|{instance}|" not in routes_of(ric)
    directives = {"E2TimeoutTimerValue": 1, "E2RetryCount": 0, "RMRRoutingNeeded": True}
    _, instance = await xapp.subscribe(node.name, E2SubscriptionDirectives=directives)
    assert f"mse|12050|{instance}|" in routes_of(ric)


async def test_a_partial_answer_says_what_was_not_admitted(node: FakeNode, xapp: FakeXapp) -> None:
    from oran.e2.e2ap.messages import NotAdmittedAction

    node.mode = "silent"
    assert (await xapp.post(xapp.request(node.name))).status_code == 201
    await until(lambda: node.of(RicSubscriptionRequest))
    request = node.of(RicSubscriptionRequest)[0]
    refused = NotAdmittedAction(2, Cause("ricRequest", "action-not-supported"))
    await node.send(RicSubscriptionResponse(request.request_id, request.function_id, (1,), (refused,)))
    await until(lambda: xapp.notes)
    note = xapp.notes[0]["SubscriptionInstances"][0]
    assert note["E2EventInstanceId"] == request.request_id.instance
    assert "action 2 not admitted" in note["ErrorCause"]


async def test_a_lost_node_loses_its_subscriptions_and_may_come_back(
    ric: NearRtRic, node: FakeNode, xapp: FakeXapp
) -> None:
    await xapp.subscribe(node.name)
    await xapp.routed(meid=node.name)
    await node.leave()
    await until(lambda: not ric.nodes.connected())
    await until(lambda: not xapp.rmr.routes.targets(12040, -1, node.name))
    assert "12050" not in routes_of(ric)
    assert ric.subscriptions.active == 0
    assert (await xapp.post(xapp.request(node.name))).status_code == 503
    back = await FakeNode.join(ric)
    _, instance = await xapp.subscribe(back.name)
    pdu = await back.indicate(instance)
    await until(lambda: xapp.of(12050))
    assert xapp.of(12050)[0].payload == pdu
    await back.leave()


async def test_a_node_lost_while_it_is_asked_is_told(node: FakeNode, xapp: FakeXapp) -> None:
    node.mode = "silent"
    directives = {"E2TimeoutTimerValue": 10, "RMRRoutingNeeded": True}
    answer = await xapp.post(xapp.request(node.name, E2SubscriptionDirectives=directives))
    assert answer.status_code == 201
    await until(lambda: node.of(RicSubscriptionRequest))
    await node.leave()
    await until(lambda: xapp.notes)
    assert "lost" in xapp.notes[0]["SubscriptionInstances"][0]["ErrorCause"]


async def test_a_node_of_the_same_name_takes_over(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    await xapp.subscribe(node.name)
    again = await FakeNode.join(ric)
    await until(lambda: node.association.closed)
    assert [known.name for known in ric.nodes.connected()] == [again.name]
    assert ric.subscriptions.active == 0
    _, instance = await xapp.subscribe(again.name)
    assert again.of(RicSubscriptionRequest)
    await again.indicate(instance)
    await until(lambda: xapp.of(12050))
    await again.leave()


async def test_a_node_may_end_a_subscription(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    _, instance = await xapp.subscribe(node.name)
    gone = SubscriptionWithCause(RicRequestId(123, instance), KPM.function_id, Cause("misc", "unspecified"))
    unknown = SubscriptionWithCause(RicRequestId(123, 4000), KPM.function_id, Cause("misc", "unspecified"))
    await node.send(RicSubscriptionDeleteRequired((gone, unknown)))
    await until(lambda: node.of(RicSubscriptionDeleteRequest))
    assert [item.request_id.instance for item in node.of(RicSubscriptionDeleteRequest)] == [instance]
    await until(lambda: "12050" not in routes_of(ric))
    assert ric.counters.dropped["subscription_ended_by_node"] == 1
    assert len(xapp.notes) == 1


async def test_notifications_are_repeated_until_taken_and_given_up(
    ric: NearRtRic, node: FakeNode, xapp: FakeXapp
) -> None:
    xapp.note_status = 500
    assert (await xapp.post(xapp.request(node.name))).status_code == 201
    await until(lambda: len(xapp.notes) == 2)
    assert xapp.notes[0] == xapp.notes[1]
    await until(lambda: ric.counters.notifications_failed == 1)
    assert len(xapp.notes) == 4
    assert ric.subscriptions.active == 1


@pytest.mark.parametrize("garbage", [b"\x00", b"\xff" * 100, b"\x00\x05\x40\x03\x00\x00\x01", b"\x40\x09\x00\x00"])
async def test_garbage_ends_only_its_association(
    ric: NearRtRic, node: FakeNode, xapp: FakeXapp, garbage: bytes
) -> None:
    _, instance = await xapp.subscribe(node.name)
    bad = await FakeNode.join(ric, 2)
    await bad.association.send(garbage)
    await until(lambda: bad.association.closed)
    assert bad.of(ErrorIndication)
    stranger = await connect(ric.addresses["e2"])
    await stranger.send(garbage)
    await until_closed(stranger)
    pdu = await node.indicate(instance)
    await until(lambda: xapp.of(12050))
    assert xapp.of(12050)[0].payload == pdu
    assert [known.name for known in ric.nodes.connected()] == [node.name]


async def test_mutated_messages_never_harm_the_ric(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    _, instance = await xapp.subscribe(node.name)
    victim_id = GlobalE2NodeId(node.node_id.plmn, 77)
    messages = [
        encode(E2SetupRequest(1, victim_id, (KPM,), (NG,))),
        encode(RicSubscriptionResponse(RicRequestId(123, instance), KPM.function_id, (1,))),
        encode(RicIndication(RicRequestId(123, instance), KPM.function_id, 1, b"header", b"message")),
        encode(ErrorIndication(cause=Cause("misc", "unspecified"))),
    ]
    draw = random.Random(1)
    stranger = await connect(ric.addresses["e2"])
    for _ in range(400):
        pdu = bytearray(draw.choice(messages))
        for _ in range(draw.randrange(3)):
            pdu[draw.randrange(len(pdu))] = draw.randrange(256)
        try:
            await stranger.send(bytes(pdu[: draw.randrange(1, len(pdu) + 1)] if draw.random() < 0.3 else pdu))
        except TransportError:
            stranger = await connect(ric.addresses["e2"])
        await asyncio.sleep(0)
    stranger.close()
    await until(lambda: [known.name for known in ric.nodes.connected()] == [node.name])
    xapp.received.clear()
    pdu = await node.indicate(instance, b"still here")
    await until(lambda: pdu in [message.payload for message in xapp.of(12050)])
    assert ric.counters.dropped["e2_malformed"]


async def test_a_malformed_setup_is_refused(ric: NearRtRic) -> None:
    stranger = await connect(ric.addresses["e2"])
    await stranger.send(b"\x00\x01\x00\x05\x00\x00\x01\xff\xff")
    answer = decode(await stranger.receive())
    assert isinstance(answer, E2SetupFailure)
    assert answer.cause.group == "protocol"
    stranger.close()


async def test_who_is_not_set_up_is_not_heard(ric: NearRtRic) -> None:
    stranger = await connect(ric.addresses["e2"])
    await stranger.send(encode(ErrorIndication(cause=Cause("misc", "unspecified"))))
    await until_closed(stranger)
    assert ric.counters.dropped["e2_before_setup"] == 1


async def test_who_says_nothing_is_cut_off() -> None:
    async with NearRtRic(ric_config(setup_timeout_s=0.1)) as ric:
        stranger = await connect(ric.addresses["e2"])
        with pytest.raises(TransportError):
            await stranger.receive()


async def test_too_many_nodes_are_refused() -> None:
    async with NearRtRic(ric_config(max_nodes=2)) as ric:
        nodes = [await FakeNode.join(ric, du) for du in (1, 2)]
        third = await connect(ric.addresses["e2"])
        with pytest.raises(TransportError):
            await third.receive()
        await nodes[0].leave()
        await until(lambda: len(ric.nodes.connected()) == 1)
        nodes.append(await FakeNode.join(ric, 3))
        assert [node.name for node in ric.nodes.connected()] == sorted(node.name for node in nodes[1:])
        for node in nodes:
            await node.leave()


async def test_control_that_leads_nowhere_is_counted(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    await xapp.routed(meid=node.name)
    pdu = encode(RicControlRequest(RicRequestId(123, 1), 3, b"h", b"m"))
    xapp.rmr.load_routes(
        f"newrt|start\nmse|12040|-1|{ric.addresses['rmr']}\nmse|9999|-1|{ric.addresses['rmr']}\nnewrt|end"
    )
    assert xapp.rmr.send(RmrMessage(12040, pdu, meid="gnb_nobody"))
    assert xapp.rmr.send(RmrMessage(12040, encode(ErrorIndication()), meid=node.name))
    assert xapp.rmr.send(RmrMessage(12040, b"", meid=node.name))
    assert xapp.rmr.send(RmrMessage(9999, b"?"))
    await until(lambda: ric.counters.dropped["rmr_unexpected_type"] == 1)
    assert ric.counters.dropped["control_unknown_node"] == 1
    assert ric.counters.dropped["control_no_request"] == 2
    assert not node.of(ErrorIndication)


async def test_a_node_that_reads_nothing_costs_bounded_memory_and_nobody_else() -> None:
    async with NearRtRic(ric_config(node_queue_messages=8)) as ric:
        other = await FakeNode.join(ric, 2)
        deaf_id = GlobalE2NodeId(other.node_id.plmn, 9)
        host, port = ric.addresses["e2"].removeprefix("tcp://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1)
        setup = encode(E2SetupRequest(1, deaf_id, (KPM,), (NG,)))
        writer.write(len(setup).to_bytes(4, "big") + setup)
        xapp = await FakeXapp.start(ric)
        await xapp.routed(meid=deaf_id.ran_name)
        pdu = encode(RicControlRequest(RicRequestId(123, 1), 3, b"h", bytes(200_000)))
        for _ in range(500):
            xapp.rmr.send(RmrMessage(12040, pdu, meid=deaf_id.ran_name))
            await asyncio.sleep(0.001)
            if ric.counters.dropped["node_queue_full"]:
                break
        assert ric.counters.dropped["node_queue_full"]
        short = encode(RicControlRequest(RicRequestId(123, 1), 3, b"h", b"m"))
        await until(lambda: xapp.rmr.send(RmrMessage(12040, short, meid=other.name)))
        await until(lambda: other.of(RicControlRequest))
        writer.transport.abort()
        await other.leave()
        await xapp.stop()


async def test_a_dead_xapp_is_counted_and_the_rest_goes_on(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    dead = await FakeXapp.start(ric)
    assert (await dead.register("dead")).status_code == 201
    await dead.subscribe(node.name)
    await dead.stop()
    _, instance = await xapp.subscribe(node.name)
    await until(lambda: ric.counters.route_pushes_failed)
    pdu = await node.indicate(instance)
    await until(lambda: xapp.of(12050))
    assert xapp.of(12050)[0].payload == pdu


async def test_malformed_requests_are_refused_with_the_member_named(node: FakeNode, xapp: FakeXapp) -> None:
    changes: list[dict[str, object]] = [
        {"Meid": 5},
        {"RANFunctionID": -1},
        {"RANFunctionID": "2"},
        {"SubscriptionDetails": []},
        {"ClientEndpoint": {"Host": "a b", "HTTPPort": 1, "RMRPort": 1}},
        {"ClientEndpoint": {"Host": "127.0.0.1/x", "HTTPPort": 1, "RMRPort": 1}},
        {"ClientEndpoint": {"Host": "h;x|", "HTTPPort": 1, "RMRPort": 1}},
        {"ClientEndpoint": {"Host": "h", "HTTPPort": 0, "RMRPort": 70000}},
        {"ClientEndpoint": None},
        {"E2SubscriptionDirectives": {"E2TimeoutTimerValue": 11}},
        {"E2SubscriptionDirectives": {"RMRRoutingNeeded": True}},
    ]
    for change in changes:
        answer = await xapp.post(xapp.request(node.name, **change))
        assert answer.status_code == 400, change
        assert next(iter(change)) in answer.json()["detail"]
    assert not node.of(RicSubscriptionRequest)


async def test_unknown_subscriptions_and_nodes_are_refused(node: FakeNode, xapp: FakeXapp) -> None:
    assert (await xapp.post(xapp.request(node.name, SubscriptionId="nobody"))).status_code == 404
    assert (await xapp.post(xapp.request("gnb_nobody"))).status_code == 503
    assert await xapp.delete("nobody") == 404
    subscription, _ = await xapp.subscribe(node.name)
    other = xapp.request(node.name, SubscriptionId=subscription, RANFunctionID=3)
    assert (await xapp.post(other)).status_code == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = [
    "SubscriptionId",
    "ClientEndpoint",
    "Meid",
    "RANFunctionID",
    "E2SubscriptionDirectives",
    "SubscriptionDetails",
]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_any_body_is_a_request_or_refused(body: dict[str, object]) -> None:
    status = 0
    try:
        read_request(body)  # type: ignore[arg-type]
    except RequestError as error:
        status = error.status
    assert status in (0, 400)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rmr_port", 70000),
        ("plmn", "1"),
        ("ric_id", 1 << 20),
        ("policy_form", "xml"),
        ("e2_timeout_s", 0),
        ("redis", "x"),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        RicConfig(**{name: value})  # type: ignore[arg-type]


async def test_a_taken_port_leaves_nothing_open(ric: NearRtRic) -> None:
    port = int(ric.addresses["a1"].rpartition(":")[2])
    second = NearRtRic(ric_config(a1_port=port))
    with pytest.raises(OSError, match="in use"):
        await second.start()
    assert second.addresses == {}


async def test_the_command_runs_until_told_to_stop() -> None:
    options = ("rmr", "subscription", "a1", "e2mgr", "appmgr")
    arguments = [text for name in options for text in (f"--{name}-port", "0")]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oran.ric", "--e2-address", "tcp://127.0.0.1:0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert b'"e2": "tcp://127.0.0.1:' in line
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
