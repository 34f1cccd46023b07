"""The best reward at a tier: the oracle's at T0, above it the best of the chains that come close."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.orchestrator.proving import SEED
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
    """A pool that keeps what it was asked at a higher tier and by which channels, and may lose it all."""

    def __init__(self, *, loses: bool = False) -> None:
        super().__init__(workers=0)
        self.loses, self.asked = loses, list[tuple[int, Question, np.ndarray]]()

    def ask(
        self, questions: Iterable[Question], tier: Tier = Tier.T0, *, seed: int = 0, looks: int = 1
    ) -> Iterator[Verdict]:
        for question in questions:
            verdict = next(super().ask([question], tier, seed=seed, looks=looks))
            self.asked.append((seed, question, verdict.reward))
            if self.loses:
                lost = np.ones(len(question.chains), dtype=bool)
                verdict = replace(verdict, lost=lost, reward=np.full(len(lost), np.nan))
            yield verdict


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers.jsonl")


def test_at_t0_it_is_the_oracles(answers: Answers) -> None:
    with Counting() as pool:
        assert best(TASK, Tier.T0, pool, answers) == answers.best(TASK).reward
        assert pool.asked == []


def test_above_it_is_that_of_the_chain_that_is_the_best_by_other_channels_and_kept(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bests, "CLOSEST", 4)
    monkeypatch.setattr(bests, "CHOOSING", (2, 3))
    monkeypatch.setattr(bests, "JUDGING", (0, 4))
    with Counting() as pool:
        found = best(TASK, Tier.T1, pool, answers)
        # The first question is T0's.
        (*_, one), (*_, other), first, second = [told for told in pool.asked[1:] if told[0] != SEED]
        assert [seed for seed, *_ in pool.asked[1:] if seed != SEED] == [2, 3, 0, 4]
        chains = next(question.chains for seed, question, _ in pool.asked if seed == 2)
        assert 4 < len(chains) <= 8
        assert first[1].chains.chain(0) == chains.chain(int(np.argmax(one + other)))
        assert found == pytest.approx((first[2][0] + second[2][0]) / 2)
        assert found is not None
        assert 0 < found < 1
        asked = len(pool.asked)
        assert best(TASK, Tier.T1, pool, Answers(answers.path)) == found
        assert len(pool.asked) == asked
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
