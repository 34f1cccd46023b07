import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.e2.ccc.control import decode_control_header, decode_control_message, encode_control_outcome
from oran.e2.ccc.messages import (
    AcceptedChange,
    CellOutcome,
    ControlOutcome,
    FailedChange,
    PolicyMember,
    RrmPolicyRatioAttributes,
)
from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import ControlAckRequest, RicControlRequest, RicRequestId
from oran.e2.identity import EutraCgi, GnbDuUeId, NrCgi, UeId
from oran.e2.rc.control import CONTROL_HEADER, ControlHeader
from oran.e2.rc.slice_quota import NO_SD, decode_slice_prb_quota_message
from oran.slices import RrmPolicyRatio, SNssai
from tests.xapps.slicing.cells import CELL, NODE, THREE
from xapps.slicing.config import ControlKind
from xapps.slicing.control import ControlLedger, ControlTarget, all_accepted, old_policy, requests
from xapps.slicing.errors import ControlError

PLMN = ("001", "01")
POLICY = tuple(RrmPolicyRatio(name, 1, low, 100) for name, low in zip(THREE, (20, 50, 30), strict=True))
OLD = tuple(RrmPolicyRatio(name, 0, 33, 100) for name in THREE)
UES: dict[UeId, int] = {GnbDuUeId(41): 0, GnbDuUeId(42): 1, GnbDuUeId(43): 1}


def target(kind: ControlKind, cell: NrCgi | EutraCgi | None = CELL) -> ControlTarget:
    return ControlTarget(NODE, cell, kind, 4, PLMN)


def control(payload: bytes) -> RicControlRequest:
    message = decode(payload)
    assert isinstance(message, RicControlRequest)
    assert message.request_id == RicRequestId(123, 7)
    assert message.function_id == 4
    assert message.ack_request is ControlAckRequest.ACK
    return message


def test_ccc_sends_one_message_with_old_and_new_values_of_each_slice() -> None:
    (payload,) = requests(target(ControlKind.CCC), POLICY, OLD, {}, 7)
    message = control(payload)
    assert decode_control_header(message.header) == 2
    (cell,) = decode_control_message(message.message)
    assert cell.cell == CELL
    for change, old, new in zip(cell.changes, OLD, POLICY, strict=True):
        assert change.new.members == (PolicyMember("001", "01", new.slice.sst, new.slice.sd),)
        assert (change.new.dedicated, change.new.min, change.new.max) == (new.dedicated, new.min, new.max)
        assert (change.old.dedicated, change.old.min, change.old.max) == (old.dedicated, old.min, old.max)


def test_rc_sends_one_message_with_all_slices() -> None:
    (payload,) = requests(target(ControlKind.RC_CELL, None), POLICY, OLD, UES, 7)
    quotas = decode_slice_prb_quota_message(control(payload).message)
    assert [(item.sst, item.sd, item.min_percent) for item in quotas] == [(1, 1, 20), (2, 1, 50), (3, 1, 30)]


def test_rc_per_ue_sends_each_ue_its_slice_alone_and_what_falls_first() -> None:
    messages = [control(payload) for payload in requests(target(ControlKind.RC_UE, None), POLICY, OLD, UES, 7)]
    told: dict[UeId, int] = {}
    for message in messages:
        header = CONTROL_HEADER.decode(message.header)
        assert isinstance(header, ControlHeader)
        assert (header.style, header.action) == (2, 6)
        (quota,) = decode_slice_prb_quota_message(message.message)
        assert quota.sst == THREE[UES[header.ue]].sst
        told[header.ue] = quota.min_percent
    assert told == {ue: POLICY[index].min for ue, index in UES.items()}
    assert list(told.values()) == [20, 50, 50]
    back = [control(payload) for payload in requests(target(ControlKind.RC_UE, None), OLD, POLICY, UES, 7)]
    assert [decode_slice_prb_quota_message(message.message)[0].sst for message in back] == [2, 2, 1]


def test_a_slice_without_differentiator_says_so() -> None:
    plain = (RrmPolicyRatio(SNssai(1), 0, 50, 100),)
    (payload,) = requests(target(ControlKind.RC_CELL, None), plain, plain, UES, 7)
    assert decode_slice_prb_quota_message(control(payload).message)[0].sd == NO_SD


@pytest.mark.parametrize("cell", [None, EutraCgi(bytes(3), 5)])
def test_ccc_refuses_a_cell_it_cannot_name(cell: EutraCgi | None) -> None:
    with pytest.raises(ControlError, match="needs an NR cell"):
        requests(target(ControlKind.CCC, cell), POLICY, OLD, {}, 7)


def attributes(item: RrmPolicyRatio) -> RrmPolicyRatioAttributes:
    member = PolicyMember("001", "01", item.slice.sst, item.slice.sd)
    return RrmPolicyRatioAttributes("PRB_DL", (member,), item.max, item.min, item.dedicated)


def outcome(count: int = 3, failed: int = 0) -> bytes:
    pairs = list(zip(OLD, POLICY, strict=True))
    accepted = tuple(AcceptedChange(attributes(old), attributes(new)) for old, new in pairs[failed:count])
    lost = tuple(FailedChange(attributes(old), attributes(new), "NotAvailable") for old, new in pairs[:failed])
    return encode_control_outcome(ControlOutcome((CellOutcome(CELL, accepted, lost),)))


def test_an_outcome_tells_the_original_quotas() -> None:
    assert old_policy(target(ControlKind.CCC), outcome(), THREE) == OLD
    assert old_policy(target(ControlKind.CCC), outcome(count=2), THREE) is None
    assert old_policy(target(ControlKind.CCC, NrCgi(CELL.plmn, 9)), outcome(), THREE) is None


def test_a_slice_that_failed_is_seen() -> None:
    assert all_accepted(outcome())
    assert not all_accepted(outcome(failed=1))


@given(st.binary(max_size=200))
def test_any_outcome_is_read_or_refused(octets: bytes) -> None:
    with pytest.raises(ControlError):
        old_policy(target(ControlKind.CCC), octets, THREE)


def test_answers_belong_to_the_oldest_control_of_their_node_and_subscription() -> None:
    ledger = ControlLedger(timeout_s=1.0)
    mine = target(ControlKind.CCC)
    ledger.sent(mine, 7, POLICY, OLD, now_s=0.0)
    ledger.sent(mine, 7, OLD, POLICY, now_s=0.5)
    assert ledger.answered(NODE, 8) is None
    assert ledger.answered("other", 7) is None
    first = ledger.answered(NODE, 7)
    assert first is not None
    assert first.policy == POLICY
    assert ledger.expire(1.4) == []
    assert [late.policy for late in ledger.expire(1.5)] == [OLD]
    assert len(ledger) == 0


def test_a_node_that_never_answers_costs_no_more_memory() -> None:
    ledger = ControlLedger(timeout_s=1e9)
    for _ in range(10_000):
        ledger.sent(target(ControlKind.CCC), 7, POLICY, OLD, now_s=0.0)
    assert len(ledger) == 4096
    ledger.forget(NODE)
    assert len(ledger) == 0
