import random
from collections import Counter

import numpy as np

from rapps.orchestrator.grammar import REFLECT, STRICTNESS, TARGETS, THINK
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.examples import of_question, of_sample, serving_answers, understood
from training.orchestrator.lm import KEEP_OUT
from twin.link.errors import PlanError


def test_what_a_text_states_is_told_by_its_letters_and_exactly() -> None:
    for task in (task for task in tasks(60) if task.explicit):
        script = ASKED.script(task)
        for option in understood(ASKED, task):
            assert option in script.reading.quantities
            script.choose(option)
        true = [getattr(task.demand, target.field) for target in TARGETS]
        np.testing.assert_allclose(script.values, true, rtol=0.02)


def test_what_a_text_leaves_open_is_told_by_the_easiest_word_that_is_safe() -> None:
    told: Counter[str] = Counter()
    for task in (task for task in tasks(200) if not task.explicit):
        reading = ASKED.script(task).reading
        for option, target in zip(understood(ASKED, task), TARGETS, strict=True):
            words = target.words(reading)
            if option in words:
                true = getattr(task.demand, target.field)
                safe = {word: (value / true) ** target.stricter >= 0.98 for word, value in words.items()}
                assert option == next((word for word in words if safe[word]), "strictest")
                told[option] += 1
    assert min(told[word] for word in STRICTNESS) > 5


def test_caution_takes_what_a_text_leaves_open_so_many_times_stricter_and_nothing_else() -> None:
    for task in tasks(100):
        reading = ASKED.script(task).reading
        plain, careful = understood(ASKED, task), understood(ASKED, task, caution=3.0)
        for before, after, target in zip(plain, careful, TARGETS, strict=True):
            words = target.words(reading)
            if before not in words:
                assert after == before
            elif after != "strictest":
                true = getattr(task.demand, target.field)
                assert (words[after] / true) ** target.stricter >= 3.0 * 0.98


def test_of_an_answer_all_is_learnt_but_what_a_tool_said() -> None:
    lm = made()
    sample = serving_answers(ASKED, lm, tasks(1), [random.Random(0)])[0]
    example = of_sample(sample)
    assert len(example.ids) == len(example.labels)
    learnt = lm.decode([label for label in example.labels if label != KEEP_OUT])
    told = lm.decode(
        [token for token, label in zip(example.ids, example.labels, strict=True) if label == KEEP_OUT]
    )
    assert learnt.startswith(THINK[0])
    assert REFLECT[0] not in learnt
    assert "Budget" not in learnt
    assert told.startswith("Equipment: ")
    assert told.endswith(REFLECT[1])


def test_serving_answers_choose_differently() -> None:
    lm, task = made(), tasks(1)[0]
    samples = serving_answers(ASKED, lm, [task] * 8, [random.Random(seed) for seed in range(8)])
    assert len({sample.script.chain() for sample in samples}) == 8


def test_serving_answers_serve() -> None:
    lm, some = made(), tasks(20)
    samples = serving_answers(ASKED, lm, some, [random.Random(0) for _ in some])
    assert ASKED.feedback(some, samples).completed.mean() > 0.7


def test_of_a_question_the_reasoning_and_the_answer_are_learnt() -> None:
    lm = made()
    example = of_question(lm, "What is a PRB?", "It has 12 subcarriers.", "12 subcarriers")
    learnt = lm.decode([label for label in example.labels if label != KEEP_OUT])
    assert learnt == "<think>It has 12 subcarriers.</think><answer>12 subcarriers</answer>"


def test_equipment_that_can_run_nothing_is_no_surprise() -> None:
    seen = 0
    for task in tasks(200, 1_000):
        try:
            ASKED.script(task)
        except PlanError:
            seen += 1
    assert seen < 20
