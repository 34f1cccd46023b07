"""Endpoint writer: a model behind an endpoint as one who writes for an operator.

Such a model is held to no grammar. What it says is read, and of the options that are legal the script takes those
that come nearest to it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rapps.orchestrator.answer import Answer, AnswerError, parse
from rapps.orchestrator.chat import Chat, Turn
from rapps.orchestrator.endpoint import EndpointError, NoAnswer
from rapps.orchestrator.grammar import TARGETS, Script, values
from rapps.orchestrator.legal import ORDER, Value
from rapps.orchestrator.prompt import system


@dataclass(frozen=True, slots=True)
class EndpointWriter:
    """A model by its name on a server."""

    chat: Chat

    @property
    def name(self) -> str:
        """Which model it is."""
        return f"{self.chat.model} at {self.chat.endpoint.url}"

    def write(self, prompt: str, script: Script) -> str:
        """Choose in a script as the model says; EndpointError without an answer, AnswerError for a bad one."""
        (text,) = self.chat.say([Turn(system(), prompt)])
        if isinstance(text, NoAnswer):
            raise EndpointError(f"{self.name} did not answer: {text}")
        follow(script, parse(text, script.reading, script.equipment, margin=script.margin))
        return script.text


def follow(script: Script, answer: Answer) -> None:
    """Choose in a script what is nearest to an answer; AnswerError for one without demand or chain."""
    if answer.demand is None or answer.chain is None:
        raise AnswerError(f"the model's answer cannot be read: {answer.wrong}")
    for target in TARGETS:
        known, said = values(script.reading, target), float(getattr(answer.demand, target.field))
        script.choose(min(script.step().options, key=lambda name: abs(math.log(known[name] / said))))
    chain = answer.chain.model_dump(mode="json")
    for field in ORDER:
        script.choose(_nearest(script.meaning(), chain[field]))


def _nearest(options: Mapping[str, Value], said: Value) -> str:
    """The option that stands for what was said; else for the nearest number, or the first of names.

    Of sizes that are alike, the last one: the others were spread as wide by having power to spare.
    """
    same = [option for option, value in options.items() if value == said]
    if same or isinstance(said, str):
        return same[-1] if same else next(iter(options))
    return min(options, key=lambda option: abs(float(options[option]) - said))
