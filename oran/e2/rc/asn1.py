"""The E2SM-RC messages by their ASN.1 names, each to be decoded, encoded and shown as JSON."""

from dataclasses import dataclass
from typing import Any

from oran.e2.asn1_value import JsonValue
from oran.e2.rc.action import ACTION_DEFINITION
from oran.e2.rc.control import CONTROL_HEADER, CONTROL_MESSAGE, CONTROL_OUTCOME
from oran.e2.rc.function import FUNCTION_DEFINITION
from oran.e2.rc.indication import INDICATION_HEADER, INDICATION_MESSAGE
from oran.e2.rc.trigger import EVENT_TRIGGER
from oran.e2.schema import Type


@dataclass(frozen=True, slots=True)
class MessageCodec:
    """A message type in all four directions."""

    type: Type[Any]

    def decode(self, data: bytes) -> object:
        """Decode octets; DecodeError where they hold no such message."""
        return self.type.decode(data)

    def encode(self, value: object) -> bytes:
        """Encode a value; EncodeError where it does not fit."""
        return self.type.encode(value)

    def to_asn1(self, value: object) -> JsonValue:
        """Project a value to JSON."""
        return self.type.to_asn1(value)

    def from_asn1(self, value: JsonValue) -> object:
        """Take a value from JSON; EncodeError names what is wrong."""
        return self.type.from_asn1(value, "")


CODECS: dict[str, MessageCodec] = {
    "E2SM-RC-RANFunctionDefinition": MessageCodec(FUNCTION_DEFINITION),
    "E2SM-RC-EventTrigger": MessageCodec(EVENT_TRIGGER),
    "E2SM-RC-ActionDefinition": MessageCodec(ACTION_DEFINITION),
    "E2SM-RC-IndicationHeader": MessageCodec(INDICATION_HEADER),
    "E2SM-RC-IndicationMessage": MessageCodec(INDICATION_MESSAGE),
    "E2SM-RC-ControlHeader": MessageCodec(CONTROL_HEADER),
    "E2SM-RC-ControlMessage": MessageCodec(CONTROL_MESSAGE),
    "E2SM-RC-ControlOutcome": MessageCodec(CONTROL_OUTCOME),
}
