"""E2 nodes on a live RIC: setup, reports, control, and what happens when either side goes away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from oran import kpi
from oran.e2.association import Association, listen
from oran.e2.ccc.control import decode_control_outcome, encode_control_header, encode_control_message
from oran.e2.ccc.messages import CellControl, PolicyChange, PolicyMember, RrmPolicyRatioAttributes
from oran.e2.e2ap import messages as e2ap
from oran.e2.e2ap.codec import decode, encode
from oran.e2.functions import ServiceModel, find
from oran.e2.identity import GnbDuUeId, plmn_to_octets
from oran.e2.kpm.codec import decode_indication_message, encode_action_definition, encode_event_trigger
from oran.e2.kpm.messages import (
    ActionDefinition,
    ActionFormat1,
    EventTrigger,
    IndicationFormat1,
    Label,
    MeasurementInfo,
)
from oran.e2.rc.slice_quota import SlicePrbQuota, encode_slice_prb_quota_header, encode_slice_prb_quota_message
from oran.errors import SubscriptionRefused
from oran.ric import NearRtRic
from oran.subscriptions import SubscriptionClient
from tests.twin.e2node_loop import WAIT_S, Xapp, ric_config, running, until, xapp_on
from tests.twin.test_e2node_reports import CONFIG, END_S, sample
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.node import E2Node

LABELS = tuple(Label(slice_id=item) for item in CONFIG.slices)
CELL_REPORT = ActionDefinition(1, ActionFormat1((MeasurementInfo(kpi.PRB_USED_DL, LABELS),), 100))
MEMBER = PolicyMember("001", "01", 1, 1)


@dataclass
class Loop:
    ric: NearRtRic
    xapp: Xapp
    node: E2Node


def make_node(ric: str, config: NodeConfig = CONFIG) -> E2Node:
    return E2Node(ric, config, Cell(config.slices))


@pytest.fixture
async def loop() -> AsyncIterator[Loop]:
    async with NearRtRic(ric_config()) as ric, xapp_on(ric) as xapp:
        node = make_node(ric.addresses["e2"])
        async with running(asyncio.create_task(node.run())):
            await until(node.link.connected.is_set)
            yield Loop(ric, xapp, node)


def ratios(dedicated: int, low: int, high: int) -> RrmPolicyRatioAttributes:
    return RrmPolicyRatioAttributes("PRB_DL", (MEMBER,), high, low, dedicated)


def ccc_message(wanted: RrmPolicyRatioAttributes) -> bytes:
    change = PolicyChange(ratios(0, 0, 0), wanted)
    return encode_control_message([CellControl(CONFIG.cell, (change,))])


async def test_the_ric_knows_the_node_and_its_functions(loop: Loop) -> None:
    await until(lambda: loop.ric.nodes.get(loop.node.name))
    info = await loop.xapp.nodes.node(loop.node.name)
    assert info.connected
    found = {model: find(info.functions, model) for model in ServiceModel}
    assert {model: item.function_id for model, item in found.items() if item} == {
        ServiceModel.KPM: 2,
        ServiceModel.RC: 3,
        ServiceModel.CCC: 4,
    }


async def test_reports_reach_the_xapp_every_period_with_rising_numbers(loop: Loop) -> None:
    subscription = await loop.xapp.subscribe(loop.node.name, 2, CELL_REPORT)
    for _ in range(3):
        loop.node.publish(sample(), END_S)
    await until(lambda: len(loop.xapp.indications(loop.node.name)) == 3)
    indications = loop.xapp.indications(loop.node.name)
    assert [item.sn for item in indications] == [0, 1, 2]
    assert {item.request_id.instance for item in indications} == {subscription.instance_id}
    report = decode_indication_message(indications[0].message)
    assert isinstance(report, IndicationFormat1)
    assert report.records[0].values == (30, 10, 0)
    await loop.xapp.subscriptions.unsubscribe(subscription)
    await until(lambda: loop.node.subscriptions == 0)
    loop.node.publish(sample(), END_S)
    assert loop.node.link.sent == 3


async def test_what_the_node_does_not_measure_is_refused_with_its_cause(loop: Loop) -> None:
    unknown = ActionDefinition(1, ActionFormat1((MeasurementInfo("DRB.Invented"),), 100))
    with pytest.raises(SubscriptionRefused):
        await loop.xapp.subscribe(loop.node.name, 2, unknown)
    with pytest.raises(SubscriptionRefused):
        await loop.xapp.subscribe(loop.node.name, 3, CELL_REPORT)
    assert loop.node.counters.subscriptions["refused"] >= 2


async def test_ccc_control_is_carried_out_and_acknowledged_with_old_values(loop: Loop) -> None:
    subscription = await loop.xapp.subscribe(loop.node.name, 2, CELL_REPORT)
    await loop.xapp.control(subscription, 4, encode_control_header(), ccc_message(ratios(0, 30, 60)))
    await until(loop.xapp.answers)
    (answer,) = loop.xapp.answers()
    assert isinstance(answer, e2ap.RicControlAcknowledge)
    assert answer.outcome is not None
    (cell,) = decode_control_outcome(answer.outcome).cells
    assert [(item.old, item.current) for item in cell.accepted] == [(ratios(0, 33, 100), ratios(0, 30, 60))]
    assert loop.node.cell.ratios[0].tolist() == [0, 30, 60]


async def test_success_is_told_only_when_asked_for_and_failure_always(loop: Loop) -> None:
    subscription = await loop.xapp.subscribe(loop.node.name, 2, CELL_REPORT)
    header = encode_control_header()
    for ack in (None, e2ap.ControlAckRequest.NO_ACK):
        await loop.xapp.control(subscription, 4, header, ccc_message(ratios(0, 20, 40)), ack)
    await loop.xapp.control(subscription, 4, header, ccc_message(ratios(0, 99, 100)), None)
    await loop.xapp.control(subscription, 4, header, ccc_message(ratios(0, 21, 41)))
    await until(lambda: len(loop.xapp.answers()) == 2)
    failure, success = loop.xapp.answers()
    assert isinstance(failure, e2ap.RicControlFailure)
    assert failure.outcome is not None
    assert isinstance(success, e2ap.RicControlAcknowledge)
    assert loop.node.counters.controls == {"done": 3, "failed": 1}


async def test_rc_control_needs_a_ue_of_the_cell(loop: Loop) -> None:
    subscription = await loop.xapp.subscribe(loop.node.name, 2, CELL_REPORT)
    message = encode_slice_prb_quota_message([SlicePrbQuota(plmn_to_octets("001", "01"), 1, 1, 10, 20, 0)])
    await loop.xapp.control(subscription, 3, encode_slice_prb_quota_header(GnbDuUeId(2)), message)
    await until(loop.xapp.answers)
    assert isinstance(loop.xapp.answers()[0], e2ap.RicControlFailure)
    loop.node.publish(sample(), END_S)
    await loop.xapp.control(subscription, 3, encode_slice_prb_quota_header(GnbDuUeId(2)), message)
    await until(lambda: len(loop.xapp.answers()) == 2)
    assert isinstance(loop.xapp.answers()[1], e2ap.RicControlAcknowledge)
    assert loop.node.cell.ratios[0].tolist() == [0, 10, 20]


async def test_a_node_like_srsran_offers_no_ccc(loop: Loop) -> None:
    config = NodeConfig(du=2, supports_ccc=False, slice_labels=False)
    node = make_node(loop.ric.addresses["e2"], config)
    async with running(asyncio.create_task(node.run())):
        await until(node.link.connected.is_set)
        await until(lambda: loop.ric.nodes.get(node.name))
        info = await loop.xapp.nodes.node(node.name)
        assert find(info.functions, ServiceModel.CCC) is None
        assert find(info.functions, ServiceModel.RC) is not None
        with pytest.raises(SubscriptionRefused):
            await loop.xapp.subscribe(node.name, 2, CELL_REPORT)


async def test_a_ric_that_restarts_gets_the_node_back_without_subscriptions_and_with_default_quotas() -> None:
    async with NearRtRic(ric_config()) as ric:
        port = int(ric.addresses["e2"].rpartition(":")[2])
        node = make_node(ric.addresses["e2"])
        task = asyncio.create_task(node.run())
        await until(node.link.connected.is_set)
        async with xapp_on(ric) as xapp:
            await xapp.subscribe(node.name, 2, CELL_REPORT)
        node.cell.change({CONFIG.slices[0]: (0, 10, 20)})
    async with running(task):
        await until(lambda: not node.link.connected.is_set())
        assert node.subscriptions == 0
        assert (node.cell.ratios == node.cell.default).all()
        async with NearRtRic(ric_config(port)) as ric:
            await until(node.link.connected.is_set)
            assert node.link.setups == 2
            async with xapp_on(ric) as xapp:
                await xapp.subscribe(node.name, 2, CELL_REPORT)
                node.publish(sample(), END_S)
                await until(lambda: xapp.indications(node.name))


async def test_subscriptions_come_back_after_a_node_restart_and_none_is_double(loop: Loop) -> None:
    subscriptions = loop.xapp.subscriptions
    held = await loop.xapp.subscribe(loop.node.name, 2, CELL_REPORT)
    loop.ric.nodes.get(loop.node.name).link.association.close()  # type: ignore[union-attr]
    await until(lambda: loop.node.link.setups == 2 and loop.node.link.connected.is_set())

    async def connected() -> set[str]:
        return {item.name for item in await loop.xapp.nodes.list_nodes() if item.connected}

    async with asyncio.timeout(WAIT_S):
        while loop.node.subscriptions == 0 or held in subscriptions.active.values():
            await subscriptions.reconcile([held.spec], await connected())
            await asyncio.sleep(0.05)
    await subscriptions.reconcile([held.spec], await connected())
    assert loop.node.subscriptions == 1
    assert len(await subscriptions.list()) == 1


def setup_response(request: e2ap.E2SetupRequest) -> bytes:
    acks = tuple(e2ap.ComponentConfigAck(item.component) for item in request.components)
    ric = e2ap.GlobalRicId(plmn_to_octets("001", "01"), 1)
    return encode(e2ap.E2SetupResponse(request.transaction_id, ric, components=acks))


async def test_an_xapp_that_crashed_leaves_no_second_subscription_behind(loop: Loop) -> None:
    await loop.xapp.subscribe(loop.node.name, 2, CELL_REPORT)
    crashed = loop.xapp.subscriptions
    reborn = SubscriptionClient(loop.ric.addresses["subscription"], crashed.endpoint)
    assert await reborn.delete_stale() == 1
    await until(lambda: loop.node.subscriptions == 0)
    assert await reborn.list() == ()
    await reborn.close()


class Peer:
    """The RIC's end of an association, by hand."""

    def __init__(self) -> None:
        self.heard: list[e2ap.E2apMessage] = []
        self.association: Association | None = None

    async def handle(self, association: Association) -> None:
        self.association = association
        while True:
            message = decode(await association.receive())
            self.heard.append(message)
            if isinstance(message, e2ap.E2SetupRequest):
                await association.send(setup_response(message))

    async def ask(self, message: e2ap.E2apMessage | bytes) -> e2ap.E2apMessage:
        count = len(self.heard)
        assert self.association is not None
        await self.association.send(message if isinstance(message, bytes) else encode(message))
        await until(lambda: len(self.heard) > count)
        return self.heard[count]


