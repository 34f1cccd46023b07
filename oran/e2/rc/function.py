"""E2SM-RC RAN function definition: what a node can trigger on, report, insert, control and police (9.2.2)."""

from dataclasses import dataclass
from typing import Any

from oran.e2.functions import FUNCTION_NAME, FunctionName
from oran.e2.rc.control import ID_16, STYLE, STYLES
from oran.e2.rc.parameters import DEPTH, MANY, PARAMETER_ID
from oran.e2.schema import (
    Alternative,
    Characters,
    Choice,
    Component,
    Record,
    SequenceOf,
    Type,
    Wrapped,
    nested,
)


@dataclass(frozen=True, slots=True)
class ListShape:
    """A parameter that is a list: what its items hold."""

    parameters: "tuple[NamedParameter, ...]"


@dataclass(frozen=True, slots=True)
class StructureShape:
    """A parameter that is a structure: what it holds."""

    parameters: "tuple[NamedParameter, ...]"


ParameterShape = ListShape | StructureShape


@dataclass(frozen=True, slots=True)
class NamedParameter:
    """A RAN parameter by id and name; its shape where it is no element."""

    id: int
    name: str
    shape: ParameterShape | None = None


@dataclass(frozen=True, slots=True)
class TriggerStyle:
    """An event trigger style."""

    style: int
    name: str
    format: int


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A point of a call process at which events can be had."""

    id: int
    name: str
    parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class CallProcess:
    """A call process and its breakpoints."""

    id: int
    name: str
    breakpoints: tuple[Breakpoint, ...]


@dataclass(frozen=True, slots=True)
class TriggerService:
    """Event triggers that the node knows."""

    styles: tuple[TriggerStyle, ...]
    l2_parameters: tuple[NamedParameter, ...] = ()
    call_processes: tuple[CallProcess, ...] = ()
    ue_parameters: tuple[NamedParameter, ...] = ()
    cell_parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportStyle:
    """A report style."""

    style: int
    name: str
    trigger_style: int
    action_format: int
    header_format: int
    message_format: int
    parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class InsertIndication:
    """An insert indication."""

    id: int
    name: str
    parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class InsertStyle:
    """An insert style."""

    style: int
    name: str
    trigger_style: int
    action_format: int
    header_format: int
    message_format: int
    call_process_format: int
    indications: tuple[InsertIndication, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlAction:
    """A control action."""

    id: int
    name: str
    parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlStyle:
    """A control style and its actions."""

    style: int
    name: str
    header_format: int
    message_format: int
    outcome_format: int
    actions: tuple[ControlAction, ...] = ()
    call_process_format: int | None = None
    outcome_parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyAction:
    """A policy action."""

    id: int
    name: str
    definition_format: int
    parameters: tuple[NamedParameter, ...] = ()
    condition_parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyStyle:
    """A policy style."""

    style: int
    name: str
    trigger_style: int
    actions: tuple[PolicyAction, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """E2SM-RC-RANFunctionDefinition; a query part, which nodes of later editions add, is read over."""

    name: FunctionName
    triggers: TriggerService | None = None
    reports: tuple[ReportStyle, ...] = ()
    inserts: tuple[InsertStyle, ...] = ()
    controls: tuple[ControlStyle, ...] = ()
    policies: tuple[PolicyStyle, ...] = ()

    def supports(self, style: int, action: int) -> bool:
        """Tell whether the node offers this control style and action."""
        return any(
            offered.style == style and any(item.id == action for item in offered.actions)
            for offered in self.controls
        )


NAME = Characters(1, 150, extensible=True)


def _shape(inner: Type[ParameterShape]) -> Type[ParameterShape]:
    items = SequenceOf(
        Record(
            NamedParameter,
            Component("id", "ranParameter-ID", PARAMETER_ID),
            Component("name", "ranParameter-name", NAME),
            Component("shape", "ranParameter-Definition", inner, optional=True),
        ),
        1,
        MANY,
    )
    return Wrapped(
        "ranParameter-Definition-Choice",
        Choice(
            Alternative(
                ListShape, "choiceLIST", Record(ListShape, Component("parameters", "ranParameter-List", items))
            ),
            Alternative(
                StructureShape,
                "choiceSTRUCTURE",
                Record(StructureShape, Component("parameters", "ranParameter-STRUCTURE", items)),
            ),
        ),
    )


PARAMETER_SHAPE: Type[ParameterShape] = nested(_shape, DEPTH)

_NAMED: Type[NamedParameter] = Record(
    NamedParameter,
    Component("id", "ranParameter-ID", PARAMETER_ID),
    Component("name", "ranParameter-name", NAME),
    Component("shape", "ranParameter-Definition", PARAMETER_SHAPE, addition=True),
)


def _parameters(name: str, attribute: str = "parameters", most: int = MANY) -> Component:
    return Component(attribute, name, SequenceOf(_NAMED, 1, most), optional=True)


_TRIGGERS: Type[TriggerService] = Record(
    TriggerService,
    Component(
        "styles",
        "ric-EventTriggerStyle-List",
        SequenceOf(
            Record(
                TriggerStyle,
                Component("style", "ric-EventTriggerStyle-Type", STYLE),
                Component("name", "ric-EventTriggerStyle-Name", NAME),
                Component("format", "ric-EventTriggerFormat-Type", STYLE),
            ),
            1,
            STYLES,
        ),
    ),
    _parameters("ran-L2Parameters-List", "l2_parameters"),
    Component(
        "call_processes",
        "ran-CallProcessTypes-List",
        SequenceOf(
            Record(
                CallProcess,
                Component("id", "callProcessType-ID", ID_16),
                Component("name", "callProcessType-Name", NAME),
                Component(
                    "breakpoints",
                    "callProcessBreakpoints-List",
                    SequenceOf(
                        Record(
                            Breakpoint,
                            Component("id", "callProcessBreakpoint-ID", ID_16),
                            Component("name", "callProcessBreakpoint-Name", NAME),
                            _parameters("ran-CallProcessBreakpointParameters-List"),
                        ),
                        1,
                        MANY,
                    ),
                ),
            ),
            1,
            MANY,
        ),
        optional=True,
    ),
    _parameters("ran-UEIdentificationParameters-List", "ue_parameters"),
    _parameters("ran-CellIdentificationParameters-List", "cell_parameters"),
)

_REPORT: Type[ReportStyle] = Record(
    ReportStyle,
    Component("style", "ric-ReportStyle-Type", STYLE),
    Component("name", "ric-ReportStyle-Name", NAME),
    Component("trigger_style", "ric-SupportedEventTriggerStyle-Type", STYLE),
    Component("action_format", "ric-ReportActionFormat-Type", STYLE),
    Component("header_format", "ric-IndicationHeaderFormat-Type", STYLE),
    Component("message_format", "ric-IndicationMessageFormat-Type", STYLE),
    _parameters("ran-ReportParameters-List"),
)

_INSERT: Type[InsertStyle] = Record(
    InsertStyle,
    Component("style", "ric-InsertStyle-Type", STYLE),
    Component("name", "ric-InsertStyle-Name", NAME),
    Component("trigger_style", "ric-SupportedEventTriggerStyle-Type", STYLE),
    Component("action_format", "ric-ActionDefinitionFormat-Type", STYLE),
    Component(
        "indications",
        "ric-InsertIndication-List",
        SequenceOf(
            Record(
                InsertIndication,
                Component("id", "ric-InsertIndication-ID", ID_16),
                Component("name", "ric-InsertIndication-Name", NAME),
                _parameters("ran-InsertIndicationParameters-List"),
            ),
            1,
            MANY,
        ),
        optional=True,
    ),
    Component("header_format", "ric-IndicationHeaderFormat-Type", STYLE),
    Component("message_format", "ric-IndicationMessageFormat-Type", STYLE),
    Component("call_process_format", "ric-CallProcessIDFormat-Type", STYLE),
)

_CONTROL: Type[ControlStyle] = Record(
    ControlStyle,
    Component("style", "ric-ControlStyle-Type", STYLE),
    Component("name", "ric-ControlStyle-Name", NAME),
    Component(
        "actions",
        "ric-ControlAction-List",
        SequenceOf(
            Record(
                ControlAction,
                Component("id", "ric-ControlAction-ID", ID_16),
                Component("name", "ric-ControlAction-Name", NAME),
                _parameters("ran-ControlActionParameters-List"),
            ),
            1,
            MANY,
        ),
        optional=True,
    ),
    Component("header_format", "ric-ControlHeaderFormat-Type", STYLE),
    Component("message_format", "ric-ControlMessageFormat-Type", STYLE),
    Component("call_process_format", "ric-CallProcessIDFormat-Type", STYLE, optional=True),
    Component("outcome_format", "ric-ControlOutcomeFormat-Type", STYLE),
    _parameters("ran-ControlOutcomeParameters-List", "outcome_parameters", 255),
)

_POLICY: Type[PolicyStyle] = Record(
    PolicyStyle,
    Component("style", "ric-PolicyStyle-Type", STYLE),
    Component("name", "ric-PolicyStyle-Name", NAME),
    Component("trigger_style", "ric-SupportedEventTriggerStyle-Type", STYLE),
    Component(
        "actions",
        "ric-PolicyAction-List",
        SequenceOf(
            Record(
                PolicyAction,
                Component("id", "ric-PolicyAction-ID", ID_16),
                Component("name", "ric-PolicyAction-Name", NAME),
                Component("definition_format", "ric-ActionDefinitionFormat-Type", STYLE),
                _parameters("ran-PolicyActionParameters-List"),
                _parameters("ran-PolicyConditionParameters-List", "condition_parameters"),
            ),
            1,
            MANY,
        ),
        optional=True,
    ),
)


def _styles(attribute: str, part: str, name: str, style: Type[Any]) -> Component:
    return Component(attribute, part, Wrapped(name, SequenceOf(style, 1, STYLES)), optional=True)


FUNCTION_DEFINITION: Type[FunctionDefinition] = Record(
    FunctionDefinition,
    Component("name", "ranFunction-Name", FUNCTION_NAME),
    Component("triggers", "ranFunctionDefinition-EventTrigger", _TRIGGERS, optional=True),
    _styles("reports", "ranFunctionDefinition-Report", "ric-ReportStyle-List", _REPORT),
    _styles("inserts", "ranFunctionDefinition-Insert", "ric-InsertStyle-List", _INSERT),
    _styles("controls", "ranFunctionDefinition-Control", "ric-ControlStyle-List", _CONTROL),
    _styles("policies", "ranFunctionDefinition-Policy", "ric-PolicyStyle-List", _POLICY),
)
