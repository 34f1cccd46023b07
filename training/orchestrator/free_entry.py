"""Free entry: models that answer in their own words, and what is read of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rapps.orchestrator.answer import parse, well_formed
from rapps.orchestrator.chat import Chat, Turn
from rapps.orchestrator.endpoint import EndpointError, NoAnswer
from rapps.orchestrator.prompt import prompt, system
from rapps.orchestrator.reading import Reading, read
from rapps.orchestrator.schema import answer, schema
from rapps.orchestrator.task import Task
from training.orchestrator.evaluation import Answer, EvaluationError
from twin.link.equipment import EquipmentState


class Speaker(Protocol):
    """A model that is asked in words and answers in words."""

    def answer(self, asked: Sequence[tuple[Reading, EquipmentState]]) -> Sequence[str | NoAnswer]:
        """What it writes to tasks, or why nothing came."""

    def say(self, turns: Sequence[Turn]) -> Sequence[str | NoAnswer]:
        """What it writes to any instruction, or why nothing came."""


@dataclass(frozen=True, slots=True)
class EndpointSpeaker:
    """A model behind an endpoint; with `held` the server holds it to the JSON schema of an answer.

    EvaluationError when the server answers nothing any more.
    """

    chat: Chat
    held: bool = False

    def answer(self, asked: Sequence[tuple[Reading, EquipmentState]]) -> Sequence[str | NoAnswer]:
        """What it writes to tasks; a text that is in the schema's form stands as one in the grammar's."""
        forms = [schema(reading) if self.held else None for reading, _ in asked]
        said = self.say([Turn(system(), prompt(*task), form) for task, form in zip(asked, forms, strict=True)])
        if not self.held:
            return said
        return [
            text if isinstance(text, NoAnswer) else answer(text, reading)
            for (reading, _), text in zip(asked, said, strict=True)
        ]

    def say(self, turns: Sequence[Turn]) -> Sequence[str | NoAnswer]:
        """What it writes to any instruction."""
        try:
            return self.chat.say(turns)
        except EndpointError as error:
            raise EvaluationError(str(error)) from None


@dataclass(frozen=True, slots=True)
class FreeEntry:
    """A speaker as one of those that answer tasks, one answer to each.

    An answer that could not be had counts nowhere. One that says no plan is no refusal: it was not meant so.
    """

    name: str
    speaker: Speaker
    margin: float = 0.0
    """Worked into sizes that are told as what to have beyond the need."""

    def __call__(self, tasks: Sequence[Task], /) -> tuple[Answer, ...]:
        """Answer tasks side by side; the seconds of an answer are its part of the whole."""
        began = time.perf_counter()
        asked = []
        for task in tasks:
            assert task.equipment is not None
            asked.append((read(task.text), task.equipment))
        said = self.speaker.answer(asked)
        seconds = (time.perf_counter() - began) / max(1, len(tasks))
        return tuple(self._read(text, *task, seconds) for text, task in zip(said, asked, strict=True))

    def say(self, turns: Sequence[Turn]) -> Sequence[str | NoAnswer]:
        """What the speaker writes to any instruction (`training.orchestrator.translation`)."""
        return self.speaker.say(turns)

    def _read(self, text: str | NoAnswer, reading: Reading, equipment: EquipmentState, seconds: float) -> Answer:
        if isinstance(text, NoAnswer):
            return Answer(demand=None, plan=None, well_formed=False, refusal=str(text), seconds=seconds, had=False)
        found = parse(text, reading, equipment, margin=self.margin)
        return Answer(
            demand=found.demand, plan=found.plan, well_formed=well_formed(text), refusal=None, seconds=seconds
        )