@dataclass
class Bare:
    peer: Peer
    node: E2Node


@pytest.fixture
async def bare() -> AsyncIterator[Bare]:
    peer = Peer()
    async with await listen("tcp://127.0.0.1:0", peer.handle) as server:
        node = make_node(str(server.address), NodeConfig(max_subscriptions=2, queue_messages=4))
        async with running(asyncio.create_task(node.run())):
            await until(node.link.connected.is_set)
            yield Bare(peer, node)


def subscription(instance: int, definition: bytes | None = None, action: int = 1) -> e2ap.RicSubscriptionRequest:
    good = encode_action_definition(CELL_REPORT)
    actions = (
        e2ap.Action(action, e2ap.ActionType.REPORT, good if definition is None else definition),
        e2ap.Action(action + 1, e2ap.ActionType.INSERT, good),
    )
    request_id = e2ap.RicRequestId(123, instance)
    return e2ap.RicSubscriptionRequest(request_id, 2, encode_event_trigger(EventTrigger(100)), actions)


async def test_actions_are_admitted_one_by_one(bare: Bare) -> None:
    answer = await bare.peer.ask(subscription(1))
    not_supported = e2ap.Cause("ricRequest", "action-not-supported")
    assert answer == e2ap.RicSubscriptionResponse(
        e2ap.RicRequestId(123, 1), 2, (1,), (e2ap.NotAdmittedAction(2, not_supported),)
    )
    refused = await bare.peer.ask(subscription(2, b"\xff\xff"))
    assert refused == e2ap.RicSubscriptionFailure(e2ap.RicRequestId(123, 2), 2, not_supported)


