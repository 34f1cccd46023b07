"""Dialects: told apart by the reports that only one of them takes in."""

import pytest
from hypothesis import given, settings

from oran.e2.errors import DecodeError
from oran.e2.kpm import codec
from oran.e2.kpm.messages import IndicationFormat1, IndicationFormat3, Record
from oran.e2.kpm.node_profiles import NodeProfiles, recognise
from oran.e2.kpm.profile import FLEXRIC, PROFILES, STANDARD, NodeProfile
from tests.oran.e2 import kpm_strategies as strategies
from tests.oran.e2.test_kpm_codec import UE_REPORTS

ALL = [STANDARD, FLEXRIC]


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
@settings(max_examples=50, deadline=None, derandomize=True)
@given(message=strategies.format_3())
def test_ue_reports_tell_their_dialect(profile: NodeProfile, message: IndicationFormat3) -> None:
    assert recognise(codec.encode_indication_message(message, profile)) is profile


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_a_nodes_dialect_is_learnt_from_its_first_report(profile: NodeProfile) -> None:
    nodes = NodeProfiles()
    assert nodes.of("gnb") is STANDARD
    data = codec.encode_indication_message(UE_REPORTS, profile)
    assert nodes.decode_indication_message("gnb", data) == UE_REPORTS
    assert nodes.of("gnb") is profile
    assert nodes.of("other") is STANDARD
    nodes.forget("gnb")
    assert nodes.of("gnb") is STANDARD


def test_what_is_configured_is_not_overruled() -> None:
    nodes = NodeProfiles({"gnb": STANDARD})
    with pytest.raises(DecodeError):
        nodes.decode_indication_message("gnb", codec.encode_indication_message(UE_REPORTS, FLEXRIC))
    assert nodes.of("gnb") is STANDARD


def test_a_node_may_be_upgraded_to_the_other_dialect() -> None:
    nodes = NodeProfiles()
    for profile in (FLEXRIC, STANDARD, FLEXRIC):
        data = codec.encode_indication_message(UE_REPORTS, profile)
        assert nodes.decode_indication_message("gnb", data) == UE_REPORTS
        assert nodes.of("gnb") is profile


def test_a_report_that_both_dialects_take_in_decides_nothing() -> None:
    bare = IndicationFormat1((Record((1, 2.5)),))
    data = codec.encode_indication_message(bare)
    assert data == codec.encode_indication_message(bare, FLEXRIC)
    nodes = NodeProfiles()
    assert nodes.decode_indication_message("gnb", data) == bare
    assert not nodes.learnt


def test_garbage_teaches_nothing() -> None:
    nodes = NodeProfiles()
    with pytest.raises(DecodeError):
        nodes.decode_indication_message("gnb", b"\xff" * 20)
    assert not nodes.learnt


def test_profiles_are_found_by_name() -> None:
    assert {"standard": STANDARD, "flexric": FLEXRIC} == PROFILES
