"""The E2AP messages as frozen values, named as in the specification; absent IEs are None or empty."""

from dataclasses import dataclass
from enum import Enum

from oran.e2.identity import GlobalE2NodeId


class ActionType(Enum):
    """RICactionType, in wire order."""

    REPORT = 0
    INSERT = 1
    POLICY = 2


class IndicationType(Enum):
    """RICindicationType."""

    REPORT = 0
    INSERT = 1


class ControlAckRequest(Enum):
    """RICcontrolAckRequest (E2AP v2: an acknowledgement is asked for or not)."""

    NO_ACK = 0
    ACK = 1


class TimeToWait(Enum):
    """TimeToWait of failures, in wire order."""

    V1S = 0
    V2S = 1
    V5S = 2
    V10S = 3
    V20S = 4
    V60S = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something failed: a group and its value's name, e.g. `ricRequest` and `action-not-supported`.

    Groups: ricRequest, ricService, e2Node, transport, protocol, misc.
    """

    group: str
    value: str

    def __str__(self) -> str:
        return f"{self.group}/{self.value}"


@dataclass(frozen=True, slots=True)
class CriticalityDiagnostics:
    """What of a received message was not understood."""

    procedure_code: int | None = None
    triggering_message: int | None = None
    procedure_criticality: int | None = None
    request_id: "RicRequestId | None" = None
    items: tuple[tuple[int, int, int], ...] = ()
    """(criticality, IE id, type of error) triples."""


@dataclass(frozen=True, slots=True)
class RicRequestId:
    """RICrequestID: the requestor (an OSC RIC always says 123) and the instance."""

    requestor: int
    instance: int


@dataclass(frozen=True, slots=True)
class RanFunction:
    """A RAN function an E2 node offers; `definition` is in its service model's own encoding."""

    function_id: int
    definition: bytes
    revision: int
    oid: str


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A RAN function by id and revision."""

    function_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class FunctionCause:
    """A RAN function that was not accepted, and why."""

    function_id: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class ComponentId:
    """E2nodeComponentID: one interface endpoint of the node.

    `interface` is the alternative's name (`ng`, `xn`, `e1`, `f1`, `w1`, `s1`, `x2`); `name` is the AMF or MME
    name (NG, S1), `number` the gNB-CU-UP, gNB-DU or ng-eNB-DU id (E1, F1, W1), `node` the encoded peer
    (Xn, X2).
    """

    interface: str
    name: str = ""
    number: int = 0
    node: bytes = b""


@dataclass(frozen=True, slots=True)
class ComponentConfig:
    """The configuration of one component: its setup request and response as the interface carried them."""

    component: ComponentId
    request: bytes = b""
    response: bytes = b""


@dataclass(frozen=True, slots=True)
class ComponentConfigAck:
    """The RIC's answer for one component; `cause` when it failed."""

    component: ComponentId
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class E2SetupRequest:
    """A node introduces itself (E2AP 9.1.2.2)."""

    transaction_id: int
    node_id: GlobalE2NodeId
    functions: tuple[RanFunction, ...]
    components: tuple[ComponentConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class GlobalRicId:
    """The RIC: PLMN and a 20-bit id."""

    plmn: bytes
    ric_id: int


@dataclass(frozen=True, slots=True)
class E2SetupResponse:
    """The RIC accepts a node."""

    transaction_id: int
    ric_id: GlobalRicId
    accepted: tuple[FunctionRef, ...] = ()
    rejected: tuple[FunctionCause, ...] = ()
    components: tuple[ComponentConfigAck, ...] = ()


@dataclass(frozen=True, slots=True)
class E2SetupFailure:
    """The RIC refuses a node."""

    transaction_id: int
    cause: Cause
    time_to_wait: TimeToWait | None = None
    diagnostics: CriticalityDiagnostics | None = None
    tnl: "TnlInformation | None" = None


@dataclass(frozen=True, slots=True)
class SubsequentAction:
    """What a node does after an action: wait or go on; `time_to_wait` is the wire index."""

    waits: bool
    time_to_wait: int


@dataclass(frozen=True, slots=True)
class Action:
    """An action to be set up."""

    action_id: int
    type: ActionType
    definition: bytes | None = None
    subsequent: SubsequentAction | None = None
    execution_order: int | None = None


@dataclass(frozen=True, slots=True)
class NotAdmittedAction:
    """An action the node refused, and why."""

    action_id: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class RicSubscriptionRequest:
    """The RIC asks for reports, inserts or policies."""

    request_id: RicRequestId
    function_id: int
    event_trigger: bytes
    actions: tuple[Action, ...]
    start_time: bytes | None = None
    """When reports begin, as 8 octets of NTP time (E2AP v3), like `end_time`."""
    end_time: bytes | None = None


@dataclass(frozen=True, slots=True)
class RicSubscriptionResponse:
    """The node admits a subscription's actions."""

    request_id: RicRequestId
    function_id: int
    admitted: tuple[int, ...]
    not_admitted: tuple[NotAdmittedAction, ...] = ()


@dataclass(frozen=True, slots=True)
class RicSubscriptionFailure:
    """The node refuses a subscription."""

    request_id: RicRequestId
    function_id: int
    cause: Cause
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class RicSubscriptionDeleteRequest:
    """The RIC ends a subscription."""

    request_id: RicRequestId
    function_id: int


@dataclass(frozen=True, slots=True)
class RicSubscriptionDeleteResponse:
    """The subscription has ended."""

    request_id: RicRequestId
    function_id: int


@dataclass(frozen=True, slots=True)
class RicSubscriptionDeleteFailure:
    """The subscription could not be ended."""

    request_id: RicRequestId
    function_id: int
    cause: Cause
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionWithCause:
    """A subscription the node wants removed, and why."""

    request_id: RicRequestId
    function_id: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class RicSubscriptionDeleteRequired:
    """The node asks for subscriptions to be ended."""

    subscriptions: tuple[SubscriptionWithCause, ...]


@dataclass(frozen=True, slots=True)
class RicIndication:
    """A report or insert; header and message are in the service model's encoding."""

    request_id: RicRequestId
    function_id: int
    action_id: int
    header: bytes
    message: bytes
    sn: int | None = None
    type: IndicationType = IndicationType.REPORT
    call_process_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class RicControlRequest:
    """The RIC controls the node."""

    request_id: RicRequestId
    function_id: int
    header: bytes
    message: bytes
    ack_request: ControlAckRequest | None = None
    call_process_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class RicControlAcknowledge:
    """The control was carried out."""

    request_id: RicRequestId
    function_id: int
    outcome: bytes | None = None
    call_process_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class RicControlFailure:
    """The control was not carried out."""

    request_id: RicRequestId
    function_id: int
    cause: Cause
    outcome: bytes | None = None
    call_process_id: bytes | None = None
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class ErrorIndication:
    """Something received could not be acted on."""

    transaction_id: int | None = None
    request_id: RicRequestId | None = None
    function_id: int | None = None
    cause: Cause | None = None
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class RicServiceUpdate:
    """The node's RAN functions have changed."""

    transaction_id: int
    added: tuple[RanFunction, ...] = ()
    modified: tuple[RanFunction, ...] = ()
    deleted: tuple[FunctionRef, ...] = ()


@dataclass(frozen=True, slots=True)
class RicServiceUpdateAcknowledge:
    """The RIC takes over a service update."""

    transaction_id: int
    accepted: tuple[FunctionRef, ...] = ()
    rejected: tuple[FunctionCause, ...] = ()


@dataclass(frozen=True, slots=True)
class RicServiceUpdateFailure:
    """The RIC refuses a service update."""

    transaction_id: int
    cause: Cause
    time_to_wait: TimeToWait | None = None
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class RicServiceQuery:
    """The RIC asks for the node's RAN functions."""

    transaction_id: int
    accepted: tuple[FunctionRef, ...] = ()


@dataclass(frozen=True, slots=True)
class TnlInformation:
    """A transport address: (value, bits) and optionally a port as (value, bits)."""

    address: tuple[int, int]
    port: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class E2NodeConfigurationUpdate:
    """The node's components or associations have changed."""

    transaction_id: int
    node_id: GlobalE2NodeId | None = None
    added: tuple[ComponentConfig, ...] = ()
    updated: tuple[ComponentConfig, ...] = ()
    removed: tuple[ComponentId, ...] = ()
    tnl_removed: tuple[tuple[TnlInformation, TnlInformation], ...] = ()


@dataclass(frozen=True, slots=True)
class E2NodeConfigurationUpdateAcknowledge:
    """The RIC takes over a configuration update."""

    transaction_id: int
    added: tuple[ComponentConfigAck, ...] = ()
    updated: tuple[ComponentConfigAck, ...] = ()
    removed: tuple[ComponentConfigAck, ...] = ()


@dataclass(frozen=True, slots=True)
class E2NodeConfigurationUpdateFailure:
    """The RIC refuses a configuration update."""

    transaction_id: int
    cause: Cause
    time_to_wait: TimeToWait | None = None
    diagnostics: CriticalityDiagnostics | None = None


class TnlUsage(Enum):
    """What a transport association is used for."""

    RIC_SERVICE = 0
    SUPPORT_FUNCTION = 1
    BOTH = 2


@dataclass(frozen=True, slots=True)
class Connection:
    """An association the RIC wants added or modified."""

    tnl: TnlInformation
    usage: TnlUsage


@dataclass(frozen=True, slots=True)
class E2ConnectionUpdate:
    """The RIC adds, removes or modifies associations."""

    transaction_id: int
    added: tuple[Connection, ...] = ()
    removed: tuple[TnlInformation, ...] = ()
    modified: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class E2ConnectionUpdateAcknowledge:
    """The node's answer to a connection update."""

    transaction_id: int
    setup: tuple[Connection, ...] = ()
    failed: tuple[tuple[TnlInformation, Cause], ...] = ()


@dataclass(frozen=True, slots=True)
class E2ConnectionUpdateFailure:
    """The node refuses a connection update."""

    transaction_id: int
    cause: Cause | None = None
    time_to_wait: TimeToWait | None = None
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Either side asks the other to forget all subscriptions and procedures."""

    transaction_id: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class ResetResponse:
    """The reset was carried out."""

    transaction_id: int
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class E2RemovalRequest:
    """Either side takes leave (E2AP v2 and later)."""

    transaction_id: int


@dataclass(frozen=True, slots=True)
class E2RemovalResponse:
    """The leave is taken."""

    transaction_id: int
    diagnostics: CriticalityDiagnostics | None = None


@dataclass(frozen=True, slots=True)
class E2RemovalFailure:
    """The leave is refused."""

    transaction_id: int
    cause: Cause
    diagnostics: CriticalityDiagnostics | None = None


E2apMessage = (
    E2SetupRequest
    | E2SetupResponse
    | E2SetupFailure
    | RicSubscriptionRequest
    | RicSubscriptionResponse
    | RicSubscriptionFailure
    | RicSubscriptionDeleteRequest
    | RicSubscriptionDeleteResponse
    | RicSubscriptionDeleteFailure
    | RicSubscriptionDeleteRequired
    | RicIndication
    | RicControlRequest
    | RicControlAcknowledge
    | RicControlFailure
    | ErrorIndication
    | RicServiceUpdate
    | RicServiceUpdateAcknowledge
    | RicServiceUpdateFailure
    | RicServiceQuery
    | E2NodeConfigurationUpdate
    | E2NodeConfigurationUpdateAcknowledge
    | E2NodeConfigurationUpdateFailure
    | E2ConnectionUpdate
    | E2ConnectionUpdateAcknowledge
    | E2ConnectionUpdateFailure
    | ResetRequest
    | ResetResponse
    | E2RemovalRequest
    | E2RemovalResponse
    | E2RemovalFailure
)
