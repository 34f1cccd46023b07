"""Entries by name: searches that are told the demand, each with its number of questions to the twin."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rapps.orchestrator.package import load
from rapps.orchestrator.task import Task as ServedTask
from tests.training.orchestrator import packaged
from tests.training.orchestrator.small import made
from training.orchestrator import entries
from training.orchestrator.entries import EntryError, make
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.evaluation import Answer
from training.orchestrator.model_entry import ModelEntry
from training.orchestrator.presets import OrchestratorConfig
from training.orchestrator.tasks.generator import draw
from twin.link import baselines
from twin.link.equipment import check
from twin.link.evaluate import evaluate
from twin.link.reward import reward

TASKS = [draw(seed) for seed in range(3)]
SPECS = ("random", "random:8", "sized:4", "amc", "amc:8", "bayes:12")


@pytest.mark.parametrize("spec", SPECS)
def test_answers_are_plans_that_the_equipment_can_run_and_the_same_again(spec: str) -> None:
    first, again = make(spec)(TASKS), make(spec)(TASKS[::-1])[::-1]
    for task, answer, same in zip(TASKS, first, again, strict=True):
        assert answer.plan is not None
        assert answer.plan == same.plan
        check(answer.plan, task.equipment)
        assert answer.demand is None
        assert answer.well_formed
        assert answer.refusal is None
        assert answer.seconds > 0


def test_more_questions_are_never_worse() -> None:
    def worth(answer: Answer, place: int) -> float:
        assert answer.plan is not None
        return reward(evaluate(answer.plan, TASKS[place].equipment).qos, TASKS[place].demand)

    for few, more in (("amc", "amc:8"), ("random", "random:32")):
        gains = [
            worth(better, place) - worth(answer, place)
            for place, (answer, better) in enumerate(zip(make(few)(TASKS), make(more)(TASKS), strict=True))
        ]
        # The rule's first question is the same whatever its budget; random ones are others.
        assert min(gains) >= 0 if few == "amc" else sum(gains) > 0


def test_the_budget_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def search(task: baselines.Task, *, budget: int, seed: int) -> baselines.Search:
        asked.append(budget)
        return baselines.random_search(task, budget=1, seed=seed)

    monkeypatch.setattr(baselines, "bayes", search)
    make("bayes:17")(TASKS[:1])
    make("bayes")(TASKS[:1])
    assert asked == [17, 1]


def test_what_cannot_be_planned_is_refused() -> None:
    idle = replace(TASKS[0], equipment=replace(TASKS[0].equipment, compute_flops=1e6))
    unknown = ServedTask(text="Something fast", equipment=TASKS[0].equipment)
    for spec in SPECS:
        for answer in make(spec)([idle, unknown]):
            assert answer.plan is None
            assert answer.refusal


def test_the_name_tells_the_budget() -> None:
    assert [make(spec).name for spec in ("random", "sized", "amc:008")] == ["random:1", "sized:1", "amc:8"]


def test_others_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self, tasks: object, /) -> tuple[Answer, ...]:
            return ()

    monkeypatch.setitem(entries.MAKERS, "silent", Silent)
    assert make("silent:http://127.0.0.1:8000").name == "http://127.0.0.1:8000"


def test_a_package_is_an_entry_by_its_name_and_margin(tmp_path: Path) -> None:
    folder = packaged.write(tmp_path / "package")
    entry = make(f"model:{folder}")
    assert entry.name == load(folder).name
    assert isinstance(entry, ModelEntry)
    assert entry.margin == 0.2
    for task, answer in zip(TASKS, entry(TASKS), strict=True):
        assert answer.plan is not None
        assert answer.demand is not None
        check(answer.plan, task.equipment)
    idle = replace(TASKS[0], equipment=replace(TASKS[0].equipment, compute_flops=1e6))
    (refused,) = entry([idle])
    assert refused.plan is None
    assert refused.refusal


def test_a_folder_of_transformers_is_an_entry_by_its_weights(tmp_path: Path) -> None:
    made().save(tmp_path)
    entry = make(f"model:{tmp_path}")
    assert entry.name == f"model:{tmp_path}@{made().digest()}"
    assert isinstance(entry, ModelEntry)
    assert entry.margin == OrchestratorConfig(name="").margin
    assert all(answer.plan for answer in entry(TASKS))


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    (packaged.write(tmp_path / "package") / "tokenizer.json").write_text("{}")
    for spec, why in ((f"model:{tmp_path / 'package'}", "not what was shipped"), ("model:", "names no package")):
        with pytest.raises(EntryError, match=why):
            make(spec)
    with pytest.raises(OrchestratorError, match="no language model"):
        make(f"model:{tmp_path}")
    with pytest.raises(EntryError, match="shipped:x has too much"):
        make("shipped:x")


def test_the_shipped_model_is_an_entry() -> None:
    (answer,) = make("shipped")(TASKS[:1])
    assert answer.plan is not None


def test_a_shipped_model_that_is_missing_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapps.orchestrator.package.SHIPPED", tmp_path / "ranloop-6g-edge")
    with pytest.raises(EntryError, match="ranloop-6g-edge cannot be read"):
        make("shipped")


@given(
    st.text(max_size=30) | st.sampled_from(["random:", "amc:"]).flatmap(lambda kind: st.text().map(kind.__add__))
)
def test_any_text_names_an_entry_or_is_refused(spec: str) -> None:
    assume(spec != "shipped")
    kind, _, budget = spec.partition(":")
    good = kind in ("random", "amc", "bayes") and re.fullmatch(r"|0{0,5}[1-9][0-9]{0,5}", budget)
    try:
        made = make(spec)
    except EntryError:
        assert not good or len(budget) > 5
    else:
        assert good
        assert made.name == f"{kind}:{int(budget or 1)}"
