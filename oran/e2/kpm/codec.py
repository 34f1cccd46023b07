"""Decode and encode E2SM-KPM messages (O-RAN.WG3.E2SM-KPM v2.03 to v5).

Octets behind a complete message are taken for padding when they are zero, and refused otherwise: they show that
the message was read as something that it is not.
"""

from typing import TypeVar

from oran.e2.aper import Reader
from oran.e2.errors import DecodeError
from oran.e2.kpm.function import FUNCTION_DEFINITION
from oran.e2.kpm.header import decode_indication_header, encode_indication_header
from oran.e2.kpm.messages import ActionDefinition, EventTrigger, FunctionDefinition, IndicationMessage
from oran.e2.kpm.profile import STANDARD, NodeProfile
from oran.e2.kpm.schema import EVENT_TRIGGER, dialect
from oran.e2.schema import Type

__all__ = [
    "decode_action_definition",
    "decode_event_trigger",
    "decode_function_definition",
    "decode_indication_header",
    "decode_indication_message",
    "encode_action_definition",
    "encode_event_trigger",
    "encode_function_definition",
    "encode_indication_header",
    "encode_indication_message",
]

T = TypeVar("T")


def decode_indication_message(data: bytes, profile: NodeProfile = STANDARD) -> IndicationMessage:
    """Decode an indication message of any format; DecodeError names the field and the bit."""
    return _decode(dialect(profile).message, data)


def encode_indication_message(message: IndicationMessage, profile: NodeProfile = STANDARD) -> bytes:
    """Encode an indication message; EncodeError names the field that does not fit."""
    return dialect(profile).message.encode(message)


def decode_action_definition(data: bytes, profile: NodeProfile = STANDARD) -> ActionDefinition:
    """Decode an action definition of any format; DecodeError names the field and the bit."""
    return _decode(dialect(profile).action, data)


def encode_action_definition(action: ActionDefinition, profile: NodeProfile = STANDARD) -> bytes:
    """Encode an action definition; EncodeError names the field that does not fit."""
    return dialect(profile).action.encode(action)


def decode_event_trigger(data: bytes) -> EventTrigger:
    """Decode an event trigger definition; DecodeError names the field and the bit."""
    return _decode(EVENT_TRIGGER, data)


def encode_event_trigger(trigger: EventTrigger) -> bytes:
    """Encode an event trigger definition; EncodeError names the field that does not fit."""
    return EVENT_TRIGGER.encode(trigger)


def decode_function_definition(data: bytes) -> FunctionDefinition:
    """Decode a RAN function definition; DecodeError names the field and the bit."""
    return _decode(FUNCTION_DEFINITION, data)


def encode_function_definition(definition: FunctionDefinition) -> bytes:
    """Encode a RAN function definition; EncodeError names the field that does not fit."""
    return FUNCTION_DEFINITION.encode(definition)


def _decode(message: Type[T], data: bytes) -> T:
    reader = Reader(data)
    value = message.read(reader, "")
    end = (reader.position + 7) >> 3
    if data.count(0, end) != len(data) - end:
        raise DecodeError(f"{len(data) - end} octets follow the message", bit_offset=reader.position)
    return value
