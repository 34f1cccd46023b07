"""The KPM indication header (O-RAN.WG3.E2SM-KPM 8.2.1.3), in all the forms that nodes send.

The time stamp has 4 octets up to v2.03 and 8 from v3 on, and a node's advertised version does not tell which;
some nodes leave out the extension bit before each string. So a header is read in each form, and the form that
takes it in to its last octet is the right one.
"""

from oran.e2.aper import Reader, Writer
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.kpm.messages import IndicationHeader

STRINGS = (
    ("file_format_version", "fileFormatversion", 15),
    ("sender_name", "senderName", 400),
    ("sender_type", "senderType", 8),
    ("vendor_name", "vendorName", 32),
)
"""Attribute, component and longest length in the extension root."""

_FORMS = ((8, True), (4, True), (8, False), (4, False))
"""Octets of the time stamp, and whether strings carry their extension bit; the likelier first."""

_BARE = {5: 4, 9: 8}
"""Length of a header without strings to that of its time stamp."""


def decode_indication_header(data: bytes) -> IndicationHeader:
    """Decode an indication header; DecodeError when no form fits it."""
    stamp_octets = _BARE.get(len(data))
    if stamp_octets is not None and data[0] == 0:
        return IndicationHeader(data[1:])
    failure: DecodeError | None = None
    for stamp_octets, extensible in _FORMS:
        try:
            return _read(Reader(data), stamp_octets, extensible)
        except DecodeError as error:
            failure = failure or error
    raise failure or DecodeError("header has no known form", field="indicationHeader")


def _read(reader: Reader, stamp_octets: int, extensible: bool) -> IndicationHeader:
    outer = reader.bit("")
    if reader.bit("indicationHeader-formats"):
        reader.fail("alternative is unknown", "indicationHeader-formats")
    extended = reader.bit("")
    present = reader.bits(4, "")
    stamp = reader.octets(stamp_octets, "colletStartTime")
    texts: dict[str, str] = {}
    for index, (attribute, name, longest) in enumerate(STRINGS):
        if present >> (3 - index) & 1:
            text = reader.characters(name, 0, longest, extensible=extensible)
            if not text.isprintable():
                reader.fail("characters that cannot be printed", name)
            texts[attribute] = text
    for more in (extended, outer):
        if more:
            reader.extension_additions("")
    octets_left = len(reader.data) - (reader.position + 7) // 8
    if octets_left:
        reader.fail(f"{octets_left} octets follow the header", "")
    return IndicationHeader(stamp, **texts)


def encode_indication_header(header: IndicationHeader) -> bytes:
    """Encode an indication header in the standard's form; EncodeError when a value does not fit.

    The time stamp's length decides the version that the receiver must know.
    """
    stamp = header.collection_start
    if len(stamp) not in (4, 8):
        raise EncodeError(f"{len(stamp)} octets; 4 or 8 fit", field="colletStartTime")
    values = [(getattr(header, attribute), name, longest) for attribute, name, longest in STRINGS]
    writer = Writer()
    writer.bits(0, 3)
    for value, _, _ in values:
        writer.bit(value is not None)
    writer.octets(stamp)
    for value, name, longest in values:
        if value is not None:
            writer.characters(value, name, 0, longest, extensible=True)
    return writer.getvalue()
