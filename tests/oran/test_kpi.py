import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran import kpi


def test_units_of_ts_28_552() -> None:
    assert kpi.to_si(kpi.UE_THROUGHPUT_DL, 1500) == 1.5e6
    assert kpi.to_si(kpi.SDU_DELAY_DL, 120) == pytest.approx(0.012)
    assert kpi.to_si(kpi.PRB_TOTAL_DL, 50) == 0.5
    assert kpi.to_si(kpi.PDCP_VOLUME_DL, 3) == 3e6


def test_a_profile_overrides_the_standard() -> None:
    assert kpi.to_si(kpi.PDCP_VOLUME_DL, 3, kpi.OAI) == 3e3


@given(st.sampled_from(sorted(kpi.QUANTITIES)), st.floats(0, 1e9), st.sampled_from(list(kpi.PROFILES.values())))
def test_to_the_wire_and_back(name: str, value: float, profile: kpi.Profile) -> None:
    assert kpi.to_si(name, kpi.to_wire(name, value, profile), profile) == pytest.approx(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 1e30])
def test_what_cannot_be_true(value: float) -> None:
    assert not kpi.plausible(kpi.UE_THROUGHPUT_DL, value)
    assert not kpi.plausible("no.such.kpi", 1.0)


def test_what_can_be_true() -> None:
    assert kpi.plausible(kpi.UE_THROUGHPUT_DL, 1e7)
    assert kpi.plausible("RSRP", -97.0)
