"""KPM messages as ASN.1 values in JSON, and the codecs by type name, as the message inspector uses them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from oran.e2 import asn1_value as json
from oran.e2.asn1_value import JsonObject, JsonValue
from oran.e2.errors import EncodeError
from oran.e2.kpm import codec
from oran.e2.kpm.function import FUNCTION_DEFINITION
from oran.e2.kpm.header import STRINGS
from oran.e2.kpm.messages import IndicationHeader
from oran.e2.kpm.profile import STANDARD, NodeProfile
from oran.e2.kpm.schema import EVENT_TRIGGER, dialect

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """One message type in all four directions."""

    decode: Callable[[bytes], T]
    encode: Callable[[T], bytes]
    to_asn1: Callable[[T], JsonValue]
    from_asn1: Callable[[JsonValue], T]


def codecs(profile: NodeProfile = STANDARD) -> dict[str, Codec[object]]:
    """The codecs of a node's dialect by ASN.1 type name."""
    messages = dialect(profile)
    table: dict[str, Codec[object]] = {}

    def add(name: str, entry: Codec[T]) -> None:
        table[name] = entry  # type: ignore[assignment]

    add(
        "E2SM-KPM-EventTriggerDefinition",
        Codec(
            codec.decode_event_trigger,
            codec.encode_event_trigger,
            EVENT_TRIGGER.to_asn1,
            lambda value: EVENT_TRIGGER.from_asn1(value, ""),
        ),
    )
    add(
        "E2SM-KPM-ActionDefinition",
        Codec(
            lambda data: codec.decode_action_definition(data, profile),
            lambda action: codec.encode_action_definition(action, profile),
            messages.action.to_asn1,
            lambda value: messages.action.from_asn1(value, ""),
        ),
    )
    add(
        "E2SM-KPM-IndicationHeader",
        Codec(codec.decode_indication_header, codec.encode_indication_header, header_to_asn1, header_from_asn1),
    )
    add(
        "E2SM-KPM-IndicationMessage",
        Codec(
            lambda data: codec.decode_indication_message(data, profile),
            lambda message: codec.encode_indication_message(message, profile),
            messages.message.to_asn1,
            lambda value: messages.message.from_asn1(value, ""),
        ),
    )
    add(
        "E2SM-KPM-RANfunction-Description",
        Codec(
            codec.decode_function_definition,
            codec.encode_function_definition,
            FUNCTION_DEFINITION.to_asn1,
            lambda value: FUNCTION_DEFINITION.from_asn1(value, ""),
        ),
    )
    return table


def to_asn1(type_name: str, message: object) -> JsonValue:
    """Project a message to JSON; KeyError when the type is none of KPM's."""
    return CODECS[type_name].to_asn1(message)


def from_asn1(type_name: str, value: JsonValue) -> object:
    """Take a message from JSON; EncodeError when it is none, KeyError when the type is none of KPM's."""
    return CODECS[type_name].from_asn1(value)


def header_to_asn1(header: IndicationHeader) -> JsonValue:
    """Project an indication header to JSON."""
    shown: JsonObject = {"colletStartTime": json.octets(header.collection_start)}
    for attribute, name, _ in STRINGS:
        text = getattr(header, attribute)
        if text is not None:
            shown[name] = text
    return {"indicationHeader-formats": json.choice("indicationHeader-Format1", shown)}


def header_from_asn1(value: JsonValue) -> IndicationHeader:
    """Take an indication header from JSON; EncodeError when it is none."""
    outer = json.as_object(value, "E2SM-KPM-IndicationHeader")
    name, inner = json.as_choice(outer.get("indicationHeader-formats"), "indicationHeader-formats")
    if name != "indicationHeader-Format1" or len(outer) != 1:
        raise EncodeError("expected indicationHeader-Format1 alone", field="indicationHeader-formats")
    given = json.as_object(inner, name)
    unknown = given.keys() - {"colletStartTime"} - {component for _, component, _ in STRINGS}
    if unknown:
        raise EncodeError(f"unknown components {sorted(unknown)}", field=name)
    return IndicationHeader(
        json.as_octets(given.get("colletStartTime"), "colletStartTime"),
        **{
            attribute: json.as_text(given[component], component)
            for attribute, component, _ in STRINGS
            if component in given
        },
    )


CODECS = codecs()
"""The standard's codecs by ASN.1 type name."""
