"""Feasibility is the oracle's, known at once where a random chain proves it, and kept in a file."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.orchestrator.tasks import feasibility, heldout
from training.orchestrator.tasks.feasibility import Answers, Best, difficulty, roomiest, share_of_chains
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.task import Task
from twin.link.demand import Demand
from twin.link.evaluate import evaluate
from twin.link.oracle import Optimum, oracle

EASY = Demand(max_delay_s=5.0, min_throughput_bps=1e3, max_ber=0.1)
IMPOSSIBLE = Demand(max_delay_s=1e-6, min_throughput_bps=1e12, max_ber=1e-9)


@pytest.fixture(scope="module")
def task() -> Task:
    drawn = draw(3)
    return replace(drawn, equipment=replace(drawn.equipment, free_prbs=12, tx_antennas=1, has_deeprx=False))


def test_a_random_chain_proves_a_task_feasible_without_the_oracle(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> Optimum:
        raise AssertionError("the oracle was asked")

    monkeypatch.setattr(feasibility, "oracle", never)
    assert Answers(tmp_path / "answers.jsonl").feasible(replace(task, demand=EASY))


def test_the_oracle_is_asked_once_and_its_answer_kept(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Demand] = []

    def counted(demand: Demand, *args: object, **more: object) -> Optimum:
        asked.append(demand)
        return oracle(demand, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(feasibility, "oracle", counted)
    hard, file = replace(task, demand=IMPOSSIBLE), tmp_path / "kept" / "answers.jsonl"
    answers = Answers(file)
    assert not answers.feasible(hard)
    best = answers.best(hard)
    assert best.reward is not None
    assert best.bound is not None
    assert best.reward <= best.bound
    assert best.reward < 0

    with file.open("ab") as stream:
        stream.write(b'{"key": "cut off he')
    again = Answers(file)
    assert again.best(hard) == best
    assert asked == [IMPOSSIBLE]
    again.feasible(replace(task, demand=EASY))
    assert (tmp_path / "kept" / "answers.jsonl").read_text().count("\n{") >= 1
    assert Answers(file).best(hard) == best


def test_an_oracle_that_is_cut_off_shows_no_task_infeasible_and_knows_no_best(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the timeline alone does not rule out, and only questions about bit errors do.
    clean = Demand(max_delay_s=5.0, min_throughput_bps=1e3, max_ber=1e-15)
    silent = replace(task, demand=clean, equipment=replace(task.equipment, snr_db=-40.0, max_tx_power_dbm=-10.0))
    monkeypatch.setattr(feasibility, "MOST_EVALUATIONS", 1)
    answers = Answers(tmp_path / "answers.jsonl")
    assert answers.feasible(silent)
    assert Answers(tmp_path / "answers.jsonl").feasible(silent)
    assert '"reward"' not in (tmp_path / "answers.jsonl").read_text()


def test_equipment_that_runs_no_chain_makes_a_task_infeasible(task: Task, tmp_path: Path) -> None:
    idle = replace(task, demand=EASY, equipment=replace(task.equipment, compute_flops=1e6))
    assert Answers(tmp_path / "a.jsonl").best(idle) == Best(feasible=False, reward=None, bound=None)
    assert share_of_chains(idle) == 0.0


def test_asking_more_is_never_easier(task: Task) -> None:
    for seed in range(8):
        drawn = draw(seed)
        relaxed = replace(
            drawn,
            demand=Demand(
                max_delay_s=drawn.demand.max_delay_s * 4,
                min_throughput_bps=drawn.demand.min_throughput_bps / 4,
                max_ber=drawn.demand.max_ber * 10,
            ),
        )
        # Other random chains: allow for their chance.
        assert difficulty(relaxed) <= difficulty(drawn) + 0.15
    assert difficulty(replace(task, demand=IMPOSSIBLE)) > 2.5
    assert 0 <= difficulty(replace(task, demand=EASY)) < 0.5


def proven(tasks: tuple[Task, ...]) -> int:
    return sum(share_of_chains(task, 8) > 0 or share_of_chains(task) > 0 for task in tasks)


def test_nearly_every_held_out_task_is_feasible() -> None:
    some = heldout.tasks()[::43]
    assert proven(some) >= 0.9 * len(some)


@pytest.mark.slow
def test_a_thousand_held_out_explicit_tasks_are_feasible() -> None:
    assert proven(tuple(task for task in heldout.tasks() if task.explicit)) >= 1_000


def test_shares_are_kept(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "answers.jsonl"
    share = Answers(file).share(task)
    assert share == share_of_chains(task)
    monkeypatch.setattr(feasibility, "share_of_chains", lambda task: 1 / 0)
    assert Answers(file).share(task) == share
    assert Answers(file).feasible(task)


def test_the_roomiest_chains_meet_the_demand_the_first_by_most(task: Task) -> None:
    wide = replace(task, demand=EASY)
    few, more = roomiest(wide, 3), roomiest(wide, 10_000)
    assert few is not None
    assert more is not None
    assert len(few) == 3
    assert len(more) == round(share_of_chains(wide) * feasibility.PROBES)
    rooms = []
    for row in range(len(more)):
        qos = evaluate(more.chain(row), wide.equipment).qos
        kept = (
            EASY.max_delay_s / qos.delay_s,
            qos.throughput_bps / EASY.min_throughput_bps,
            EASY.max_ber / max(qos.ber_high, 1e-15),
        )
        rooms.append(min(kept))
    assert min(rooms) >= 1.0
    assert rooms == sorted(rooms, reverse=True)
    assert roomiest(replace(task, demand=IMPOSSIBLE), 3) is None