async def test_a_repeated_request_is_answered_again_and_replaces_the_first(bare: Bare) -> None:
    assert await bare.peer.ask(subscription(1)) == await bare.peer.ask(subscription(1))
    assert bare.node.subscriptions == 1


async def test_subscriptions_are_bounded_and_deleting_one_unknown_fails(bare: Bare) -> None:
    for instance in (1, 2):
        assert isinstance(await bare.peer.ask(subscription(instance)), e2ap.RicSubscriptionResponse)
    too_many = await bare.peer.ask(subscription(3))
    assert isinstance(too_many, e2ap.RicSubscriptionFailure)
    assert too_many.cause == e2ap.Cause("ricRequest", "function-resource-limit")
    unknown = await bare.peer.ask(e2ap.RicSubscriptionDeleteRequest(e2ap.RicRequestId(123, 9), 2))
    assert isinstance(unknown, e2ap.RicSubscriptionDeleteFailure)
    assert unknown.cause == e2ap.Cause("ricRequest", "request-id-unknown")
    gone = await bare.peer.ask(e2ap.RicSubscriptionDeleteRequest(e2ap.RicRequestId(123, 1), 2))
    assert isinstance(gone, e2ap.RicSubscriptionDeleteResponse)


async def test_a_reset_forgets_subscriptions_and_quotas(bare: Bare) -> None:
    await bare.peer.ask(subscription(1))
    bare.node.cell.change({CONFIG.slices[0]: (0, 10, 20)})
    answer = await bare.peer.ask(e2ap.ResetRequest(3, e2ap.Cause("misc", "om-intervention")))
    assert answer == e2ap.ResetResponse(3)
    assert bare.node.subscriptions == 0
    assert (bare.node.cell.ratios == bare.node.cell.default).all()


