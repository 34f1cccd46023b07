"""What E2SM-RC event triggers watch: messages, UEs and cells (clause 9.3); interface identifiers are not coded."""

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


OR = Component("logical_or", "logicalOR", TrueFalse(), optional=True)

_UE_GROUP: Type[UeGroup] = Record(UeGroup, Component("tests", "ranParameterTesting", TESTING))
UES: Type[tuple[UeSelection, ...]] = Wrapped(
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
            OR,
        ),
        1,
        MANY,
    ),
)
CELLS: Type[tuple[CellSelection, ...]] = Wrapped(
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
            OR,
        ),
        1,
        MANY,
    ),
)
UE_EVENTS: Type[tuple[UeEvent, ...]] = Wrapped(
    "ueEvent-List", SequenceOf(Record(UeEvent, Component("id", "ueEventID", ID_16), OR), 1, MANY)
)
INTERFACE_MESSAGE: Type[InterfaceMessage] = Record(
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
RRC_MESSAGE: Type[RrcMessage] = Wrapped(
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
