"""An E2 node: the subscriptions the RIC has with it, and the control of its cell (E2AP clause 8)."""

import time
from collections import Counter
from dataclasses import dataclass, field

import structlog

from oran.e2.e2ap import messages as e2ap
from oran.e2.e2ap.codec import encode
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.control import ControlResult, control_ccc, control_rc
from twin.e2node.errors import Refused
from twin.e2node.functions import ran_functions
from twin.e2node.link import LinkTiming, NodeLink
from twin.e2node.reports import Reporter, ntp
from twin.e2node.sample import CellSample

_log = structlog.get_logger(__name__)

Reply = e2ap.E2apMessage | None


@dataclass(slots=True)
class NodeCounters:
    """Controls and subscriptions by result."""

    controls: Counter[str] = field(default_factory=Counter)
    subscriptions: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Report:
    """An admitted action: its reporter, and the number of the next indication."""

    request_id: e2ap.RicRequestId
    action_id: int
    reporter: Reporter
    sn: int = 0


class E2Node:
    """One DU. `run` keeps it connected until cancelled; `publish` gives it each step's sample.

    When the association is lost or reset the node forgets its subscriptions and its cell returns to its default
    quotas: no controller is left that answers for them.
    """

    def __init__(self, ric: str, config: NodeConfig, cell: Cell) -> None:
        self.config = config
        self.cell = cell
        self.counters = NodeCounters()
        timing = LinkTiming(
            setup_timeout_s=config.setup_timeout_s,
            first_backoff_s=config.first_backoff_s,
            longest_backoff_s=config.longest_backoff_s,
        )
        self.link = NodeLink(
            ric,
            config.node_id,
            ran_functions(config),
            answer=self._answer,
            lost=self._forget,
            timing=timing,
            queue_messages=config.queue_messages,
        )
        self._subscriptions: dict[e2ap.RicRequestId, list[_Report]] = {}

    @property
    def name(self) -> str:
        """The name the RIC gives the node."""
        return self.config.name

    @property
    def subscriptions(self) -> int:
        """Number of subscriptions in force."""
        return len(self._subscriptions)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        await self.link.run()

    def publish(self, sample: CellSample, end_s: float) -> None:
        """Take what was measured in the step that ended at Unix time `end_s` and queue the indications due."""
        self.cell.ue_ids = frozenset(sample.ue_ids.tolist())
        for reports in self._subscriptions.values():
            for report in reports:
                for header, message in report.reporter.add(sample, end_s):
                    self._indicate(report, header, message)

    def _indicate(self, report: _Report, header: bytes, message: bytes) -> None:
        indication = e2ap.RicIndication(
            report.request_id, self.config.kpm_id, report.action_id, header, message, sn=report.sn
        )
        report.sn = (report.sn + 1) % 65_536
        self.link.indicate(encode(indication))

    def _forget(self) -> None:
        self._subscriptions.clear()
        self.cell.reset()

    def _answer(self, message: e2ap.E2apMessage) -> Reply:
        match message:
            case e2ap.RicSubscriptionRequest():
                return self._subscribe(message)
            case e2ap.RicSubscriptionDeleteRequest():
                return self._unsubscribe(message)
            case e2ap.RicControlRequest():
                return self._control(message)
            case e2ap.ResetRequest():
                self._forget()
        return None

    def _subscribe(self, request: e2ap.RicSubscriptionRequest) -> Reply:
        """Admit what can be reported. A request that comes again replaces the first: its answer was lost."""
        held = self._subscriptions.pop(request.request_id, None)
        if request.function_id != self.config.kpm_id:
            return self._refuse(request, e2ap.Cause("ricRequest", "ran-function-id-invalid"))
        if held is None and len(self._subscriptions) >= self.config.max_subscriptions:
            return self._refuse(request, e2ap.Cause("ricRequest", "function-resource-limit"))
        reports: list[_Report] = []
        refused: list[e2ap.NotAdmittedAction] = []
        for action in request.actions:
            try:
                if action.type is not e2ap.ActionType.REPORT:
                    raise Refused("only reports are offered", e2ap.Cause("ricRequest", "action-not-supported"))
                if any(report.action_id == action.action_id for report in reports):
                    raise Refused("the action comes twice", e2ap.Cause("ricRequest", "duplicate-action"))
                reporter = Reporter(self.config, request.event_trigger, action.definition)
                reports.append(_Report(request.request_id, action.action_id, reporter))
            except Refused as error:
                _log.warning("action_refused", node=self.name, action=action.action_id, reason=str(error))
                refused.append(e2ap.NotAdmittedAction(action.action_id, error.cause))
        if not reports:
            return self._refuse(request, refused[0].cause)
        self._subscriptions[request.request_id] = reports
        self.counters.subscriptions["admitted"] += 1
        admitted = tuple(report.action_id for report in reports)
        return e2ap.RicSubscriptionResponse(request.request_id, request.function_id, admitted, tuple(refused))

    def _refuse(self, request: e2ap.RicSubscriptionRequest, cause: e2ap.Cause) -> Reply:
        self.counters.subscriptions["refused"] += 1
        return e2ap.RicSubscriptionFailure(request.request_id, request.function_id, cause)

    def _unsubscribe(self, request: e2ap.RicSubscriptionDeleteRequest) -> Reply:
        if request.function_id != self.config.kpm_id:
            cause = e2ap.Cause("ricRequest", "ran-function-id-invalid")
            return e2ap.RicSubscriptionDeleteFailure(request.request_id, request.function_id, cause)
        if self._subscriptions.pop(request.request_id, None) is None:
            cause = e2ap.Cause("ricRequest", "request-id-unknown")
            return e2ap.RicSubscriptionDeleteFailure(request.request_id, request.function_id, cause)
        self.counters.subscriptions["deleted"] += 1
        return e2ap.RicSubscriptionDeleteResponse(request.request_id, request.function_id)

    def _control(self, request: e2ap.RicControlRequest) -> Reply:
        """Carry out a control. A failure is always told, success only when that is asked for."""
        result = self._carry_out(request)
        self.counters.controls["done" if result.cause is None else "failed"] += 1
        if result.cause is not None:
            _log.warning("control_failed", node=self.name, cause=str(result.cause), reason=result.reason)
            return e2ap.RicControlFailure(
                request.request_id, request.function_id, result.cause, result.outcome, request.call_process_id
            )
        if request.ack_request is not e2ap.ControlAckRequest.ACK:
            return None
        return e2ap.RicControlAcknowledge(
            request.request_id, request.function_id, result.outcome, request.call_process_id
        )

    def _carry_out(self, request: e2ap.RicControlRequest) -> ControlResult:
        if request.function_id == self.config.rc_id:
            return control_rc(self.config, self.cell, request.header, request.message)
        if request.function_id == self.config.ccc_id and self.config.supports_ccc:
            received = ntp(time.time())
            return control_ccc(self.config, self.cell, request.header, request.message, received)
        return ControlResult(cause=e2ap.Cause("ricRequest", "ran-function-id-invalid"))
