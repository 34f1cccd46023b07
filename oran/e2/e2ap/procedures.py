"""The elementary procedures of E2AP: each message's place in the PDU and its IEs (clause 9.1).

IE ids, criticalities and presence are those of E2AP v3; what v2 lacks is optional here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from oran.e2.e2ap import ies
from oran.e2.e2ap import messages as m
from oran.e2.e2ap.container import IGNORE, REJECT
from oran.e2.e2ap.nodes import NODE_ID
from oran.e2.schema import Type

INITIATING, SUCCESSFUL, UNSUCCESSFUL = 0, 1, 2
OUTCOMES = ("initiatingMessage", "successfulOutcome", "unsuccessfulOutcome")


@dataclass(frozen=True, slots=True)
class Ie:
    """An IE of a message: its id, the message's attribute, the standard's type name, the type."""

    id: int
    attribute: str
    name: str
    type: Type[Any]
    criticality: int = REJECT
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Procedure:
    """A message: its class, name, outcome (0..2), procedure code and criticality, and its IEs in order.

    `load` builds the message from the IEs' values by attribute, `dump` takes it apart.
    """

    message: type[Any]
    name: str
    outcome: int
    code: int
    criticality: int
    ies: tuple[Ie, ...]
    load: Callable[..., Any]
    dump: Callable[[Any], dict[str, Any]]
    by_id: dict[int, Ie] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {ie.id: ie for ie in self.ies})


TRANSACTION = Ie(49, "transaction_id", "TransactionID", ies.TRANSACTION_ID)
REQUEST = Ie(29, "request_id", "RICrequestID", ies.REQUEST_ID)
FUNCTION = Ie(5, "function_id", "RANfunctionID", ies.FUNCTION_ID)
CALL_PROCESS = Ie(20, "call_process_id", "RICcallProcessID", ies.OCTETS, optional=True)
OUTCOME = Ie(32, "outcome", "RICcontrolOutcome", ies.OCTETS, optional=True)
CAUSE = Ie(1, "cause", "Cause", ies.CAUSE, IGNORE)
CAUSE_REJECT = Ie(1, "cause", "Cause", ies.CAUSE)
WAIT = Ie(31, "time_to_wait", "TimeToWait", ies.TIME_TO_WAIT, IGNORE, optional=True)
DIAGNOSTICS = Ie(2, "diagnostics", "CriticalityDiagnostics", ies.DIAGNOSTICS, IGNORE, optional=True)
ACCEPTED = Ie(9, "accepted", "RANfunctionsID-List", ies.FUNCTION_REFS, optional=True)
REJECTED = Ie(13, "rejected", "RANfunctionsIDcause-List", ies.FUNCTION_CAUSES, optional=True)
NODE = Ie(3, "node_id", "GlobalE2node-ID", NODE_ID)


def _attributes(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__slots__}


def _initiating(code: int, name: str, message: type[Any], *ies: Ie, criticality: int = REJECT) -> Procedure:
    return Procedure(message, name, INITIATING, code, criticality, ies, message, _attributes)


def _successful(code: int, name: str, message: type[Any], *ies: Ie) -> Procedure:
    return Procedure(message, name, SUCCESSFUL, code, REJECT, ies, message, _attributes)


def _unsuccessful(code: int, name: str, message: type[Any], *ies: Ie) -> Procedure:
    return Procedure(message, name, UNSUCCESSFUL, code, REJECT, ies, message, _attributes)


def _load_subscription(details: ies.SubscriptionDetails, **values: Any) -> m.RicSubscriptionRequest:
    return m.RicSubscriptionRequest(event_trigger=details.event_trigger, actions=details.actions, **values)


def _dump_subscription(message: m.RicSubscriptionRequest) -> dict[str, Any]:
    details = ies.SubscriptionDetails(message.event_trigger, message.actions)
    return _attributes(message) | {"details": details}


def _list(ie_id: int, attribute: str, name: str, kind: Type[Any]) -> Ie:
    return Ie(ie_id, attribute, name, kind, optional=True)


SUBSCRIPTION_REQUEST = Procedure(
    m.RicSubscriptionRequest,
    "RICsubscriptionRequest",
    INITIATING,
    8,
    REJECT,
    (
        REQUEST,
        FUNCTION,
        Ie(30, "details", "RICsubscriptionDetails", ies.SUBSCRIPTION_DETAILS),
        Ie(62, "start_time", "RICsubscriptionTime", ies.SUBSCRIPTION_TIME, optional=True),
        Ie(63, "end_time", "RICsubscriptionTime", ies.SUBSCRIPTION_TIME, optional=True),
    ),
    _load_subscription,
    _dump_subscription,
)

FUNCTIONAL = (
    SUBSCRIPTION_REQUEST,
    _successful(
        8,
        "RICsubscriptionResponse",
        m.RicSubscriptionResponse,
        REQUEST,
        FUNCTION,
        Ie(17, "admitted", "RICaction-Admitted-List", ies.ADMITTED),
        Ie(18, "not_admitted", "RICaction-NotAdmitted-List", ies.NOT_ADMITTED, optional=True),
    ),
    _unsuccessful(
        8, "RICsubscriptionFailure", m.RicSubscriptionFailure, REQUEST, FUNCTION, CAUSE_REJECT, DIAGNOSTICS
    ),
    _initiating(9, "RICsubscriptionDeleteRequest", m.RicSubscriptionDeleteRequest, REQUEST, FUNCTION),
    _successful(9, "RICsubscriptionDeleteResponse", m.RicSubscriptionDeleteResponse, REQUEST, FUNCTION),
    _unsuccessful(
        9,
        "RICsubscriptionDeleteFailure",
        m.RicSubscriptionDeleteFailure,
        REQUEST,
        FUNCTION,
        CAUSE,
        DIAGNOSTICS,
    ),
    _initiating(
        12,
        "RICsubscriptionDeleteRequired",
        m.RicSubscriptionDeleteRequired,
        Ie(60, "subscriptions", "RICsubscription-List-withCause", ies.SUBSCRIPTIONS_WITH_CAUSE, IGNORE),
        criticality=IGNORE,
    ),
    _initiating(
        5,
        "RICindication",
        m.RicIndication,
        REQUEST,
        FUNCTION,
        Ie(15, "action_id", "RICactionID", ies.ACTION_ID),
        Ie(27, "sn", "RICindicationSN", ies.INDICATION_SN, optional=True),
        Ie(28, "type", "RICindicationType", ies.INDICATION_TYPE),
        Ie(25, "header", "RICindicationHeader", ies.OCTETS),
        Ie(26, "message", "RICindicationMessage", ies.OCTETS),
        CALL_PROCESS,
        criticality=IGNORE,
    ),
    _initiating(
        4,
        "RICcontrolRequest",
        m.RicControlRequest,
        REQUEST,
        FUNCTION,
        CALL_PROCESS,
        Ie(22, "header", "RICcontrolHeader", ies.OCTETS),
        Ie(23, "message", "RICcontrolMessage", ies.OCTETS),
        Ie(21, "ack_request", "RICcontrolAckRequest", ies.CONTROL_ACK_REQUEST, optional=True),
    ),
    _successful(4, "RICcontrolAcknowledge", m.RicControlAcknowledge, REQUEST, FUNCTION, CALL_PROCESS, OUTCOME),
    _unsuccessful(
        4,
        "RICcontrolFailure",
        m.RicControlFailure,
        REQUEST,
        FUNCTION,
        CALL_PROCESS,
        CAUSE,
        OUTCOME,
        DIAGNOSTICS,
    ),
)
"""Near-RT RIC functional procedures."""

SETUP = (
    _initiating(
        1,
        "E2setupRequest",
        m.E2SetupRequest,
        TRANSACTION,
        NODE,
        Ie(10, "functions", "RANfunctions-List", ies.FUNCTIONS),
        Ie(50, "components", "E2nodeComponentConfigAddition-List", ies.COMPONENTS_ADDED),
    ),
    _successful(
        1,
        "E2setupResponse",
        m.E2SetupResponse,
        TRANSACTION,
        Ie(4, "ric_id", "GlobalRIC-ID", ies.RIC_ID),
        ACCEPTED,
        REJECTED,
        Ie(52, "components", "E2nodeComponentConfigAdditionAck-List", ies.ADDED_ACKS),
    ),
    _unsuccessful(
        1,
        "E2setupFailure",
        m.E2SetupFailure,
        TRANSACTION,
        CAUSE,
        WAIT,
        DIAGNOSTICS,
        Ie(48, "tnl", "TNLinformation", ies.TNL_INFORMATION, IGNORE, optional=True),
    ),
    _initiating(3, "ResetRequest", m.ResetRequest, TRANSACTION, CAUSE),
    _successful(3, "ResetResponse", m.ResetResponse, TRANSACTION, DIAGNOSTICS),
    _initiating(13, "E2RemovalRequest", m.E2RemovalRequest, TRANSACTION),
    _successful(13, "E2RemovalResponse", m.E2RemovalResponse, TRANSACTION, DIAGNOSTICS),
    _unsuccessful(13, "E2RemovalFailure", m.E2RemovalFailure, TRANSACTION, CAUSE, DIAGNOSTICS),
    _initiating(
        2,
        "ErrorIndication",
        m.ErrorIndication,
        Ie(49, "transaction_id", "TransactionID", ies.TRANSACTION_ID, optional=True),
        Ie(29, "request_id", "RICrequestID", ies.REQUEST_ID, optional=True),
        Ie(5, "function_id", "RANfunctionID", ies.FUNCTION_ID, optional=True),
        Ie(1, "cause", "Cause", ies.CAUSE, IGNORE, optional=True),
        DIAGNOSTICS,
        criticality=IGNORE,
    ),
)
"""Global procedures: setup, reset, removal and errors."""

UPDATES = (
    _initiating(
        7,
        "RICserviceUpdate",
        m.RicServiceUpdate,
        TRANSACTION,
        _list(10, "added", "RANfunctions-List", ies.FUNCTIONS),
        _list(12, "modified", "RANfunctions-List", ies.FUNCTIONS),
        _list(11, "deleted", "RANfunctionsID-List", ies.FUNCTION_REFS),
    ),
    _successful(7, "RICserviceUpdateAcknowledge", m.RicServiceUpdateAcknowledge, TRANSACTION, ACCEPTED, REJECTED),
    _unsuccessful(
        7,
        "RICserviceUpdateFailure",
        m.RicServiceUpdateFailure,
        TRANSACTION,
        CAUSE_REJECT,
        WAIT,
        DIAGNOSTICS,
    ),
    _initiating(6, "RICserviceQuery", m.RicServiceQuery, TRANSACTION, ACCEPTED, criticality=IGNORE),
    _initiating(
        10,
        "E2nodeConfigurationUpdate",
        m.E2NodeConfigurationUpdate,
        TRANSACTION,
        Ie(3, "node_id", "GlobalE2node-ID", NODE_ID, optional=True),
        _list(50, "added", "E2nodeComponentConfigAddition-List", ies.COMPONENTS_ADDED),
        _list(33, "updated", "E2nodeComponentConfigUpdate-List", ies.COMPONENTS_UPDATED),
        _list(54, "removed", "E2nodeComponentConfigRemoval-List", ies.COMPONENTS_REMOVED),
        _list(58, "tnl_removed", "E2nodeTNLassociationRemoval-List", ies.ASSOCIATIONS_REMOVED),
    ),
    _successful(
        10,
        "E2nodeConfigurationUpdateAcknowledge",
        m.E2NodeConfigurationUpdateAcknowledge,
        TRANSACTION,
        _list(52, "added", "E2nodeComponentConfigAdditionAck-List", ies.ADDED_ACKS),
        _list(35, "updated", "E2nodeComponentConfigUpdateAck-List", ies.UPDATED_ACKS),
        _list(56, "removed", "E2nodeComponentConfigRemovalAck-List", ies.REMOVED_ACKS),
    ),
    _unsuccessful(
        10,
        "E2nodeConfigurationUpdateFailure",
        m.E2NodeConfigurationUpdateFailure,
        TRANSACTION,
        CAUSE,
        WAIT,
        DIAGNOSTICS,
    ),
    _initiating(
        11,
        "E2connectionUpdate",
        m.E2ConnectionUpdate,
        TRANSACTION,
        _list(44, "added", "E2connectionUpdate-List", ies.CONNECTIONS),
        _list(46, "removed", "E2connectionUpdateRemove-List", ies.CONNECTIONS_REMOVED),
        _list(45, "modified", "E2connectionUpdate-List", ies.CONNECTIONS),
    ),
    _successful(
        11,
        "E2connectionUpdateAcknowledge",
        m.E2ConnectionUpdateAcknowledge,
        TRANSACTION,
        _list(39, "setup", "E2connectionUpdate-List", ies.CONNECTIONS),
        _list(40, "failed", "E2connectionSetupFailed-List", ies.CONNECTIONS_FAILED),
    ),
    _unsuccessful(
        11,
        "E2connectionUpdateFailure",
        m.E2ConnectionUpdateFailure,
        TRANSACTION,
        Ie(1, "cause", "Cause", ies.CAUSE, optional=True),
        WAIT,
        DIAGNOSTICS,
    ),
)
"""Updates of services, configuration and connections."""

PROCEDURES = FUNCTIONAL + SETUP + UPDATES
BY_CODE = {(procedure.outcome, procedure.code): procedure for procedure in PROCEDURES}
BY_MESSAGE = {procedure.message: procedure for procedure in PROCEDURES}
