"""The slice PRB quota: its octets, its template against the general encoder and a second codec, its variants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.e2.errors import DecodeError, EncodeError
from oran.e2.identity import GnbDuUeId
from oran.e2.rc.control import CONTROL_HEADER, CONTROL_MESSAGE, ControlHeader, ControlMessage
from oran.e2.rc.parameters import Element, Parameter, ParameterList, Structure
from oran.e2.rc.slice_quota import (
    NO_SD,
    SlicePrbQuota,
    decode_slice_prb_quota_message,
    encode_slice_prb_quota_header,
    encode_slice_prb_quota_message,
    slice_prb_quota_message,
)
from tests.oran.e2 import rc_oracle

PLMN = b"\x00\xf1\x10"
PERCENT = st.integers(0, 100)
QUOTA = st.builds(
    SlicePrbQuota,
    st.binary(min_size=3, max_size=3),
    st.integers(0, 255),
    st.integers(0, 0xFFFFFF),
    PERCENT,
    PERCENT,
    PERCENT,
)
QUOTAS = st.lists(QUOTA, min_size=1, max_size=6)


@given(QUOTAS)
def test_the_template_equals_the_general_encoder(quotas: list[SlicePrbQuota]) -> None:
    assert encode_slice_prb_quota_message(quotas) == CONTROL_MESSAGE.encode(slice_prb_quota_message(quotas))


@given(QUOTAS)
def test_the_template_equals_another_codec(quotas: list[SlicePrbQuota]) -> None:
    assert encode_slice_prb_quota_message(quotas) == rc_oracle.encode_quota_message(quotas)


@given(QUOTAS)
def test_what_is_encoded_decodes_to_the_same(quotas: list[SlicePrbQuota]) -> None:
    assert decode_slice_prb_quota_message(encode_slice_prb_quota_message(quotas)) == tuple(quotas)


def test_one_slice_has_these_octets() -> None:
    quota = SlicePrbQuota(PLMN, 1, 1, 5, 30, 100)
    assert encode_slice_prb_quota_message([quota]).hex() == (
        "0000010000600000400000000144000300024400000004600000400000000544000100062a000300f110"
        "000744000100082a00010100092a0003000001000a28800105000b2880011e000c28800164"
    )


def test_a_header_names_style_and_action() -> None:
    ue = GnbDuUeId(5)
    assert encode_slice_prb_quota_header(ue).hex() == "0100050102000005"
    assert CONTROL_HEADER.decode(encode_slice_prb_quota_header(ue)) == ControlHeader(ue, 2, 6)


@pytest.mark.parametrize(
    "quota",
    [
        SlicePrbQuota(PLMN, 1, 1, -1, 30, 0),
        SlicePrbQuota(PLMN, 1, 1, 0, 101, 0),
        SlicePrbQuota(PLMN, 1, 1, 0, 30, 1000),
        SlicePrbQuota(PLMN, 256, 1, 0, 30, 0),
        SlicePrbQuota(PLMN, 1, 1 << 24, 0, 30, 0),
        SlicePrbQuota(PLMN[:2], 1, 1, 0, 30, 0),
    ],
)
def test_a_value_out_of_range_is_refused(quota: SlicePrbQuota) -> None:
    with pytest.raises(EncodeError):
        encode_slice_prb_quota_message([quota])


def test_no_slices_are_refused() -> None:
    with pytest.raises(EncodeError):
        encode_slice_prb_quota_message([])


def variant(*, group: bool, member: bool, text: bool, lowered: int, sd: bool = True) -> bytes:
    plmn, sst, low_sd = (b"00101", b"1", b"33") if text else (PLMN, b"\x01", b"\x00\x00\x21")
    slice_id = (Parameter(9 - lowered, Element(sst)), Parameter(10 - lowered, Element(low_sd)))
    inner = Structure(
        (
            Parameter(7 - lowered, Element(plmn)),
            Parameter(8 - lowered, Structure(slice_id if sd else slice_id[:1])),
        )
    )
    members = ParameterList((Structure((Parameter(6, inner),)) if member else inner,))
    item = Structure(
        (
            Parameter(3, Structure((Parameter(5 - lowered, members),))),
            Parameter(11 - lowered, Element(10)),
            Parameter(12 - lowered, Element(50)),
            Parameter(13 - lowered, Element(5)),
        )
    )
    if group:
        item = Structure((Parameter(2, item),))
    return CONTROL_MESSAGE.encode(ControlMessage((Parameter(1, ParameterList((item,))),)))


@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(("member", "lowered"), [(True, 0), (False, 0), (False, 1)])
def test_variants_of_the_tree_say_the_same(group: bool, member: bool, text: bool, lowered: int) -> None:
    octets = variant(group=group, member=member, text=text, lowered=lowered)
    assert decode_slice_prb_quota_message(octets) == (SlicePrbQuota(PLMN, 1, 33, 10, 50, 5),)


def test_without_sd_there_is_no_sd() -> None:
    octets = variant(group=True, member=True, text=False, lowered=0, sd=False)
    assert decode_slice_prb_quota_message(octets)[0].sd == NO_SD


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (ControlMessage(()), "ranP-List"),
        (ControlMessage((Parameter(1, Element(1)),)), "ranP-List"),
        (ControlMessage((Parameter(1, ParameterList((Structure(),))),)), "1[0].3"),
        (ControlMessage((Parameter(1, ParameterList((Structure((Parameter(3, Structure()),)),))),)), "1[0].3.4"),
    ],
)
def test_another_tree_is_refused_by_place(message: ControlMessage, field: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_slice_prb_quota_message(CONTROL_MESSAGE.encode(message))
    assert raised.value.field == field


@pytest.mark.parametrize("percent", [-1, 101, 200, 1.5, True, b"\x05", "5"])
def test_a_ratio_is_whole_percent(percent: int | float | bytes | str) -> None:
    good = slice_prb_quota_message([SlicePrbQuota(PLMN, 1, 1, 77, 100, 0)])
    octets = CONTROL_MESSAGE.encode(_with_min(good, percent))
    with pytest.raises(DecodeError, match=r"0\.\.100") as raised:
        decode_slice_prb_quota_message(octets)
    assert raised.value.field == "1[0].2.11"


def _with_min(message: ControlMessage, percent: int | float | bytes | str) -> ControlMessage:
    items = message.parameters[0].value
    assert isinstance(items, ParameterList)
    group = items.items[0].get(2)
    assert isinstance(group, Structure)
    changed = tuple(Parameter(11, Element(percent)) if item.id == 11 else item for item in group.parameters)
    return ControlMessage((Parameter(1, ParameterList((Structure((Parameter(2, Structure(changed)),)),))),))


def test_several_slices_under_one_ratio_are_refused() -> None:
    first = variant(group=True, member=True, text=False, lowered=0)
    message = CONTROL_MESSAGE.decode(first)
    assert isinstance(message, ControlMessage)
    items = message.parameters[0].value
    assert isinstance(items, ParameterList)
    group = items.items[0].get(2)
    assert isinstance(group, Structure)
    policy = group.get(3)
    assert isinstance(policy, Structure)
    members = policy.get(5)
    assert isinstance(members, ParameterList)
    twice = Structure((Parameter(5, ParameterList(members.items * 2)),))
    changed = Structure((Parameter(2, Structure((Parameter(3, twice), *group.parameters[1:]))),))
    with pytest.raises(DecodeError, match="one member"):
        decode_slice_prb_quota_message(
            CONTROL_MESSAGE.encode(ControlMessage((Parameter(1, ParameterList((changed,))),)))
        )


@given(QUOTAS, st.data())
def test_a_changed_message_gives_quotas_or_a_decode_error(
    quotas: list[SlicePrbQuota], data: st.DataObject
) -> None:
    octets = bytearray(encode_slice_prb_quota_message(quotas))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] = data.draw(st.integers(0, 255))
    try:
        read = decode_slice_prb_quota_message(bytes(octets))
    except DecodeError:
        return
    assert all(0 <= quota.min_percent <= 100 and len(quota.plmn) == 3 for quota in read)


@given(QUOTAS, st.data())
def test_a_cut_message_is_refused(quotas: list[SlicePrbQuota], data: st.DataObject) -> None:
    octets = encode_slice_prb_quota_message(quotas)
    with pytest.raises(DecodeError):
        decode_slice_prb_quota_message(octets[: data.draw(st.integers(0, len(octets) - 1))])
