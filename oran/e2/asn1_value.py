"""How ASN.1 values look in JSON: the form that the message inspector prints and reads.

SEQUENCE is an object by component name, SEQUENCE OF a list, CHOICE `[alternative, value]`, OCTET STRING
`{"hex": ...}`, BIT STRING `[{"hex": ...}, bits]`, ENUMERATED its identifier, NULL `null`. A REAL that JSON
has no number for is the string "INF", "-INF" or "NaN" (ITU-T X.697 clause 25).
"""

import math

from oran.e2.errors import EncodeError

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
"""What `json.loads` returns."""

JsonObject = dict[str, JsonValue]

_REALS = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}


def octets(value: bytes) -> JsonValue:
    """An OCTET STRING as `{"hex": ...}`."""
    return {"hex": value.hex()}


def bits(value: int, count: int) -> JsonValue:
    """A BIT STRING of `count` bits, whose first bit is the most significant, padded right to whole octets."""
    size = (count + 7) // 8
    return [{"hex": (value << (size * 8 - count)).to_bytes(size, "big").hex()}, count]


def real(value: float) -> JsonValue:
    """A REAL as a number, or as a string where it is not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"


def choice(name: str, value: JsonValue) -> JsonValue:
    """A CHOICE as `[alternative, value]`."""
    return [name, value]


def as_octets(value: JsonValue, field: str, size: int | None = None) -> bytes:
    """Read an OCTET STRING back; EncodeError unless it is `{"hex": ...}` with `size` octets, where given."""
    text = as_text(as_object(value, field).get("hex"), field)
    try:
        content = bytes.fromhex(text)
    except ValueError:
        raise EncodeError("no hexadecimal digits", field=field) from None
    if size is not None and len(content) != size:
        raise EncodeError(f"{len(content)} octets; {size} fit", field=field)
    return content


def as_bits(value: JsonValue, field: str, count: int | None = None) -> tuple[int, int]:
    """Read a BIT STRING back as (value, bits); EncodeError unless it has `count` bits, where given."""
    if not isinstance(value, list) or len(value) != 2:
        raise EncodeError('a BIT STRING is [{"hex": ...}, bits]', field=field)
    content, size = as_octets(value[0], field), as_integer(value[1], field)
    if not 0 <= size <= len(content) * 8 or (count is not None and size != count):
        raise EncodeError(f"{size} bits in {len(content)} octets", field=field)
    return int.from_bytes(content, "big") >> (len(content) * 8 - size), size


def as_real(value: JsonValue, field: str) -> float:
    """Read a REAL back."""
    if isinstance(value, str) and value in _REALS:
        return _REALS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EncodeError("expected a number", field=field)
    try:
        return float(value)
    except OverflowError:
        raise EncodeError("number is out of range", field=field) from None


def as_choice(value: JsonValue, field: str) -> tuple[str, JsonValue]:
    """Read a CHOICE back as (alternative, value)."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        raise EncodeError("a CHOICE is [alternative, value]", field=field)
    return value[0], value[1]


def as_object(value: JsonValue, field: str) -> JsonObject:
    """Read a SEQUENCE back."""
    if not isinstance(value, dict):
        raise EncodeError("expected an object", field=field)
    return value


def as_list(value: JsonValue, field: str) -> list[JsonValue]:
    """Read a SEQUENCE OF back."""
    if not isinstance(value, list):
        raise EncodeError("expected a list", field=field)
    return value


def as_integer(value: JsonValue, field: str) -> int:
    """Read an INTEGER back."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise EncodeError("expected an integer", field=field)
    return value


def as_boolean(value: JsonValue, field: str) -> bool:
    """Read a BOOLEAN back."""
    if not isinstance(value, bool):
        raise EncodeError("expected true or false", field=field)
    return value


def as_text(value: JsonValue, field: str) -> str:
    """Read a character string or an ENUMERATED back."""
    if not isinstance(value, str):
        raise EncodeError("expected a string", field=field)
    return value
