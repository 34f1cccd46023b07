from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS
from rapps.orchestrator.legal import ORDER
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator import advantages
from training.orchestrator.feedback import Feedback
from training.orchestrator.tasks.task import Task
from twin.link.plan import ChainGrid

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


def test_an_answer_that_the_twin_has_no_word_of_has_no_advantage_and_moves_none_of_its_group() -> None:
    reward = np.array([0.5, np.nan, 0.1, 0.3, np.nan, np.nan, 0.7, np.nan])
    over = advantages.group(reward, 4)
    np.testing.assert_allclose(over, [0.3, np.nan, -0.3, 0.0, np.nan, np.nan, 0.0, np.nan], atol=1e-12)
    found = advantages.gae(reward[:2], [np.array([0.2, 0.1])] * 2, discount=1.0, trace=1.0)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.fixture(scope="module")
def answered() -> tuple[list[Task], list[Sample], np.ndarray]:
    asked = tasks(4)
    samples = ASKED.sample(made(), asked, each=2, temperature=1.0, seed=3)
    return asked, samples, ASKED.feedback(asked, samples).rewards


def evenly(sample: Sample) -> np.ndarray:
    """Every option as likely as the others."""
    counts = np.array([len(item.allowed) for item in sample.decisions])
    return np.where(np.arange(counts.max()) < counts[:, None], 1.0 / counts[:, None], 0.0)


def worths(task: Task, samples: list[Sample], least: float = 0.0) -> list[np.ndarray]:
    return advantages.worths([task], samples, [evenly(sample) for sample in samples], least, ASKED.judge)


def test_what_was_chosen_is_worth_the_answer_s_reward(
    answered: tuple[list[Task], list[Sample], np.ndarray],
) -> None:
    asked, samples, rewards = answered
    for place, task in enumerate(asked):
        own = samples[2 * place : 2 * place + 2]
        for sample, found, reward in zip(own, worths(task, own), rewards[2 * place :], strict=False):
            picked = [item.allowed.index(sample.ids[item.place]) for item in sample.decisions]
            np.testing.assert_allclose(found[np.arange(len(picked)), picked], reward)


def test_every_option_is_worth_what_the_answer_with_it_brings(
    answered: tuple[list[Task], list[Sample], np.ndarray],
) -> None:
    asked, samples, _ = answered
    lm = made()
    tried = dict.fromkeys(range(len(TARGETS) + len(ORDER)), 0)
    for number, sample in enumerate(samples):
        task = asked[number // 2]
        (found,) = worths(task, [sample])
        for row, decision in enumerate(sample.decisions):
            for place, option in enumerate(sample.choices[decision.choice].options):
                options = [choice.option for choice in sample.choices]
                options[decision.choice] = option
                try:
                    other = ASKED.written(lm, task, options)
                except (KeyError, ValueError):
                    # Later choices of the answer are not legal after this one.
                    continue
                tried[decision.choice] += 1
                assert found[row, place] == pytest.approx(float(ASKED.feedback([task], [other]).rewards[0]))
    assert min(tried[choice] for choice in (*range(len(TARGETS)), len(tried) - 2, len(tried) - 1)) > 2


def test_options_that_are_next_to_never_chosen_are_not_tried(
    answered: tuple[list[Task], list[Sample], np.ndarray],
) -> None:
    asked, samples, _ = answered
    (found,) = worths(asked[0], samples[:1], least=2.0)
    tried = np.isfinite(found).sum(axis=1)
    assert set(tried.tolist()) == {1}


def test_what_is_asked_for_many_tasks_at_once_is_told_of_each(
    answered: tuple[list[Task], list[Sample], np.ndarray],
) -> None:
    asked, samples, _ = answered
    likely = [evenly(sample) for sample in samples]
    own = [samples[2 * place : 2 * place + 2] for place in range(len(asked))]
    apart = [found for task, some in zip(asked, own, strict=True) for found in worths(task, some)]
    for one, other in zip(advantages.worths(asked, samples, likely, 0.0, ASKED.judge), apart, strict=True):
        # Where no block gets through, throughput is what rounding leaves of one less the block error rate.
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-8)


def test_options_of_a_lost_question_are_not_known(answered: tuple[list[Task], list[Sample], np.ndarray]) -> None:
    asked, samples, _ = answered

    def losing(own: Sequence[Task], chains: Sequence[ChainGrid]) -> list[Feedback]:
        first, *rest = ASKED.judge(own, chains)
        return [Feedback(np.full_like(first.rewards, np.nan), first.completed), *rest]

    found = advantages.worths(asked, samples, [evenly(sample) for sample in samples], 0.0, losing)
    assert all(np.isnan(worth).all() for worth in found[:2])
    assert all(np.isfinite(worth).any() for worth in found[2:])


SHARES = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3)


@given(SHARES, st.lists(st.floats(-2.0, 1.0) | st.just(np.nan), min_size=3, max_size=3))
def test_what_is_to_be_expected_is_worth_nothing_over_itself(shares: list[float], told: list[float]) -> None:
    likely, worth = np.array([shares]) / sum(shares), np.array([told])
    over = advantages.counterfactual(worth, likely)
    assert (likely * over).sum() == pytest.approx(0.0, abs=1e-9)
    assert (over[np.isnan(worth)] == 0.0).all()
    known = np.isfinite(worth[0])
    assert (np.diff(over[0][known][np.argsort(worth[0][known])]) >= 0.0).all()
