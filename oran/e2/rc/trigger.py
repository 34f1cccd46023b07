"""E2SM-RC event triggers, formats 1 to 5 (clause 9.2.1.1); a network interface's identifier is not coded."""

from dataclasses import dataclass
from enum import Enum

from oran.e2.identity import CellGlobalId, UeId
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
    TrueFalse,
    Type,
    Unsupported,
    Wrapped,
)
from oran.e2.ue_id import CELL_GLOBAL_ID, UE_ID


class LteRrcClass(Enum):
    """RRC message classes of LTE, in wire order (TS 36.331 6.2.1)."""

    BCCH_BCH = "bCCH-BCH"
    BCCH_BCH_MBMS = "bCCH-BCH-MBMS"
    BCCH_DL_SCH = "bCCH-DL-SCH"
    BCCH_DL_SCH_BR = "bCCH-DL-SCH-BR"
    BCCH_DL_SCH_MBMS = "bCCH-DL-SCH-MBMS"
    MCCH = "mCCH"
    PCCH = "pCCH"
    DL_CCCH = "dL-CCCH"
    DL_DCCH = "dL-DCCH"
    UL_CCCH = "uL-CCCH"
    UL_DCCH = "uL-DCCH"
    SC_MCCH = "sC-MCCH"


class NrRrcClass(Enum):
    """RRC message classes of NR, in wire order (TS 38.331 6.2.1)."""

    BCCH_BCH = "bCCH-BCH"
    BCCH_DL_SCH = "bCCH-DL-SCH"
    DL_CCCH = "dL-CCCH"
    DL_DCCH = "dL-DCCH"
    PCCH = "pCCH"
    UL_CCCH = "uL-CCCH"
    UL_CCCH1 = "uL-CCCH1"
    UL_DCCH = "uL-DCCH"


class InterfaceKind(Enum):
    """Network interfaces, in wire order."""

    NG = "nG"
    XN = "xn"
    F1 = "f1"
    E1 = "e1"
    S1 = "s1"
    X2 = "x2"
    W1 = "w1"


class MessagePart(Enum):
    """Which message of an elementary procedure, in wire order."""

    INITIATING = "initiatingMessage"
    SUCCESSFUL = "successfulOutcome"
    UNSUCCESSFUL = "unsuccessfulOutcome"


