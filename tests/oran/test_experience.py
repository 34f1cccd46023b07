import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.experience import Transition

RECORD = Transition(
    node="gnbd_001_001_00000001_1",
    time_s=12.5,
    period_s=0.1,
    slices=("1-000001", "2-000001"),
    kpis={"DRB.UEThpDl": (1e6, None)},
    ratios=((0.0, 33.0, 100.0), (0.0, 33.0, 100.0)),
    action=((0.0, 50.0, 100.0), (0.0, 40.0, 100.0)),
    qos_ratio=(0.5, 1.0),
    reward=-0.2,
    controller="demand",
    guard=("rate",),
)


def test_reads_what_it_writes() -> None:
    assert Transition.from_json(RECORD.to_json()) == RECORD
    assert "\n" not in RECORD.to_json()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"qos_ratio": (1.0,)}, "qos_ratio has 1 entries for 2 slices"),
        ({"reward": float("nan")}, "must be finite"),
        ({"period_s": 0.0}, "period_s above 0"),
        ({"slices": ("x", "y")}, "S-NSSAI 'x'"),
        ({"kpis": {"a": ()}}, "a has 0 entries"),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        dataclasses.replace(RECORD, **change)  # type: ignore[arg-type]


@given(st.text() | st.sampled_from(["{}", "[]", "null", RECORD.to_json()[:-3], '{"kpis": 3}']))
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Transition.from_json(line)
