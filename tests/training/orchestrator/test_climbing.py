"""A climb never ends below where it began, stays in the grammar, and leaves the demand as it was understood."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.asking import Asked
from training.orchestrator.climbing import Climb, climbed
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.feedback import Feedback
from training.orchestrator.tasks.task import Task
from twin.link.plan import ChainGrid
from twin.link.qos import Tier


def doubted(some: Sequence[Task], by_db: float) -> list[Task]:
    return [
        replace(task, equipment=replace(task.equipment, snr_db=task.equipment.snr_db + by_db)) for task in some
    ]


@pytest.mark.parametrize("doubt_db", [0.0, 2.0])
def test_a_climb_ends_no_lower_in_the_mean_over_its_doubt(doubt_db: float) -> None:
    lm, asked = made(), tasks(8)
    samples = ASKED.sample(lm, asked, 1, 1.0, seed=0)
    found = climbed(ASKED, asked, samples, Climb(sweeps=1, doubt_db=doubt_db))
    better = [ASKED.written(lm, task, options) for task, options in zip(asked, found, strict=True)]

    def worth(answers: list[Sample]) -> np.ndarray:
        return np.mean(
            [ASKED.feedback(doubted(asked, by), answers).rewards for by in (-doubt_db, 0, doubt_db)], axis=0
        )

    before, after = worth(samples), worth(better)
    assert (after >= before - 1e-9).all()
    assert after.mean() > before.mean() + 0.1
    for sample, options in zip(samples, found, strict=True):
        assert options[: len(TARGETS)] == tuple(choice.option for choice in sample.choices[: len(TARGETS)])


def test_more_sweeps_climb_no_less() -> None:
    lm, asked = made(), tasks(4, 100)
    samples = ASKED.sample(lm, asked, 1, 1.0, seed=0)
    one, two = (
        ASKED.feedback(
            asked,
            [
                ASKED.written(lm, task, options)
                for task, options in zip(
                    asked, climbed(ASKED, asked, samples, Climb(sweeps=sweeps, doubt_db=0.0)), strict=True
                )
            ],
        ).rewards
        for sweeps in (1, 2)
    )
    assert (two >= one - 1e-9).all()


class Losing(Asked):
    """The twin has no word of the first task."""

    def judge(self, tasks: Sequence[Task], chains: Sequence[ChainGrid], tier: Tier = Tier.T0) -> list[Feedback]:
        first, *rest = super().judge(tasks, chains, tier)
        return [Feedback(np.full_like(first.rewards, np.nan), first.completed), *rest]


def test_an_answer_of_which_the_twin_has_no_word_stays() -> None:
    lm, asked = made(), tasks(2)
    samples = ASKED.sample(lm, asked, 1, 1.0, seed=0)
    lost, other = climbed(Losing(margin=0.1), asked, samples, Climb(sweeps=1))
    assert lost == tuple(choice.option for choice in samples[0].choices)
    assert other != tuple(choice.option for choice in samples[1].choices)


@pytest.mark.parametrize("wrong", [{"sweeps": 0}, {"doubt_db": -1.0}, {"doubt_db": float("nan")}])
def test_a_climb_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OrchestratorError, match="sweeps must be"):
        Climb(**wrong)  # type: ignore[arg-type]
