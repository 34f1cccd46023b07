"""A chain that meets the demand at a higher tier proves a task; what is known is not asked again."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.orchestrator.tasks.feasibility import Answers
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.proofs import main, prove
from training.orchestrator.tasks.task import Task
from training.orchestrator.twin_pool import Question, TwinPool, Verdict
from twin.link.demand import Demand
from twin.link.qos import Tier

EASY = replace(draw(1), demand=Demand(max_delay_s=5.0, min_throughput_bps=1e3, max_ber=0.1))
IMPOSSIBLE = replace(EASY, demand=Demand(max_delay_s=1e-6, min_throughput_bps=1e12, max_ber=1e-9))


class Asked(TwinPool):
    """A pool that loses, misses or meets by a list, and keeps the questions."""

    def __init__(self, *told: str) -> None:
        super().__init__(workers=0)
        self.told = list(told)
        self.questions: list[Question] = []

    def ask(
        self, questions: Iterable[Question], tier: Tier = Tier.T0, *, seed: int = 0, looks: int = 1
    ) -> Iterator[Verdict]:
        for question in questions:
            self.questions.append(question)
            told = self.told.pop(0)
            yield Verdict(
                reward=np.zeros(1),
                deviations=np.zeros((1, 3)),
                met=np.array([told == "met"]),
                lost=np.array([told == "lost"]),
                chance=np.zeros(1),
            )


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers.jsonl")


def test_an_easy_task_is_proven_by_the_twin_and_an_impossible_one_is_not(answers: Answers) -> None:
    with TwinPool(workers=0) as pool:
        assert list(prove([EASY, IMPOSSIBLE], Tier.T1, pool, answers)) == [True, False]
    again = Answers(answers.path)
    assert again.proven(EASY, Tier.T1) is True
    assert again.proven(IMPOSSIBLE, Tier.T1) is False
    assert again.proven(EASY, Tier.T2) is None
    # Nothing is left to ask.
    assert list(prove([EASY, IMPOSSIBLE], Tier.T1, Asked(), again)) == [True, False]


def test_another_chain_is_tried_where_one_fails(answers: Answers) -> None:
    pool = Asked("missed", "met")
    assert list(prove([EASY], Tier.T1, pool, answers)) == [True]
    first, second = (question.chains.chain(0) for question in pool.questions)
    assert first != second


def test_so_many_chains_that_fail_leave_a_task_unproven_and_lost_ones_unknown(answers: Answers) -> None:
    other: Task = replace(EASY, demand=replace(EASY.demand, max_ber=0.2))
    pool = Asked("missed", "missed", "missed", "lost", "missed", "missed")
    assert list(prove([EASY, other], Tier.T1, pool, answers)) == [False, False]
    assert not pool.told
    assert {answers.proven(EASY, Tier.T1), answers.proven(other, Tier.T1)} == {None, False}


def test_the_command_tells_how_many_are_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--limit", "1", "--workers", "0", "--answers", str(tmp_path / "answers.jsonl")])
    assert "of 1 proven at t1" in capsys.readouterr().out
    assert (tmp_path / "answers.jsonl").exists()