async def test_what_cannot_be_read_or_used_gets_an_error_indication(bare: Bare) -> None:
    for pdu in (b"\xff\xff\xff", b"\x00"):
        answer = await bare.peer.ask(pdu)
        assert isinstance(answer, e2ap.ErrorIndication)
        assert answer.cause == e2ap.Cause("protocol", "transfer-syntax-error")
    out_of_place = await bare.peer.ask(e2ap.RicSubscriptionResponse(e2ap.RicRequestId(1, 1), 2, (1,)))
    assert isinstance(out_of_place, e2ap.ErrorIndication)
    assert bare.node.link.bad_messages == 3
    assert bare.node.link.connected.is_set()


async def test_the_rest_of_e2ap_is_answered(bare: Bare) -> None:
    update = await bare.peer.ask(e2ap.RicServiceQuery(4, (e2ap.FunctionRef(2, 1),)))
    assert isinstance(update, e2ap.RicServiceUpdate)
    assert [item.function_id for item in update.added] == [3, 4]
    tnl = e2ap.TnlInformation((0x7F000001, 32))
    change = e2ap.E2ConnectionUpdate(5, added=(e2ap.Connection(tnl, e2ap.TnlUsage.BOTH),))
    answer = await bare.peer.ask(change)
    assert isinstance(answer, e2ap.E2ConnectionUpdateAcknowledge)
    assert [item for item, _ in answer.failed] == [tnl]
    assert await bare.peer.ask(e2ap.E2RemovalRequest(6)) == e2ap.E2RemovalResponse(6)


async def test_a_slow_ric_costs_indications_and_nothing_else(bare: Bare) -> None:
    await bare.peer.ask(subscription(1))
    for _ in range(10):
        bare.node.publish(sample(), END_S)
    assert bare.node.link.dropped == 6
    await until(lambda: sum(isinstance(item, e2ap.RicIndication) for item in bare.peer.heard) == 4)


async def test_a_refused_setup_is_tried_again() -> None:
    refusals = 0

    async def refuse_once(association: Association) -> None:
        nonlocal refusals
        request = decode(await association.receive())
        assert isinstance(request, e2ap.E2SetupRequest)
        if refusals == 0:
            refusals += 1
            cause = e2ap.Cause("misc", "control-processing-overload")
            await association.send(encode(e2ap.E2SetupFailure(request.transaction_id, cause)))
            return
        await association.send(setup_response(request))
        await association.receive()

    async with await listen("tcp://127.0.0.1:0", refuse_once) as server:
        node = make_node(str(server.address), NodeConfig(first_backoff_s=0.01))
        async with running(asyncio.create_task(node.run())):
            await until(node.link.connected.is_set)
    assert refusals == 1
