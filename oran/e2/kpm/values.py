"""Measured values on the wire: the inside of MeasurementRecord, by hand since it is most of every report.

A value is a CHOICE of INTEGER (0..4294967295), REAL, noValue and, since v5, notSatisfied. Integers and reals end
on an octet boundary, so nearly every value starts on one; the other two are a few bits and shift what follows.
Budget: 0.2 us a value each way.
"""

from collections.abc import Sequence
from itertools import islice
from math import frexp
from typing import NoReturn

from oran.e2.aper import Reader, Writer
from oran.e2.errors import DecodeError
from oran.e2.kpm.messages import Value
from oran.e2.real import real_from_octets, real_to_octets

_INTEGER, _REAL, _NO_VALUE = 0, 1, 2
"""The first three bits of a value: no extension, and the index of its alternative."""

_POWERS = tuple(2.0 ** (exponent - 256 if exponent >= 128 else exponent) for exponent in range(256))
"""2 to an exponent given as one octet in two's complement."""

_SMALL = tuple(bytes((0, value)) for value in range(256))
"""The integers of one octet, coded from an octet boundary."""


_EIGHT_MISSING = b"\x49\x24\x92"
_EIGHT_NONES = (None,) * 8
"""A run of noValue, which fills octets again after eight of them."""


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
        steps = iter(range(count))
        for _ in steps:
            if phase:
                if data[octet] << phase & 0x80:
                    octet, phase = _later_value(data, octet * 8 + phase, end), 0
                    unsatisfied.append(len(values))
                    append(None)
                else:
                    value, octet, phase = _shifted_value(data, octet, phase)
                    append(value)
                continue
            head = data[octet]
            if head & 0xE0 == 0x20:
                length = data[octet + 1]
                start, octet = octet + 2, octet + 2 + length
                if 3 <= length <= 9 and data[start] == 0x80:
                    append(from_bytes(data[start + 2 : octet], "big") * _POWERS[data[start + 1]])
                else:
                    append(_real_value(data, start, octet))
            elif head < 0x08:
                append(data[octet + 1])
                octet += 2
            elif head < 0x20:
                start, octet = octet + 1, octet + 2 + (head >> 3)
                append(from_bytes(data[start:octet], "big"))
            elif head < 0x60:
                if head == 0x49 and count - len(values) >= 8 and data.startswith(_EIGHT_MISSING, octet):
                    values += _EIGHT_NONES
                    octet += 3
                    next(islice(steps, 6, None), None)
                else:
                    append(None)
                    phase = 3
            elif head < 0x80:
                raise ValueError("alternative 3 is unknown")
            else:
                octet = _later_value(data, octet * 8, end)
                unsatisfied.append(len(values))
                append(None)
    except IndexError:
        _fail("message is truncated", len(values), octet)
    except (ValueError, DecodeError) as error:
        _fail(getattr(error, "reason", str(error)), len(values), octet)
    if octet * 8 + phase > end:
        _fail("message is truncated", len(values) - 1, octet)
    return values, unsatisfied, octet * 8 + phase


def _shifted_value(data: bytes, octet: int, phase: int) -> tuple[Value, int, int]:
    """Read a value that starts inside an octet: the value, and the octet and phase behind it."""
    following = data[octet + 1] if octet + 1 < len(data) else 0
    bits = (data[octet] << 8 | following) >> (11 - phase)
    kind = bits >> 2 & 7
    if kind == _INTEGER:
        start = octet + (phase + 12 >> 3)
        stop = start + (bits & 3) + 1
        return int.from_bytes(data[start:stop], "big"), stop, 0
    if kind == _REAL:
        start = octet + (phase + 10 >> 3)
        stop = start + 1 + data[start]
        return _real_value(data, start + 1, stop), stop, 0
    if kind == _NO_VALUE:
        return None, octet + (phase + 3 >> 3), phase + 3 & 7
    raise ValueError("alternative 3 is unknown")


def _real_value(data: bytes, start: int, stop: int) -> float:
    """The REAL whose contents are octets `start` to `stop`."""
    if stop > len(data):
        raise IndexError
    return real_from_octets(data[start:stop])


def _later_value(data: bytes, position: int, end: int) -> int:
    """Read an alternative behind the extension marker: notSatisfied. Returns the octet behind it."""
    reader = Reader(data, position + 1)
    reader.end = end
    alternative = reader.small_number("")
    reader.open_type("")
    if alternative != 0:
        raise ValueError(f"alternative {3 + alternative} is unknown")
    return reader.position >> 3


def _fail(reason: str, index: int, octet: int) -> NoReturn:
    raise DecodeError(reason, field=f"measRecord[{index}]", bit_offset=octet * 8) from None


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
    if not fraction or not -1.0 < fraction < 1.0 or not -70 <= exponent <= 120:
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
