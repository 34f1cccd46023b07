from collections.abc import Sequence

import numpy as np
import pytest

from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator import sensitivity
from training.orchestrator.feedback import Feedback
from training.orchestrator.sensitivity import Sensitivity, Weighting
from training.orchestrator.tasks.task import Task
from twin.link.plan import ChainGrid


def found(values: list[float]) -> Sensitivity:
    return Sensitivity(np.arange(len(values)), np.array(values), ("value",) * len(values))


def test_weights_follow_the_paper_s_equation_above_the_threshold() -> None:
    weights = sensitivity.weights(found([0.0, 0.01, 0.5, 1.0]), Weighting(alpha=2.0, threshold=0.05))
    np.testing.assert_allclose(weights, [1.0, 1.0, 2.0, 3.0], atol=1e-5)


def test_nothing_weighs_more_where_nothing_matters() -> None:
    np.testing.assert_array_equal(sensitivity.weights(found([0.0, 0.0]), Weighting()), 1.0)


def test_tokens_of_an_answer_by_what_becomes_of_it_without_them() -> None:
    lm, asked = made(), tasks(2)
    samples = ASKED.sample(lm, asked, each=1, temperature=1.0, seed=0)
    rewards = ASKED.feedback(asked, samples).rewards
    how = Weighting(perturbations=3)
    all_of = {}
    for row in range(2):
        draw, reward = np.random.default_rng(row), float(rewards[row])
        item = sensitivity.sensitivity(lm, asked[row], samples[row], reward, how, ASKED.judge, draw)
        assert item is not None
        all_of[row] = item
    for row, item in all_of.items():
        assert {"field", "value", "syntax"} >= set(item.classes)
        # Without its name for a parameter the answer is no plan, and is refused.
        fields = item.value[np.array(item.classes) == "field"]
        assert fields.mean() == pytest.approx(rewards[row] + 2.0, abs=0.3)
    weights = sensitivity.of_decisions(samples, all_of, how)
    assert np.concatenate(weights).mean() == pytest.approx(1.0)
    assert [len(row) for row in weights] == [len(sample.decisions) for sample in samples]
    assert set(sensitivity.by_class(list(all_of.values()))) == {
        f"S {name}" for item in all_of.values() for name in item.classes
    }


def test_an_answer_whose_changes_the_twin_has_no_word_of_has_no_sensitivity() -> None:
    lm, (task,) = made(), tasks(1)
    (sample,) = ASKED.sample(lm, [task], each=1, temperature=1.0, seed=0)

    def losing(own: Sequence[Task], chains: Sequence[ChainGrid]) -> list[Feedback]:
        return [Feedback(np.full(len(some), np.nan), np.zeros(len(some), dtype=bool)) for some in chains]

    draw = np.random.default_rng(0)
    assert sensitivity.sensitivity(lm, task, sample, 0.0, Weighting(), losing, draw) is None
