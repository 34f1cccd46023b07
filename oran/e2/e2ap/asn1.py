"""E2AP PDUs as they stand on the wire, shown as JSON and taken back: type `E2AP-PDU`.

A `Pdu` keeps what a message value does not: criticalities and order as sent, and IEs that we do not know, so
that any PDU comes back octet for octet. An unknown IE's value is shown as its octets, `{"hex": ...}`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oran.e2 import asn1_value as json
from oran.e2.asn1_value import JsonValue
from oran.e2.e2ap import codec
from oran.e2.e2ap.container import CRITICALITIES, as_criticality
from oran.e2.e2ap.messages import E2apMessage
from oran.e2.e2ap.procedures import OUTCOMES, PROCEDURES, Ie, Procedure
from oran.e2.errors import DecodeError, EncodeError


@dataclass(frozen=True, slots=True)
class Element:
    """An IE as sent; `ie` is None and `value` its octets where we do not know it."""

    id: int
    criticality: int
    ie: Ie | None
    value: Any


@dataclass(frozen=True, slots=True)
class Pdu:
    """A PDU as sent; `criticality` and those of its elements are 0 reject, 1 ignore, 2 notify."""

    procedure: Procedure
    criticality: int
    elements: tuple[Element, ...]

    @property
    def message(self) -> E2apMessage:
        """The message that the PDU carries."""
        values = {element.ie.attribute: element.value for element in self.elements if element.ie is not None}
        message: E2apMessage = self.procedure.load(**values)
        return message

    @classmethod
    def of(cls, message: E2apMessage) -> "Pdu":
        """The PDU that `codec.encode` sends for a message; EncodeError when it has none."""
        return decode(codec.encode(message))


def decode(data: bytes) -> Pdu:
    """Decode a PDU; DecodeError as `codec.decode` raises it."""
    codec.decode(data)
    procedure, criticality, contents = codec.open_pdu(data)
    elements = []
    for element_id, element_criticality, reader in contents:
        ie = procedure.by_id.get(element_id)
        if ie is None:
            count = (reader.end - reader.position) // 8
            value = reader.octets(count, procedure.name)
        else:
            value = ie.type.read(reader, ie.name)
        elements.append(Element(element_id, element_criticality, ie, value))
    return Pdu(procedure, criticality, tuple(elements))


def encode(pdu: Pdu) -> bytes:
    """Encode a PDU; EncodeError when a value does not fit, or when the PDU would not be decodable."""
    procedure = pdu.procedure
    elements = []
    for element in pdu.elements:
        try:
            content = element.value if element.ie is None else codec.encode_ie(element.ie, element.value)
        except EncodeError as error:
            raise error.within(procedure.name) from None
        elements.append((element.id, element.criticality, content))
    data = codec.close_pdu(procedure.outcome, procedure.code, pdu.criticality, elements)
    try:
        codec.decode(data)
    except DecodeError as error:
        raise EncodeError(error.reason, field=error.field, bit_offset=error.bit_offset) from None
    return data


def to_asn1(value: Pdu | E2apMessage) -> JsonValue:
    """Project a PDU, or the PDU of a message, to JSON."""
    pdu = value if isinstance(value, Pdu) else Pdu.of(value)
    procedure = pdu.procedure
    elements: list[JsonValue] = [
        {
            "id": element.id,
            "criticality": CRITICALITIES[element.criticality],
            "value": json.octets(element.value)
            if element.ie is None
            else json.choice(element.ie.name, element.ie.type.to_asn1(element.value)),
        }
        for element in pdu.elements
    ]
    body: JsonValue = {
        "procedureCode": procedure.code,
        "criticality": CRITICALITIES[pdu.criticality],
        "value": json.choice(procedure.name, {"protocolIEs": elements}),
    }
    return json.choice(OUTCOMES[procedure.outcome], body)


def from_asn1(value: JsonValue) -> Pdu:
    """Take a PDU from JSON; EncodeError names what is wrong.

    `procedureCode` may be left out, and so may `criticality`, which is then the standard's.
    """
    outcome, body = json.as_choice(value, "E2AP-PDU")
    given = json.as_object(body, outcome)
    name, message = json.as_choice(given.get("value"), f"{outcome}.value")
    procedure = _BY_NAME.get(name)
    if procedure is None:
        raise EncodeError(f"{name!r} is no message of E2AP that we know", field=outcome)
    if OUTCOMES[procedure.outcome] != outcome or given.get("procedureCode", procedure.code) != procedure.code:
        place = f"{OUTCOMES[procedure.outcome]} of procedure {procedure.code}"
        raise EncodeError(f"{name} is the {place}", field=outcome)
    criticality = procedure.criticality
    if "criticality" in given:
        criticality = as_criticality(given["criticality"], f"{outcome}.criticality")
    listed = json.as_list(json.as_object(message, name).get("protocolIEs"), f"{name}.protocolIEs")
    elements = tuple(
        _element(procedure, item, f"{name}.protocolIEs[{index}]") for index, item in enumerate(listed)
    )
    return Pdu(procedure, criticality, elements)


def _element(procedure: Procedure, value: JsonValue, field: str) -> Element:
    given = json.as_object(value, field)
    element_id = json.as_integer(given.get("id"), f"{field}.id")
    if not 0 <= element_id <= 65_535:
        raise EncodeError(f"{element_id} is outside 0..65535", field=f"{field}.id")
    ie = procedure.by_id.get(element_id)
    content = given.get("value")
    if ie is None:
        criticality = as_criticality(given.get("criticality"), f"{field}.criticality")
        return Element(element_id, criticality, None, json.as_octets(content, f"{field}.value"))
    criticality = ie.criticality
    if "criticality" in given:
        criticality = as_criticality(given["criticality"], f"{field}.criticality")
    name, inner = json.as_choice(content, f"{field}.value")
    if name != ie.name:
        raise EncodeError(f"IE {element_id} is a {ie.name}, not {name!r}", field=field)
    return Element(element_id, criticality, ie, ie.type.from_asn1(inner, f"{field}.{name}"))


_BY_NAME = {procedure.name: procedure for procedure in PROCEDURES}


@dataclass(frozen=True, slots=True)
class PduCodec:
    """The PDU in all four directions."""

    decode: Callable[[bytes], Pdu] = decode
    encode: Callable[[Pdu], bytes] = encode
    to_asn1: Callable[[Pdu | E2apMessage], JsonValue] = to_asn1
    from_asn1: Callable[[JsonValue], Pdu] = from_asn1


CODECS = {"E2AP-PDU": PduCodec()}
"""The codecs by ASN.1 type name."""
