"""Examples: texts in tokens for supervised learning, of documents, of questions and of answers to tasks."""

import random
from collections.abc import Sequence

import numpy as np

from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import ANSWER, TARGETS, THINK, values
from training.orchestrator.asking import Asked
from training.orchestrator.dimensioning import Room, Wanted, drawn
from training.orchestrator.lm import KEEP_OUT, Lm
from training.orchestrator.supervised import Example
from training.orchestrator.tasks.task import Task

WITHIN = 0.02
"""How far a quantity of a text may be from a target that it is taken for, relatively."""


def of_documents(lm: Lm, texts: Sequence[str], length: int) -> list[Example]:
    """Documents one after the other, each ended, in pieces of the same number of tokens."""
    ids = np.concatenate([np.array((*lm.encode(text), lm.end), dtype=np.int64) for text in texts])
    pieces = [tuple(ids[start : start + length].tolist()) for start in range(0, len(ids), length)]
    return [Example(piece, piece) for piece in pieces if len(piece) > 1]


def of_question(lm: Lm, question: str, reasoning: str, answer: str) -> Example:
    """A question that is thought about, then answered; what is learnt is the answer."""
    asked = lm.encode(f"Question: {question}\n")
    told = f"{THINK[0]}{reasoning}{THINK[1]}{ANSWER[0]}{answer}{ANSWER[1]}"
    ids = (*lm.encode(told), lm.end)
    return Example(asked + ids, (KEEP_OUT,) * len(asked) + ids)


def of_sample(sample: Sample) -> Example:
    """An answer to a task; what is learnt is all of it but what a tool said."""
    begin, end = sample.told
    labels = [KEEP_OUT if begin <= place < end else token for place, token in enumerate(sample.ids)]
    return Example(sample.prompt + sample.ids, (KEEP_OUT,) * len(sample.prompt) + tuple(labels))


def understood(asked: Asked, task: Task, caution: float = 1.0) -> tuple[str, ...]:
    """How an answer tells the task's true demand: letters where the text has the quantity, else how strict it is.

    The word is the easiest that is `caution` times stricter than the truth, or the strictest.
    """
    reading = asked.script(task).reading
    told = []
    for target in TARGETS:
        true = float(getattr(task.demand, target.field))
        known, words = values(reading, target), target.words(reading)
        letters = [name for name in known if name not in words and abs(known[name] / true - 1.0) <= WITHIN]
        if letters:
            told.append(letters[0])
            continue
        aim = true * caution**target.stricter
        safe = [word for word, value in words.items() if (value / aim) ** target.stricter > 1.0 - WITHIN]
        told.append(min(safe or words, key=lambda word: abs(np.log(words[word] / aim))))
    return tuple(told)


def serving_answers(
    asked: Asked, lm: Lm, tasks: Sequence[Task], draws: Sequence[random.Random], caution: float = 1.0
) -> list[Sample]:
    """Answers that understood their tasks, with random modules that serve by the twin; any where few draws do.

    What a text leaves open is taken `caution` times stricter than it is. Each is made by its own draw alone.
    PlanError where an equipment can run no link chain.
    """
    scripts = [asked.script(task) for task in tasks]
    told = [list(understood(asked, task, caution)) for task in tasks]
    for script, options in zip(scripts, told, strict=True):
        for option in options:
            script.choose(option)
    wanted = [Wanted(script.demand, script.equipment, draw) for script, draw in zip(scripts, draws, strict=True)]
    for script, options, draw, found in zip(scripts, told, draws, drawn(wanted, Room()), strict=True):
        for option in found.options if found else ():
            options.append(option)
            script.choose(option)
        while not script.done:
            options.append(draw.choice(script.step().options))
            script.choose(options[-1])
    return [asked.written(lm, task, options) for task, options in zip(tasks, told, strict=True)]
