"""The pool answers as the twin does, in order, and outlives workers that are killed or hang."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from training.orchestrator import twin_pool, twin_worker
from training.orchestrator.tasks.generator import draw
from training.orchestrator.twin_pool import Question, TwinPool, TwinPoolError, Verdict
from twin.link.evaluate import evaluate
from twin.link.qos import Tier
from twin.link.reward import DEFAULT_WEIGHTS, RewardWeights, reward
from twin.link.space import Space, concatenate


def question(seed: int, chains: int = 4) -> Question:
    task = draw(seed)
    drawn = Space.of(task.equipment).sample(chains, np.random.default_rng(seed))
    return Question(chains=drawn, demand=task.demand, equipment=task.equipment)


def long_question() -> Question:
    """Takes a worker seconds."""
    short = question(1)
    return replace(short, chains=concatenate([short.chains] * 12_000))


@pytest.fixture
def pool() -> Iterator[TwinPool]:
    with TwinPool(workers=1) as made:
        yield made


def in_background(pool: TwinPool, questions: list[Question]) -> tuple[threading.Thread, list[Verdict]]:
    found: list[Verdict] = []
    thread = threading.Thread(target=lambda: found.extend(pool.ask(questions)))
    thread.start()
    return thread, found


def running(pool: TwinPool) -> int:
    """The worker, once there is one."""
    end = time.monotonic() + 60
    while not pool.processes:
        assert time.monotonic() < end
        time.sleep(0.01)
    return pool.processes[0]


def same(one: Verdict, other: Verdict) -> bool:
    # Exponentials differ in their last digit with the place in a batch.
    return all(
        np.allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-12, equal_nan=True)
        for name in ("reward", "deviations", "met", "lost")
    )


def test_verdicts_are_the_twins_and_in_the_order_of_the_questions() -> None:
    questions = [question(seed, chains) for seed, chains in enumerate((3, 400, 1, 7))]
    with TwinPool(workers=0) as here, TwinPool(workers=2) as there:
        alone, many = list(here.ask(questions)), list(there.ask(questions))
    for asked, one, other in zip(questions, alone, many, strict=True):
        assert same(one, other)
        assert not one.lost.any()
        chain = asked.chains.chain(0)
        qos = evaluate(chain, asked.equipment).qos
        assert one.reward[0] == pytest.approx(reward(qos, asked.demand))
        assert (one.met == (one.deviations <= 0).all(axis=1)).all()


def test_chains_that_cannot_be_run_are_refused_and_the_others_answered() -> None:
    asked = question(2, 6)
    third = np.arange(6) == 3
    wide = {
        "prbs": np.where(third, 275, asked.chains.prbs),
        "numerology": np.where(third, 1, asked.chains.numerology),
    }
    broken = replace(asked, chains=asked.chains.with_(**wide))
    broken = replace(broken, equipment=replace(broken.equipment, free_prbs=274))
    with TwinPool(workers=0) as pool:
        (verdict,) = pool.ask([broken])
    assert verdict.reward[3] == DEFAULT_WEIGHTS.refused
    assert not verdict.met[3]
    assert not verdict.lost.any()
    assert np.isnan(verdict.deviations[3]).all()
    assert (np.delete(verdict.reward, 3) > DEFAULT_WEIGHTS.refused).all()


def test_weights_are_those_of_the_pool() -> None:
    asked = question(0)
    with (
        TwinPool(workers=0) as usual,
        TwinPool(workers=0, weights=RewardWeights(waste=(0, 0, 0), use=0.1)) as other,
    ):
        (one,), (two,) = usual.ask([asked]), other.ask([asked])
    assert (one.met == two.met).all()
    assert (two.reward[two.met] >= 0.9).all()


def test_a_killed_worker_costs_the_question_it_was_at(pool: TwinPool) -> None:
    (first,) = pool.ask([question(0)])
    before = running(pool)
    thread, found = in_background(pool, [long_question(), question(0)])
    time.sleep(0.3)
    os.kill(before, signal.SIGKILL)
    thread.join(60)
    lost, kept = found
    assert lost.lost.all()
    assert np.isnan(lost.reward).all()
    assert not lost.met.any()
    assert same(kept, first)
    assert dict(pool.lost) == {"a worker died": 1}
    assert pool.processes[0] != before


def test_a_worker_killed_while_it_is_idle_costs_nothing(pool: TwinPool) -> None:
    (first,) = pool.ask([question(0)])
    os.kill(running(pool), signal.SIGKILL)
    while pool.processes:
        time.sleep(0.01)
    (second,) = pool.ask([question(0)])
    assert same(first, second)
    assert not pool.lost


def test_a_worker_that_is_stopped_is_late_and_replaced() -> None:
    with TwinPool(workers=1, timeout_s=1.0) as pool:
        (first,) = pool.ask([question(0)])
        os.kill(running(pool), signal.SIGSTOP)
        # More than a pipe holds, so that the pool cannot even hand it over.
        stuck, after = pool.ask([long_question(), question(0)])
        assert stuck.lost.all()
        assert same(after, first)
        assert dict(pool.lost) == {"a worker took longer than 1 s": 1}


def test_closing_ends_workers_whatever_they_are_at() -> None:
    pool = TwinPool(workers=1)
    list(pool.ask([question(0)]))
    pid = running(pool)
    thread, _ = in_background(pool, [long_question()])
    time.sleep(0.2)
    began = time.monotonic()
    pool.close()
    thread.join(30)
    assert time.monotonic() - began < 10
    assert not pool.processes
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_when_nothing_is_answered_any_more_the_run_ends_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(job: twin_worker.Job) -> None:
        raise RuntimeError("the tables are gone")

    monkeypatch.setattr(twin_worker, "answer", broken)
    with TwinPool(workers=0) as pool:
        few = list(pool.ask([question(0, 1)] * (twin_pool.MOST_LOST_IN_A_ROW - 1)))
        assert all(verdict.lost.all() for verdict in few)
        with pytest.raises(TwinPoolError, match="the tables are gone"):
            list(pool.ask([question(0, 1)]))


def test_other_tiers_ask_chain_by_chain() -> None:
    asked = question(2, 2)
    with TwinPool(workers=0) as pool:
        (quick,), (verdict,) = pool.ask([asked]), pool.ask([asked], Tier.T1)
    qos = evaluate(asked.chains.chain(1), asked.equipment, Tier.T1).qos
    assert verdict.reward[1] == pytest.approx(reward(qos, asked.demand))
    assert not same(quick, verdict)


def test_a_pool_must_be_one() -> None:
    with pytest.raises(ValueError, match="workers is -1"):
        TwinPool(workers=-1)
    with pytest.raises(ValueError, match="timeout_s is 0"):
        TwinPool(timeout_s=0)
