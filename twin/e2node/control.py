"""Slice quota control: E2SM-CCC O-RRMPolicyRatio and E2SM-RC style 2 action 6, carried out on the node's cell."""

from dataclasses import dataclass

from oran.e2.ccc.control import decode_control_header, decode_control_message, encode_control_outcome
from oran.e2.ccc.messages import (
    CELL_LEVEL,
    AcceptedChange,
    CellControl,
    CellOutcome,
    ControlOutcome,
    FailedChange,
    PolicyChange,
    RrmPolicyRatioAttributes,
)
from oran.e2.ccc.messages import Cause as CccCause
from oran.e2.e2ap.messages import Cause
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.identity import GnbDuUeId
from oran.e2.rc import slice_quota as quota
from oran.e2.rc.control import CONTROL_HEADER, ControlHeader
from oran.slices import RrmPolicyRatio, SNssai
from twin.e2node.cell import Cell
from twin.e2node.conditions import normal
from twin.e2node.config import NodeConfig
from twin.e2node.errors import PolicyRefused, Refused

DOWNLINK = "PRB_DL"
_NOT_UNDERSTOOD = Cause("ricRequest", "control-message-invalid")
_NOT_SUPPORTED = Cause("ricRequest", "action-not-supported")
_NOT_EXECUTED = Cause("ricRequest", "control-failed-to-execute")


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What became of a control: `cause` is None when it was carried out; `outcome` as the service model has it."""

    outcome: bytes | None = None
    cause: Cause | None = None
    reason: str = ""


def control_ccc(config: NodeConfig, cell: Cell, header: bytes, message: bytes, received: bytes) -> ControlResult:
    """Carry out a CCC control: all its changes or none; the outcome tells of each. `received` is NTP time."""
    try:
        style = decode_control_header(header)
        cells = decode_control_message(message)
    except DecodeError as error:
        return ControlResult(cause=_NOT_UNDERSTOOD, reason=str(error))
    if style != CELL_LEVEL:
        return ControlResult(cause=_NOT_SUPPORTED, reason=f"CCC style {style} is not offered")
    before = {normal(item.slice): item for item in cell.policy}
    failures: dict[tuple[int, int], CccCause] = {}
    changes: dict[SNssai, tuple[int, int, int]] = {}
    place: dict[SNssai, tuple[int, int]] = {}
    for row, control in enumerate(cells):
        for column, change in enumerate(control.changes):
            fault = _fault(config, control, change, before)
            slice_id = _slice(change.new)
            if fault is None and slice_id in place:
                fault = CccCause.SEMANTIC_ERROR
            if fault is not None:
                failures[row, column] = fault
                continue
            place[slice_id] = row, column
            changes[before[slice_id].slice] = (change.new.dedicated, change.new.min, change.new.max)
    if not failures:
        try:
            cell.change(changes)
        except PolicyRefused as error:
            failures = {place[normal(slice_id)]: why for slice_id, why in error.causes.items()}
            if not failures:
                return ControlResult(cause=_NOT_UNDERSTOOD, reason=str(error))
    outcome = _ccc_outcome(cells, before, failures, received)
    if failures:
        reason = ", ".join(sorted({str(cause) for cause in failures.values()}))
        return ControlResult(outcome, _NOT_EXECUTED, reason)
    return ControlResult(outcome)


def control_rc(config: NodeConfig, cell: Cell, header: bytes, message: bytes) -> ControlResult:
    """Carry out an RC slice quota on the whole cell, all its groups or none.

    The standard names a UE in the header even for a quota of a slice: it must be one that the cell serves.
    """
    try:
        head = CONTROL_HEADER.decode(header)
        if not isinstance(head, ControlHeader) or (head.style, head.action) != (quota.STYLE, quota.ACTION):
            return ControlResult(cause=_NOT_SUPPORTED, reason="only style 2 action 6 is offered")
        quotas = quota.decode_slice_prb_quota_message(message)
    except DecodeError as error:
        return ControlResult(cause=_NOT_UNDERSTOOD, reason=str(error))
    if not isinstance(head.ue, GnbDuUeId) or head.ue.f1ap_id not in cell.ue_ids:
        return ControlResult(cause=_NOT_EXECUTED, reason="the UE is not served here")
    own = {normal(item): item for item in cell.slices}
    changes: dict[SNssai, tuple[int, int, int]] = {}
    for item in quotas:
        slice_id = own.get(normal(SNssai(item.sst, item.sd)))
        if slice_id is None or item.plmn != config.plmn_octets or slice_id in changes:
            return ControlResult(cause=_NOT_EXECUTED, reason="a slice is unknown or named twice")
        changes[slice_id] = (item.dedicated_percent, item.min_percent, item.max_percent)
    try:
        cell.change(changes)
    except Refused as error:
        return ControlResult(cause=error.cause, reason=str(error))
    return ControlResult()


def _slice(attributes: RrmPolicyRatioAttributes) -> SNssai:
    member = attributes.members[0] if attributes.members else None
    return SNssai(0) if member is None else normal(SNssai(member.sst, member.sd))


def _fault(
    config: NodeConfig, control: CellControl, change: PolicyChange, own: dict[SNssai, RrmPolicyRatio]
) -> CccCause | None:
    """Why a change cannot be meant for this cell; None when it can."""
    if control.cell != config.cell:
        return CccCause.NOT_AVAILABLE
    if change.new.resource_type != DOWNLINK or len(change.new.members) != 1:
        return CccCause.NOT_SUPPORTED
    member = change.new.members[0]
    if (member.mcc, member.mnc) != config.mcc_mnc or _slice(change.new) not in own:
        return CccCause.NOT_AVAILABLE
    return None


def _ccc_outcome(
    cells: tuple[CellControl, ...],
    before: dict[SNssai, RrmPolicyRatio],
    failures: dict[tuple[int, int], CccCause],
    received: bytes,
) -> bytes | None:
    """The outcome: all accepted, or all failed; those without a fault of their own failed with the others."""
    outcomes = []
    for row, control in enumerate(cells):
        accepted: list[AcceptedChange] = []
        failed: list[FailedChange] = []
        for column, change in enumerate(control.changes):
            held = before.get(_slice(change.new))
            old = change.old if held is None else _attributes(change.new, held)
            if failures:
                cause = failures.get((row, column), CccCause.INCOMPATIBLE_STATE)
                failed.append(FailedChange(old, change.new, cause))
            else:
                accepted.append(AcceptedChange(old, change.new, received))
        outcomes.append(CellOutcome(control.cell, tuple(accepted), tuple(failed)))
    try:
        return encode_control_outcome(ControlOutcome(tuple(outcomes), received))
    except EncodeError:
        return None


def _attributes(like: RrmPolicyRatioAttributes, held: RrmPolicyRatio) -> RrmPolicyRatioAttributes:
    return RrmPolicyRatioAttributes(like.resource_type, like.members, held.max, held.min, held.dedicated)
