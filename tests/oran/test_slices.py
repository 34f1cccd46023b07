import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oran.slices import (
    MIN,
    RrmPolicyRatio,
    SNssai,
    from_policy,
    hard_ratios,
    project,
    static_ratios,
    to_policy,
    valid,
)

THREE = (SNssai(1, 1), SNssai(2, 1), SNssai(3, 1))
anything = arrays(np.float64, (4, 3, 3), elements=st.floats(-1e6, 1e6))


def test_reference_policies_are_valid() -> None:
    assert static_ratios(3).tolist() == [[0, 33, 100]] * 3
    assert hard_ratios(3).tolist() == [[33, 33, 33]] * 3
    assert valid(static_ratios(3))
    assert valid(hard_ratios(3))


@given(anything)
def test_projection_is_valid_and_stays_put(ratios: np.ndarray) -> None:
    moved = project(ratios)
    assert valid(moved).all()
    np.testing.assert_allclose(project(moved), moved, atol=1e-9)


@given(anything)
def test_torch_and_numpy_agree(ratios: np.ndarray) -> None:
    np.testing.assert_allclose(project(torch.from_numpy(ratios)).numpy(), project(ratios), atol=1e-9)
    assert (valid(torch.from_numpy(ratios)).numpy() == valid(ratios)).all()


@given(anything)
def test_a_policy_on_the_wire_keeps_the_rules_and_the_sum(ratios: np.ndarray) -> None:
    for exact in project(ratios):
        policy = to_policy(THREE, exact)
        assert sum(item.min for item in policy) <= 100
        assert valid(from_policy(policy))
        assert np.abs(from_policy(policy)[:, MIN] - exact[:, MIN]).max() <= 1


@pytest.mark.parametrize("ratios", [[[0, 50, 100]] * 3, [[0, 20, 10]] * 3, [[5, 0, 10]] * 3, [[np.nan] * 3] * 3])
def test_an_invalid_policy_is_refused(ratios: list[list[float]]) -> None:
    assert not valid(np.array(ratios, dtype=float))
    with pytest.raises(ValueError, match="no valid policy"):
        to_policy(THREE, np.array(ratios, dtype=float))


def test_a_ratio_says_what_breaks_it() -> None:
    with pytest.raises(ValueError, match="dedicated 0, min 60, max 50"):
        RrmPolicyRatio(THREE[0], 0, 60, 50)


@given(st.integers(0, 255), st.none() | st.integers(0, 0xFFFFFF))
def test_s_nssai_reads_what_it_writes(sst: int, sd: int | None) -> None:
    assert SNssai.parse(str(SNssai(sst, sd))) == SNssai(sst, sd)


@given(st.text())
def test_any_text_is_an_s_nssai_or_refused(text: str) -> None:
    try:
        parsed = SNssai.parse(text)
    except ValueError:
        return
    assert 0 <= parsed.sst <= 255
