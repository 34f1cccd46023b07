"""REAL: its contents octets, as BER has them and packed encoding takes over (ITU-T X.690 8.5 and 11.3)."""

import math


def real_from_octets(content: bytes) -> float:
    """Read the contents octets of a REAL in any of BER's forms (X.690 8.5); ValueError when malformed."""
    if not content:
        return 0.0
    first = content[0]
    if first & 0x80:
        return _binary_real(content)
    if first & 0x40:
        special = {0x40: math.inf, 0x41: -math.inf, 0x42: math.nan, 0x43: -0.0}
        if len(content) != 1 or first not in special:
            raise ValueError("REAL has an unknown special value")
        return special[first]
    text = content[1:].decode("ascii", "replace").replace(",", ".").strip()
    if first & 0x3F not in (1, 2, 3) or len(text) > 64 or "_" in text:
        raise ValueError("REAL has a malformed decimal form")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("REAL is out of range")
    return value


def _binary_real(content: bytes) -> float:
    first = content[0]
    exponent_octets, start = (first & 3) + 1, 1
    if exponent_octets == 4:
        if len(content) < 2:
            raise ValueError("REAL is truncated")
        exponent_octets, start = content[1], 2
    stop = start + exponent_octets
    if exponent_octets == 0 or stop >= len(content):
        raise ValueError("REAL is truncated")
    base_bits = (1, 3, 4, 0)[first >> 4 & 3]
    if base_bits == 0:
        raise ValueError("REAL has a reserved base")
    exponent = int.from_bytes(content[start:stop], "big", signed=True) * base_bits + (first >> 2 & 3)
    mantissa = int.from_bytes(content[stop:], "big")
    if mantissa == 0:
        return 0.0
    shift = mantissa.bit_length() - 1
    if exponent + shift > 1023 or len(content) > 64:
        raise ValueError("REAL is out of range")
    if exponent + shift < -1080:
        return 0.0
    try:
        value = math.ldexp(mantissa, exponent)
    except OverflowError:
        raise ValueError("REAL is out of range") from None
    return -value if first & 0x40 else value


def real_to_octets(value: float) -> bytes:
    """The canonical contents octets of a REAL (X.690 11.3.1)."""
    if value == 0.0:
        return b"" if math.copysign(1.0, value) > 0 else b"\x43"
    if not math.isfinite(value):
        return b"\x42" if math.isnan(value) else b"\x40" if value > 0 else b"\x41"
    numerator, denominator = abs(value).as_integer_ratio()
    exponent = 1 - denominator.bit_length()
    zeros = (numerator & -numerator).bit_length() - 1
    mantissa, exponent = numerator >> zeros, exponent + zeros
    width = 1 if -128 <= exponent <= 127 else 2
    head = 0x80 | (0x40 if value < 0 else 0) | (width - 1)
    size = (mantissa.bit_length() + 7) // 8
    return bytes((head,)) + exponent.to_bytes(width, "big", signed=True) + mantissa.to_bytes(size, "big")
