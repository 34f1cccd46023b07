"""Which slice a UE belongs to, where the node does not say so: the configured map of UEs to slices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from oran.e2.identity import GnbCuUpUeId, GnbDuUeId, GnbUeId, NgEnbDuUeId, UeId
from oran.slices import SNssai
from xapps.slicing.config import UeSlice

MAX_REMEMBERED = 65536
MAX_ROSTERS = 8
UNASKED = -1

SliceOf = Callable[[UeId], int | None]
"""Tells the index of a UE's slice, None for a UE of no slice of ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The UEs of a report, and which of them are of our slices."""

    ues: tuple[UeId, ...]
    """All, as they were reported."""
    members: Mapping[UeId, int]
    """Those of our slices, and the index of each one's slice."""
    names: frozenset[UeId]
    """The members alone."""
    rows: np.ndarray
    """Where in `ues` the members are."""
    owners: np.ndarray
    """The index of the slice of each of these rows."""

    @classmethod
    def of(cls, ues: tuple[UeId, ...], slice_of: SliceOf) -> "Roster":
        """Ask for the slice of each UE."""
        places = [(row, index) for row, ue in enumerate(ues) if (index := slice_of(ue)) is not None]
        rows, owners = np.array(places, dtype=np.intp).reshape(-1, 2).T
        members = {ues[row]: index for row, index in places}
        return cls(ues, members, frozenset(members), rows, owners)


class Rosters:
    """The rosters of one subscription's reports: a node names the same UEs in most of them."""

    def __init__(self, slice_of: SliceOf) -> None:
        self._slice_of = slice_of
        self._known: list[Roster] = []

    def of(self, ues: tuple[UeId, ...]) -> Roster:
        """The roster of these UEs."""
        for roster in self._known:
            if roster.ues == ues:
                return roster
        made = Roster.of(ues, self._slice_of)
        self._known = [made, *self._known[: MAX_ROSTERS - 1]]
        return made


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
