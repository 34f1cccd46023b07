"""E2AP messages to and from aligned PER (O-RAN.WG3.E2AP v2 and v3, clause 9.3).

RICindication and RICcontrolRequest, which come by the thousand each second, have their common form read and
written by hand (budget: 5 us); everything else goes through the declarations of `procedures`.
"""

from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Any

from oran.e2.aper import Reader, Writer
from oran.e2.e2ap.container import opened, read_elements, refuse_unknown, write_element
from oran.e2.e2ap.messages import (
    ControlAckRequest,
    E2apMessage,
    IndicationType,
    RicControlRequest,
    RicIndication,
    RicRequestId,
)
from oran.e2.e2ap.procedures import BY_CODE, BY_MESSAGE, OUTCOMES, Ie, Procedure
from oran.e2.errors import DecodeError, EncodeError


def decode(data: bytes) -> E2apMessage:
    """Decode one E2AP PDU.

    Unknown IEs of criticality ignore or notify are stepped over. DecodeError when the octets are no such
    PDU, when a mandatory IE is missing, an IE comes twice, or an unknown one says reject.
    """
    if data[:2] == _INDICATION:
        indication = _fast_indication(data)
        if indication is not None:
            return indication
    return decode_declared(data)


def decode_declared(data: bytes) -> E2apMessage:
    """Decode through the declarations, whatever the message."""
    procedure, _, elements = open_pdu(data)
    try:
        values = {ie.attribute: value for ie, value in _read_known(procedure, elements)}
        message: E2apMessage = procedure.load(**values)
    except DecodeError as error:
        raise error.within(procedure.name) from None
    return message


def encode(message: E2apMessage) -> bytes:
    """Encode one E2AP PDU; EncodeError names the field that does not fit."""
    if type(message) is RicControlRequest:
        encoded = _fast_control(message)
        if encoded is not None:
            return encoded
    elif type(message) is RicIndication:
        encoded = _fast_report(message)
        if encoded is not None:
            return encoded
    return encode_declared(message)


def encode_declared(message: E2apMessage) -> bytes:
    """Encode through the declarations, whatever the message."""
    procedure = BY_MESSAGE.get(type(message))
    if procedure is None:
        raise EncodeError(f"{type(message).__name__} is no E2AP message")
    values = procedure.dump(message)
    try:
        elements = [
            (ie.id, ie.criticality, encode_ie(ie, values[ie.attribute]))
            for ie in procedure.ies
            if _is_sent(ie, values[ie.attribute])
        ]
    except EncodeError as error:
        raise error.within(procedure.name) from None
    return close_pdu(procedure.outcome, procedure.code, procedure.criticality, elements)


def open_pdu(data: bytes) -> tuple[Procedure, int, Iterator[tuple[int, int, Reader]]]:
    """Open a PDU: its procedure, the criticality it was sent with, and its elements one by one."""
    reader = Reader(data)
    if reader.bit("E2AP-PDU"):
        reader.fail("unknown kind of PDU", "E2AP-PDU")
    outcome = reader.constrained(0, 2, "E2AP-PDU")
    code = reader.constrained(0, 255, "procedureCode")
    criticality = reader.constrained(0, 2, "criticality")
    procedure = BY_CODE.get((outcome, code))
    if procedure is None:
        reader.fail(f"procedure {code} has no {OUTCOMES[outcome]} that we know", "procedureCode")
    body = opened(reader, procedure.name)
    if reader.position != reader.end:
        reader.fail(f"{(reader.end - reader.position + 7) // 8} octets are left over", "E2AP-PDU")
    body.bit(procedure.name)
    count = body.constrained(0, 65_535, procedure.name)
    return procedure, criticality, read_elements(body, count, procedure.name)


def close_pdu(outcome: int, code: int, criticality: int, elements: list[tuple[int, int, bytes]]) -> bytes:
    """Write a PDU from its elements: (id, criticality, encoded value)."""
    body = Writer()
    body.bit(False)
    body.constrained(len(elements), 0, 65_535, "protocolIEs")
    for element_id, element_criticality, content in elements:
        write_element(body, element_id, element_criticality, content)
    writer = Writer()
    writer.bits(outcome, 3)
    writer.constrained(code, 0, 255, "procedureCode")
    writer.bits(criticality, 2)
    writer.open_type(body.getvalue())
    return writer.getvalue()


def encode_ie(ie: Ie, value: Any) -> bytes:
    """Encode one IE's value."""
    if value is None or value == ():
        raise EncodeError("is mandatory", field=ie.name)
    return ie.type.encode(value, ie.name)


def _is_sent(ie: Ie, value: Any) -> bool:
    return not ie.optional or (value is not None and value != ())


def _read_known(procedure: Procedure, elements: Iterator[tuple[int, int, Reader]]) -> Iterator[tuple[Ie, Any]]:
    """Read the IEs that we know and see to it that each comes once and none is missing."""
    missing = {ie.id: ie for ie in procedure.ies}
    for element_id, criticality, contents in elements:
        ie = procedure.by_id.get(element_id)
        if ie is None:
            refuse_unknown(contents, element_id, criticality, procedure.name)
        elif missing.pop(element_id, None) is None:
            contents.fail(f"IE {element_id} comes twice", ie.name)
        else:
            yield ie, ie.type.read(contents, ie.name)
    for ie in missing.values():
        if not ie.optional:
            raise DecodeError(f"mandatory IE {ie.id} is missing", field=ie.name)


