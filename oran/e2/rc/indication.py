"""E2SM-RC indications: header formats 1 to 3, message formats 1, 2 and 5 (clauses 9.2.1.3 and 9.2.1.4)."""

from dataclasses import dataclass

from oran.e2.identity import UeId
from oran.e2.rc.control import ID_16, STYLE
from oran.e2.rc.parameters import MANY, PARAMETER, Parameter
from oran.e2.schema import Alternative, Choice, Component, Record, SequenceOf, Type, Unsupported, Wrapped
from oran.e2.ue_id import UE_ID


@dataclass(frozen=True, slots=True)
class IndicationHeader1:
    """Indication header format 1: the event trigger condition that was met."""

    condition: int | None = None


@dataclass(frozen=True, slots=True)
class IndicationHeader2:
    """Indication header format 2: the UE and the insert indication."""

    ue: UeId
    style: int
    indication: int


@dataclass(frozen=True, slots=True)
class IndicationHeader3:
    """Indication header format 3: the condition that was met and the UE that met it."""

    condition: int | None = None
    ue: UeId | None = None


IndicationHeader = IndicationHeader1 | IndicationHeader2 | IndicationHeader3


@dataclass(frozen=True, slots=True)
class IndicationMessage1:
    """Indication message format 1: reported parameters."""

    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class UeParameters:
    """One UE's parameters in format 2."""

    ue: UeId
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class IndicationMessage2:
    """Indication message format 2: reported parameters per UE."""

    ues: tuple[UeParameters, ...]


@dataclass(frozen=True, slots=True)
class IndicationMessage5:
    """Indication message format 5: parameters of an insert indication."""

    parameters: tuple[Parameter, ...] = ()


IndicationMessage = IndicationMessage1 | IndicationMessage2 | IndicationMessage5

INDICATION_HEADER: Type[IndicationHeader] = Wrapped(
    "ric-indicationHeader-formats",
    Choice(
        Alternative(
            IndicationHeader1,
            "indicationHeader-Format1",
            Record(
                IndicationHeader1,
                Component("condition", "ric-eventTriggerCondition-ID", ID_16, optional=True),
            ),
        ),
        Alternative(
            IndicationHeader2,
            "indicationHeader-Format2",
            Record(
                IndicationHeader2,
                Component("ue", "ueID", UE_ID),
                Component("style", "ric-InsertStyle-Type", STYLE),
                Component("indication", "ric-InsertIndication-ID", ID_16),
            ),
        ),
        Alternative(
            IndicationHeader3,
            "indicationHeader-Format3",
            Record(
                IndicationHeader3,
                Component("condition", "ric-eventTriggerCondition-ID", ID_16, optional=True),
                Component("ue", "ueID", UE_ID, optional=True),
            ),
            addition=True,
        ),
    ),
)

INDICATION_MESSAGE: Type[IndicationMessage] = Wrapped(
    "ric-indicationMessage-formats",
    Choice(
        Alternative(
            IndicationMessage1,
            "indicationMessage-Format1",
            Record(
                IndicationMessage1, Component("parameters", "ranP-Reported-List", SequenceOf(PARAMETER, 1, MANY))
            ),
        ),
        Alternative(
            IndicationMessage2,
            "indicationMessage-Format2",
            Record(
                IndicationMessage2,
                Component(
                    "ues",
                    "ueParameter-List",
                    SequenceOf(
                        Record(
                            UeParameters,
                            Component("ue", "ueID", UE_ID),
                            Component("parameters", "ranP-List", SequenceOf(PARAMETER, 1, MANY)),
                        ),
                        1,
                        MANY,
                    ),
                ),
            ),
        ),
        Alternative("format 3", "indicationMessage-Format3", Unsupported()),
        Alternative("format 4", "indicationMessage-Format4", Unsupported()),
        Alternative(
            IndicationMessage5,
            "indicationMessage-Format5",
            Record(
                IndicationMessage5,
                Component("parameters", "ranP-Requested-List", SequenceOf(PARAMETER, 0, MANY)),
            ),
        ),
        Alternative("format 6", "indicationMessage-Format6", Unsupported(), addition=True),
    ),
)
