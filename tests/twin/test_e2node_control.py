"""Slice quota control of a cell: all or nothing, every rule of TS 28.541 kept, the outcome tells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.ccc.control import decode_control_outcome, encode_control_header, encode_control_message
from oran.e2.ccc.messages import (
    Cause,
    CellControl,
    CellOutcome,
    PolicyChange,
    PolicyMember,
    RrmPolicyRatioAttributes,
)
from oran.e2.identity import GnbDuUeId, NrCgi, UeId, plmn_to_octets
from oran.e2.rc.control import CONTROL_HEADER, ControlHeader
from oran.e2.rc.slice_quota import (
    NO_SD,
    SlicePrbQuota,
    encode_slice_prb_quota_header,
    encode_slice_prb_quota_message,
)
from oran.slices import SNssai, valid
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.control import ControlResult, control_ccc, control_rc
from twin.e2node.errors import PolicyRefused

SLICES = (SNssai(1, 1), SNssai(2, 1), SNssai(3))
CONFIG = NodeConfig(slices=SLICES)
NOW = bytes(range(8))
SERVED = GnbDuUeId(5)


def cell() -> Cell:
    made = Cell(SLICES)
    made.ue_ids = frozenset({5, 6})
    return made


def attributes(index: int, ratios: tuple[int, int, int], **changes: object) -> RrmPolicyRatioAttributes:
    dedicated, low, high = ratios
    member = PolicyMember("001", "01", SLICES[index].sst, SLICES[index].sd)
    values: dict[str, object] = {"resource_type": "PRB_DL", "members": (member,)} | changes
    return RrmPolicyRatioAttributes(max=high, min=low, dedicated=dedicated, **values)  # type: ignore[arg-type]


def ccc(
    target: Cell, *wanted: RrmPolicyRatioAttributes, where: NrCgi = CONFIG.cell, style: int = 2
) -> ControlResult:
    changes = tuple(PolicyChange(attributes(0, (0, 0, 0)), item) for item in wanted)
    message = encode_control_message([CellControl(where, changes)])
    return control_ccc(CONFIG, target, encode_control_header(style), message, NOW)


def outcome(result: ControlResult) -> CellOutcome:
    assert result.outcome is not None
    decoded = decode_control_outcome(result.outcome)
    assert decoded.received == NOW
    (made,) = decoded.cells
    return made


def test_ccc_changes_the_ratios_and_tells_old_and_new() -> None:
    target = cell()
    wanted = attributes(0, (5, 60, 90)), attributes(2, (0, 7, 100))
    result = ccc(target, *wanted)
    assert result.cause is None
    assert target.ratios.tolist() == [[5, 60, 90], [0, 33, 100], [0, 7, 100]]
    made = outcome(result)
    assert [item.current for item in made.accepted] == list(wanted)
    assert [item.old for item in made.accepted] == [attributes(0, (0, 33, 100)), attributes(2, (0, 33, 100))]
    assert made.failed == ()


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        (attributes(0, (50, 40, 100)), Cause.SEMANTIC_ERROR),
        (attributes(0, (0, 60, 50)), Cause.SEMANTIC_ERROR),
        (attributes(0, (0, 35, 100)), Cause.SEMANTIC_ERROR),
        (attributes(0, (0, 1, 2), resource_type="PRB_UL"), Cause.NOT_SUPPORTED),
        (attributes(0, (0, 1, 2), members=()), Cause.NOT_SUPPORTED),
        (attributes(0, (0, 1, 2), members=(PolicyMember("001", "01", 9),)), Cause.NOT_AVAILABLE),
        (attributes(0, (0, 1, 2), members=(PolicyMember("001", "02", 1, 1),)), Cause.NOT_AVAILABLE),
    ],
)
def test_ccc_refuses_as_a_whole_and_says_which_and_why(wanted: RrmPolicyRatioAttributes, cause: Cause) -> None:
    target = cell()
    before = target.ratios.copy()
    result = ccc(target, attributes(1, (0, 33, 50)), wanted)
    assert str(result.cause) == "ricRequest/control-failed-to-execute"
    assert (target.ratios == before).all()
    made = outcome(result)
    assert made.accepted == ()
    assert [item.requested for item in made.failed] == [attributes(1, (0, 33, 50)), wanted]
    assert made.failed[1].cause == cause


def test_ccc_for_another_cell_or_style_is_refused() -> None:
    target = cell()
    foreign = NrCgi(CONFIG.plmn_octets, 77)
    result = ccc(target, attributes(0, (0, 10, 20)), where=foreign)
    assert outcome(result).failed[0].cause == Cause.NOT_AVAILABLE
    assert str(ccc(target, attributes(0, (0, 10, 20)), style=1).cause) == "ricRequest/action-not-supported"
    assert target.changes == 0


def test_ccc_naming_a_slice_twice_is_refused() -> None:
    target = cell()
    result = ccc(target, attributes(0, (0, 10, 20)), attributes(0, (0, 20, 30)))
    assert [item.cause for item in outcome(result).failed] == [Cause.INCOMPATIBLE_STATE, Cause.SEMANTIC_ERROR]
    assert target.changes == 0


def test_ccc_without_any_change_is_refused() -> None:
    assert ccc(cell()).cause is not None


@settings(deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_octets_are_refused_without_harm(header: bytes, message: bytes) -> None:
    target = cell()
    for made in (
        control_ccc(CONFIG, target, header, message, NOW),
        control_ccc(CONFIG, target, encode_control_header(), message, NOW),
        control_rc(CONFIG, target, header, message),
        control_rc(CONFIG, target, encode_slice_prb_quota_header(SERVED), message),
    ):
        assert made.cause is not None
    assert target.changes == 0


def quotas(*ratios: tuple[int, int, int]) -> list[SlicePrbQuota]:
    plmn = plmn_to_octets("001", "01")
    return [
        SlicePrbQuota(plmn, item.sst, NO_SD if item.sd is None else item.sd, low, high, dedicated)
        for item, (dedicated, low, high) in zip(SLICES, ratios, strict=False)
    ]


def rc(target: Cell, wanted: list[SlicePrbQuota], ue: UeId = SERVED) -> ControlResult:
    return control_rc(CONFIG, target, encode_slice_prb_quota_header(ue), encode_slice_prb_quota_message(wanted))


def test_rc_applies_one_or_several_groups_to_the_cell() -> None:
    target = cell()
    assert rc(target, quotas((0, 50, 80), (10, 20, 30), (0, 30, 30))).cause is None
    assert target.ratios.tolist() == [[0, 50, 80], [10, 20, 30], [0, 30, 30]]
    assert rc(target, quotas((1, 2, 3))).cause is None
    assert target.ratios[0].tolist() == [1, 2, 3]


def test_rc_wants_a_ue_that_is_served_and_slices_that_exist() -> None:
    target = cell()
    good = quotas((0, 10, 20))
    foreign = SlicePrbQuota(plmn_to_octets("999", "99"), 1, 1, 10, 20, 0)
    unknown = SlicePrbQuota(CONFIG.plmn_octets, 9, 1, 10, 20, 0)
    for wanted, ue in ((good, GnbDuUeId(7)), ([foreign], SERVED), ([unknown], SERVED), (good * 2, SERVED)):
        assert str(rc(target, wanted, ue).cause) == "ricRequest/control-failed-to-execute"
    assert str(rc(target, quotas((0, 90, 100), (0, 90, 100))).cause) == "ricRequest/control-failed-to-execute"
    handover = CONTROL_HEADER.encode(ControlHeader(SERVED, 3, 1))
    result = control_rc(CONFIG, target, handover, encode_slice_prb_quota_message(good))
    assert str(result.cause) == "ricRequest/action-not-supported"
    assert target.changes == 0


percent = st.integers(-10, 120)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), percent, percent, percent), max_size=8))
def test_whatever_is_asked_the_ratios_stay_valid(steps: list[tuple[int, int, int, int]]) -> None:
    target = cell()
    for index, *ratios in steps:
        before = target.ratios.copy()
        try:
            target.change({SLICES[index]: (ratios[0], ratios[1], ratios[2])})
        except PolicyRefused:
            assert (target.ratios == before).all()
        assert bool(valid(target.ratios))
    target.reset()
    assert (target.ratios == target.default).all()


GOOD_CCC = encode_control_message(
    [CellControl(CONFIG.cell, (PolicyChange(attributes(0, (0, 0, 0)), attributes(1, (5, 30, 60))),))]
)
GOOD_RC = encode_slice_prb_quota_message(quotas((0, 50, 80), (10, 20, 30)))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_controls_leave_valid_ratios(damage: list[tuple[int, int]]) -> None:
    target = cell()
    ccc_octets, rc_octets = bytearray(GOOD_CCC), bytearray(GOOD_RC)
    for place, value in damage:
        ccc_octets[place % len(ccc_octets)] = value
        rc_octets[place % len(rc_octets)] = value
    control_ccc(CONFIG, target, encode_control_header(), bytes(ccc_octets), NOW)
    control_rc(CONFIG, target, encode_slice_prb_quota_header(SERVED), bytes(rc_octets))
    assert bool(valid(target.ratios))


def test_the_default_can_be_given_and_must_be_valid() -> None:
    hard = np.full((3, 3), 33.0)
    target = Cell(SLICES, hard)
    target.change({SLICES[0]: (0, 0, 0)})
    target.reset()
    assert (target.ratios == hard).all()
    with pytest.raises(ValueError, match="no valid policy"):
        Cell(SLICES, np.full((3, 3), 50.0))
