"""The information elements of E2AP (O-RAN.WG3.E2AP clause 9.2), declared once for all directions."""

from dataclasses import dataclass

from oran.e2.e2ap.causes import CauseType
from oran.e2.e2ap.container import CRITICALITIES, IGNORE, REJECT, ElementList
from oran.e2.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    ComponentConfig,
    ComponentConfigAck,
    ComponentId,
    Connection,
    ControlAckRequest,
    CriticalityDiagnostics,
    FunctionCause,
    FunctionRef,
    GlobalRicId,
    IndicationType,
    NotAdmittedAction,
    RanFunction,
    RicRequestId,
    SubscriptionWithCause,
    SubsequentAction,
    TimeToWait,
    TnlInformation,
    TnlUsage,
)
from oran.e2.e2ap.nodes import COMPONENT_ID, INTERFACE, PLMN
from oran.e2.e2ap.types import Coded, Mapped, NumberBits
from oran.e2.schema import Characters, Component, Integer, Octets, Record, SequenceOf, Wrapped

TRANSACTION_ID = Integer(0, 255, extensible=True)
FUNCTION_ID = Integer(0, 4095)
ACTION_ID = Integer(0, 255)
INDICATION_SN = Integer(0, 65_535)
OCTETS = Octets()
SUBSCRIPTION_TIME = Octets(8, 8)
CAUSE = CauseType()
INDICATION_TYPE = Coded({"report": IndicationType.REPORT, "insert": IndicationType.INSERT})
CONTROL_ACK_REQUEST = Coded({"noAck": ControlAckRequest.NO_ACK, "ack": ControlAckRequest.ACK})
TIME_TO_WAIT = Coded({item.name.lower(): item for item in TimeToWait})

_REVISION = Integer(0, 4095)
_CRITICALITY = Coded({name: index for index, name in enumerate(CRITICALITIES)}, extensible=False)
_ACTION_TYPE = Coded({"report": ActionType.REPORT, "insert": ActionType.INSERT, "policy": ActionType.POLICY})
_ACTION_WAITS = (
    *("w1ms", "w2ms", "w5ms", "w10ms", "w20ms", "w30ms", "w40ms", "w50ms", "w100ms", "w200ms", "w500ms"),
    *("w1s", "w2s", "w5s", "w10s", "w20s", "w60s"),
)
_USAGE = Coded(
    {
        "ric-service": TnlUsage.RIC_SERVICE,
        "support-function": TnlUsage.SUPPORT_FUNCTION,
        "both": TnlUsage.BOTH,
    }
)

REQUEST_ID = Record(
    RicRequestId,
    Component("requestor", "ricRequestorID", Integer(0, 65_535)),
    Component("instance", "ricInstanceID", Integer(0, 65_535)),
)


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    criticality: int
    ie_id: int
    error: int


DIAGNOSTICS = Record(
    CriticalityDiagnostics,
    Component("procedure_code", "procedureCode", Integer(0, 255), optional=True),
    Component(
        "triggering_message",
        "triggeringMessage",
        Coded({"initiating-message": 0, "successful-outcome": 1, "unsuccessfull-outcome": 2}, extensible=False),
        optional=True,
    ),
    Component("procedure_criticality", "procedureCriticality", _CRITICALITY, optional=True),
    Component("request_id", "ricRequestorID", REQUEST_ID, optional=True),
    Component(
        "items",
        "iEsCriticalityDiagnostics",
        SequenceOf(
            Mapped(
                Record(
                    _Diagnosis,
                    Component("criticality", "iECriticality", _CRITICALITY),
                    Component("ie_id", "iE-ID", Integer(0, 65_535)),
                    Component("error", "typeOfError", Coded({"not-understood": 0, "missing": 1})),
                ),
                lambda item: (item.criticality, item.ie_id, item.error),
                lambda item: _Diagnosis(*item),
            ),
            1,
            256,
        ),
        optional=True,
    ),
)


@dataclass(frozen=True, slots=True)
class _RicId:
    plmn: bytes
    ric_id: tuple[int, int]


RIC_ID = Mapped(
    Record(
        _RicId,
        Component("plmn", "pLMN-Identity", PLMN),
        Component("ric_id", "ric-ID", NumberBits(20, 20)),
    ),
    lambda value: GlobalRicId(value.plmn, value.ric_id[0]),
    lambda value: _RicId(value.plmn, (value.ric_id, 20)),
)


