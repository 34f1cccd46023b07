"""Instruction: a question with its reasoning and answer, exchanged as JSON, in files one a line (JSONL)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from training.orchestrator.errors import OrchestratorError

_MOST_LETTERS = 40


class InstructionError(OrchestratorError):
    """An instruction that cannot be read; names file and line, where there are any, and the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A question to answer. InstructionError for a text that is no Unicode, or that is needed and empty."""

    question: str
    answer: str
    reasoning: str = ""
    """How the answer is found; may be empty."""
    source: str = ""
    """Where it comes from; may be empty."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str):
                raise InstructionError(f"{field.name} is {_brief(value)}; it must be a text")
            if field.name in ("question", "answer") and not value.strip():
                raise InstructionError(f"{field.name} is empty; it must be a text")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise InstructionError(f"{field.name} has half a surrogate pair; it must be Unicode") from None

    @property
    def parts(self) -> tuple[str, str, str]:
        """The question, its reasoning and its answer."""
        return self.question, self.reasoning, self.answer

    def to_json(self) -> str:
        """The instruction as one line of JSON, without what is empty."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, ensure_ascii=False)


def parse(line: str) -> Instruction:
    """Read one instruction from JSON; InstructionError names the field that is wrong."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InstructionError(f"this is not JSON: {error}") from None
    names = [field.name for field in fields(Instruction)]
    if not isinstance(told, dict):
        raise InstructionError(f"this is no instruction; it must be an object with {', '.join(names)}")
    for name in told:
        if name not in names:
            raise InstructionError(f"there is no {_brief(name)}; there are {', '.join(names)}")
    for name in ("question", "answer"):
        if name not in told:
            raise InstructionError(f"{name} is missing; it must be a text")
    return Instruction(**told)


def read(path: Path) -> tuple[Instruction, ...]:
    """Read the instructions of a JSONL file, skipping blank lines; InstructionError names file, line and field."""
    found = []
    try:
        # Not splitlines, which breaks lines within a text too.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InstructionError(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(parse(line))
            except InstructionError as error:
                raise InstructionError(f"{path}, line {number}: {error}") from None
    return tuple(found)


def write(path: Path, instructions: Iterable[Instruction]) -> None:
    """Write instructions as JSONL."""
    text = "".join(f"{instruction.to_json()}\n" for instruction in instructions)
    path.write_text(text, encoding="utf-8", newline="\n")


def _brief(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."
