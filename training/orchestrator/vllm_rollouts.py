"""vLLM rollouts: answers of the policy that is trained, sampled by a vLLM server over HTTP.

The server samples as `rapps.orchestrator.decoding` does: text that the grammar gives is sent along, and at every
choice it picks one of the options (`structured_outputs`), so one request is made for each choice, of all answers
side by side; the prefix cache of the server makes them short. What a whole answer's options are no schema could
tell beforehand, for each depends on those before.

A policy reaches the server through a folder that both see: it is saved there and loaded again by the server's
development interface (`VLLM_SERVER_DEV_MODE=1`), which takes no weights while it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from oran.rest import JsonObject, JsonValue
from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.endpoint import Endpoint, EndpointError, NoAnswer
from rapps.orchestrator.grammar import Script, Step
from training.orchestrator import ranks
from training.orchestrator.asking import Asked
from training.orchestrator.errors import StageError
from training.orchestrator.lm import Lm
from training.orchestrator.tasks.task import Task

_PLAIN: JsonObject = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
"""Sampling by the policy alone: a server takes others from the model's generation_config.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A vLLM server that serves a model of the policy's shape and tokenizer."""

    url: str
    """Without /v1."""
    model: str
    """As it is served."""
    weights: Path
    """A folder for the policy, as this process sees it."""
    weights_there: str = ""
    """The same as the server sees it, where that differs."""
    timeout_s: float = 600.0
    at_once: int = 256

    @classmethod
    def of(cls, told: str, weights: Path, weights_there: str = "") -> Self:
        """The server that URL#MODEL names; StageError for what does not."""
        url, _, model = told.rpartition("#")
        if not (url.startswith(("http://", "https://")) and model):
            raise StageError(f"vllm is {told[:80]!r}; it must be URL#MODEL, such as http://127.0.0.1:8000#Qwen")
        return cls(
            url=url.rstrip("/").removesuffix("/v1"), model=model, weights=weights, weights_there=weights_there
        )

    def check(self) -> None:
        """See that the server answers. StageError when it does not."""
        self.complete([{"prompt": "a", "max_tokens": 1}])

    def reload(self) -> None:
        """Let the server take the folder's weights, between answers. StageError when it does not."""
        path = self.weights_there or str(self.weights.resolve())
        arguments: JsonObject = {"weights_path": path}
        self._post("/pause?mode=wait", {})
        try:
            self._post("/collective_rpc", {"method": "reload_weights", "kwargs": arguments})
        finally:
            self._post("/resume", {})
        # What was computed with other weights.
        self._post("/reset_prefix_cache", {})

    def complete(self, bodies: Sequence[JsonObject]) -> list[str]:
        """The text that the server adds to each prompt. StageError when one is missing."""
        named: list[JsonObject] = [{"model": self.model, **body} for body in bodies]
        return [_text(answer) for answer in self._ask("/v1/completions", named)]

    def _post(self, path: str, body: JsonObject) -> None:
        self._ask(path, [body])

    def _ask(self, path: str, bodies: Sequence[JsonObject]) -> list[JsonValue]:
        found: list[JsonValue] = []
        try:
            for answer in self._endpoint().ask(path, bodies):
                if isinstance(answer, NoAnswer):
                    raise EndpointError(str(answer))
                found.append(answer)
        except EndpointError as error:
            raise StageError(
                f"the server of rollouts failed at {self.url}{path}: {error}; "
                "mend it and start the training again, which goes on from its checkpoint"
            ) from None
        return found

    def _endpoint(self) -> Endpoint:
        return Endpoint(self.url, timeout_s=self.timeout_s, at_once=self.at_once)


@dataclass(frozen=True, slots=True)
class ServedAsked(Asked):
    """How tasks are asked and judged, the asking done by a server.

    Each call of `sample` hands the server the policy first: it learns between any two.
    """

    server: Server = field(kw_only=True)

    def sample(self, lm: Lm, tasks: Sequence[Task], each: int, temperature: float, seed: int) -> list[Sample]:
        """So many answers to each task in turn; temperature 0 takes the likeliest. StageError for a bad server."""
        ranks.from_first(lambda: self._hand_over(lm))
        rows = [_Row(lm, self.script(task), lm.encode(self.prompt(task))) for task in tasks for _ in range(each)]
        draw = np.random.default_rng(seed)
        while asked := [row for row in rows if row.open()]:
            bodies = [row.body(temperature, int(draw.integers(2**31))) for row in asked]
            for row, text in zip(asked, self.server.complete(bodies), strict=True):
                row.take(text)
        return [self.written(lm, tasks[place // each], row.options) for place, row in enumerate(rows)]

    def _hand_over(self, lm: Lm) -> None:
        if lm.held.lora is not None:
            raise StageError(
                "a server takes whole weights, not adapters; let this process sample, or train all weights"
            )
        lm.save(self.server.weights)
        self.server.reload()


@dataclass(slots=True)
class _Row:
    """An answer while it is sampled."""

    lm: Lm
    script: Script
    ids: tuple[int, ...]
    options: list[str] = field(default_factory=list)

    def open(self) -> bool:
        """Go on to the next real choice, and tell whether there is one."""
        while not self.script.done and len(self.script.step().options) == 1:
            self._choose(self.script.step().options[0])
        return not self.script.done

    def body(self, temperature: float, seed: int) -> JsonObject:
        """The request for the next choice."""
        step = self.script.step()
        # With what follows, for an option may be the beginning of another: 1 and 10.
        choices = [option + step.after for option in step.options]
        return {
            "prompt": [*self.ids, *self._tokens(step)],
            "structured_outputs": {"choice": [*choices]},
            "temperature": temperature,
            "seed": seed,
            "max_tokens": max(len(choice.encode()) for choice in choices) + 1,
            **_PLAIN,
        }

    def take(self, text: str) -> None:
        """Go on as the server chose; StageError for what was no choice."""
        step = self.script.step()
        option = text.removesuffix(step.after)
        if option + step.after != text or option not in step.options:
            raise StageError(
                f"the server of rollouts wrote {text[:40]!r}, which was no choice; is it vLLM >= 0.12?"
            )
        self._choose(option)

    def _choose(self, option: str) -> None:
        self.ids += (*self._tokens(self.script.step()), *self.lm.encode(option))
        self.options.append(option)
        self.script.choose(option)

    def _tokens(self, step: Step) -> list[int]:
        """Of what is given before the choice, piece by piece as `decoding` feeds it."""
        return [token for piece in (step.end, step.told, step.text) for token in self.lm.encode(piece)]


def _text(answer: JsonValue) -> str:
    match answer:
        case {"choices": [{"text": str(text)}, *_]}:
            return text
    raise StageError("the server of rollouts gave no choices[0].text; it must speak vLLM's /v1/completions")
