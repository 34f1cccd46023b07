"""The RIC between a node and an xApp: set up, subscribe, indications, control."""

import asyncio

import pytest

from oran.e2.e2ap.codec import encode
from oran.e2.e2ap.messages import (
    Cause,
    E2SetupResponse,
    FunctionRef,
    GlobalRicId,
    RicControlAcknowledge,
    RicControlFailure,
    RicControlRequest,
    RicRequestId,
    RicSubscriptionDeleteRequest,
    RicSubscriptionRequest,
)
from oran.e2.identity import plmn_to_octets
from oran.ric import NearRtRic
from oran.rmr.message import RmrMessage
from tests.oran.ric.material import KPM, FakeNode, FakeXapp, routes_of, until


async def test_setup_is_answered_with_all_functions_accepted(ric: NearRtRic, node: FakeNode) -> None:
    answer = node.heard[0]
    assert isinstance(answer, E2SetupResponse)
    assert answer.transaction_id == 7
    assert answer.ric_id == GlobalRicId(plmn_to_octets("001", "01"), 1)
    assert answer.accepted == (FunctionRef(KPM.function_id, KPM.revision),)
    assert not answer.rejected


async def test_a_subscription_reaches_the_node_and_its_indications_the_xapp_unchanged(
    node: FakeNode, xapp: FakeXapp
) -> None:
    _, instance = await xapp.subscribe(node.name)
    request = node.of(RicSubscriptionRequest)[0]
    assert request.request_id == RicRequestId(123, instance)
    assert (request.function_id, request.event_trigger) == (KPM.function_id, bytes([8, 3, 231]))
    assert request.actions[0].definition == bytes([1, 2, 255])
    assert (request.actions[0].subsequent.waits, request.actions[0].subsequent.time_to_wait) == (False, 3)
    note = xapp.notes[0]["SubscriptionInstances"][0]
    assert note["XappEventInstanceId"] == 12345
    assert (note["ErrorCause"], note["ErrorSource"], note["TimeoutType"]) == ("", "", "")
    sent = [await node.indicate(instance, bytes(size), size % 100) for size in (0, 10, 300, 20_000)]
    await until(lambda: len(xapp.of(12050)) == 4)
    received = xapp.of(12050)
    assert [message.payload for message in received] == sent
    assert {message.sub_id for message in received} == {instance}
    assert {message.meid for message in received} == {node.name}
    xids = [message.xid for message in received]
    assert all(len(xid) == 15 and xid.strip().isdigit() for xid in xids)
    assert sorted(xids) == xids
    assert len(set(xids)) == 4


@pytest.mark.parametrize("fails", [False, True])
async def test_control_goes_to_the_node_unchanged_and_the_answer_comes_back(
    node: FakeNode, xapp: FakeXapp, fails: bool
) -> None:
    _, instance = await xapp.subscribe(node.name)
    await xapp.routed(meid=node.name)
    request_id = RicRequestId(123, instance)
    pdu = encode(RicControlRequest(request_id, 3, b"control header", b"control message"))
    assert xapp.rmr.send(RmrMessage(12040, pdu, meid=node.name))
    await until(lambda: node.of(RicControlRequest))
    assert node.raw[-1] == pdu
    if fails:
        answer = await node.send(RicControlFailure(request_id, 3, Cause("ricRequest", "control-message-invalid")))
    else:
        answer = await node.send(RicControlAcknowledge(request_id, 3, b"outcome"))
    mtype = 12042 if fails else 12041
    await until(lambda: xapp.of(mtype))
    message = xapp.of(mtype)[0]
    assert (message.payload, message.sub_id, message.meid) == (answer, instance, node.name)


async def test_control_answers_of_no_subscription_go_to_registered_xapps(node: FakeNode, xapp: FakeXapp) -> None:
    assert (await xapp.register()).status_code == 201
    answer = await node.send(RicControlAcknowledge(RicRequestId(77, 0), 3))
    await until(lambda: xapp.of(12041))
    assert (xapp.of(12041)[0].payload, xapp.of(12041)[0].sub_id) == (answer, 0)


async def test_the_same_request_again_is_a_retransmission(node: FakeNode, xapp: FakeXapp) -> None:
    subscription, instance = await xapp.subscribe(node.name)
    assert await xapp.subscribe(node.name) == (subscription, instance)
    assert len(node.of(RicSubscriptionRequest)) == 1
    again = await xapp.post(xapp.request(node.name, SubscriptionId=subscription))
    assert (again.status_code, again.json()["SubscriptionId"]) == (201, subscription)
    assert len(node.of(RicSubscriptionRequest)) == 1


async def test_deleting_ends_it_at_the_node_and_stops_the_flow(
    ric: NearRtRic, node: FakeNode, xapp: FakeXapp
) -> None:
    subscription, instance = await xapp.subscribe(node.name)
    assert await xapp.delete(subscription) == 204
    await until(lambda: node.of(RicSubscriptionDeleteRequest))
    assert node.of(RicSubscriptionDeleteRequest)[0].request_id == RicRequestId(123, instance)
    await until(lambda: f"|{instance}|" not in routes_of(ric))
    await node.indicate(instance)
    await until(lambda: ric.counters.dropped["to_xapp_no_route"])
    assert not xapp.of(12050)
    assert await xapp.delete(subscription) == 404
    assert await xapp.subscribe(node.name) != (subscription, instance)


async def test_two_xapps_get_their_own_indications(ric: NearRtRic, node: FakeNode, xapp: FakeXapp) -> None:
    other = await FakeXapp.start(ric)
    try:
        _, mine = await xapp.subscribe(node.name)
        _, yours = await other.subscribe(node.name)
        assert mine != yours
        await asyncio.gather(node.indicate(mine, b"mine"), node.indicate(yours, b"yours"))
        await until(lambda: xapp.of(12050) and other.of(12050))
        assert [message.sub_id for message in xapp.of(12050)] == [mine]
        assert [message.sub_id for message in other.of(12050)] == [yours]
    finally:
        await other.stop()
