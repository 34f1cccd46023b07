"""Playing a recording back: its nodes set up again and send what they sent, to whatever RIC.

A node begins when it is subscribed to. Each action gets the recorded reports of its kind (per cell or per UE),
under the new request id, with the collection time brought up to date.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from oran.e2.e2ap import messages as e2ap
from oran.e2.e2ap.codec import encode
from oran.e2.errors import CodecError
from oran.e2.functions import ServiceModel, match
from oran.e2.kpm.codec import (
    decode_action_definition,
    decode_indication_header,
    decode_indication_message,
    encode_indication_header,
)
from oran.e2.kpm.messages import ActionFormat1, ActionFormat2, IndicationFormat3
from ranloop.errors import RecordingError
from ranloop.recording import RecordedNode, Recording
from twin.e2node.link import NodeLink
from twin.e2node.reports import ntp

SAME_REPORT_S = {8: 0.05, 4: 0.005}
"""Indications of one action this close together, with the same header, are parts of one report.

By octets of the header's time stamp: 4 do not tell the periods of one second apart.
"""

_NOT_SUPPORTED = e2ap.Cause("ricRequest", "action-not-supported")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayConfig:
    """Where to and how fast.

    With `period_s` None the reports come as far apart as they were recorded; 0 means as fast as the RIC takes
    them; otherwise each node sends one report per period, the nodes one after the other as clocks of their own
    would have it. `loops` 0 repeats the recording until stopped.
    """

    ric: str
    period_s: float | None = None
    loops: int = 1
    queue_messages: int = 4096

    def __post_init__(self) -> None:
        if self.period_s is not None and not 0 <= self.period_s <= 3600:
            raise RecordingError(f"period_s is {self.period_s}; it must lie in 0..3600")
        if self.loops < 0:
            raise RecordingError(f"loops is {self.loops}; it must be 0 or more")


@dataclass(frozen=True, slots=True)
class Report:
    """One period's report: its time since the stream began, and its indications."""

    offset_s: float
    parts: tuple[e2ap.RicIndication, ...]


@dataclass(slots=True)
class ReplayCounts:
    """What was played back, over all nodes."""

    reports: int = 0
    indications: int = 0
    dropped: int = 0
    late: int = 0
    """Reports that were due more than one period, or 10 ms, before they could be sent."""
    controls: int = 0
    subscriptions: int = 0
    restarts: int = 0


def streams(node: RecordedNode) -> dict[bool, list[Report]]:
    """A node's KPM reports by kind: True for reports per UE, False for reports per cell."""
    kpm = {
        item.function_id for item in node.functions if (found := match(item.oid)) and found[0] is ServiceModel.KPM
    }
    raw: dict[tuple[e2ap.RicRequestId, int], list[tuple[float, e2ap.RicIndication]]] = {}
    for time_s, item in node.indications:
        if item.function_id in kpm:
            raw.setdefault((item.request_id, item.action_id), []).append((time_s, item))
    found_streams: dict[bool, list[Report]] = {}
    for items in raw.values():
        try:
            per_ue = isinstance(decode_indication_message(items[0][1].message), IndicationFormat3)
        except CodecError:
            continue
        reports = list(_reports(items))
        # Of several subscriptions for the same kind the longest is played.
        if len(reports) > len(found_streams.get(per_ue, ())):
            found_streams[per_ue] = reports
    return found_streams


async def replay(
    recording: Recording,
    config: ReplayConfig,
    *,
    stop: asyncio.Event | None = None,
    counts: ReplayCounts | None = None,
) -> ReplayCounts:
    """Play a recording back until every node has sent it `loops` times, or `stop` is set.

    Raises RecordingError when no node has KPM reports. A node that loses the RIC connects again and starts over
    with its next subscription.
    """
    counts = counts or ReplayCounts()
    played = [node for node in recording.nodes if streams(node)]
    nodes = [ReplayNode(node, config, counts, index / len(played)) for index, node in enumerate(played)]
    if not nodes:
        raise RecordingError("the recording holds no KPM reports")
    links = [asyncio.create_task(node.link.run(), name=f"replay-{node.link.name}") for node in nodes]
    finished = asyncio.create_task(_all_finished(nodes))
    waits: set[asyncio.Task[Any]] = {finished, *links}
    if stop is not None:
        waits.add(asyncio.create_task(stop.wait()))
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*waits, *(player for node in nodes for player in node.players)):
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    counts.dropped = sum(node.link.dropped for node in nodes)
    counts.restarts = sum(max(0, node.link.setups - 1) for node in nodes)
    return counts


