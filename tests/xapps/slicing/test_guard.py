import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from oran.slices import MIN, static_ratios, valid
from tests.xapps.slicing.cells import observation
from xapps.slicing.guard import CellGuard, GuardConfig, Reason, apply, implausible

anything = arrays(np.float64, (4, 3, 3), elements=st.floats(allow_nan=True, allow_infinity=True, width=64))
finite = arrays(np.float64, (4, 3, 3), elements=st.floats(-200, 300))
configs = st.builds(
    GuardConfig,
    floor_percent=st.tuples(*[st.floats(0, 33)] * 3),
    max_change_percent=st.floats(0.1, 100),
)


@given(anything, anything, configs)
def test_whatever_is_proposed_the_quotas_are_valid_and_keep_the_floor(
    proposed: np.ndarray, previous: np.ndarray, config: GuardConfig
) -> None:
    ratios = apply(proposed, previous, config).ratios
    assert valid(ratios).all()
    assert (ratios[..., MIN] >= config.floor(3) - 1e-9).all()


@given(anything, anything, anything, configs)
def test_quotas_move_no_further_than_allowed(
    first: np.ndarray, second: np.ndarray, third: np.ndarray, config: GuardConfig
) -> None:
    safe = apply(first, second, config).ratios
    moved = apply(third, safe, config).ratios
    assert (np.abs(moved - safe) <= config.max_change_percent + 1e-9).all()


@given(finite, configs)
def test_safe_quotas_pass_unchanged(proposed: np.ndarray, config: GuardConfig) -> None:
    safe = apply(proposed, proposed, config).ratios
    again = apply(safe, safe, config)
    np.testing.assert_allclose(again.ratios, safe, atol=1e-9)
    assert not (again.non_finite | again.invalid | again.floor | again.rate).any()


@given(finite, finite, configs)
def test_repeating_a_proposal_reaches_it(start: np.ndarray, goal: np.ndarray, config: GuardConfig) -> None:
    goal = apply(goal, goal, config).ratios
    config = GuardConfig(floor_percent=config.floor_percent, max_change_percent=10)
    now = apply(start, start, config).ratios
    for _ in range(40):
        now = apply(goal, now, config).ratios
    np.testing.assert_allclose(now, goal, atol=1e-6)


@given(anything, finite, configs)
def test_torch_and_numpy_agree(proposed: np.ndarray, previous: np.ndarray, config: GuardConfig) -> None:
    ours = apply(proposed, previous, config)
    theirs = apply(torch.from_numpy(proposed), torch.from_numpy(previous), config)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(other.numpy(), mine, atol=1e-7)


def test_one_policy_of_a_batch_does_not_touch_another() -> None:
    good = static_ratios(3)
    bad = np.full((3, 3), math.nan)
    batch = apply(np.stack([bad, good]), np.stack([good, good]), GuardConfig())
    assert batch.non_finite.tolist() == [True, False]
    np.testing.assert_array_equal(batch.ratios, np.stack([good, good]))


def test_gradients_pass_through() -> None:
    proposed = torch.tensor([[[0.0, 40, 90], [0, 30, 80], [0, 20, 70]]], dtype=torch.float64, requires_grad=True)
    previous = torch.from_numpy(static_ratios(3)[None])
    apply(proposed, previous, GuardConfig(max_change_percent=50)).ratios.sum().backward()
    assert proposed.grad is not None
    assert torch.isfinite(proposed.grad).all()
    assert (proposed.grad[..., 1:] > 0).all()


@pytest.mark.parametrize("floors", [(), (50, 51), (-1,), (math.nan,)])
def test_floors_that_cannot_be_kept_are_refused(floors: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="floor_percent"):
        GuardConfig(floor_percent=floors)


def test_one_floor_must_fit_all_slices() -> None:
    with pytest.raises(ValueError, match="does not fit 3 slices"):
        GuardConfig(floor_percent=(40,)).floor(3)


