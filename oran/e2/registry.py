"""The codecs of all E2 message types, by ASN.1 type name; loaded when first asked for."""

from difflib import get_close_matches
from functools import cache
from typing import Any, Protocol

from oran.e2.asn1_value import JsonValue
from oran.e2.errors import E2Error


class MessageCodec(Protocol):
    """A message type in all four directions: octets, value, JSON and back."""

    @property
    def decode(self) -> Any:
        """Octets to a value; DecodeError where they hold no such message."""

    @property
    def encode(self) -> Any:
        """A value to octets; EncodeError where it does not fit."""

    @property
    def to_asn1(self) -> Any:
        """A value to JSON."""

    @property
    def from_asn1(self) -> Any:
        """JSON to a value; EncodeError where it is none."""


@cache
def codecs(profile: str = "standard") -> dict[str, MessageCodec]:
    """Every codec by type name; `profile` names the dialect of E2SM-KPM (`oran.e2.kpm.profile.PROFILES`)."""
    from oran.e2.e2ap import asn1 as e2ap
    from oran.e2.kpm import asn1 as kpm
    from oran.e2.kpm.profile import PROFILES
    from oran.e2.rc import asn1 as rc

    if profile not in PROFILES:
        raise E2Error(f"KPM profile {profile!r} is none of {sorted(PROFILES)}")
    return {**e2ap.CODECS, **kpm.codecs(PROFILES[profile]), **rc.CODECS}


def codec_of(type_name: str, profile: str = "standard") -> MessageCodec:
    """The codec of a type; E2Error names near misses when there is none."""
    table = codecs(profile)
    if type_name in table:
        return table[type_name]
    near = get_close_matches(type_name, table, n=3, cutoff=0.4)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise E2Error(f"unknown type {type_name!r}{hint}")


def decode_to_json(type_name: str, data: bytes, profile: str = "standard") -> JsonValue:
    """Decode octets of a type to JSON; DecodeError where they hold no such message."""
    codec = codec_of(type_name, profile)
    shown: JsonValue = codec.to_asn1(codec.decode(data))
    return shown


def encode_from_json(type_name: str, value: JsonValue, profile: str = "standard") -> bytes:
    """Encode JSON of a type; EncodeError names what does not fit."""
    codec = codec_of(type_name, profile)
    data: bytes = codec.encode(codec.from_asn1(value))
    return data
