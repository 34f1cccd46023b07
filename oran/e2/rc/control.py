"""E2SM-RC control: headers, messages and outcomes (clauses 9.2.1.6 to 9.2.1.8); message format 3 is not coded."""

from dataclasses import dataclass
from enum import Enum

from oran.e2.identity import UeId
from oran.e2.rc.parameters import (
    MANY,
    PARAMETER,
    PARAMETER_ID,
    PARAMETER_VALUE,
    VALUE,
    Parameter,
    ParameterValue,
    RanValue,
)
from oran.e2.schema import (
    Alternative,
    Choice,
    Component,
    Enumerated,
    Integer,
    Record,
    SequenceOf,
    TrueFalse,
    Type,
    Unsupported,
    Wrapped,
)
from oran.e2.ue_id import UE_ID

STYLE = Integer()
"""RIC-Style-Type."""

ID_16 = Integer(1, 65535, extensible=True)
"""RIC-ControlAction-ID and its like."""

STYLES = 63
"""maxnoofRICStyles."""


class Decision(Enum):
    """The RIC's answer to an insert indication, in wire order."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class ControlHeader:
    """Control header format 1: the UE, the control style and its action."""

    ue: UeId
    style: int
    action: int
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class ControlHeader2:
    """Control header format 2, for several actions at once (style 255)."""

    ue: UeId | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class GroupCriterion:
    """A parameter that UEs of a group share; `logical_or` joins it to the next by OR (True) or AND (False)."""

    id: int
    value: ParameterValue
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class ControlHeader3:
    """Control header format 3: a group of UEs, the control style and its action."""

    group: int
    criteria: tuple[GroupCriterion, ...]
    style: int
    action: int


ControlHeaderFormat = ControlHeader | ControlHeader2 | ControlHeader3


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """Control message format 1: the parameters of one action."""

    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class StyledAction:
    """One action within format 2."""

    action: int
    message: ControlMessage


@dataclass(frozen=True, slots=True)
class StyledActions:
    """The actions of one control style within format 2."""

    style: int
    actions: tuple[StyledAction, ...]


@dataclass(frozen=True, slots=True)
class ControlMessage2:
    """Control message format 2: several actions of several styles."""

    styles: tuple[StyledActions, ...]


ControlMessageFormat = ControlMessage | ControlMessage2


@dataclass(frozen=True, slots=True)
class OutcomeParameter:
    """A parameter's plain value in an outcome."""

    id: int
    value: RanValue