class Direction(Enum):
    """Whether the E2 node receives or sends the message, in wire order."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class RrcState(Enum):
    """RRC states, in wire order."""

    CONNECTED = "rrc-connected"
    INACTIVE = "rrc-inactive"
    IDLE = "rrc-idle"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class RrcMessage:
    """An RRC message type: its class and its number in that class."""

    rrc_class: LteRrcClass | NrRrcClass
    message_id: int


@dataclass(frozen=True, slots=True)
class InterfaceMessageId:
    """A message of a network interface: the procedure code and which part of it."""

    procedure: int
    part: MessagePart


@dataclass(frozen=True, slots=True)
class InterfaceMessage:
    """Messages of a network interface."""

    kind: InterfaceKind
    message: InterfaceMessageId | None = None
    identifier: None = None


@dataclass(frozen=True, slots=True)
class OneUe:
    """A UE named by its id, with conditions."""

    ue: UeId
    tests: tuple[ParameterTest, ...] = ()


@dataclass(frozen=True, slots=True)
class UeGroup:
    """The UEs that meet conditions."""

    tests: tuple[ParameterTest, ...]


@dataclass(frozen=True, slots=True)
class UeSelection:
    """UEs an event is watched for; `logical_or` joins it to the next by OR (True) or AND (False)."""

    id: int
    ues: OneUe | UeGroup
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class OneCell:
    """A cell named by its id."""

    cell: CellGlobalId


@dataclass(frozen=True, slots=True)
class CellGroup:
    """The cells that meet conditions."""

    tests: tuple[ParameterTest, ...]


@dataclass(frozen=True, slots=True)
class CellSelection:
    """Cells an event is watched for."""

    id: int
    cells: OneCell | CellGroup
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class UeEvent:
    """A UE event by its number."""

    id: int
    logical_or: bool | None = None


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

_OR = Component("logical_or", "logicalOR", TrueFalse(), optional=True)
_CHANGE = Integer(1, 512, extensible=True)

_UE_GROUP: Type[UeGroup] = Record(UeGroup, Component("tests", "ranParameterTesting", TESTING))
_UES: Type[tuple[UeSelection, ...]] = Wrapped(
    "ueInfo-List",
    SequenceOf(
        Record(
            UeSelection,
            Component("id", "eventTriggerUEID", ID_16),
            Component(
                "ues",
                "ueType",
                Choice(
                    Alternative(
                        OneUe,
                        "ueType-Choice-Individual",
                        Record(
                            OneUe,
                            Component("ue", "ueID", UE_ID),
                            Component("tests", "ranParameterTesting", TESTING, optional=True),
                        ),
                    ),
                    Alternative(UeGroup, "ueType-Choice-Group", _UE_GROUP),
                ),
            ),
            _OR,
        ),
        1,
        MANY,
    ),
)
_CELLS: Type[tuple[CellSelection, ...]] = Wrapped(
    "cellInfo-List",
    SequenceOf(
        Record(
            CellSelection,
            Component("id", "eventTriggerCellID", ID_16),
            Component(
                "cells",
                "cellType",
                Choice(
                    Alternative(
                        OneCell,
                        "cellType-Choice-Individual",
                        Record(OneCell, Component("cell", "cellGlobalID", CELL_GLOBAL_ID)),
                    ),
                    Alternative(
                        CellGroup,
                        "cellType-Choice-Group",
                        Record(CellGroup, Component("tests", "ranParameterTesting", TESTING)),
                    ),
                ),
            ),
            _OR,
        ),
        1,
        MANY,
    ),
)
_UE_EVENTS: Type[tuple[UeEvent, ...]] = Wrapped(
    "ueEvent-List", SequenceOf(Record(UeEvent, Component("id", "ueEventID", ID_16), _OR), 1, MANY)
)
_ASSOCIATED_UES = Component("ues", "associatedUEInfo", _UES, optional=True)

_INTERFACE: Type[InterfaceMessage] = Record(
    InterfaceMessage,
    Component("kind", "nI-Type", Enumerated(InterfaceKind)),
    Component("identifier", "nI-Identifier", Unsupported(), optional=True),
    Component(
        "message",
        "nI-Message",
        Record(
            InterfaceMessageId,
            Component("procedure", "interfaceProcedureID", Integer()),
            Component("part", "messageType", Enumerated(MessagePart)),
        ),
        optional=True,
    ),
)
_RRC: Type[RrcMessage] = Wrapped(
    "rRC-Message",
    Record(
        RrcMessage,
        Component(
            "rrc_class",
            "rrcType",
            Choice(
                Alternative(LteRrcClass, "lTE", Enumerated(LteRrcClass)),
                Alternative(NrRrcClass, "nR", Enumerated(NrRrcClass)),
            ),
        ),
        Component("message_id", "messageID", Integer()),
    ),
)

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
                        Alternative(InterfaceMessage, "messageType-Choice-NI", _INTERFACE),
                        Alternative(RrcMessage, "messageType-Choice-RRC", _RRC),
                    ),
                ),
                Component("direction", "messageDirection", Enumerated(Direction), optional=True),
                _ASSOCIATED_UES,
                Component("ue_events", "associatedUEEvent", _UE_EVENTS, optional=True),
                _OR,
            ),
            1,
            MANY,
        ),
    ),
    Component("ues", "globalAssociatedUEInfo", _UES, optional=True),
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
                Component("cells", "associatedCellInfo", _CELLS, optional=True),
                _OR,
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
                    Record(RrcStateChange, Component("state", "stateChangedTo", Enumerated(RrcState)), _OR), 1, 8
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
                _OR,
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
    Component("cells", "associatedCellInfo", _CELLS, optional=True),
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
