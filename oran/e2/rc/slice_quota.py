"""Slice-level PRB quota: E2SM-RC control style 2, action 6 (clauses 7.6.3 and 8.4.3.6).

The message is one list of policy groups, a group per slice:

  1 RRM Policy Ratio List > 2 RRM Policy Ratio Group > 3 RRM Policy > 5 Member List > 6 Member
      > 7 PLMN Identity, 8 S-NSSAI > 9 SST, 10 SD
    and beside 3 in the group: 11 Min, 12 Max, 13 Dedicated PRB Policy Ratio, in percent

Its bytes differ from one quota to the next in a few octets only. So a template is cut once from a message that
the general encoder made, to be filled in (2 us for three slices) and to be recognised when such a message comes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from oran.e2.errors import DecodeError, EncodeError
from oran.e2.identity import UeId, plmn_to_octets
from oran.e2.rc.control import CONTROL_HEADER, CONTROL_MESSAGE, ControlHeader, ControlMessage
from oran.e2.rc.parameters import (
    Element,
    KeyElement,
    Parameter,
    ParameterList,
    ParameterValue,
    RanValue,
    Structure,
)

STYLE = 2
"""Radio resource allocation control."""
ACTION = 6
"""Slice-level PRB quota."""

RATIO_LIST = 1
RATIO_GROUP = 2
POLICY = 3
MEMBER_LIST = 5
MEMBER = 6
PLMN_IDENTITY = 7
S_NSSAI = 8
SST = 9
SD = 10
MIN_RATIO = 11
MAX_RATIO = 12
DEDICATED_RATIO = 13

NO_SD = 0xFFFFFF
"""The SD that says that there is none (TS 23.003 28.4.2)."""


@dataclass(frozen=True, slots=True)
class SlicePrbQuota:
    """One slice's share of the PRBs, in whole percent; `plmn` as 3 BCD octets."""

    plmn: bytes
    sst: int
    sd: int
    min_percent: int
    max_percent: int
    dedicated_percent: int


def slice_prb_quota_message(quotas: Sequence[SlicePrbQuota]) -> ControlMessage:
    """The control message as a tree of RAN parameters."""
    return ControlMessage((Parameter(RATIO_LIST, ParameterList(tuple(map(_item, quotas)))),))


def _item(quota: SlicePrbQuota) -> Structure:
    slice_id = Structure(
        (
            Parameter(SST, Element(quota.sst.to_bytes(1, "big"))),
            Parameter(SD, Element(quota.sd.to_bytes(3, "big"))),
        )
    )
    member = Structure((Parameter(PLMN_IDENTITY, Element(quota.plmn)), Parameter(S_NSSAI, slice_id)))
    members = ParameterList((Structure((Parameter(MEMBER, member),)),))
    group = Structure(
        (
            Parameter(POLICY, Structure((Parameter(MEMBER_LIST, members),))),
            Parameter(MIN_RATIO, Element(quota.min_percent)),
            Parameter(MAX_RATIO, Element(quota.max_percent)),
            Parameter(DEDICATED_RATIO, Element(quota.dedicated_percent)),
        )
    )
    return Structure((Parameter(RATIO_GROUP, group),))


_HOLES = (b"\xd1\xd2\xd3", b"\xc1", b"\xe1\xe2\xe3", b"\x61", b"\x62", b"\x63")
"""Octets that stand for PLMN, SST, SD, min, max and dedicated in the message that is cut."""


def _cut() -> tuple[bytes, tuple[bytes, ...]]:
    """Cut the general encoder's message: what precedes the count, and what lies between the holes."""
    plmn, sst, sd, low, high, dedicated = _HOLES
    marked = SlicePrbQuota(plmn, sst[0], int.from_bytes(sd, "big"), low[0], high[0], dedicated[0])
    one = CONTROL_MESSAGE.encode(slice_prb_quota_message((marked,)))
    two = CONTROL_MESSAGE.encode(slice_prb_quota_message((marked, marked)))
    size = len(two) - len(one)
    head, item = one[:-size], one[-size:]
    pieces: list[bytes] = []
    for hole in _HOLES:
        before, _, item = item.partition(hole)
        pieces.append(before)
    return head[:-2], tuple(pieces)