@dataclass(frozen=True, slots=True)
class ControlOutcome:
    """Control outcome format 1: plain values."""

    parameters: tuple[OutcomeParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """The outcome of one action within format 2."""

    action: int
    parameters: tuple[OutcomeParameter, ...]


@dataclass(frozen=True, slots=True)
class StyledOutcomes:
    """The outcomes of one control style within format 2."""

    style: int
    outcomes: tuple[ActionOutcome, ...]


@dataclass(frozen=True, slots=True)
class ControlOutcome2:
    """Control outcome format 2: the outcomes of several actions of several styles."""

    styles: tuple[StyledOutcomes, ...]


@dataclass(frozen=True, slots=True)
class ControlOutcome3:
    """Control outcome format 3: values that may be structures and lists."""

    parameters: tuple[Parameter, ...] = ()


ControlOutcomeFormat = ControlOutcome | ControlOutcome2 | ControlOutcome3

_GROUP: Type[tuple[GroupCriterion, ...]] = Wrapped(
    "ueGroupDefinitionIdentifier-LIST",
    SequenceOf(
        Record(
            GroupCriterion,
            Component("id", "ranParameter-ID", PARAMETER_ID),
            Component("value", "ranParameter-valueType", PARAMETER_VALUE),
            Component("logical_or", "logicalOR", TrueFalse(), optional=True),
        ),
        1,
        255,
    ),
)
_DECISION = Component("decision", "ric-ControlDecision", Enumerated(Decision), optional=True)

CONTROL_HEADER: Type[ControlHeaderFormat] = Wrapped(
    "ric-controlHeader-formats",
    Choice(
        Alternative(
            ControlHeader,
            "controlHeader-Format1",
            Record(
                ControlHeader,
                Component("ue", "ueID", UE_ID),
                Component("style", "ric-Style-Type", STYLE),
                Component("action", "ric-ControlAction-ID", ID_16),
                _DECISION,
            ),
        ),
        Alternative(
            ControlHeader2,
            "controlHeader-Format2",
            Record(ControlHeader2, Component("ue", "ueID", UE_ID, optional=True), _DECISION),
            addition=True,
        ),
        Alternative(
            ControlHeader3,
            "controlHeader-Format3",
            Record(
                ControlHeader3,
                Component("group", "ue-Group-ID", ID_16),
                Component("criteria", "ue-Group-Definition", _GROUP),
                Component("style", "ric-Style-Type", STYLE),
                Component("action", "ric-ControlAction-ID", ID_16),
            ),
            addition=True,
        ),
    ),
)

_MESSAGE_1: Type[ControlMessage] = Record(
    ControlMessage, Component("parameters", "ranP-List", SequenceOf(PARAMETER, 0, MANY))
)

CONTROL_MESSAGE: Type[ControlMessageFormat] = Wrapped(
    "ric-controlMessage-formats",
    Choice(
        Alternative(ControlMessage, "controlMessage-Format1", _MESSAGE_1),
        Alternative(
            ControlMessage2,
            "controlMessage-Format2",
            Record(
                ControlMessage2,
                Component(
                    "styles",
                    "ric-ControlStyle-List",
                    SequenceOf(
                        Record(
                            StyledActions,
                            Component("style", "indicated-Control-Style-Type", STYLE),
                            Component(
                                "actions",
                                "ric-ControlAction-List",
                                SequenceOf(
                                    Record(
                                        StyledAction,
                                        Component("action", "ric-ControlAction-ID", ID_16),
                                        Component("message", "ranP-List", _MESSAGE_1),
                                    ),
                                    1,
                                    STYLES,
                                ),
                            ),
                        ),
                        1,
                        STYLES,
                    ),
                ),
            ),
            addition=True,
        ),
        Alternative("format 3", "controlMessage-Format3", Unsupported(), addition=True),
    ),
)

_OUTCOME_PARAMETER: Type[OutcomeParameter] = Record(
    OutcomeParameter,
    Component("id", "ranParameter-ID", PARAMETER_ID),
    Component("value", "ranParameter-value", VALUE),
)

CONTROL_OUTCOME: Type[ControlOutcomeFormat] = Wrapped(
    "ric-controlOutcome-formats",
    Choice(
        Alternative(
            ControlOutcome,
            "controlOutcome-Format1",
            Record(ControlOutcome, Component("parameters", "ranP-List", SequenceOf(_OUTCOME_PARAMETER, 0, 255))),
        ),
        Alternative(
            ControlOutcome2,
            "controlOutcome-Format2",
            Record(
                ControlOutcome2,
                Component(
                    "styles",
                    "ric-ControlStyle-List",
                    SequenceOf(
                        Record(
                            StyledOutcomes,
                            Component("style", "indicated-Control-Style-Type", STYLE),
                            Component(
                                "outcomes",
                                "ric-ControlOutcome-List",
                                SequenceOf(
                                    Record(
                                        ActionOutcome,
                                        Component("action", "ric-ControlAction-ID", ID_16),
                                        Component(
                                            "parameters", "ranP-List", SequenceOf(_OUTCOME_PARAMETER, 1, MANY)
                                        ),
                                    ),
                                    1,
                                    STYLES,
                                ),
                            ),
                        ),
                        1,
                        STYLES,
                    ),
                ),
            ),
            addition=True,
        ),
        Alternative(
            ControlOutcome3,
            "controlOutcome-Format3",
            Record(ControlOutcome3, Component("parameters", "ranP-List", SequenceOf(PARAMETER, 0, 255))),
            addition=True,
        ),
    ),
)