_INDICATION = b"\x00\x05"
_FIXED = Struct(">5s 2H 4s H 4s B 4s H 4s B 3s")
"""An indication's IEs up to its header's length, in the order of the standard, with a sequence number."""
_MARKS = (b"\0\x1d\0\5\0", b"\0\5\0\2", b"\0\x0f\0\1", b"\0\x1b\0\2", b"\0\x1c\0\1", b"\0\x19\0")
_request_id = lru_cache(maxsize=1024)(RicRequestId)
_TYPES = {0x00: IndicationType.REPORT, 0x40: IndicationType.INSERT}


def _fast_indication(data: bytes) -> RicIndication | None:
    """Read an indication of seven IEs in the standard's order; None where it has any other form."""
    size = len(data)
    if size < 48 or data[2] >= 0xC0:
        return None
    position, length = 4, data[3]
    if length >= 0x80:
        position, length = 5, (length & 0x3F) << 8 | data[4]
        if data[3] >= 0xC0:
            return None
    if position + length != size or data[position : position + 3] != b"\0\0\7":
        return None
    a, requestor, instance, b, function_id, c, action_id, d, sn, e, kind, f = _FIXED.unpack_from(
        data, position + 3
    )
    indication_type = _TYPES.get(kind)
    if (a, b, c, d, e, f) != _MARKS or function_id > 4095 or indication_type is None:
        return None
    try:
        header, position = _octet_string(data, position + 3 + _FIXED.size)
        if data[position : position + 3] != b"\0\x1a\0":
            return None
        message, position = _octet_string(data, position + 3)
    except (IndexError, ValueError):
        return None
    if position != size:
        return None
    return RicIndication(
        _request_id(requestor, instance), function_id, action_id, header, message, sn, indication_type
    )


def _octet_string(data: bytes, position: int) -> tuple[bytes, int]:
    """Read an OCTET STRING in its open type and the position after it; ValueError for a rarer form."""
    outer = data[position]
    position += 1
    if outer >= 0x80:
        outer = (outer & 0x3F) << 8 | data[position] if outer < 0xC0 else 0
        position += 1
    stop = position + outer
    inner = data[position]
    position += 1
    if inner >= 0x80:
        inner = (inner & 0x3F) << 8 | data[position] if inner < 0xC0 else 0
        position += 1
    if position + inner != stop or stop > len(data):
        raise ValueError
    return data[position:stop], stop


_FAST_OCTETS = 16_000
"""Strings up to this size need no fragments, with room for all that surrounds them."""
_IDS = Struct(">5s H H 4s H")
_ACKS = {
    None: b"",
    ControlAckRequest.NO_ACK: b"\0\x15\0\1\0",
    ControlAckRequest.ACK: b"\0\x15\0\1\x40",
}
_KINDS = {kind: b"\0\x1c\0\1" + bytes((octet,)) for octet, kind in _TYPES.items()}


def _fast_control(message: RicControlRequest) -> bytes | None:
    """Write a control request of ordinary size; None where the long way must look at it."""
    request, process, ack = message.request_id, message.call_process_id, _ACKS[message.ack_request]
    if len(message.header) + len(message.message) + len(process or b"") > _FAST_OCTETS:
        return None
    if not 0 <= message.function_id <= 4095:
        return None
    try:
        ids = _IDS.pack(_MARKS[0], request.requestor, request.instance, _MARKS[1], message.function_id)
    except StructError:
        return None
    count = 4 + (process is not None) + (message.ack_request is not None)
    body = b"".join(
        (
            bytes((0, 0, count)),
            ids,
            b"" if process is None else b"\0\x14\0" + _in_open_type(process),
            b"\0\x16\0",
            _in_open_type(message.header),
            b"\0\x17\0",
            _in_open_type(message.message),
            ack,
        )
    )
    return b"\0\4\0" + _length(len(body)) + body


def _fast_report(message: RicIndication) -> bytes | None:
    """Write an indication of ordinary size; None where the long way must look at it."""
    request, process, sn = message.request_id, message.call_process_id, message.sn
    if len(message.header) + len(message.message) + len(process or b"") > _FAST_OCTETS:
        return None
    if not (0 <= message.function_id <= 4095 and 0 <= message.action_id <= 255):
        return None
    try:
        ids = _IDS.pack(_MARKS[0], request.requestor, request.instance, _MARKS[1], message.function_id)
        number = b"" if sn is None else _MARKS[3] + sn.to_bytes(2, "big")
    except (StructError, OverflowError):
        return None
    count = 6 + (process is not None) + (sn is not None)
    body = b"".join(
        (
            bytes((0, 0, count)),
            ids,
            _MARKS[2],
            bytes((message.action_id,)),
            number,
            _KINDS[message.type],
            _MARKS[5],
            _in_open_type(message.header),
            b"\0\x1a\0",
            _in_open_type(message.message),
            b"" if process is None else b"\0\x14\0" + _in_open_type(process),
        )
    )
    return b"\0\5\x40" + _length(len(body)) + body


def _in_open_type(value: bytes) -> bytes:
    """An OCTET STRING's encoding behind its open type's length."""
    size = len(value)
    if size < 0x7F:
        return bytes((size + 1, size)) + value
    inner = _length(size) + value
    return _length(len(inner)) + inner


def _length(count: int) -> bytes:
    """A length determinant below 16 K."""
    return bytes((count,)) if count < 0x80 else (0x8000 | count).to_bytes(2, "big")
