"""Recording live E2 traffic: a small xApp that subscribes to the RIC's nodes and keeps what they send."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from oran.e2.e2ap.codec import encode
from oran.e2.e2ap.messages import Action, ActionType, RicRequestId, RicSubscriptionRequest
from oran.e2.errors import CodecError
from oran.e2.functions import ServiceModel, find
from oran.e2.identity import GlobalE2NodeId, NodeKind, plmn_to_octets
from oran.e2.kpm.codec import decode_function_definition, encode_action_definition, encode_event_trigger
from oran.e2.kpm.messages import (
    ActionDefinition,
    ActionFormat1,
    ActionFormat4,
    EventTrigger,
    Label,
    MatchingCondition,
    MeasurementInfo,
    ReportStyle,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
)
from oran.errors import NodeListError, PlatformError, SubscriptionError
from oran.nodes import NodeInfo, NodesClient
from oran.rest import serve
from oran.rmr import RmrConfig, RmrEndpoint, RmrMessage, Transport, TransportClosed
from oran.rmr.types import RIC_INDICATION
from oran.slices import SNssai
from oran.subscription_forms import ClientEndpoint, SubscriptionSpec
from oran.subscriptions import SubscriptionClient
from ranloop.errors import RecordingError
from ranloop.recording import RecordingWriter

_log = structlog.get_logger(__name__)

RECONCILE_S = 2.0
OSC_REQUESTOR = 123
"""The RIC requestor id that OSC's subscription manager always uses."""
CELL_STYLE, UE_STYLE = 1, 4
_KINDS = {"cell": (CELL_STYLE,), "ue": (UE_STYLE,), "both": (CELL_STYLE, UE_STYLE)}
_PREFIXES = {"gnb": NodeKind.GNB, "gnbd": NodeKind.GNB, "gnbc": NodeKind.GNB, "en_gnb": NodeKind.EN_GNB}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConfig:
    """What to record, and where this xApp lives.

    `reports` is cell, ue or both; `slices` label the cell measurements, none means noLabel. `route_manager`
    "host:port" is asked for routes; `host` is where the RIC reaches this xApp. Ports 0 take free ones.
    """

    subscription_url: str
    e2mgr_url: str
    route_manager: str = ""
    host: str = "127.0.0.1"
    http_port: int = 0
    rmr_port: int = 0
    control_port: int = 0
    reports: str = "cell"
    slices: tuple[SNssai, ...] = ()
    period_ms: int = 100
    measurements: tuple[str, ...] = ()
    """Measurements to ask for; none means all that a node offers."""

    def __post_init__(self) -> None:
        if self.reports not in _KINDS:
            raise RecordingError(f"reports is {self.reports!r}; it must be one of {', '.join(_KINDS)}")
        if not 1 <= self.period_ms <= 60_000:
            raise RecordingError(f"period_ms is {self.period_ms}; it must lie in 1..60000")


@dataclass(slots=True)
class RecordCounts:
    """What was recorded."""

    nodes: int = 0
    indications: int = 0
    foreign: int = 0
    """Indications of nodes whose identity cannot be told."""
    unreadable: list[str] = field(default_factory=list)
    """Nodes left out, with the reason."""


async def record(config: RecordConfig, path: Path, *, stop: asyncio.Event) -> RecordCounts:
    """Subscribe to every node of the RIC and write what comes to a file, until `stop` is set.

    Nodes that come or return while recording are subscribed to as well. All subscriptions are deleted at the end.
    Raises RecordingError when the RIC or the file cannot be used.
    """
    rmr = RmrEndpoint(
        RmrConfig(
            port=config.rmr_port,
            bind_host=config.host,
            control_port=config.control_port,
            route_manager=config.route_manager,
        )
    )
    nodes = NodesClient(config.e2mgr_url)
    subscriptions: SubscriptionClient | None = None
    web = None
    try:
        await rmr.start()
        endpoint = ClientEndpoint(config.host, config.http_port, rmr.address[1])
        subscriptions = SubscriptionClient(config.subscription_url, endpoint)
        from starlette.applications import Starlette

        web = await serve(Starlette(routes=subscriptions.routes()), config.host, config.http_port)
        subscriptions.endpoint = ClientEndpoint(config.host, web.port, rmr.address[1])
        with path.open("wb") as file:
            return await _record(config, rmr, nodes, subscriptions, RecordingWriter(file), stop)
    except (OSError, PlatformError) as error:
        raise RecordingError(f"recording to {path}: {error}") from error
    finally:
        await rmr.stop()
        await nodes.close()
        if subscriptions is not None:
            await subscriptions.close()
        if web is not None:
            await web.stop()