_HEAD, (_PLMN, _SST, _SD, _MIN, _MAX, _DEDICATED) = _cut()
_ITEM = re.compile(
    b"".join(
        re.escape(piece) + b"(.{%d})" % len(hole)
        for piece, hole in zip((_PLMN, _SST, _SD, _MIN, _MAX, _DEDICATED), _HOLES, strict=True)
    ),
    re.DOTALL,
)
_MINS = {percent: _MIN + bytes((percent,)) for percent in range(101)}
_MAXES = {percent: _MAX + bytes((percent,)) for percent in range(101)}
_DEDICATEDS = {percent: _DEDICATED + bytes((percent,)) for percent in range(101)}


@cache
def _head(count: int) -> bytes:
    if not 1 <= count <= 65535:
        raise EncodeError(f"{count} slices; 1..65535 fit", field="RRM Policy Ratio List")
    return _HEAD + (count - 1).to_bytes(2, "big")


@lru_cache(maxsize=4096)
def _slice(plmn: bytes, sst: int, sd: int) -> bytes:
    if len(plmn) != 3:
        raise EncodeError(f"{len(plmn)} octets; 3 fit", field="PLMN Identity")
    if not 0 <= sst <= 0xFF:
        raise EncodeError(f"{sst} is outside 0..255", field="SST")
    if not 0 <= sd <= 0xFFFFFF:
        raise EncodeError(f"{sd} is outside 0..16777215", field="SD")
    return _PLMN + plmn + _SST + sst.to_bytes(1, "big") + _SD + sd.to_bytes(3, "big")


def encode_slice_prb_quota_message(quotas: Sequence[SlicePrbQuota]) -> bytes:
    """Encode the control message; EncodeError when a value is out of range.

    srsRAN's DU applies the first quota only, so it is sent one message per slice.
    """
    parts = [_head(len(quotas))]
    try:
        for quota in quotas:
            parts += (
                _slice(quota.plmn, quota.sst, quota.sd),
                _MINS[quota.min_percent],
                _MAXES[quota.max_percent],
                _DEDICATEDS[quota.dedicated_percent],
            )
    except KeyError as error:
        raise EncodeError(f"{error.args[0]} is outside 0..100", field="PRB Policy Ratio") from None
    return b"".join(parts)


@lru_cache(maxsize=4096)
def encode_slice_prb_quota_header(ue: UeId) -> bytes:
    """Encode the control header; the standard wants a UE even for a quota per slice."""
    return CONTROL_HEADER.encode(ControlHeader(ue, STYLE, ACTION))


def decode_slice_prb_quota_message(data: bytes) -> tuple[SlicePrbQuota, ...]:
    """Decode a control message of style 2, action 6; DecodeError where it is none.

    Read are the standard's form and the forms that nodes' own tests show: without the group or the member
    structure, with ids one lower from the member list on, and with PLMN, SST and SD as decimal text.
    """
    quick = _recognise(data)
    if quick is not None:
        return quick
    message = CONTROL_MESSAGE.decode(data)
    if not isinstance(message, ControlMessage):
        raise DecodeError("only format 1 is a PRB quota", field="ric-controlMessage-formats")
    for parameter in message.parameters:
        if parameter.id == RATIO_LIST and isinstance(parameter.value, ParameterList):
            return tuple(_read(item, f"1[{index}]") for index, item in enumerate(parameter.value.items))
    raise DecodeError("RRM Policy Ratio List is missing", field="ranP-List")


