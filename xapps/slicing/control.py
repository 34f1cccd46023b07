"""E2 control of a cell's quotas: which messages say a policy to a node, and what became of those sent.

A node that offers E2SM-CCC gets O-RRMPolicyRatio for its cell; another E2SM-RC style 2 action 6, either one
message with all slices or, for a DU that applies it per UE, one message per UE with its slice's quota.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from oran.e2.ccc.control import any_failed, decode_control_outcome, encode_control_header, encode_control_message
from oran.e2.ccc.messages import CellControl, PolicyChange, PolicyMember, RrmPolicyRatioAttributes
from oran.e2.e2ap.codec import encode
from oran.e2.e2ap.messages import ControlAckRequest, RicControlRequest, RicRequestId
from oran.e2.errors import DecodeError
from oran.e2.identity import CellGlobalId, GnbDuUeId, NrCgi, UeId, plmn_to_octets
from oran.e2.rc.slice_quota import (
    NO_SD,
    SlicePrbQuota,
    encode_slice_prb_quota_header,
    encode_slice_prb_quota_message,
)
from oran.slices import RrmPolicyRatio, SNssai
from xapps.slicing.config import ControlKind
from xapps.slicing.errors import ControlError
from xapps.slicing.reports import without_wildcard

RIC_REQUESTOR = 123
"""The requestor id that an OSC RIC gives every xApp; answers are routed by the instance id beside it."""

MAX_OUTSTANDING = 4096
"""Controls of one node that may wait for an answer; a node that never answers costs no more memory."""

Policy = tuple[RrmPolicyRatio, ...]


class Outcome(Enum):
    """What became of a control."""

    SENT = "sent"
    ACKED = "acked"
    FAILED = "failed"
    """The node refused it."""
    TIMEOUT = "timeout"
    UNSENT = "unsent"
    """There was no route, or the connection was down or full."""
    DRY_RUN = "dry_run"
    """It would have been sent."""


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """How one cell is controlled. `kind` is any but AUTO; CCC needs an NR cell."""

    node: str
    cell: CellGlobalId | None
    kind: ControlKind
    function_id: int
    plmn: tuple[str, str]


def requests(
    target: ControlTarget, policy: Policy, old: Policy, ues: Mapping[UeId, int], instance: int
) -> tuple[bytes, ...]:
    """The E2AP control requests that bring a policy into force; none where RC per UE knows no UE.

    `old` is the policy thought to be in force, `ues` each UE's index into the policy, `instance` the id of a
    subscription to the same node, by which its answers find back. Raises ControlError for a cell CCC cannot name.
    """
    if target.kind is ControlKind.CCC:
        parts: Iterable[tuple[bytes, bytes]] = ((encode_control_header(), _ccc_message(target, policy, old)),)
    elif target.kind is ControlKind.RC_UE:
        parts = _per_ue(target, policy, old, ues)
    else:
        quotas = [_quota(target, item) for item in policy]
        any_ue = next(iter(ues), GnbDuUeId(0))
        parts = ((encode_slice_prb_quota_header(any_ue), encode_slice_prb_quota_message(quotas)),)
    request_id = RicRequestId(RIC_REQUESTOR, instance)
    return tuple(
        encode(RicControlRequest(request_id, target.function_id, header, message, ControlAckRequest.ACK))
        for header, message in parts
    )


def _per_ue(
    target: ControlTarget, policy: Policy, old: Policy, ues: Mapping[UeId, int]
) -> Iterator[tuple[bytes, bytes]]:
    """What falls goes first, so that the min ratios never sum to more than 100 in between."""
    messages = [encode_slice_prb_quota_message([_quota(target, item)]) for item in policy]
    before = {item.slice: item.min for item in old}
    rises = [item.min - before.get(item.slice, item.min) for item in policy]
    for ue, index in sorted(ues.items(), key=lambda item: rises[item[1]]):
        yield encode_slice_prb_quota_header(ue), messages[index]


def _quota(target: ControlTarget, item: RrmPolicyRatio) -> SlicePrbQuota:
    sd = NO_SD if item.slice.sd is None else item.slice.sd
    return SlicePrbQuota(plmn_to_octets(*target.plmn), item.slice.sst, sd, item.min, item.max, item.dedicated)


def _ccc_message(target: ControlTarget, policy: Policy, old: Policy) -> bytes:
    if not isinstance(target.cell, NrCgi):
        raise ControlError(f"E2SM-CCC needs an NR cell, and {target.node} has {target.cell}")
    before = {item.slice: item for item in old}
    changes = tuple(
        PolicyChange(_attributes(target, before.get(item.slice, item)), _attributes(target, item))
        for item in policy
    )
    return encode_control_message((CellControl(target.cell, changes),))


def _attributes(target: ControlTarget, item: RrmPolicyRatio) -> RrmPolicyRatioAttributes:
    member = PolicyMember(*target.plmn, item.slice.sst, item.slice.sd)
    return RrmPolicyRatioAttributes("PRB_DL", (member,), item.max, item.min, item.dedicated)


def old_policy(target: ControlTarget, outcome: bytes, slices: tuple[SNssai, ...]) -> Policy | None:
    """The quotas that a CCC outcome says were in force before, None when it does not tell all slices'.

    Raises ControlError when the outcome cannot be read.
    """
    try:
        cells = decode_control_outcome(outcome).cells
    except DecodeError as error:
        raise ControlError(f"outcome of {target.node}: {error}") from error
    found: dict[SNssai, RrmPolicyRatio] = {}
    for change in (change for cell in cells if cell.cell == target.cell for change in cell.accepted):
        for member in change.old.members:
            try:
                name = without_wildcard(SNssai(member.sst, member.sd))
                found[name] = RrmPolicyRatio(name, change.old.dedicated, change.old.min, change.old.max)
            except ValueError as error:
                raise ControlError(f"old values of {target.node}: {error}") from error
    if not all(without_wildcard(name) in found for name in slices):
        return None
    known = (found[without_wildcard(name)] for name in slices)
    return tuple(
        RrmPolicyRatio(name, item.dedicated, item.min, item.max) for name, item in zip(slices, known, strict=True)
    )


def all_accepted(outcome: bytes) -> bool:
    """Whether a CCC outcome accepts all that was asked; raises ControlError when it cannot be read."""
    try:
        return not any_failed(outcome)
    except DecodeError as error:
        raise ControlError(f"outcome: {error}") from error


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A control that waits for its answer."""

    target: ControlTarget
    policy: Policy
    old: Policy
    deadline_s: float