FUNCTIONS = ElementList(
    8,
    IGNORE,
    "RANfunction-Item",
    Record(
        RanFunction,
        Component("function_id", "ranFunctionID", FUNCTION_ID),
        Component("definition", "ranFunctionDefinition", OCTETS),
        Component("revision", "ranFunctionRevision", _REVISION),
        Component("oid", "ranFunctionOID", Characters(1, 1000, extensible=True)),
    ),
    1,
    256,
)
FUNCTION_REFS = ElementList(
    6,
    IGNORE,
    "RANfunctionID-Item",
    Record(
        FunctionRef,
        Component("function_id", "ranFunctionID", FUNCTION_ID),
        Component("revision", "ranFunctionRevision", _REVISION),
    ),
    1,
    256,
)
FUNCTION_CAUSES = ElementList(
    7,
    IGNORE,
    "RANfunctionIDcause-Item",
    Record(
        FunctionCause,
        Component("function_id", "ranFunctionID", FUNCTION_ID),
        Component("cause", "cause", CAUSE),
    ),
    1,
    256,
)

ACTIONS = ElementList(
    19,
    IGNORE,
    "RICaction-ToBeSetup-Item",
    Record(
        Action,
        Component("action_id", "ricActionID", ACTION_ID),
        Component("type", "ricActionType", _ACTION_TYPE),
        Component("definition", "ricActionDefinition", OCTETS, optional=True),
        Component(
            "subsequent",
            "ricSubsequentAction",
            Record(
                SubsequentAction,
                Component("waits", "ricSubsequentActionType", Coded({"continue": False, "wait": True})),
                Component(
                    "time_to_wait",
                    "ricTimeToWait",
                    Coded({name: index for index, name in enumerate(_ACTION_WAITS)}),
                ),
            ),
            optional=True,
        ),
        Component(
            "execution_order",
            "ricActionExecutionOrder",
            Integer(0, 255, extensible=True),
            optional=True,
            addition=True,
        ),
    ),
    1,
    16,
)
ADMITTED = ElementList(14, IGNORE, "RICaction-Admitted-Item", Wrapped("ricActionID", ACTION_ID), 1, 16)
NOT_ADMITTED = ElementList(
    16,
    IGNORE,
    "RICaction-NotAdmitted-Item",
    Record(
        NotAdmittedAction,
        Component("action_id", "ricActionID", ACTION_ID),
        Component("cause", "cause", CAUSE),
    ),
    0,
    16,
)


@dataclass(frozen=True, slots=True)
class SubscriptionDetails:
    """RICsubscriptionDetails, whose parts a `RicSubscriptionRequest` holds itself."""

    event_trigger: bytes
    actions: tuple[Action, ...]


SUBSCRIPTION_DETAILS = Record(
    SubscriptionDetails,
    Component("event_trigger", "ricEventTriggerDefinition", OCTETS),
    Component("actions", "ricAction-ToBeSetup-List", ACTIONS),
)
SUBSCRIPTIONS_WITH_CAUSE = ElementList(
    61,
    IGNORE,
    "RICsubscription-withCause-Item",
    Record(
        SubscriptionWithCause,
        Component("request_id", "ricRequestID", REQUEST_ID),
        Component("function_id", "ranFunctionID", FUNCTION_ID),
        Component("cause", "cause", CAUSE),
    ),
    1,
    1024,
)


@dataclass(frozen=True, slots=True)
class _Configuration:
    request: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class _Outcome:
    success: bool
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class _ComponentItem:
    """An item of the component lists: the interface is told twice, by its type and by its id."""

    interface: str
    component: ComponentId
    configuration: _Configuration | None = None
    outcome: _Outcome | None = None


def _same(item: _ComponentItem) -> ComponentId:
    if item.interface != item.component.interface:
        raise ValueError(f"interface type {item.interface}, but the id of {item.component.interface}")
    return item.component


def _load_config(item: _ComponentItem) -> ComponentConfig:
    configuration = item.configuration or _Configuration(b"", b"")
    return ComponentConfig(_same(item), configuration.request, configuration.response)


def _dump_config(value: ComponentConfig) -> _ComponentItem:
    configuration = _Configuration(value.request, value.response)
    return _ComponentItem(value.component.interface, value.component, configuration)


def _load_ack(item: _ComponentItem) -> ComponentConfigAck:
    outcome = item.outcome or _Outcome(True)
    if outcome.success:
        return ComponentConfigAck(_same(item))
    return ComponentConfigAck(_same(item), outcome.cause or Cause("misc", "unspecified"))


