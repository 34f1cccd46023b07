"""Format 3 as a table: what a RIC makes of nearly all it receives, without objects for each UE.

A node lists the same measurements for each of its UEs, so such a message is rows of numbers over one list. What
is out of the ordinary is left to `codec.decode_indication_message`, which says also what is wrong with a message.
Budget: 0.15 ms for 33 UEs with 7 named measurements.
"""

from dataclasses import dataclass

from oran.e2.errors import DecodeError
from oran.e2.identity import UeId
from oran.e2.kpm.messages import Value
from oran.e2.kpm.profile import STANDARD, NodeProfile
from oran.e2.kpm.reports import du_ue, find_tail
from oran.e2.kpm.templates import Infos, Template
from oran.e2.kpm.values import read_values


@dataclass(frozen=True, slots=True)
class UeTable:
    """UEs that report the same measurements, one complete period each."""

    ues: tuple[UeId, ...]
    values: list[Value]
    """The UEs' values one after the other, as many for each."""
    info: Infos
    granularity_ms: int | None


def decode_ue_table(data: bytes, profile: NodeProfile = STANDARD) -> UeTable | None:
    """Decode a format 3 message of the ordinary form; None for any other message, and for one that is malformed.

    Ordinary is: each UE has a gNB-DU-UEID without RAN UE id, and one complete record of 1 to 127 values, as many
    as the others, over the same list of measurements.
    """
    try:
        return _read_table(data, profile.extensions_in_root)
    except (IndexError, DecodeError):
        return None


def _read_table(data: bytes, in_root: bool) -> UeTable | None:
    begin = _begin_in_root(data) if in_root else _begin_as_extension(data)
    if begin is None:
        return None
    octet, stop = begin
    if stop > len(data):
        return None
    count = (data[octet] << 8 | data[octet + 1]) + 1
    octet += 2
    ues: list[UeId] = []
    values: list[Value] = []
    tail: Template | None = None
    for _ in range(count):
        # The UE's item and id, its report with a list, one record, complete: all these bits stand in place.
        head = data[octet]
        at = octet + 3 + ((head & 1) << 1 | data[octet + 1] >> 7)
        if head & 0xFE != 0x08 or data[at] & 0xC0 != 0x40 or data[at + 1] or data[at + 2] or data[at + 3] & 0xC0:
            return None
        width = data[at + 4]
        row, unsatisfied, position = read_values(data, at * 8 + 40, stop * 8, width)
        if unsatisfied or not 0 < width < 0x80 or len(ues) * width != len(values):
            return None
        ues.append(du_ue(int.from_bytes(data[octet + 2 : at], "big")))
        values += row
        octet = position + 7 >> 3
        has_period = data[at] & 0x20 != 0
        if tail is None or has_period != (tail.granularity_ms is not None) or not tail.matches(data, octet):
            found = find_tail(data, octet, stop * 8, has_period)
            same = tail is None or (found.info == tail.info and found.granularity_ms == tail.granularity_ms)
            # With spare bits the next UE does not begin on an octet boundary.
            if found.spare_bits or not same:
                return None
            tail = found
        octet += len(tail.octets)
    if octet != stop or data.count(0, stop) != len(data) - stop or tail is None:
        return None
    return UeTable(tuple(ues), values, tail.info, tail.granularity_ms)


def _begin_as_extension(data: bytes) -> tuple[int, int] | None:
    """Where the list of UEs begins and ends as the standard codes it: in an open type."""
    if data[0] != 0x40 or data[1] & 0x80:
        return None
    length = data[2]
    begin = 3
    if length & 0x80:
        if length & 0x40:
            return None
        length = (length & 0x3F) << 8 | data[3]
        begin = 4
    return None if data[begin] & 0x80 else (begin + 1, begin + length)


def _begin_in_root(data: bytes) -> tuple[int, int] | None:
    """Where the list of UEs begins and ends as FlexRIC codes it."""
    return (1, len(data)) if data[0] & 0xF8 == 0x20 else None
