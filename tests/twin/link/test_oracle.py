"""The oracle finds what exhaustion finds, and no other search finds better."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.link.link_cases import EQUIPMENT, demands, equipments, smooth_twin
from twin.link import hardware
from twin.link.baselines import Search, Task, adapt, bayes, random_search
from twin.link.blocks import blocks
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState, check, fits
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate_batch
from twin.link.gaussian_process import GaussianProcess
from twin.link.oracle import FAILED_PER_BIT_ERROR, Evaluate, Optimum, oracle
from twin.link.plan import COLUMNS, ChainGrid
from twin.link.qos import Results
from twin.link.reward import RewardWeights, reward, rewards, use_share_of
from twin.link.space import SIZES, Space

DEMAND = Demand(max_delay_s=3e-3, min_throughput_bps=1e7, max_ber=1e-5)
SMALL: Mapping[str, Sequence[str | int | float]] = {
    "numerology": (0, 1, 2),
    "prbs": (3, 10, 11, 24, 60),
    "code": ("ldpc",),
    "code_rate": (0.3, 0.5, 0.8),
    "modulation": ("qpsk", "64qam"),
    "estimator": ("ls",),
    "detector": ("lmmse", "ep"),
    "tx_power_dbm": tuple(range(-10, 47, 3)),
    "repetition": (1, 4),
}
WITH_USE = RewardWeights(use=0.15)
EASIER = RewardWeights(satisfied=2.0, waste=(1.0, 0.2, 0.1), proximity=(0.1, 0.5, 0.2))


def everything(equipment: EquipmentState, only: Mapping[str, Sequence[str | int | float]]) -> ChainGrid:
    space = Space.of(equipment, only)
    grid = ChainGrid.product(**{name: space.axes[name] for name in COLUMNS})
    return grid.take(grid.consistent() & fits(grid, equipment))


def exhaustive(
    demand: Demand,
    equipment: EquipmentState,
    weights: RewardWeights,
    only: Mapping[str, Sequence[str | int | float]],
) -> float:
    grid = everything(equipment, only)
    share = use_share_of(grid, equipment)
    return float(rewards(smooth_twin(grid, equipment), demand, weights, use_share=share).max())


@given(demands, equipments, st.sampled_from([RewardWeights(), WITH_USE, EASIER]), st.integers(0, 99))
@settings(max_examples=25)
def test_the_oracle_finds_what_exhaustion_finds(
    demand: Demand, equipment: EquipmentState, weights: RewardWeights, seed: int
) -> None:
    found = oracle(demand, equipment, weights=weights, only=SMALL, evaluate=smooth_twin, seed=seed)
    assert found.reward == pytest.approx(exhaustive(demand, equipment, weights, SMALL), abs=1e-9)
    assert found.reward <= found.bound <= found.reward + 1e-9
    assert found.evaluations < len(everything(equipment, SMALL))


@given(demands, equipments)
@settings(max_examples=10)
def test_a_tolerant_oracle_keeps_its_promise_and_asks_less(demand: Demand, equipment: EquipmentState) -> None:
    exact, quick = (
        oracle(demand, equipment, only=SMALL, evaluate=smooth_twin, tolerance=tolerance) for tolerance in (0, 0.05)
    )
    assert exact.reward - 0.05 <= quick.reward <= exact.reward <= quick.bound + 1e-9
    assert quick.evaluations <= exact.evaluations


@given(demands, equipments)
@settings(max_examples=10)
def test_the_optimum_can_be_run_and_is_worth_its_reward(demand: Demand, equipment: EquipmentState) -> None:
    found = oracle(demand, equipment, only=SMALL, evaluate=smooth_twin)
    check(found.chain, equipment)
    assert reward(found.result.qos, demand) == pytest.approx(found.reward)
    again = smooth_twin(ChainGrid.of((found.chain,)), equipment).row(0)
    assert again.qos.throughput_bps == pytest.approx(found.result.qos.throughput_bps)


def test_runners_up_meet_the_demand_and_the_best_of_them_is_the_optimum() -> None:
    demand = Demand(max_delay_s=0.02, min_throughput_bps=5e5, max_ber=1e-3)
    equipment = replace(EQUIPMENT, free_prbs=6, tx_antennas=1, rx_antennas=1)
    found = oracle(demand, equipment, runners_up=5, evaluate=smooth_twin)
    values = [
        reward(smooth_twin(ChainGrid.of((chain,)), equipment).row(0).qos, demand) for chain in found.runners_up
    ]
    assert len(values) == len(set(found.runners_up)) == 5
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(found.reward)
    assert values[-1] > 0
    assert oracle(demand, equipment, evaluate=smooth_twin).runners_up == ()


def test_more_room_is_never_worse() -> None:
    rewards_ = [
        oracle(DEMAND, EQUIPMENT, only=only, evaluate=smooth_twin).reward
        for only in (SMALL, {**SMALL, "code_rate": (0.3, 0.4, 0.5, 0.6, 0.8)}, {**SMALL, "prbs": range(1, 61)})
    ]
    assert rewards_[0] <= min(rewards_[1:])


def test_an_oracle_that_may_ask_little_ends_early_and_promises_no_more_than_it_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twin.link.oracle.EVALUATED_AT_ONCE", 16)
    whole = oracle(DEMAND, EQUIPMENT, only=SMALL, evaluate=smooth_twin)
    cut = oracle(DEMAND, EQUIPMENT, only=SMALL, evaluate=smooth_twin, most_evaluations=1)
    assert cut.evaluations < whole.evaluations
    assert cut.reward <= whole.reward <= cut.bound


def test_an_oracle_with_one_power_works() -> None:
    only = {**SMALL, "tx_power_dbm": (20,)}
    found = oracle(DEMAND, EQUIPMENT, only=only, evaluate=smooth_twin)
    assert found.reward == pytest.approx(exhaustive(DEMAND, EQUIPMENT, RewardWeights(), only))
    assert found.chain.tx_power_dbm == 20


@pytest.mark.parametrize("equipment", [{"max_tx_power_dbm": -10.0}, {"compute_flops": 1e6}])
def test_an_equipment_that_can_run_little_or_nothing(equipment: dict[str, float]) -> None:
    state = replace(EQUIPMENT, **equipment)
    if fits(everything(EQUIPMENT, SMALL), state).any():
        assert oracle(DEMAND, state, only=SMALL, evaluate=smooth_twin).chain.tx_power_dbm == -10
    else:
        with pytest.raises(PlanError, match="no link chain fits"):
            oracle(DEMAND, state, only=SMALL, evaluate=smooth_twin)


def test_a_parameter_with_no_value_left_is_named() -> None:
    with pytest.raises(PlanError, match="tx_power_dbm has no value left"):
        oracle(DEMAND, EQUIPMENT, only={"tx_power_dbm": (40,)}, evaluate=smooth_twin)
    with pytest.raises(ValueError, match="tolerance"):
        oracle(DEMAND, EQUIPMENT, tolerance=-1, only=SMALL, evaluate=smooth_twin)


@pytest.mark.parametrize("name", ["stand-in", "tables"])
@given(equipment=equipments, seed=st.integers(0, 99))
@settings(max_examples=15)
def test_a_twin_keeps_what_the_oracle_leans_on(name: str, equipment: EquipmentState, seed: int) -> None:
    """Power never harms; delay and throughput follow from transmissions; wrong blocks have wrong bits."""
    if name == "tables":
        twin: Evaluate = evaluate_batch
    else:
        twin = smooth_twin
    chains = Space.of(equipment).sample(300, np.random.default_rng(seed))
    quiet, loud = twin(chains.with_(tx_power_dbm=chains.tx_power_dbm - 2), equipment), twin(chains, equipment)
    slack, rounded_bps = 1 + 1e-9, 1e-6
    assert (loud.delay_s <= quiet.delay_s * slack).all()
    assert (loud.throughput_bps * slack + rounded_bps >= quiet.throughput_bps).all()
    assert (loud.ber_high <= quiet.ber_high * slack).all()

    first_s, last_s = (
        hardware.processing_delay_s(chains, equipment.compute_flops, count)
        for count in (1.0, chains.harq_transmissions)
    )
    assert (loud.delay_s * slack >= first_s).all()
    assert (loud.delay_s <= last_s * slack).all()
    trip_s = hardware.harq_round_trip_s(chains, equipment.compute_flops)
    transmissions = 1.0 + (loud.delay_s - first_s) / trip_s
    cut = blocks(chains)
    sent_bps = cut.count * cut.k / hardware.air_time_s(chains, transmissions)
    assert (loud.throughput_bps <= sent_bps * slack).all()
    undelivered = np.minimum(FAILED_PER_BIT_ERROR * loud.ber_high, 1.0)
    assert (loud.throughput_bps >= sent_bps * (1.0 - undelivered) * (1 - 1e-6)).all()


@pytest.fixture(scope="module")
def optimum() -> Optimum:
    return oracle(DEMAND, EQUIPMENT, evaluate=smooth_twin)


@pytest.mark.parametrize("name", ["random", "adapt", "bayes"])
@pytest.mark.parametrize("budget", [1, 12])
def test_no_search_beats_the_oracle_and_each_asks_its_budget(name: str, budget: int, optimum: Optimum) -> None:
    asked = 0

    def counting(chains: ChainGrid, equipment: EquipmentState) -> Results:
        nonlocal asked
        asked += len(chains)
        assert chains.consistent().all()
        assert fits(chains, equipment).all()
        return smooth_twin(chains, equipment)

    task = Task(demand=DEMAND, equipment=EQUIPMENT, evaluate=counting)

    def run() -> Search:
        if name == "adapt":
            return adapt(task, budget=budget)
        return (random_search if name == "random" else bayes)(task, budget=budget, seed=7)

    search = run()
    assert asked == budget == len(search.history)
    assert list(search.history) == sorted(search.history)
    assert search.history[-1] == search.reward
    assert optimum.reward - search.reward >= 0
    check(search.chain, EQUIPMENT)
    assert run() == search, "same seed, same search"


@given(equipments, st.integers(0, 9))
@settings(max_examples=15)
def test_samples_and_neighbours_can_be_run(equipment: EquipmentState, seed: int) -> None:
    space, rng = Space.of(equipment), np.random.default_rng(seed)
    drawn = space.sample(50, rng)
    assert len(drawn) == 50
    near = space.neighbours(drawn.take(slice(1)), 200, rng)
    for grid in (drawn, near):
        assert grid.consistent().all()
        assert fits(grid, equipment).all()
    differing = np.mean([getattr(near, name) != getattr(drawn, name)[0] for name in COLUMNS])
    assert 0 < differing < 0.3


def test_modules_are_all_there_are() -> None:
    modules = Space.of(EQUIPMENT, SMALL).modules()
    rows = {tuple(int(getattr(modules, name)[row]) for name in COLUMNS) for row in range(len(modules))}
    assert len(rows) == len(modules)
    whole = everything(EQUIPMENT, {**SMALL, **{name: SMALL.get(name, (1,))[:1] for name in SIZES}})
    assert len(whole) == len(modules)


def test_a_gaussian_process_knows_what_it_was_told_and_doubts_the_rest() -> None:
    points = np.linspace(0, 3, 7)[:, None]
    process = GaussianProcess.fit(points, np.sin(2 * points[:, 0]))
    mean, deviation = process.predict(points)
    np.testing.assert_allclose(mean, np.sin(2 * points[:, 0]), atol=0.02)
    far = process.predict(np.array([[30.0]]))
    assert far[1][0] > 5 * deviation.max()
    middle = process.predict(np.array([[1.2]]))[0][0]
    assert middle == pytest.approx(np.sin(2.4), abs=0.1)
    gain = process.expected_improvement(np.array([[0.75], [2.4], [30.0]]), best=1.0)
    assert (gain >= 0).all()
    assert gain[2] > gain[1]
