"""Programs that models write run in the sandbox alone; the renderer is the reference."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rapps.orchestrator.answer import policy
from rapps.orchestrator.chat import Turn
from rapps.orchestrator.endpoint import NoAnswer
from tests.rapps.orchestrator.peers import said, sent, serving
from training.orchestrator import entries, outside
from training.orchestrator.evaluation import Outcomes, evaluate
from training.orchestrator.tasks.generator import draw
from training.orchestrator.translation import (
    Given,
    Translation,
    Translator,
    instruction,
    plans,
    program,
    translate,
)
from training.orchestrator.twin_pool import TwinPool
from twin.link.plan import Plan
from twin.link.program import render
from twin.link.qos import Tier
from twin.link.sandbox import Sandbox
from twin.link.space import Space

TASKS = [task for task in map(draw, range(20)) if task.equipment.max_tx_power_dbm >= 25.0][:6]


class Writes:
    """An entry that writes what a function makes of a plan."""

    name = "writes"

    def __init__(self, *texts: str | NoAnswer) -> None:
        self.texts = texts
        self.turns: list[Turn] = []

    def say(self, turns: Sequence[Turn]) -> Sequence[str | NoAnswer]:
        self.turns += turns
        if self.texts:
            return [self.texts[place % len(self.texts)] for place in range(len(turns))]
        return [
            f"Here it is:\n```python\n{render(Plan.parse(turn.user.partition('plan:')[2]))}```" for turn in turns
        ]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def pool() -> Iterator[TwinPool]:
    with TwinPool(workers=0) as made:
        yield made


def given() -> list[Given]:
    draw_chain = np.random.default_rng(0)
    return [
        Given(
            text=task.text,
            plan=Plan(
                link_chain=Space.of(task.equipment).sample(1, draw_chain).chain(0),
                slice_policy=policy(task.demand),
            ),
            equipment=task.equipment,
            demand=task.demand,
        )
        for task in TASKS
    ]


def translated(entry: Translator, sandbox: Sandbox, pool: TwinPool) -> Translation:
    return translate(entry, given(), sandbox, pool)


def test_programs_of_the_renderer_all_run_and_give_the_plan_back(sandbox: Sandbox, pool: TwinPool) -> None:
    entry = Writes()
    found = translated(entry, sandbox, pool)
    assert found.ran is not None
    assert found.same is not None
    assert (found.programs, found.ran.mean, found.same.mean) == (len(TASKS), 1.0, 1.0)
    assert found.reward == found.reference_reward
    assert not found.refusals
    assert all("twin.transmit(link)" in turn.system for turn in entry.turns)


def test_the_example_that_models_are_shown_runs(sandbox: Sandbox) -> None:
    assert isinstance(sandbox.run(program(instruction())), Plan)


def test_another_plan_runs_but_is_not_the_same_and_has_its_own_reward(sandbox: Sandbox, pool: TwinPool) -> None:
    other = (
        'link = twin.link(numerology=0, prbs=1)\nlink.encode(code_rate=0.9)\nlink.modulate(modulation="256qam")\n'
        'twin.slice(slice="1-000001", delay_s=1)\ntwin.transmit(link)'
    )
    found = translated(Writes(other), sandbox, pool)
    assert found.ran is not None
    assert found.same is not None
    assert found.reward is not None
    assert found.reference_reward is not None
    assert (found.ran.mean, found.same.mean) == (1.0, 0.0)
    assert found.reward.mean < found.reference_reward.mean


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.system('touch {mark}')",
        "```python\nopen('{mark}', 'w')\n```",
        "().__class__.__base__.__subclasses__()",
        "eval('1')",
        "for a in range(1000):\n  for b in range(1000):\n    a = b",
        "x = 9 ** 9 ** 9",
        "[" * 5000,
        "twin.transmit(twin.link(numerology=1, prbs=24))",
        "I would rather not.",
        "",
        "x" * 100_000,
        "\x00\ufffd",
    ],
)
def test_hostile_programs_are_refused_and_leave_no_trace(
    text: str, tmp_path: Path, sandbox: Sandbox, pool: TwinPool
) -> None:
    mark = tmp_path / "mark"
    with serving(sent(200, said(text.replace("{mark}", str(mark))))) as peer:
        entry = outside.MAKERS["endpoint"](f"{peer.url}#m")
        assert isinstance(entry, Translator)
        found = translated(entry, sandbox, pool)
    assert found.ran is not None
    assert found.ran.mean == 0.0
    assert found.reward is None
    assert sum(found.refusals.values()) == len(TASKS)
    assert not mark.exists()


def test_what_did_not_come_is_counted_with_its_reason(sandbox: Sandbox, pool: TwinPool) -> None:
    found = translated(Writes(NoAnswer("gone fishing"), "import os"), sandbox, pool)
    assert found.refusals == {"no program came: gone fishing": 3, "import is not allowed": 3}
    assert "3 x no program came: gone fishing" in found.text()


def test_plans_are_those_that_an_entry_answered_with(pool: TwinPool, tmp_path: Path) -> None:
    entry, outcomes = entries.make("random"), Outcomes(tmp_path / "outcomes.jsonl")
    answers = entry(TASKS)
    evaluate(entry, TASKS, Tier.T0, pool, outcomes)
    # From the file, as another run would.
    found = plans(entry.name, TASKS, Tier.T0, Outcomes(tmp_path / "outcomes.jsonl"), most=4)
    assert [one.plan.link_chain for one in found] == [a.plan.link_chain for a in answers[:4] if a.plan is not None]
    assert [one.demand for one in found] == [task.demand for task in TASKS[:4]]
    assert plans("amc:1", TASKS, Tier.T0, outcomes, most=4) == []


def test_the_first_block_is_the_program_or_else_all_of_it() -> None:
    assert program("Look:\n```python\na = 1\n```\nor\n```\nb = 2\n```") == "a = 1\n"
    assert program("a = 1") == "a = 1"
    assert program("```python\nnever closed") == "```python\nnever closed"
