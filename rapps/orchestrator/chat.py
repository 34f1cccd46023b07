"""Chat: what a model behind an endpoint says to an instruction and a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from oran.rest import JsonObject, JsonValue
from rapps.orchestrator.endpoint import Endpoint, EndpointError, NoAnswer


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model is told that it is for, and what it is asked."""

    system: str
    user: str
    schema: JsonObject | None = None
    """JSON schema that the answer is held to, where the server can do that."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A model by its name on the server, which takes the likeliest tokens."""

    endpoint: Endpoint
    model: str
    most_tokens: int = 2048

    @classmethod
    def of(cls, spec: str) -> Self:
        """The model of `http://HOST:PORT/v1#MODEL`; EndpointError says what is missing."""
        url, _, model = spec.partition("#")
        if not model:
            raise EndpointError(f"{spec[:80]!r} names no model; write http://HOST:PORT/v1#MODEL")
        return cls(Endpoint(url), model)

    def say(self, turns: Sequence[Turn]) -> list[str | NoAnswer]:
        """The text of each answer, or why there is none; EndpointError when the server is given up."""
        return [_text(answer) for answer in self.endpoint.ask("/chat/completions", [*map(self._body, turns)])]

    def _body(self, turn: Turn) -> JsonObject:
        body: JsonObject = {
            "model": self.model,
            "messages": [{"role": "system", "content": turn.system}, {"role": "user", "content": turn.user}],
            "temperature": 0.0,
            "max_tokens": self.most_tokens,
        }
        if turn.schema is not None:
            form: JsonObject = {"name": "answer", "strict": True, "schema": turn.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body


def _text(answer: JsonValue | NoAnswer) -> str | NoAnswer:
    match answer:
        case NoAnswer():
            return answer
        case {"choices": [{"message": {"content": str(text)}}, *_]}:
            # JSON may hold halves of surrogate pairs, which are no text.
            return text.encode("utf-8", "replace").decode()
    return NoAnswer("the answer has no choices[0].message.content")