def test_interventions_are_named() -> None:
    guard = CellGuard(GuardConfig(floor_percent=(5,), max_change_percent=10), 3, period_s=0.1)
    assert guard.decide(static_ratios(3), 0.0)[1] == ()
    assert guard.decide(np.full((3, 3), math.inf), 0.1)[1] == (Reason.NON_FINITE,)
    assert guard.decide(np.full((3, 3), 60.0), 0.2)[1] == (Reason.INVALID, Reason.RATE)
    assert Reason.FLOOR in guard.decide(np.array([[0, 0, 100.0]] * 3), 0.3)[1]
    assert guard.decide(None, 0.4)[1] == (Reason.CONTROLLER,)
    assert guard.decide(np.zeros((2, 3)), 0.5)[1] == (Reason.CONTROLLER,)


def test_stale_kpis_hold_the_last_quotas_then_bring_the_static_ones_back() -> None:
    config = GuardConfig(floor_percent=(5,), max_change_percent=5, stale_periods=3, static_periods=5)
    guard = CellGuard(config, 3, period_s=1.0)
    wanted = np.array([[0, 60, 100], [0, 20, 100], [0, 20, 100.0]])
    for step in range(10):
        guard.decide(wanted, float(step))
    np.testing.assert_allclose(guard.ratios, wanted)
    assert guard.hold(11.0) == (guard.ratios, ())
    held, reasons = guard.hold(13.0)
    np.testing.assert_allclose(held, wanted)
    assert reasons == (Reason.STALE,)
    path = [guard.hold(18.0 + step)[0] for step in range(10)]
    assert np.abs(np.diff(np.stack([wanted, *path]), axis=0)).max() <= 5 + 1e-9
    np.testing.assert_allclose(path[-1], static_ratios(3))
    assert Reason.STATIC in guard.hold(30.0)[1]


def test_implausible_kpis_age_like_missing_ones() -> None:
    guard = CellGuard(GuardConfig(stale_periods=2, static_periods=2), 3, period_s=1.0)
    guard.decide(np.array([[0, 53, 100], [0, 30, 100], [0, 17, 100.0]]), 0.0)
    assert guard.hold(1.0, Reason.IMPLAUSIBLE)[1] == (Reason.IMPLAUSIBLE,)
    assert guard.hold(5.0, Reason.IMPLAUSIBLE)[1][:2] == (Reason.IMPLAUSIBLE, Reason.STATIC)


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("delay_s", [0.01, -0.5, 0.01], "DRB.RlcSduDelayDl"),
        ("drop_rate", [0.0, 1.5, 0.0], "DRB.RlcPacketDropRateDl"),
        ("throughput_bps", [math.inf, 0, 0], "DRB.UEThpDl"),
        ("prb_used", [60, 60, 60], "RRU.PrbUsedDl"),
        ("prb_available", 0.0, "RRU.PrbAvailDl"),
        ("prb_available", math.nan, "RRU.PrbAvailDl"),
    ],
)
def test_impossible_kpis_are_named(field: str, value: object, name: str) -> None:
    assert implausible(observation()) is None
    assert implausible(observation(**{field: value})) == name


@given(st.lists(st.tuples(anything.map(lambda batch: batch[0]), st.booleans()), max_size=20))
def test_a_live_guard_survives_any_sequence(steps: list[tuple[np.ndarray, bool]]) -> None:
    config = GuardConfig(floor_percent=(5, 10, 2), max_change_percent=7)
    guard = CellGuard(config, 3, period_s=1.0)
    for now, (proposed, fresh) in enumerate(steps):
        before = guard.ratios
        after, _ = guard.decide(proposed, 5.0 * now) if fresh else guard.hold(5.0 * now)
        assert valid(after)
        assert (after[:, MIN] >= config.floor(3) - 1e-9).all()
        assert np.abs(after - before).max() <= 7 + 1e-9