class ControlLedger:
    """Controls that wait for an answer, per node and request instance, in the order they were sent.

    Answers carry no more than those ids, and a node answers in order, so an answer belongs to the oldest.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._waiting: dict[tuple[str, int], deque[Outstanding]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def sent(self, target: ControlTarget, instance: int, policy: Policy, old: Policy, now_s: float) -> None:
        """Note a control that left; the oldest is forgotten where a node owes too many answers."""
        queue = self._waiting.setdefault((target.node, instance), deque(maxlen=MAX_OUTSTANDING))
        queue.append(Outstanding(target, policy, old, now_s + self._timeout_s))

    def answered(self, node: str, instance: int) -> Outstanding | None:
        """Take out the control that an answer belongs to; None when none waits."""
        queue = self._waiting.get((node, instance))
        if not queue:
            return None
        oldest = queue.popleft()
        if not queue:
            del self._waiting[node, instance]
        return oldest

    def expire(self, now_s: float) -> list[Outstanding]:
        """Take out the controls whose answer is overdue."""
        late: list[Outstanding] = []
        for key, queue in list(self._waiting.items()):
            while queue and queue[0].deadline_s <= now_s:
                late.append(queue.popleft())
            if not queue:
                del self._waiting[key]
        return late

    def forget(self, node: str) -> None:
        """Drop what a node that has gone will not answer."""
        for key in [key for key in self._waiting if key[0] == node]:
            del self._waiting[key]
