import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oran.sla import RATIO_CAP, SlaTargets, SliceSla, qos_ratio, reward, satisfaction, satisfied
from oran.slices import SNssai

TARGETS = SlaTargets.of(
    (
        SliceSla(SNssai(1, 1), throughput_bps=10e6, weight=2.0),
        SliceSla(SNssai(2, 1), delay_s=0.01, drop_rate=1e-3, weight=2.0),
        SliceSla(SNssai(3, 1), drop_rate=0.1),
    )
)
NAN = math.nan
measured = arrays(np.float64, (5, 3), elements=st.floats(0, 1e9) | st.just(NAN))


def ratio(throughput: list[float], delay: list[float], drop: list[float]) -> np.ndarray:
    return qos_ratio(TARGETS, np.array(throughput), np.array(delay), np.array(drop))


def test_a_slice_has_the_ratio_of_its_worst_objective() -> None:
    got = ratio([5e6, NAN, NAN], [1.0, 0.005, 1.0], [0.5, 2e-3, 0.05])
    assert got.tolist() == [0.5, 0.5, 2.0]
    assert satisfied(got).tolist() == [False, False, True]


def test_nothing_measured_means_nothing_broken() -> None:
    assert ratio([NAN] * 3, [NAN] * 3, [NAN] * 3).tolist() == [1, 1, 1]


def test_no_loss_is_capped() -> None:
    assert ratio([NAN] * 3, [NAN, 1e-9, NAN], [NAN, 0.0, 0.0]).tolist() == [1, RATIO_CAP, RATIO_CAP]


def test_nothing_delivered_is_zero_not_kept() -> None:
    assert ratio([0.0, NAN, NAN], [NAN] * 3, [NAN] * 3)[0] == 0.0


def test_satisfaction_weighs_slices() -> None:
    assert satisfaction(TARGETS, np.array([1.0, 0.5, 1.0])) == pytest.approx(0.6)


@given(measured, measured, measured)
def test_bounds_and_torch_agree(throughput: np.ndarray, delay: np.ndarray, drop: np.ndarray) -> None:
    got = qos_ratio(TARGETS, throughput, delay, drop)
    assert ((got >= 0) & (got <= RATIO_CAP)).all()
    value = reward(TARGETS, got)
    assert ((value >= -1) & (value < 1)).all()
    as_torch = qos_ratio(TARGETS, *map(torch.from_numpy, (throughput, delay, drop)))
    np.testing.assert_allclose(as_torch.numpy(), got)
    np.testing.assert_allclose(reward(TARGETS, as_torch).numpy(), value)


@given(st.floats(0, 9.9), st.floats(1e-3, 0.1))
def test_reward_never_saturates(low: float, step: float) -> None:
    better = np.array([low + step, 1.0, 1.0])
    worse = np.array([low, 1.0, 1.0])
    assert reward(TARGETS, better) > reward(TARGETS, worse)


@pytest.mark.parametrize("bad", [0.0, -1.0, NAN, math.inf])
def test_a_promise_must_be_a_positive_number(bad: float) -> None:
    with pytest.raises(ValueError, match="delay_s"):
        SliceSla(SNssai(2), delay_s=bad)


def test_a_promise_must_promise_something() -> None:
    with pytest.raises(ValueError, match="at least one of throughput_bps, delay_s, drop_rate"):
        SliceSla(SNssai(2))
