"""Models without a mask: the tool speaks where the thought ends, and whatever they write is read as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from rapps.orchestrator.answer import well_formed
from rapps.orchestrator.chat import Turn
from rapps.orchestrator.endpoint import NoAnswer
from rapps.orchestrator.grammar import reflection
from rapps.orchestrator.prompt import system
from rapps.orchestrator.reading import read
from tests.training.orchestrator.small import ASKED, CONFIG, made, tasks
from training.orchestrator import outside
from training.orchestrator.examples import of_sample
from training.orchestrator.free_entry import FreeEntry
from training.orchestrator.lm import Lm
from training.orchestrator.supervised import SupervisedConfig, fit
from training.orchestrator.unmasked import Unmasked

TASK = tasks(1)[0]
ASK = [(read(TASK.text), TASK.equipment)]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lm, str]:
    """A model that knows one answer by heart, what the tool says excepted, and that answer."""
    lm = made()
    (sample,) = ASKED.sample(lm, [TASK], 1, 1.0, seed=3)
    config = SupervisedConfig(steps=120, learning_rate=1e-2, bf16=False)
    fit(lm, lambda step: [of_sample(sample)] * 4, config, tmp_path_factory.mktemp("fit"))
    return lm, sample.script.text


def test_a_model_that_learnt_the_format_keeps_it_without_a_mask(learnt: tuple[Lm, str]) -> None:
    lm, text = learnt
    (said,) = Unmasked(lm, taught=True, margin=ASKED.margin).answer(ASK)
    assert said == text
    assert well_formed(text)


def test_what_is_reflected_is_the_tool_s_word_on_the_demand_that_was_understood(learnt: tuple[Lm, str]) -> None:
    lm, text = learnt
    margin = 2.0
    (said,) = Unmasked(lm, taught=True, margin=margin).answer(ASK)
    answer = FreeEntry("free", Unmasked(lm, taught=True, margin=margin), margin)([TASK])[0]
    assert answer.demand is not None
    assert answer.plan is not None
    assert answer.well_formed
    assert reflection(replace(answer.demand, margin=margin), TASK.equipment) in str(said)
    assert reflection(replace(answer.demand, margin=ASKED.margin), TASK.equipment) in text


def test_answers_side_by_side_are_those_that_stand_alone(learnt: tuple[Lm, str]) -> None:
    lm, _ = learnt
    asked = [(read(task.text), task.equipment) for task in tasks(5)]
    one, many = (Unmasked(lm, taught=True, margin=0.1, most_tokens=60, at_once=n) for n in (1, 3))
    assert many.answer(asked) == one.answer(asked)


def test_a_model_that_knows_nothing_says_nothing_that_counts() -> None:
    answers = FreeEntry("free", Unmasked(made(), taught=True, margin=0.1, most_tokens=30))(tasks(3))
    for answer in answers:
        assert answer.plan is None
        assert not answer.well_formed
        assert answer.refusal is None


def test_a_prompt_that_is_too_long_is_no_answer_and_no_crash() -> None:
    lm = made()
    (said,) = Unmasked(lm, taught=False, margin=0.1).say([Turn(system() * 3, "Well?")])
    assert isinstance(said, NoAnswer)
    assert str(CONFIG.length) in str(said)
    (answer,) = FreeEntry("free", Unmasked(lm, taught=False, margin=0.1))([TASK])
    assert str(answer.refusal).startswith("the prompt has")


def test_a_chat_template_is_used_where_there_is_one() -> None:
    lm = made()
    lm.tokenizer.chat_template = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{% endfor %}[reply]"
    model = Unmasked(lm, taught=False, margin=0.1)
    assert lm.decode(model._prompt(Turn("Be short.", "Well?"))) == "[user] Be short.\n\nWell?[reply]"
    assert lm.decode(model._prompt(Turn("", "Well?"))) == "Well?"


def test_a_folder_names_an_entry(learnt: tuple[Lm, str], tmp_path: Path) -> None:
    lm, _ = learnt
    lm.save(tmp_path / "model")
    entry = outside.MAKERS["free"](str(tmp_path / "model"))
    assert entry.name == f"free:{tmp_path / 'model'}@{lm.digest()}"
    (answer,) = entry([TASK])
    assert answer.well_formed
    with pytest.raises(outside.OutsideError, match="free:FOLDER"):
        outside.MAKERS["free"]("")
