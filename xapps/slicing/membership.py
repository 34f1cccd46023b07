"""Which slice a UE belongs to, where the node does not say so: the configured map of UEs to slices."""

from collections.abc import Callable
from fnmatch import fnmatchcase

from oran.e2.identity import GnbCuUpUeId, GnbDuUeId, GnbUeId, NgEnbDuUeId, UeId
from oran.slices import SNssai
from xapps.slicing.config import UeSlice
from xapps.slicing.reports import SliceOf

MAX_REMEMBERED = 65536
UNASKED = -1


def ue_slice_map(node: str, rules: tuple[UeSlice, ...], slices: tuple[SNssai, ...]) -> SliceOf:
    """A function that tells a UE's slice by the configured rules for a node; the first that names the UE holds."""
    ours = [
        (slices.index(SNssai.parse(rule.slice)), {bytes.fromhex(text) for text in rule.ran_ue_ids}, rule.ids)
        for rule in rules
        if fnmatchcase(node, rule.node)
    ]

    def find_slice(ue: UeId) -> int | None:
        number, ran_ue_id = _numbers(ue)
        for index, named, ranges in ours:
            if ran_ue_id in named or any(item.first <= number <= item.last for item in ranges):
                return index
        return None

    return _remembering(find_slice)


def _remembering(find_slice: SliceOf) -> SliceOf:
    """The same function with a bounded memory: it is asked for every UE in every report."""
    known: dict[UeId, int | None] = {}

    def look_up(ue: UeId) -> int | None:
        index = known.get(ue, UNASKED)
        if index == UNASKED:
            if len(known) >= MAX_REMEMBERED:
                known.clear()
            index = known[ue] = find_slice(ue)
        return index

    return look_up


_NUMBER: dict[type, Callable[..., int]] = {
    GnbDuUeId: lambda ue: ue.f1ap_id,
    GnbUeId: lambda ue: ue.f1ap_ids[0] if ue.f1ap_ids else ue.amf_ue_ngap_id,
    GnbCuUpUeId: lambda ue: ue.e1ap_id,
    NgEnbDuUeId: lambda ue: ue.w1ap_id,
}


def _numbers(ue: UeId) -> tuple[int, bytes | None]:
    number = _NUMBER.get(type(ue))
    return -1 if number is None else number(ue), getattr(ue, "ran_ue_id", None)
