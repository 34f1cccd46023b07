"""E2SM-CCC RAN function definition: which configuration structures a node and its cells have."""

from oran.e2.asn1_value import JsonObject, JsonValue
from oran.e2.ccc.control import cell_value, read_cell
from oran.e2.ccc.document import Node, dump, parse
from oran.e2.ccc.messages import (
    Attribute,
    CellSupport,
    ConfigurationStructure,
    ControlStyle,
    FunctionDefinition,
    ReportStyle,
    TriggerStyle,
)
from oran.e2.functions import FunctionName

FORMAT = (0, 65535)
"""Range of format and style types."""


def encode_function_definition(definition: FunctionDefinition) -> bytes:
    """Encode a RAN function definition."""
    name: JsonObject = {
        "ranFunctionShortName": definition.name.short_name,
        "ranFunctionServiceModelOID": definition.name.oid,
        "ranFunctionDescription": definition.name.description,
    }
    if definition.name.instance is not None:
        name["ranFunctionInstance"] = definition.name.instance
    body: JsonObject = {"ranFunctionName": name}
    if definition.node_structures:
        body["listOfSupportedNodeLevelConfigurationStructures"] = _structures(definition.node_structures)
    body["listOfCellsForRANFunctionDefinition"] = [
        {
            "cellGlobalID": cell_value(support.cell),
            "listOfSupportedCellLevelRANConfigurationStructures": _structures(support.structures),
        }
        for support in definition.cells
    ]
    return dump(body)


def decode_function_definition(data: bytes) -> FunctionDefinition:
    """Decode a RAN function definition; DecodeError otherwise."""
    body = parse(data)
    name = body.get("ranFunctionName")
    instance = name.find("ranFunctionInstance")
    return FunctionDefinition(
        FunctionName(
            name.get("ranFunctionShortName").text(150),
            name.get("ranFunctionServiceModelOID").text(1000),
            name.get("ranFunctionDescription").text(150),
            None if instance is None else instance.integer(0, 1 << 31),
        ),
        _read_structures(body.find("listOfSupportedNodeLevelConfigurationStructures")),
        tuple(
            CellSupport(
                read_cell(cell.get("cellGlobalID")),
                _read_structures(cell.find("listOfSupportedCellLevelRANConfigurationStructures")),
            )
            for cell in _items(body.find("listOfCellsForRANFunctionDefinition"))
        ),
    )


def _items(node: Node | None) -> list[Node]:
    return [] if node is None else node.items()


def _structures(structures: tuple[ConfigurationStructure, ...]) -> JsonValue:
    return [
        {
            "ranConfigurationStructureName": structure.name,
            "listOfSupportedAttributes": [
                {"attributeName": attribute.name, "supportedServices": _services(attribute)}
                for attribute in structure.attributes
            ],
        }
        for structure in structures
    ]


def _read_structures(node: Node | None) -> tuple[ConfigurationStructure, ...]:
    return tuple(
        ConfigurationStructure(
            structure.get("ranConfigurationStructureName").text(150),
            tuple(_read_attribute(item) for item in _items(structure.find("listOfSupportedAttributes"))),
        )
        for structure in _items(node)
    )


def _services(attribute: Attribute) -> JsonValue:
    services: JsonObject = {}
    if attribute.triggers:
        styles: list[JsonValue] = [
            {
                "eventTriggerStyleType": style.style,
                "eventTriggerStyleName": style.name,
                "eventTriggerFormatType": style.format,
            }
            for style in attribute.triggers
        ]
        services["eventTrigger"] = {"listOfSupportedEventTriggerStyles": styles}
    if attribute.reports:
        services["reportService"] = {
            "listOfSupportedReportStyles": [_report(style) for style in attribute.reports]
        }
    if attribute.controls:
        services["controlService"] = {
            "listOfSupportedControlStyles": [_control(style) for style in attribute.controls]
        }
    return services


def _report(style: ReportStyle) -> JsonValue:
    return {
        "reportServiceStyleType": style.style,
        "reportServiceStyleName": style.name,
        "listOfSupportedEventTriggerStylesForReportStyle": [
            {"eventTriggerStyleType": trigger} for trigger in style.trigger_styles
        ],
        "reportServiceActionDefinitionFormatType": style.action_format,
        "reportServiceIndicationHeaderFormatType": style.header_format,
        "reportServiceIndicationMessageFormatType": style.message_format,
    }


def _control(style: ControlStyle) -> JsonValue:
    entry: JsonObject = {
        "controlServiceStyleType": style.style,
        "controlServiceStyleName": style.name,
        "controlServiceHeaderFormatType": style.header_format,
        "controlServiceMessageFormatType": style.message_format,
    }
    if style.call_process_format is not None:
        entry["ricCallProcessIDFormatType"] = style.call_process_format
    entry["controlServiceControlOutcomeFormatType"] = style.outcome_format
    return entry


def _read_attribute(node: Node) -> Attribute:
    services = node.get("supportedServices")
    triggers = services.find("eventTrigger")
    reports = services.find("reportService")
    controls = services.find("controlService")
    return Attribute(
        node.get("attributeName").text(150),
        tuple(_read_trigger(style) for style in _listed(triggers, "listOfSupportedEventTriggerStyles")),
        tuple(_read_report(style) for style in _listed(reports, "listOfSupportedReportStyles")),
        tuple(_read_control(style) for style in _listed(controls, "listOfSupportedControlStyles")),
    )


def _listed(service: Node | None, name: str) -> list[Node]:
    return [] if service is None else service.get(name).items()


def _read_trigger(node: Node) -> TriggerStyle:
    return TriggerStyle(
        node.get("eventTriggerStyleType").integer(*FORMAT),
        node.get("eventTriggerStyleName").text(150),
        node.get("eventTriggerFormatType").integer(*FORMAT),
    )


def _read_report(node: Node) -> ReportStyle:
    triggers = node.get("listOfSupportedEventTriggerStylesForReportStyle").items()
    return ReportStyle(
        node.get("reportServiceStyleType").integer(*FORMAT),
        node.get("reportServiceStyleName").text(150),
        tuple(trigger.get("eventTriggerStyleType").integer(*FORMAT) for trigger in triggers),
        node.get("reportServiceActionDefinitionFormatType").integer(*FORMAT),
        node.get("reportServiceIndicationHeaderFormatType").integer(*FORMAT),
        node.get("reportServiceIndicationMessageFormatType").integer(*FORMAT),
    )


def _read_control(node: Node) -> ControlStyle:
    call_process = node.find("ricCallProcessIDFormatType")
    return ControlStyle(
        node.get("controlServiceStyleType").integer(*FORMAT),
        node.get("controlServiceStyleName").text(150),
        node.get("controlServiceHeaderFormatType").integer(*FORMAT),
        node.get("controlServiceMessageFormatType").integer(*FORMAT),
        node.get("controlServiceControlOutcomeFormatType").integer(*FORMAT),
        None if call_process is None else call_process.integer(*FORMAT),
    )
