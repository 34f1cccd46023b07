"""The best reward at a tier: the oracle's at T0, above it the best of the chains that come close."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.orchestrator.tasks import bests, feasibility
from training.orchestrator.tasks.bests import best
from training.orchestrator.tasks.feasibility import Answers
from training.orchestrator.tasks.generator import draw
from training.orchestrator.twin_pool import LOOKS, Question, TwinPool, Verdict
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.qos import Tier

SMALL = EquipmentState(
    free_prbs=6,
    tx_antennas=1,
    rx_antennas=1,
    compute_flops=1e11,
    max_tx_power_dbm=20.0,
    channel="tdl_c",  # type: ignore[arg-type]
    snr_db=10.0,
    delay_spread_s=1e-7,
    doppler_hz=20.0,
)
TASK = replace(draw(1), demand=Demand(max_delay_s=0.02, min_throughput_bps=5e5, max_ber=1e-3), equipment=SMALL)


class Counting(TwinPool):
    """A pool that keeps the questions, and may lose them all."""

    def __init__(self, *, loses: bool = False) -> None:
        super().__init__(workers=0)
        self.loses, self.asked = loses, list[Question]()

    def ask(
        self, questions: Iterable[Question], tier: Tier = Tier.T0, *, seed: int = 0, looks: int = 1
    ) -> Iterator[Verdict]:
        for question in questions:
            self.asked.append(question)
            verdict = next(super().ask([question], tier, seed=seed, looks=looks))
            yield replace(verdict, lost=np.ones(len(question.chains), dtype=bool)) if self.loses else verdict


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers.jsonl")


def test_at_t0_it_is_the_oracles(answers: Answers) -> None:
    with Counting() as pool:
        assert best(TASK, Tier.T0, pool, answers) == answers.best(TASK).reward
        assert pool.asked == []


def test_above_it_is_the_best_of_the_chains_that_come_close_and_kept(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bests, "CLOSEST", 16)
    with Counting() as pool:
        found = best(TASK, Tier.T1, pool, answers)
        (question,) = pool.asked
        assert len(question.chains) == 16
        verdict: Verdict = next(TwinPool.ask(pool, [question], Tier.T1, looks=LOOKS))
        assert found == pytest.approx(float(verdict.reward.max()))
        highest = answers.best(TASK).reward
        assert found is not None
        assert highest is not None
        assert 0 < found < highest + 0.2
        assert best(TASK, Tier.T1, pool, Answers(answers.path)) == found
        assert len(pool.asked) == 1
        assert answers.proven(TASK, Tier.T1) is None


def test_what_another_number_of_looks_found_best_is_not_taken(answers: Answers) -> None:
    answers.keep_best(TASK, Tier.T1, 0.5)
    assert Answers(answers.path).best_at(TASK, Tier.T1) == 0.5
    answers.path.write_text(answers.path.read_text().replace(f'"looks": {LOOKS}', f'"looks": {LOOKS + 1}'))
    assert Answers(answers.path).best_at(TASK, Tier.T1) is None


def test_what_the_twin_lost_is_asked_another_time(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bests, "CLOSEST", 1)
    with Counting(loses=True) as pool:
        assert best(TASK, Tier.T1, pool, answers) is None
    assert answers.best_at(TASK, Tier.T1) is None


def test_no_chain_has_no_best(answers: Answers) -> None:
    idle = replace(TASK, equipment=replace(SMALL, compute_flops=1e6))
    with Counting() as pool:
        assert best(idle, Tier.T0, pool, answers) is None
        assert best(idle, Tier.T1, pool, answers) is None
    assert feasibility.share_of_chains(idle) == 0.0