def _recognise(data: bytes) -> tuple[SlicePrbQuota, ...] | None:
    """Read a message that fills the template; None for any other, right or wrong."""
    start = len(_HEAD) + 2
    if not data.startswith(_HEAD) or len(data) < start:
        return None
    quotas: list[SlicePrbQuota] = []
    for _ in range(int.from_bytes(data[start - 2 : start], "big") + 1):
        found = _ITEM.match(data, start)
        if found is None:
            return None
        plmn, sst, sd, low, high, dedicated = found.groups()
        if low[0] > 100 or high[0] > 100 or dedicated[0] > 100:
            return None
        quotas.append(SlicePrbQuota(plmn, sst[0], int.from_bytes(sd, "big"), low[0], high[0], dedicated[0]))
        start = found.end()
    return tuple(quotas)


def _read(item: Structure, field: str) -> SlicePrbQuota:
    group = item.get(RATIO_GROUP)
    if isinstance(group, Structure):
        item, field = group, f"{field}.2"
    lowered = int(item.get(DEDICATED_RATIO) is None)
    policy = _structure(item.get(POLICY), f"{field}.3")
    members = policy.get(MEMBER_LIST - lowered)
    path = f"{field}.3.{MEMBER_LIST - lowered}"
    if not isinstance(members, ParameterList) or len(members.items) != 1:
        raise DecodeError("no list of one member", field=path)
    member = members.items[0]
    inner = member.get(MEMBER)
    if isinstance(inner, Structure) and member.get(PLMN_IDENTITY) is None:
        member = inner
    slice_id = _structure(member.get(S_NSSAI - lowered), f"{path}.{S_NSSAI - lowered}")
    plmn, textual = _plmn(_value(member, PLMN_IDENTITY - lowered, path), path)
    sd = slice_id.get(SD - lowered)
    return SlicePrbQuota(
        plmn,
        _number(_value(slice_id, SST - lowered, path), 1, textual, f"{path}.SST"),
        NO_SD if sd is None else _number(_value(slice_id, SD - lowered, path), 3, textual, f"{path}.SD"),
        _percent(item, MIN_RATIO - lowered, field),
        _percent(item, MAX_RATIO - lowered, field),
        _percent(item, DEDICATED_RATIO - lowered, field),
    )


def _structure(value: ParameterValue | None, field: str) -> Structure:
    if not isinstance(value, Structure):
        raise DecodeError("structure is missing", field=field)
    return value


def _value(structure: Structure, parameter_id: int, field: str) -> RanValue:
    value = structure.get(parameter_id)
    if not isinstance(value, Element | KeyElement) or value.value is None:
        raise DecodeError("value is missing", field=f"{field}.{parameter_id}")
    return value.value


def _percent(structure: Structure, parameter_id: int, field: str) -> int:
    value = _value(structure, parameter_id, field)
    if type(value) is not int or not 0 <= value <= 100:
        raise DecodeError(f"{value!r} is no integer in 0..100", field=f"{field}.{parameter_id}")
    return value


def _plmn(value: RanValue, field: str) -> tuple[bytes, bool]:
    """A PLMN from 3 BCD octets or from 5 or 6 digits; True when it is text."""
    if isinstance(value, bytes) and len(value) == 3:
        return value, False
    digits = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    if isinstance(digits, str):
        try:
            return plmn_to_octets(digits[:3], digits[3:]), True
        except ValueError:
            pass
    raise DecodeError(f"{value!r:.40} is no PLMN", field=f"{field}.PLMN")


def _number(value: RanValue, size: int, textual: bool, field: str) -> int:
    """An SST or SD from its octets, or from decimal text where the PLMN is text too."""
    if textual:
        digits = value.decode("ascii", "replace") if isinstance(value, bytes) else value
        if isinstance(digits, str) and digits.isascii() and digits.isdecimal() and len(digits) <= 8:
            number = int(digits)
            if number < 1 << size * 8:
                return number
    elif isinstance(value, bytes) and len(value) == size:
        return int.from_bytes(value, "big")
    raise DecodeError(f"{value!r:.40} is no number of {size} octets", field=field)
