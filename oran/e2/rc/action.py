"""E2SM-RC action definitions, formats 1 to 3 (clause 9.2.1.2)."""

from dataclasses import dataclass

from oran.e2.identity import UeId
from oran.e2.rc.control import ID_16, STYLE, Decision
from oran.e2.rc.function import PARAMETER_SHAPE, ParameterShape
from oran.e2.rc.parameters import MANY, PARAMETER, PARAMETER_ID, Parameter
from oran.e2.rc.testing import TESTING, ParameterTest
from oran.e2.schema import (
    Alternative,
    Choice,
    Component,
    Enumerated,
    Record,
    SequenceOf,
    Type,
    Unsupported,
)
from oran.e2.ue_id import UE_ID


@dataclass(frozen=True, slots=True)
class ReportedParameter:
    """A RAN parameter asked for, and which parts of it."""

    id: int
    shape: ParameterShape | None = None


@dataclass(frozen=True, slots=True)
class ActionFormat1:
    """Action definition format 1: the RAN parameters to report."""

    parameters: tuple[ReportedParameter, ...]


@dataclass(frozen=True, slots=True)
class PolicyAction:
    """What a policy does."""

    action: int
    parameters: tuple[Parameter, ...] = ()
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class PolicyCondition:
    """A policy's action and the conditions under which it is taken."""

    action: PolicyAction
    tests: tuple[ParameterTest, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionFormat2:
    """Action definition format 2: policies."""

    policies: tuple[PolicyCondition, ...]


@dataclass(frozen=True, slots=True)
class ActionFormat3:
    """Action definition format 3: an insert indication and the parameters it carries."""

    indication: int
    parameters: tuple[ReportedParameter, ...]
    ue: UeId | None = None


ActionFormat = ActionFormat1 | ActionFormat2 | ActionFormat3


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """A style and its action."""

    style: int
    format: ActionFormat


_REPORTED = SequenceOf(
    Record(
        ReportedParameter,
        Component("id", "ranParameter-ID", PARAMETER_ID),
        Component("shape", "ranParameter-Definition", PARAMETER_SHAPE, addition=True),
    ),
    1,
    MANY,
)

_POLICY_ACTION: Type[PolicyAction] = Record(
    PolicyAction,
    Component("action", "ric-PolicyAction-ID", ID_16),
    Component("parameters", "ranParameters-List", SequenceOf(PARAMETER, 1, MANY), optional=True),
    Component("decision", "ric-PolicyDecision", Enumerated(Decision), addition=True),
)

ACTION_DEFINITION: Type[ActionDefinition] = Record(
    ActionDefinition,
    Component("style", "ric-Style-Type", STYLE),
    Component(
        "format",
        "ric-actionDefinition-formats",
        Choice(
            Alternative(
                ActionFormat1,
                "actionDefinition-Format1",
                Record(ActionFormat1, Component("parameters", "ranP-ToBeReported-List", _REPORTED)),
            ),
            Alternative(
                ActionFormat2,
                "actionDefinition-Format2",
                Record(
                    ActionFormat2,
                    Component(
                        "policies",
                        "ric-PolicyConditions-List",
                        SequenceOf(
                            Record(
                                PolicyCondition,
                                Component("action", "ric-PolicyAction", _POLICY_ACTION),
                                Component("tests", "ric-PolicyConditionDefinition", TESTING, optional=True),
                            ),
                            1,
                            MANY,
                        ),
                    ),
                ),
            ),
            Alternative(
                ActionFormat3,
                "actionDefinition-Format3",
                Record(
                    ActionFormat3,
                    Component("indication", "ric-InsertIndication-ID", ID_16),
                    Component("parameters", "ranP-InsertIndication-List", _REPORTED),
                    Component("ue", "ueID", UE_ID, optional=True),
                ),
            ),
            Alternative("format 4", "actionDefinition-Format4", Unsupported(), addition=True),
        ),
    ),
)