async def _record(
    config: RecordConfig,
    rmr: Transport,
    nodes: NodesClient,
    subscriptions: SubscriptionClient,
    writer: RecordingWriter,
    stop: asyncio.Event,
) -> RecordCounts:
    counts, noted = RecordCounts(), set[int]()
    await nodes.list_nodes()
    listening = asyncio.create_task(listen(rmr, writer, counts))
    keeping = asyncio.create_task(_keep_subscribed(config, nodes, subscriptions, writer, counts, noted))
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({listening, keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (listening, keeping, stopping):
            task.cancel()
        await asyncio.gather(listening, keeping, stopping, return_exceptions=True)
        _write_requests(subscriptions, writer, noted)
        await subscriptions.unsubscribe_all()
    return counts


async def listen(rmr: Transport, writer: RecordingWriter, counts: RecordCounts) -> None:
    """Write every indication that comes, until the transport stops; those of unknown nodes are counted."""
    try:
        while True:
            message: RmrMessage = await rmr.receive()
            if message.mtype != RIC_INDICATION:
                continue
            if not writer.knows(message.meid):
                counts.foreign += 1
                continue
            age_s = time.perf_counter() - message.received_s if message.received_s else 0.0
            writer.from_node(message.meid, message.payload, time.time() - age_s)
            counts.indications += 1
    except TransportClosed:
        return


async def _keep_subscribed(
    config: RecordConfig,
    nodes: NodesClient,
    subscriptions: SubscriptionClient,
    writer: RecordingWriter,
    counts: RecordCounts,
    noted: set[int],
) -> None:
    specs: dict[str, tuple[SubscriptionSpec, ...]] = {}
    while True:
        try:
            connected = {node.name for node in await nodes.list_nodes() if node.connected}
            for name in connected - specs.keys():
                specs[name] = _introduce(config, await nodes.node(name), writer, counts)
            wanted = [spec for name in specs for spec in specs[name]]
            await subscriptions.reconcile(wanted, connected)
        except (NodeListError, SubscriptionError) as error:
            _log.warning("ric_does_not_answer", reason=str(error))
        _write_requests(subscriptions, writer, noted)
        await asyncio.sleep(RECONCILE_S)


def _write_requests(subscriptions: SubscriptionClient, writer: RecordingWriter, noted: set[int]) -> None:
    """Write the RIC's request of each subscription that is not `noted` yet, as the node got it."""
    for spec, held in subscriptions.active.items():
        if held.xapp_instance_id not in noted:
            noted.add(held.xapp_instance_id)
            request_id = RicRequestId(OSC_REQUESTOR, held.instance_id)
            request = RicSubscriptionRequest(request_id, spec.function_id, spec.event_trigger, spec.actions)
            writer.to_node(spec.meid, encode(request), time.time())


def _introduce(
    config: RecordConfig, info: NodeInfo, writer: RecordingWriter, counts: RecordCounts
) -> tuple[SubscriptionSpec, ...]:
    """Write a node's setup, and say what to subscribe to; nothing for a node that cannot be recorded."""
    try:
        specs = subscriptions_for(config, info)
        writer.node(node_id_of(info.name), info.functions, time.time())
    except (RecordingError, CodecError) as error:
        _log.warning("node_not_recorded", node=info.name, reason=str(error))
        counts.unreadable.append(f"{info.name}: {error}")
        return ()
    counts.nodes += 1
    return specs


def node_id_of(name: str) -> GlobalE2NodeId:
    """A node's global id from the name the RIC gives it; raises RecordingError for names of another form.

    Names do not tell all: a gNB id of 22 or 23 bits comes back as one of 24, and a three-digit MNC that ends in 0
    as one of two digits, under the same name.
    """
    parts = name.split("_")
    prefix = "_".join(parts[: 2 if name.startswith("en_") else 1])
    rest = parts[prefix.count("_") + 1 :]
    tail = int(prefix in ("gnbd", "gnbc"))
    try:
        if prefix not in _PREFIXES or len(rest) != 3 + tail:
            raise ValueError("expected e.g. gnb_001_001_00019b")
        mcc, mnc, digits = rest[:3]
        # The RIC writes the third digit of an MNC first, and 0 where there is none.
        plmn = plmn_to_octets(mcc, mnc[1:] + mnc[:1].replace("0", ""))
        unit = int(rest[3], 16) if tail else None
        made = GlobalE2NodeId(
            plmn,
            int(digits, 16),
            len(digits) * 4,
            _PREFIXES[prefix],
            du_id=unit if prefix == "gnbd" else None,
            cu_up_id=unit if prefix == "gnbc" else None,
        )
        if made.ran_name != name or not 22 <= made.node_id_bits <= 32:
            raise ValueError("it does not come back the same")
    except ValueError as error:
        raise RecordingError(f"{name!r} is no name of a gNB: {error}") from None
    return made


def subscriptions_for(config: RecordConfig, info: NodeInfo) -> tuple[SubscriptionSpec, ...]:
    """What to subscribe to at a node; RecordingError when it offers none of it, DecodeError for nonsense."""
    function = find(info.functions, ServiceModel.KPM)
    if function is None:
        raise RecordingError("it offers no KPM")
    offered = {style.style: style for style in decode_function_definition(function.definition).report_styles}
    trigger = encode_event_trigger(EventTrigger(config.period_ms))
    specs = tuple(
        SubscriptionSpec(
            info.name,
            function.function_id,
            trigger,
            (Action(1, ActionType.REPORT, encode_action_definition(_action(config, offered[style]))),),
        )
        for style in _KINDS[config.reports]
        if style in offered
    )
    if not specs:
        raise RecordingError(f"it offers no {config.reports} reports")
    return specs


def _action(config: RecordConfig, style: ReportStyle) -> ActionDefinition:
    wanted: Collection[str] = config.measurements or [name for name, _ in style.measurements]
    names = [name for name, _ in style.measurements if name in wanted]
    if not names:
        raise RecordingError(f"report style {style.style} offers none of the measurements wanted")
    labels = tuple(Label(slice_id=item) for item in config.slices) if style.style == CELL_STYLE else ()
    info = tuple(MeasurementInfo(name, labels) if labels else MeasurementInfo(name) for name in names)
    inner = ActionFormat1(info, config.period_ms)
    if style.style == CELL_STYLE:
        return ActionDefinition(style.style, inner)
    # No UE reports an uplink RSRP as high as this: all UEs are meant.
    everyone = TestCondition(TestType.UL_RSRP, TestExpression.LESS_THAN, TestValue("valueInt", 1000))
    return ActionDefinition(style.style, ActionFormat4((MatchingCondition(everyone),), inner))
