"""The price of guessing: what is told has none, and no caution for all brings more than the best in hindsight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.orchestrator.guessing import CAUTIONS, reward_of_guesses
from twin.link.demand import Demand, Targets
from twin.link.reward import DEFAULT_WEIGHTS, deviations, reward_of

TRUE = Demand(max_delay_s=0.05, min_throughput_bps=2e6, max_ber=1e-5)
DECADES = st.floats(-1.5, 1.5)


def off(delay: float, throughput: float, ber: float) -> Demand:
    """The true demand, off by so many decades."""
    return Demand(
        max_delay_s=TRUE.max_delay_s * 10.0**delay,
        min_throughput_bps=TRUE.min_throughput_bps * 10.0**throughput,
        max_ber=TRUE.max_ber * 10.0**ber,
    )


def test_what_was_told_costs_nothing() -> None:
    assert reward_of_guesses([(TRUE, TRUE), (off(0.01, 0.0, -0.01), TRUE)], 0.05) == DEFAULT_WEIGHTS.satisfied


def test_a_guess_that_is_always_off_alike_is_made_good_by_caution_where_it_asked_for_too_little() -> None:
    assert reward_of_guesses([(off(0.6, 0.0, 0.0), TRUE)] * 3, 0.05) == pytest.approx(1.0, abs=1e-6)
    too_strict = reward_of_guesses([(off(-0.6, 0.0, 0.0), TRUE)] * 3, 0.05)
    assert too_strict == pytest.approx(float(reward_of(np.array([-0.6 * np.log(10.0), 0.0, 0.0]))), abs=1e-6)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(DECADES, DECADES, DECADES), min_size=1, max_size=6),
    st.tuples(*[st.sampled_from(CAUTIONS)] * 3),
)
def test_no_caution_for_all_brings_more(
    guesses: list[tuple[float, float, float]], caution: tuple[float, ...]
) -> None:
    pairs = [(off(*guess), TRUE) for guess in guesses]
    best = reward_of_guesses(pairs, 0.05)
    assert -DEFAULT_WEIGHTS.violated <= best <= DEFAULT_WEIGHTS.satisfied
    if any(abs(own) < 0.03 for guess in guesses for own in guess):
        # Told, so that it is not made stricter.
        return
    delay, throughput, ber = caution
    careful = [off(guess[0] - delay, guess[1] + throughput, guess[2] - ber) for guess in guesses]
    delivered = [
        deviations(one.max_delay_s, one.min_throughput_bps, one.max_ber, Targets.of([TRUE])) for one in careful
    ]
    assert float(reward_of(np.concatenate(delivered)).mean()) <= best + 1e-9


def test_a_wider_scatter_of_guesses_brings_less() -> None:
    draw = np.random.default_rng(0).normal(size=(60, 3))
    near, far = (reward_of_guesses([(off(*row), TRUE) for row in scale * draw], 0.05) for scale in (0.2, 0.6))
    assert near > far + 0.1
