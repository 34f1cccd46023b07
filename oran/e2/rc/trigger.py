"""E2SM-RC event triggers, formats 1 to 5 (clause 9.2.1.1)."""

from dataclasses import dataclass
from enum import Enum

from oran.e2.rc.conditions import (
    CELLS,
    INTERFACE_MESSAGE,
    OR,
    RRC_MESSAGE,
    UE_EVENTS,
    UES,
    CellSelection,
    Direction,
    InterfaceMessage,
    RrcMessage,
    UeEvent,
    UeSelection,
)
from oran.e2.rc.control import ID_16
from oran.e2.rc.parameters import MANY
from oran.e2.rc.testing import TESTING, ParameterTest
from oran.e2.schema import (
    Alternative,
    Choice,
    Component,
    Enumerated,
    Integer,
    Record,
    SequenceOf,
    Type,
    Unsupported,
    Wrapped,
)


class RrcState(Enum):
    """RRC states, in wire order."""

    CONNECTED = "rrc-connected"
    INACTIVE = "rrc-inactive"
    IDLE = "rrc-idle"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class MessageCondition:
    """A message whose passing is an event."""

    id: int
    message: InterfaceMessage | RrcMessage
    direction: Direction | None = None
    ues: tuple[UeSelection, ...] = ()
    ue_events: tuple[UeEvent, ...] = ()
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class EventTrigger1:
    """Event trigger format 1: message events."""

    messages: tuple[MessageCondition, ...]
    ues: tuple[UeSelection, ...] = ()


