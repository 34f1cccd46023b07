"""The reward: bounded, monotone in each deviation, satisfied above violated."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.link.link_cases import EQUIPMENT, link_chains
from twin.link.demand import Demand
from twin.link.equipment import fits
from twin.link.errors import DemandError, QosError, RewardError
from twin.link.plan import ChainGrid, LinkChain
from twin.link.qos import Qos, Tier
from twin.link.reward import DEFAULT_WEIGHTS, RewardWeights, deviations, reward, satisfied, use_share_of

DEMAND = Demand(max_delay_s=2e-3, min_throughput_bps=1e7, max_ber=1e-5)


def qos(delay_s: float, throughput_bps: float, ber: float) -> Qos:
    return Qos(
        delay_s=delay_s,
        throughput_bps=throughput_bps,
        ber=ber / 2,
        ber_low=0.0,
        ber_high=ber,
        extrapolated=False,
        tier=Tier.T0,
    )


measured = st.builds(
    qos,
    st.one_of(st.just(math.inf), st.floats(0, 10), st.floats(1e-4, 4e-3)),
    st.one_of(st.floats(0, 1e12), st.floats(5e6, 5e7)),
    st.one_of(st.floats(0, 1), st.floats(1e-6, 1e-4)),
)
better = st.builds(
    qos, st.floats(0, DEMAND.max_delay_s), st.floats(DEMAND.min_throughput_bps, 1e12), st.floats(0, DEMAND.max_ber)
)
weight = st.floats(0, 1)
weights = st.builds(
    lambda a, b, use, spare, split: RewardWeights(
        satisfied=split * (sum(a) + sum(b) + use + spare),
        violated=(1 - split) * (sum(a) + sum(b) + use + spare),
        waste=a,
        proximity=b,
        use=use,
    ),
    st.tuples(weight, weight, weight),
    st.tuples(weight, weight, weight),
    weight,
    st.floats(0.01, 2),
    st.floats(0, 1),
)
share = st.floats(0, 1)


def errors(q: Qos) -> np.ndarray:
    return deviations(q.delay_s, q.throughput_bps, q.ber_high, DEMAND)


@given(measured, weights, share)
def test_the_reward_is_bounded_and_above_a_refusal(q: Qos, w: RewardWeights, used: float) -> None:
    value = reward(q, DEMAND, w, use_share=used)
    assert w.refused < -w.violated <= value <= max(w.satisfied, sum(w.proximity) - w.violated)


@given(better, measured, weights, share, share)
def test_satisfied_is_always_above_violated(
    good: Qos, other: Qos, w: RewardWeights, used: float, used_other: float
) -> None:
    assert satisfied(errors(good))
    if not satisfied(errors(other)):
        assert reward(good, DEMAND, w, use_share=used) > reward(other, DEMAND, w, use_share=used_other)


@given(measured, measured, weights)
def test_violated_never_rises_with_any_deviation(one: Qos, other: Qos, w: RewardWeights) -> None:
    worse = qos(
        max(one.delay_s, other.delay_s),
        min(one.throughput_bps, other.throughput_bps),
        max(one.ber_high, other.ber_high),
    )
    if not satisfied(errors(one)):
        assert reward(worse, DEMAND, w) <= reward(one, DEMAND, w) + 1e-12


@given(better, better, weights)
def test_satisfied_never_rises_with_waste(one: Qos, other: Qos, w: RewardWeights) -> None:
    wasteful = qos(
        min(one.delay_s, other.delay_s),
        max(one.throughput_bps, other.throughput_bps),
        min(one.ber_high, other.ber_high),
    )
    assert reward(wasteful, DEMAND, w) <= reward(one, DEMAND, w) + 1e-12


@given(better, weights)
def test_a_demand_met_exactly_earns_the_most(q: Qos, w: RewardWeights) -> None:
    exact = qos(DEMAND.max_delay_s, DEMAND.min_throughput_bps, DEMAND.max_ber)
    assert reward(exact, DEMAND, w) == w.satisfied
    assert reward(q, DEMAND, w) <= w.satisfied


def test_the_upper_bound_of_the_bit_error_rate_counts() -> None:
    sure = replace(qos(1e-3, 2e7, 9e-6), ber=1e-7)
    unsure = replace(sure, ber_high=2e-5)
    assert reward(sure, DEMAND) > 0 > reward(unsure, DEMAND)


def test_a_margin_is_asked_for_on_top() -> None:
    just = qos(1.9e-3, 1.1e7, 0.9e-5)
    assert reward(just, DEMAND) > 0 > reward(just, replace(DEMAND, margin=0.2))
    spare = qos(1.6e-3, 1.3e7, 0.8e-5)
    assert reward(spare, replace(DEMAND, margin=0.2)) > reward(spare, DEMAND) > 0


def test_formula() -> None:
    q = qos(4e-3, 2e7, 1e-4)
    sigmoid = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    near = 2 * (1 - sigmoid(math.log(2))) + 1.0 + 2 * (1 - sigmoid(1.0))
    assert reward(q, DEMAND) == pytest.approx(-1 + 0.3 * near)
    waste = (2 * sigmoid(math.log(2)) - 1) * 2 + 2 * sigmoid(1.0) - 1
    assert reward(qos(1e-3, 2e7, 1e-6), DEMAND) == pytest.approx(1 - 0.3 * waste)


@pytest.mark.parametrize("field", ["delay_s", "throughput_bps", "ber_high"])
@pytest.mark.parametrize("value", [math.nan, -1.0])
def test_what_was_not_measured_is_refused(field: str, value: float) -> None:
    with pytest.raises(QosError, match=field.removesuffix("_high")):
        reward(replace(qos(1e-3, 1e7, 1e-6), **{field: value}), DEMAND)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"waste": (0.3, -0.1, 0.3)}, "waste"),
        ({"proximity": (0.3, math.nan, 0.3)}, "proximity"),
        ({"proximity": (0.3, 0.3)}, "three"),
        ({"satisfied": math.inf}, "satisfied"),
        ({"waste": (0.5, 0.5, 0.1)}, "violated plan could beat"),
        ({"use": 0.2}, "must exceed"),
        ({"satisfied": -0.5}, "at least 0"),
    ],
)
def test_weights_that_break_the_order_are_refused(changes: dict[str, object], word: str) -> None:
    with pytest.raises(RewardError, match=word):
        replace(DEFAULT_WEIGHTS, **changes)


@pytest.mark.parametrize("field", ["max_delay_s", "min_throughput_bps", "max_ber", "margin"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_demand_that_cannot_be_is_refused(field: str, value: float) -> None:
    with pytest.raises(DemandError, match=field):
        replace(DEMAND, **{field: value})


@given(link_chains)
def test_the_share_in_use_is_a_share_where_a_chain_fits(chain: LinkChain) -> None:
    grid = ChainGrid.of((chain,))
    used = use_share_of(grid, EQUIPMENT)[0]
    assert used > 0
    if fits(grid, EQUIPMENT)[0]:
        assert used <= 1.0
