"""Decoding: answers of a model that is held to the grammar, and where in them it had a choice.

Text that the grammar gives is fed, not generated; where it offers options the model chooses between their tokens.
So an answer costs one call for each choice, and every answer is in the format. Any model will do that tells logits
of tokens: trainings decode with torch, the rApp with onnxruntime.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rapps.orchestrator.grammar import Script, Step


class Session(Protocol):
    """Answers under way, whose prompts the model has read."""

    def feed(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Read the next tokens of each answer, and give the logits after them, float32 [answers, vocabulary].

        A row without tokens stays as it is, and its logits mean nothing.
        """


class Model(Protocol):
    """A causal language model."""

    @property
    def end(self) -> int:
        """The token that ends a text."""

    def encode(self, text: str) -> tuple[int, ...]:
        """A text's tokens."""

    def begin(self, prompts: Sequence[Sequence[int]], each: int) -> Session:
        """Read prompts, for so many answers to each, in turn."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A token that was chosen: its place in the answer's tokens, and the tokens it was chosen from."""

    place: int
    allowed: tuple[int, ...]
    choice: int
    """Which choice of the grammar it is of; a tokenizer that cuts options apart makes several of one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of the grammar: what was chosen, and from what."""

    option: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer in tokens, whole with the one that ends it."""

    prompt: tuple[int, ...]
    ids: tuple[int, ...]
    decisions: tuple[Decision, ...]
    choices: tuple[Choice, ...]
    told: tuple[int, int]
    """Where a tool's tokens begin and end."""
    script: Script


@dataclass(slots=True)
class _Row:
    """An answer while it is sampled."""

    model: Model
    script: Script
    ids: list[int] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    told: tuple[int, int] = (0, 0)
    fresh: list[int] = field(default_factory=list)
    """Tokens that the model has not seen yet."""
    step: Step = field(default_factory=lambda: Step(""))
    options: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Those that go on as what was chosen so far of this option."""
    begun: int = 0

    def __post_init__(self) -> None:
        self._next()

    def allowed(self) -> dict[int, str | None]:
        """Tokens that may come next; with the option that one of them ends before, if it does."""
        found: dict[int, str | None] = {}
        for option, ids in self.options.items():
            if len(ids) > self.begun:
                found[ids[self.begun]] = None
            else:
                found[self.model.encode(self.step.after)[0]] = option
        return found

    def take(self, token: int) -> None:
        """Go on with a token of those allowed."""
        allowed = self.allowed()
        if len(allowed) > 1:
            self.decisions.append(Decision(len(self.ids), tuple(allowed), len(self.choices)))
        if (ended := allowed[token]) is not None:
            self._choose(ended)
            return
        self._feed((token,))
        self.options = {
            option: ids
            for option, ids in self.options.items()
            if len(ids) > self.begun and ids[self.begun] == token
        }
        self.begun += 1
        if len(self.options) == 1:
            ((option, ids),) = self.options.items()
            self._feed(ids[self.begun :])
            self._choose(option)

    def follow(self, option: str) -> None:
        """Take the tokens of an option of the present step."""
        step = self.step
        for token in self.options[option]:
            if self.step is not step:
                # The rest was fed already: nothing else began like this.
                return
            self.take(token)
        if self.step is step:
            self.take(self.model.encode(step.after)[0])

    def sample(self, prompt: tuple[int, ...]) -> Sample:
        """The whole answer."""
        return Sample(prompt, tuple(self.ids), tuple(self.decisions), tuple(self.choices), self.told, self.script)

    def _choose(self, option: str) -> None:
        self.choices.append(Choice(option, self.step.options))
        self.script.choose(option)
        self._next()

    def _next(self) -> None:
        self.step = self.script.step()
        self._feed(self.model.encode(self.step.end))
        begin = len(self.ids)
        self._feed(self.model.encode(self.step.told))
        if self.step.told:
            self.told = (begin, len(self.ids))
        self._feed(self.model.encode(self.step.text))
        self.options = {option: self.model.encode(option) for option in self.step.options}
        self.begun = 0
        if not self.options:
            self._feed((self.model.end,))

    def _feed(self, ids: Sequence[int]) -> None:
        self.ids += ids
        self.fresh += ids


def padded(rows: Sequence[Sequence[int]], end: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of rows, with padding before the shorter ones, and 1 where there is a token: int64 [rows, length]."""
    length = max(1, max(map(len, rows)))
    ids = np.full((len(rows), length), end, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(rows):
        if tokens:
            ids[row, length - len(tokens) :] = tokens
            mask[row, length - len(tokens) :] = 1
    return ids, mask


def written(model: Model, prompt: str, script: Script, options: Sequence[str]) -> Sample:
    """The answer with these options, one for each choice of the grammar, in tokens as if it were sampled."""
    row = _Row(model, script)
    for option in options:
        row.follow(option)
    return row.sample(model.encode(prompt))


def sample(
    model: Model,
    prompts: Sequence[str],
    scripts: Sequence[Script],
    *,
    temperature: float = 1.0,
    draw: np.random.Generator | None = None,
) -> list[Sample]:
    """Answer prompts, each as often as there are scripts for each in a row; temperature 0 takes the likeliest."""
    told = [model.encode(text) for text in prompts]
    rows = [_Row(model, script) for script in scripts]
    each = len(rows) // len(told)
    session = model.begin(told, each)
    draw = draw or np.random.default_rng(0)
    while any(row.options for row in rows):
        logits = session.feed([row.fresh if row.options else () for row in rows])
        for row, found in zip(rows, logits, strict=True):
            row.fresh = []
            if row.options:
                row.take(_picked(found, list(row.allowed()), temperature, draw))
    return [row.sample(told[place // each]) for place, row in enumerate(rows)]


def _picked(logits: np.ndarray, allowed: Sequence[int], temperature: float, draw: np.random.Generator) -> int:
    """A token of those allowed."""
    some = logits[list(allowed)].astype(np.float64)
    if temperature == 0.0 or len(allowed) == 1:
        return allowed[int(some.argmax())]
    shares = np.exp((some - some.max()) / temperature)
    return allowed[int(draw.choice(len(allowed), p=shares / shares.sum()))]