def _dump_ack(value: ComponentConfigAck) -> _ComponentItem:
    outcome = _Outcome(value.cause is None, value.cause)
    return _ComponentItem(value.component.interface, value.component, outcome=outcome)


def _dump_id(value: ComponentId) -> _ComponentItem:
    return _ComponentItem(value.interface, value)


_COMPONENT = (
    Component("interface", "e2nodeComponentInterfaceType", INTERFACE),
    Component("component", "e2nodeComponentID", COMPONENT_ID),
)
_CONFIG_ITEM = Mapped(
    Record(
        _ComponentItem,
        *_COMPONENT,
        Component(
            "configuration",
            "e2nodeComponentConfiguration",
            Record(
                _Configuration,
                Component("request", "e2nodeComponentRequestPart", OCTETS),
                Component("response", "e2nodeComponentResponsePart", OCTETS),
            ),
        ),
    ),
    _load_config,
    _dump_config,
)
_ACK_ITEM = Mapped(
    Record(
        _ComponentItem,
        *_COMPONENT,
        Component(
            "outcome",
            "e2nodeComponentConfigurationAck",
            Record(
                _Outcome,
                Component("success", "updateOutcome", Coded({"success": True, "failure": False})),
                Component("cause", "failureCause", CAUSE, optional=True),
            ),
        ),
    ),
    _load_ack,
    _dump_ack,
)


def _components(item_id: int, name: str) -> ElementList[ComponentConfig]:
    return ElementList(item_id, REJECT, f"E2nodeComponentConfig{name}-Item", _CONFIG_ITEM, 1, 1024)


def _component_acks(item_id: int, name: str) -> ElementList[ComponentConfigAck]:
    return ElementList(item_id, REJECT, f"E2nodeComponentConfig{name}Ack-Item", _ACK_ITEM, 1, 1024)


COMPONENTS_ADDED = _components(51, "Addition")
COMPONENTS_UPDATED = _components(34, "Update")
COMPONENTS_REMOVED = ElementList(
    55,
    REJECT,
    "E2nodeComponentConfigRemoval-Item",
    Mapped(Record(_ComponentItem, *_COMPONENT), _same, _dump_id),
    1,
    1024,
)
ADDED_ACKS = _component_acks(53, "Addition")
UPDATED_ACKS = _component_acks(36, "Update")
REMOVED_ACKS = _component_acks(57, "Removal")

TNL_INFORMATION = Record(
    TnlInformation,
    Component("address", "tnlAddress", NumberBits(1, 160, extensible=True)),
    Component("port", "tnlPort", NumberBits(16, 16), optional=True),
)


@dataclass(frozen=True, slots=True)
class _FailedConnection:
    tnl: TnlInformation
    cause: Cause


@dataclass(frozen=True, slots=True)
class _TnlPair:
    node: TnlInformation
    ric: TnlInformation


CONNECTIONS = ElementList(
    43,
    IGNORE,
    "E2connectionUpdate-Item",
    Record(
        Connection,
        Component("tnl", "tnlInformation", TNL_INFORMATION),
        Component("usage", "tnlUsage", _USAGE),
    ),
    1,
    32,
)
CONNECTIONS_REMOVED = ElementList(
    47, IGNORE, "E2connectionUpdateRemove-Item", Wrapped("tnlInformation", TNL_INFORMATION), 1, 32
)
CONNECTIONS_FAILED: ElementList[tuple[TnlInformation, Cause]] = ElementList(
    41,
    IGNORE,
    "E2connectionSetupFailed-Item",
    Mapped(
        Record(
            _FailedConnection,
            Component("tnl", "tnlInformation", TNL_INFORMATION),
            Component("cause", "cause", CAUSE),
        ),
        lambda item: (item.tnl, item.cause),
        lambda item: _FailedConnection(*item),
    ),
    1,
    32,
)
ASSOCIATIONS_REMOVED: ElementList[tuple[TnlInformation, TnlInformation]] = ElementList(
    59,
    REJECT,
    "E2nodeTNLassociationRemoval-Item",
    Mapped(
        Record(
            _TnlPair,
            Component("node", "tnlInformation", TNL_INFORMATION),
            Component("ric", "tnlInformationRIC", TNL_INFORMATION),
        ),
        lambda item: (item.node, item.ric),
        lambda item: _TnlPair(*item),
    ),
    1,
    32,
)