@dataclass(frozen=True, slots=True)
class EventTrigger2:
    """Event trigger format 2: a breakpoint of a call process."""

    call_process: int
    breakpoint: int
    node_tests: tuple[ParameterTest, ...] = ()
    ues: tuple[UeSelection, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A change of E2 node information."""

    id: int
    change: int
    cells: tuple[CellSelection, ...] = ()
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class EventTrigger3:
    """Event trigger format 3: changes of E2 node information."""

    changes: tuple[NodeChange, ...]


@dataclass(frozen=True, slots=True)
class RrcStateChange:
    """An RRC state entered."""

    state: RrcState
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class RrcStateTrigger:
    """Changes of RRC state."""

    changes: tuple[RrcStateChange, ...]


@dataclass(frozen=True, slots=True)
class UeIdTrigger:
    """A change of a UE's id."""

    change: int


@dataclass(frozen=True, slots=True)
class L2StateTrigger:
    """Conditions on layer 2 variables."""

    tests: tuple[ParameterTest, ...]


@dataclass(frozen=True, slots=True)
class UeContextTrigger:
    """Conditions on UE context variables."""

    tests: tuple[ParameterTest, ...]


@dataclass(frozen=True, slots=True)
class UeChange:
    """A change of UE information."""

    id: int
    trigger: RrcStateTrigger | UeIdTrigger | L2StateTrigger | UeContextTrigger
    ues: tuple[UeSelection, ...] = ()
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class EventTrigger4:
    """Event trigger format 4: changes of UE information."""

    changes: tuple[UeChange, ...]


@dataclass(frozen=True, slots=True)
class EventTrigger5:
    """Event trigger format 5: a report on demand."""

    ues: tuple[UeSelection, ...] = ()
    cells: tuple[CellSelection, ...] = ()
    on_demand: bool = True


EventTrigger = EventTrigger1 | EventTrigger2 | EventTrigger3 | EventTrigger4 | EventTrigger5

_CHANGE = Integer(1, 512, extensible=True)
_ASSOCIATED_UES = Component("ues", "associatedUEInfo", UES, optional=True)

_FORMAT_1: Type[EventTrigger1] = Record(
    EventTrigger1,
    Component(
        "messages",
        "message-List",
        SequenceOf(
            Record(
                MessageCondition,
                Component("id", "ric-eventTriggerCondition-ID", ID_16),
                Component(
                    "message",
                    "messageType",
                    Choice(
                        Alternative(InterfaceMessage, "messageType-Choice-NI", INTERFACE_MESSAGE),
                        Alternative(RrcMessage, "messageType-Choice-RRC", RRC_MESSAGE),
                    ),
                ),
                Component("direction", "messageDirection", Enumerated(Direction), optional=True),
                _ASSOCIATED_UES,
                Component("ue_events", "associatedUEEvent", UE_EVENTS, optional=True),
                OR,
            ),
            1,
            MANY,
        ),
    ),
    Component("ues", "globalAssociatedUEInfo", UES, optional=True),
)
_FORMAT_2: Type[EventTrigger2] = Record(
    EventTrigger2,
    Component("call_process", "ric-callProcessType-ID", ID_16),
    Component("breakpoint", "ric-callProcessBreakpoint-ID", ID_16),
    Component("node_tests", "associatedE2NodeInfo", TESTING, optional=True),
    _ASSOCIATED_UES,
)
_FORMAT_3: Type[EventTrigger3] = Record(
    EventTrigger3,
    Component(
        "changes",
        "e2NodeInfoChange-List",
        SequenceOf(
            Record(
                NodeChange,
                Component("id", "ric-eventTriggerCondition-ID", ID_16),
                Component("change", "e2NodeInfoChange-ID", _CHANGE),
                Component("cells", "associatedCellInfo", CELLS, optional=True),
                OR,
            ),
            1,
            MANY,
        ),
    ),
)
_UE_TRIGGER: Type[RrcStateTrigger | UeIdTrigger | L2StateTrigger | UeContextTrigger] = Choice(
    Alternative(
        RrcStateTrigger,
        "triggerType-Choice-RRCstate",
        Record(
            RrcStateTrigger,
            Component(
                "changes",
                "rrcState-List",
                SequenceOf(
                    Record(RrcStateChange, Component("state", "stateChangedTo", Enumerated(RrcState)), OR), 1, 8
                ),
            ),
        ),
    ),
    Alternative(
        UeIdTrigger,
        "triggerType-Choice-UEID",
        Record(UeIdTrigger, Component("change", "ueIDchange-ID", _CHANGE)),
    ),
    Alternative(
        L2StateTrigger,
        "triggerType-Choice-L2state",
        Record(L2StateTrigger, Component("tests", "associatedL2variables", TESTING)),
    ),
    Alternative(
        UeContextTrigger,
        "triggerType-Choice-UEcontext",
        Record(UeContextTrigger, Component("tests", "associatedUECtxtVariables", TESTING)),
        addition=True,
    ),
    Alternative("L2 MAC scheduling change", "triggerType-Choice-L2MACschChg", Unsupported(), addition=True),
)
_FORMAT_4: Type[EventTrigger4] = Record(
    EventTrigger4,
    Component(
        "changes",
        "uEInfoChange-List",
        SequenceOf(
            Record(
                UeChange,
                Component("id", "ric-eventTriggerCondition-ID", ID_16),
                Component("trigger", "triggerType", _UE_TRIGGER),
                _ASSOCIATED_UES,
                OR,
            ),
            1,
            MANY,
        ),
    ),
)


class _OnDemand(Enum):
    TRUE = "true"


_FORMAT_5: Type[EventTrigger5] = Record(
    EventTrigger5,
    Component("on_demand", "onDemand", Enumerated(_OnDemand)),
    _ASSOCIATED_UES,
    Component("cells", "associatedCellInfo", CELLS, optional=True),
)

EVENT_TRIGGER: Type[EventTrigger] = Wrapped(
    "ric-eventTrigger-formats",
    Choice(
        Alternative(EventTrigger1, "eventTrigger-Format1", _FORMAT_1),
        Alternative(EventTrigger2, "eventTrigger-Format2", _FORMAT_2),
        Alternative(EventTrigger3, "eventTrigger-Format3", _FORMAT_3),
        Alternative(EventTrigger4, "eventTrigger-Format4", _FORMAT_4),
        Alternative(EventTrigger5, "eventTrigger-Format5", _FORMAT_5),
    ),
)
