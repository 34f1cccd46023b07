import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator import advantages
from training.orchestrator.advantages import Draws
from training.orchestrator.tasks.task import Task

VALUES = st.lists(st.floats(-2.0, 1.0), min_size=1, max_size=12)


@given(st.floats(-2.0, 1.0), VALUES)
def test_without_discount_and_trace_an_estimate_is_the_reward_over_the_value(
    reward: float, told: list[float]
) -> None:
    values = np.array(told)
    (found,) = advantages.gae(np.array([reward]), [values], discount=1.0, trace=1.0)
    np.testing.assert_allclose(found, reward - values, atol=1e-12)


@given(st.floats(-2.0, 1.0), VALUES)
def test_without_a_trace_an_estimate_is_one_step_ahead(reward: float, told: list[float]) -> None:
    values = np.array(told)
    (found,) = advantages.gae(np.array([reward]), [values], discount=1.0, trace=0.0)
    np.testing.assert_allclose(found, np.append(values[1:], reward) - values, atol=1e-12)


@given(st.lists(st.floats(-2.0, 1.0), min_size=4, max_size=4))
def test_a_group_s_advantages_sum_to_nothing(told: list[float]) -> None:
    assert advantages.group(np.array(told), 4).sum() == pytest.approx(0.0, abs=1e-9)


@pytest.fixture(scope="module")
def answered() -> tuple[list[Task], list[Sample], np.ndarray]:
    asked = tasks(4)
    samples = ASKED.sample(made(), asked, each=2, temperature=1.0, seed=3)
    return asked, samples, ASKED.feedback(asked, samples).rewards


def test_the_twin_s_advantages_compare_options_of_one_choice(
    answered: tuple[list[Task], list[Sample], np.ndarray],
) -> None:
    asked, samples, rewards = answered
    how = Draws(each=8, margin=ASKED.margin, generator=np.random.default_rng(0))
    for place, sample in enumerate(samples):
        even = [np.full(len(item.allowed), 1.0 / len(item.allowed)) for item in sample.decisions]
        found = advantages.counterfactual(asked[place // 2], sample, even, float(rewards[place]), how)
        np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-9)
        demand = [row for row, item in enumerate(sample.decisions) if item.choice < len(TARGETS)]
        assert not found[demand].any()
        assert found.any()


def test_an_option_that_the_twin_prefers_is_worth_more(
    answered: tuple[list[Task], list[Sample], np.ndarray],
) -> None:
    """With every option drawn many times advantages are in the order of the rewards that each would bring."""
    asked, samples, rewards = answered
    how = Draws(each=64, margin=ASKED.margin, generator=np.random.default_rng(0))
    sample, task = samples[0], asked[0]
    even = [np.full(len(item.allowed), 1.0 / len(item.allowed)) for item in sample.decisions]
    found = advantages.counterfactual(task, sample, even, float(rewards[0]), how)
    row, decision = next((row, item) for row, item in enumerate(sample.decisions) if item.choice == len(TARGETS))
    told = []
    for option in sample.choices[decision.choice].options:
        options = [choice.option for choice in sample.choices]
        options[decision.choice] = option
        try:
            other = ASKED.written(made(), task, options)
        except (KeyError, ValueError):
            # Later choices of the answer are not legal after this one.
            told.append(-2.0)
            continue
        told.append(float(ASKED.feedback([task], [other]).rewards[0]))
    each = found[row, : len(told)]
    best, worst = int(np.argmax(told)), int(np.argmin(told))
    if told[best] > told[worst]:
        assert each[best] > each[worst]
