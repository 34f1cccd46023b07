"""The KPM RAN function definition (O-RAN.WG3.E2SM-KPM 8.2.2.1)."""

from dataclasses import dataclass

from oran.e2.functions import FUNCTION_NAME
from oran.e2.kpm.conditions import BIN_AXES, Axes, axes_of
from oran.e2.kpm.messages import BinRange, FunctionDefinition, ReportStyle, TriggerStyle
from oran.e2.kpm.types import MEASUREMENT_ID, MEASUREMENT_NAME, Mapped
from oran.e2.schema import Characters, Component, Integer, Record, SequenceOf, Type

NAME = Characters(1, 150, extensible=True)


@dataclass(frozen=True, slots=True)
class _ActionItem:
    name: str
    id: int | None = None
    axes: Axes | None = None


@dataclass(frozen=True, slots=True)
class _Style:
    style: int
    name: str
    action_format: int
    items: tuple[_ActionItem, ...]
    header_format: int
    message_format: int


def _to_wire_style(style: ReportStyle) -> _Style:
    bins = {bins.measurement: axes_of(bins) for bins in style.bins}
    items = tuple(_ActionItem(name, number, bins.get(name)) for name, number in style.measurements)
    return _Style(style.style, style.name, style.action_format, items, style.header_format, style.message_format)


def _from_wire_style(style: _Style) -> ReportStyle:
    return ReportStyle(
        style.style,
        style.name,
        style.action_format,
        tuple((item.name, item.id) for item in style.items),
        style.header_format,
        style.message_format,
        tuple(BinRange(item.name, *item.axes) for item in style.items if item.axes is not None),
    )


_ACTION_ITEM: Type[_ActionItem] = Record(
    _ActionItem,
    Component("name", "measName", MEASUREMENT_NAME),
    Component("id", "measID", MEASUREMENT_ID, optional=True),
    Component("axes", "binRangeDef", BIN_AXES, addition=True),
)
FUNCTION_DEFINITION: Type[FunctionDefinition] = Record(
    FunctionDefinition,
    Component("name", "ranFunction-Name", FUNCTION_NAME),
    Component(
        "trigger_styles",
        "ric-EventTriggerStyle-List",
        SequenceOf(
            Record(
                TriggerStyle,
                Component("style", "ric-EventTriggerStyle-Type", Integer()),
                Component("name", "ric-EventTriggerStyle-Name", NAME),
                Component("format", "ric-EventTriggerFormat-Type", Integer()),
            ),
            1,
            63,
        ),
        optional=True,
    ),
    Component(
        "report_styles",
        "ric-ReportStyle-List",
        SequenceOf(
            Mapped(
                Record(
                    _Style,
                    Component("style", "ric-ReportStyle-Type", Integer()),
                    Component("name", "ric-ReportStyle-Name", NAME),
                    Component("action_format", "ric-ActionFormat-Type", Integer()),
                    Component("items", "measInfo-Action-List", SequenceOf(_ACTION_ITEM, 1, 65_535)),
                    Component("header_format", "ric-IndicationHeaderFormat-Type", Integer()),
                    Component("message_format", "ric-IndicationMessageFormat-Type", Integer()),
                ),
                _to_wire_style,
                _from_wire_style,
            ),
            1,
            63,
        ),
        optional=True,
    ),
)
