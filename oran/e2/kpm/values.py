"""Measured values on the wire: the inside of MeasurementRecord, by hand since it is most of every report.

A value is a CHOICE of INTEGER (0..4294967295), REAL, noValue and, since v5, notSatisfied. Integers and reals end
on an octet boundary, so nearly every value starts on one; the other two are a few bits and shift what follows.
Budget: 0.2 us a value each way.
"""

from collections.abc import Sequence
from math import frexp
from typing import NoReturn

from oran.e2.aper import Reader, Writer, real_from_octets, real_to_octets
from oran.e2.errors import DecodeError
from oran.e2.kpm.messages import Value

_INTEGER, _REAL, _NO_VALUE = 0, 1, 2
"""The first three bits of a value: no extension, and the index of its alternative."""

_POWERS = tuple(2.0 ** (exponent - 256 if exponent >= 128 else exponent) for exponent in range(256))
"""2 to an exponent given as one octet in two's complement."""

_SMALL = tuple(bytes((0, value)) for value in range(256))
"""The integers of one octet, coded from an octet boundary."""


def read_values(data: bytes, position: int, end: int, count: int) -> tuple[list[Value], list[int], int]:
    """Read `count` values from bit `position` of `data`, not beyond bit `end`.

    Returns the values, the indexes where notSatisfied stood, and the position behind the values. Raises
    DecodeError, naming the value, when one is malformed or cut off.
    """
    values: list[Value] = []
    unsatisfied: list[int] = []
    append = values.append
    from_bytes = int.from_bytes
    octet, phase = position >> 3, position & 7
    try:
        for _ in range(count):
            if phase:
                following = data[octet + 1] if octet + 1 < len(data) else 0
                bits = (data[octet] << 8 | following) >> (11 - phase)
                kind, length = bits >> 2 & 7, (bits & 3) + 1
                start = octet + (phase + (12 if kind == _INTEGER else 10)) // 8
            else:
                bits = data[octet]
                kind, length, start = bits >> 5, (bits >> 3 & 3) + 1, octet + 1
            if kind == _INTEGER:
                octet, phase = start + length, 0
                append(data[start] if length == 1 else from_bytes(data[start:octet], "big"))
            elif kind == _REAL:
                length = data[start]
                octet, phase = start + 1 + length, 0
                if 3 <= length <= 9 and data[start + 1] == 0x80:
                    append(from_bytes(data[start + 3 : octet], "big") * _POWERS[data[start + 2]])
                elif length < 0x80:
                    append(real_from_octets(data[start + 1 : octet]))
                else:
                    raise ValueError("REAL is too long")
            elif kind == _NO_VALUE:
                append(None)
                octet, phase = octet + (phase + 3 >> 3), phase + 3 & 7
            else:
                octet = _later_value(data, octet * 8 + phase, end)
                phase = 0
                unsatisfied.append(len(values))
                append(None)
            if octet * 8 + phase > end:
                values.pop()
                raise IndexError
    except IndexError:
        _fail("message is truncated", values, octet)
    except (ValueError, DecodeError) as error:
        _fail(getattr(error, "reason", str(error)), values, octet)
    return values, unsatisfied, octet * 8 + phase


def _later_value(data: bytes, position: int, end: int) -> int:
    """Read an alternative behind the extension marker: notSatisfied. Returns the octet behind it."""
    reader = Reader(data, position + 1)
    reader.end = end
    alternative = reader.small_number("")
    reader.open_type("")
    if alternative != 0:
        raise ValueError(f"alternative {3 + alternative} is unknown")
    return reader.position >> 3


def _fail(reason: str, values: Sequence[Value], octet: int) -> NoReturn:
    raise DecodeError(reason, field=f"measRecord[{len(values)}]", bit_offset=octet * 8) from None


def write_values(writer: Writer, values: Sequence[Value], unsatisfied: Sequence[int] = ()) -> None:
    """Write values; EncodeError, naming the value, when an integer does not fit in 32 bits or the type is none.

    `unsatisfied` are the indexes to write as notSatisfied.
    """
    buffer = writer.buffer
    for index, value in enumerate(values):
        if value is None:
            if index in unsatisfied:
                writer.bits(0x80, 8)
                writer.open_type(b"\0")
            else:
                writer.bits(_NO_VALUE, 3)
        elif isinstance(value, float):
            if writer.count:
                writer.bits(_REAL, 3)
                writer.align()
            else:
                buffer.append(_REAL << 5)
            buffer += _real(value)
        elif not isinstance(value, int):
            writer.fail(f"{value!r:.40} is no measured value", f"measRecord[{index}]")
        elif writer.count or value > 0xFFFF_FFFF or value < 0:
            writer.bits(_INTEGER, 3)
            writer.constrained(value, 0, 0xFFFF_FFFF, f"measRecord[{index}]")
        elif value < 256:
            buffer += _SMALL[value]
        else:
            length = (value.bit_length() + 7) >> 3
            buffer.append((length - 1) << 3)
            buffer += value.to_bytes(length, "big")


def _real(value: float) -> bytes:
    """A REAL with its length, in the canonical form of `real_to_octets`."""
    fraction, exponent = frexp(value)
    if fraction == 0.0 or fraction != fraction or not -70 <= exponent <= 120:
        content = real_to_octets(value)
        return bytes((len(content),)) + content
    head = 0x80
    if fraction < 0.0:
        head, fraction = 0xC0, -fraction
    mantissa = int(fraction * 9007199254740992.0)
    zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa >>= zeros
    size = (mantissa.bit_length() + 7) >> 3
    return bytes((size + 2, head, (exponent - 53 + zeros) & 0xFF)) + mantissa.to_bytes(size, "big")