class ReplayNode:
    """One recorded node on the wire again. Controls are acknowledged where asked for, and have no effect.

    With a fixed period, `phase` in 0..1 is the share of it that the first report waits.
    """

    def __init__(self, node: RecordedNode, config: ReplayConfig, counts: ReplayCounts, phase: float = 0.0) -> None:
        self._phase_s = phase * (config.period_s or 0.0)
        self.finished = asyncio.Event()
        self.link = NodeLink(
            config.ric,
            node.node_id,
            node.functions,
            answer=self._answer,
            lost=self._forget,
            queue_messages=config.queue_messages,
        )
        self._streams = streams(node)
        self._config = config
        self._counts = counts
        self._playing: dict[e2ap.RicRequestId, list[asyncio.Task[None]]] = {}

    @property
    def players(self) -> list[asyncio.Task[None]]:
        """The tasks that send."""
        return [task for tasks in self._playing.values() for task in tasks]

    def _answer(self, message: e2ap.E2apMessage) -> e2ap.E2apMessage | None:
        match message:
            case e2ap.RicSubscriptionRequest():
                return self._subscribe(message)
            case e2ap.RicSubscriptionDeleteRequest(request_id, function_id):
                self._stop(request_id)
                return e2ap.RicSubscriptionDeleteResponse(request_id, function_id)
            case e2ap.RicControlRequest(request_id, function_id):
                self._counts.controls += 1
                if message.ack_request is e2ap.ControlAckRequest.ACK:
                    return e2ap.RicControlAcknowledge(request_id, function_id, None, message.call_process_id)
            case e2ap.ResetRequest():
                self._forget()
        return None

    def _subscribe(self, request: e2ap.RicSubscriptionRequest) -> e2ap.E2apMessage:
        self._stop(request.request_id)
        tasks: list[asyncio.Task[None]] = []
        admitted: list[int] = []
        for action in request.actions:
            reports = self._stream_for(action)
            if reports:
                admitted.append(action.action_id)
                tasks.append(asyncio.create_task(self._play(request, action.action_id, reports)))
        if not admitted:
            return e2ap.RicSubscriptionFailure(request.request_id, request.function_id, _NOT_SUPPORTED)
        self._playing[request.request_id] = tasks
        self._counts.subscriptions += 1
        refused = tuple(
            e2ap.NotAdmittedAction(action.action_id, _NOT_SUPPORTED)
            for action in request.actions
            if action.action_id not in admitted
        )
        return e2ap.RicSubscriptionResponse(request.request_id, request.function_id, tuple(admitted), refused)

    def _stream_for(self, action: e2ap.Action) -> list[Report]:
        """The reports of the kind that an action asks for; an action not understood gets what there is."""
        try:
            asked = decode_action_definition(action.definition or b"").format
        except CodecError:
            return next(iter(self._streams.values()))
        return self._streams.get(not isinstance(asked, ActionFormat1 | ActionFormat2), [])

    async def _play(self, request: e2ap.RicSubscriptionRequest, action_id: int, reports: Sequence[Report]) -> None:
        """Send the reports in their time; ends after the last loop."""
        loop, sn = asyncio.get_running_loop(), 0
        # The RIC must have read our answer first: it lets no indication pass before.
        await asyncio.sleep(0.05)
        start_s = loop.time() + self._phase_s
        for due_s, report in self._schedule(reports):
            wait_s = start_s + due_s - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif -wait_s > max(0.01, self._config.period_s or 0.0) and self._config.period_s != 0:
                self._counts.late += 1
            header = _fresh_header(report.parts[0].header)
            for part in report.parts:
                pdu = encode(
                    replace(
                        part,
                        request_id=request.request_id,
                        function_id=request.function_id,
                        action_id=action_id,
                        header=header,
                        sn=sn,
                    )
                )
                sn = (sn + 1) % 65_536
                if self._config.period_s == 0:
                    await self.link.indicate_when_free(pdu)
                    self._counts.indications += 1
                else:
                    self._counts.indications += self.link.indicate(pdu)
            self._counts.reports += 1
        self.finished.set()

    def _schedule(self, reports: Sequence[Report]) -> Iterator[tuple[float, Report]]:
        """Each report with the time since the start at which it is due, over all loops."""
        period_s, turn = self._config.period_s, 0
        gap_s = reports[-1].offset_s / (len(reports) - 1) if len(reports) > 1 else 0.1
        length_s = reports[-1].offset_s + gap_s
        while self._config.loops == 0 or turn < self._config.loops:
            for number, report in enumerate(reports):
                if period_s is None:
                    yield turn * length_s + report.offset_s, report
                else:
                    yield (turn * len(reports) + number) * period_s, report
            turn += 1

    def _stop(self, request_id: e2ap.RicRequestId) -> None:
        for task in self._playing.pop(request_id, []):
            task.cancel()

    def _forget(self) -> None:
        for request_id in list(self._playing):
            self._stop(request_id)


async def _all_finished(nodes: Sequence[ReplayNode]) -> None:
    for node in nodes:
        await node.finished.wait()


def _reports(items: Sequence[tuple[float, e2ap.RicIndication]]) -> Iterator[Report]:
    """Put the parts of split reports together."""
    start_s = last_s = items[0][0]
    together_s = SAME_REPORT_S[_stamp_octets(items[0][1].header)]
    parts: list[e2ap.RicIndication] = []
    first_s = start_s
    for time_s, item in items:
        if parts and (item.header != parts[0].header or abs(time_s - last_s) > together_s):
            yield Report(max(0.0, first_s - start_s), tuple(parts))
            parts = []
        if not parts:
            first_s = time_s
        parts.append(item)
        last_s = time_s
    yield Report(max(0.0, first_s - start_s), tuple(parts))


def _stamp_octets(header: bytes) -> int:
    try:
        return len(decode_indication_header(header).collection_start)
    except CodecError:
        return 4


def _fresh_header(header: bytes) -> bytes:
    """The header with its collection time brought up to now; one that is not understood stays."""
    try:
        decoded = decode_indication_header(header)
        start = ntp(time.time(), len(decoded.collection_start))
        return encode_indication_header(replace(decoded, collection_start=start))
    except CodecError:
        return header
