import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oran.slices import MAX, MIN, hard_ratios, static_ratios, valid
from tests.xapps.slicing import packages
from tests.xapps.slicing.cells import TARGETS, observation
from xapps.slicing.controllers import NAMES, create
from xapps.slicing.demand import DemandConfig, DemandController, fill
from xapps.slicing.errors import SettingsError

needs_ = arrays(np.float64, (5, 3), elements=st.floats(0, 1e4))
weights_ = arrays(np.float64, 3, elements=st.floats(0.05, 1))
kpi_values = arrays(np.float64, 3, elements=st.one_of(st.floats(0, 1e9), st.sampled_from([0.0, math.nan])))


LAST = np.array([0.0, 0.0, 1.0])


@given(needs_, weights_, st.floats(0, 40))
def test_filling_gives_out_everything_and_keeps_whole_promises(
    needs: np.ndarray, weight: np.ndarray, least: float
) -> None:
    shares = fill(needs, weight, least, spare_to=LAST)
    np.testing.assert_allclose(shares.sum(axis=-1), 100.0, rtol=1e-9)
    floor = min(least, 100 / 3)
    assert (shares >= floor - 1e-9).all()
    fits = np.maximum(needs, floor).sum(axis=-1) <= 100
    assert (shares[fits] >= needs[fits] - 1e-9).all()
    others = shares[:, :2]
    whole = np.isclose(others, np.maximum(needs[:, :2], floor)) | np.isclose(others, floor)
    assert whole.all(), "a need is met or passed over, never cut"


@given(needs_, weights_)
def test_a_promise_passed_over_would_not_have_fitted(needs: np.ndarray, weight: np.ndarray) -> None:
    shares = fill(needs, weight, 5.0, spare_to=LAST)
    missed = shares < needs - 1e-6
    spare = shares[:, 2] - np.where(missed[:, 2], 5.0, np.maximum(needs[:, 2], 5.0))
    for index in range(2):
        assert (needs[missed[:, index], index] - 5.0 > spare[missed[:, index]] - 1e-6).all()


def test_of_equal_weight_the_smaller_promise_is_kept() -> None:
    shares = fill(np.array([70.0, 50.0, 10.0]), np.ones(3), 5.0, spare_to=LAST)
    assert shares.tolist() == [5.0, 50.0, 45.0]


def test_an_elastic_slice_needs_no_more_than_its_promise() -> None:
    modest, greedy = DemandController(DemandConfig()), DemandController(DemandConfig())
    some = modest.needs(observation(arrived_bit=[4e6, 3e5, 2e4], active_ues=[1, 1, 1]), TARGETS)
    more = greedy.needs(observation(arrived_bit=[9e6, 3e5, 2e4], active_ues=[1, 1, 1]), TARGETS)
    assert more[0] == some[0]


def test_reference_controllers_keep_their_quotas() -> None:
    np.testing.assert_array_equal(create("static").decide(observation(), TARGETS), static_ratios(3))
    np.testing.assert_array_equal(create("hard").decide(observation(), TARGETS), hard_ratios(3))


def test_an_unknown_controller_is_named() -> None:
    with pytest.raises(SettingsError, match="'psychic' is none of static, hard, demand, learned"):
        create("psychic")


@pytest.mark.parametrize("name", NAMES)
def test_every_controller_says_its_name(name: str) -> None:
    agent = packages.Uniform() if name == "learned" else None
    assert create(name, agent=agent).name == name


def test_learned_without_a_model_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="load a model package"):
        create("learned")


def test_demand_follows_the_slice_that_needs_more() -> None:
    calm, busy = DemandController(DemandConfig()), DemandController(DemandConfig())
    for _ in range(5):
        quiet = calm.decide(observation(), TARGETS)
        loaded = busy.decide(observation(arrived_bit=[8e5, 1e5, 2e4]), TARGETS)
    assert loaded[0, MIN] > quiet[0, MIN]
    assert (quiet[:, MAX] == 100).all()


def test_a_burst_is_remembered_then_forgotten() -> None:
    controller = DemandController(DemandConfig())
    before = controller.needs(observation(), TARGETS)[1]
    controller.needs(observation(arrived_bit=[2e5, 6e5, 2e4]), TARGETS)
    soon = controller.needs(observation(), TARGETS)[1]
    for _ in range(100):
        late = controller.needs(observation(), TARGETS)[1]
    assert soon > 1.2 * before
    assert late == pytest.approx(before, rel=0.05)


def test_a_better_channel_needs_fewer_prbs() -> None:
    poor, good = DemandController(DemandConfig()), DemandController(DemandConfig())
    assert good.needs(observation(prb_used=[10, 5, 1]), TARGETS) == pytest.approx(
        poor.needs(observation(), TARGETS) / 2
    )


def test_a_batch_is_decided_as_its_cells_alone() -> None:
    def batched(load: float) -> np.ndarray:
        return np.array([2e5, load, 2e4])

    both = DemandController(DemandConfig())
    lone = [DemandController(DemandConfig()), DemandController(DemandConfig())]
    for load in (1e5, 4e5, 2e5):
        one, two = observation(arrived_bit=batched(load)), observation(arrived_bit=batched(3 * load))
        pair = observation(arrived_bit=np.stack([batched(load), batched(3 * load)]))
        alone = [cell.decide(seen, TARGETS) for cell, seen in zip(lone, (one, two), strict=True)]
        np.testing.assert_allclose(both.decide(pair, TARGETS), np.stack(alone))


@given(st.lists(st.tuples(kpi_values, kpi_values, kpi_values), min_size=1, max_size=5))
def test_any_kpis_give_valid_quotas(steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    controller = DemandController(DemandConfig())
    for arrived, delivered, prbs in steps:
        seen = observation(arrived_bit=arrived, delivered_bit=delivered, prb_used=prbs, active_ues=prbs)
        assert valid(controller.decide(seen, TARGETS))


def test_a_cell_that_is_off_gets_valid_quotas() -> None:
    idle = dict.fromkeys(("delivered_bit", "prb_used", "active_ues"), np.zeros(3))
    ratios = DemandController(DemandConfig()).decide(observation(prb_available=0.0, **idle), TARGETS)
    assert np.isfinite(ratios).all()
    assert valid(ratios)
