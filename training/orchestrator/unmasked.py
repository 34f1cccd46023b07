"""Unmasked: what language models write where no grammar holds them, by `transformers`' generate.

A model that was trained here reads the bare task. Any other is told in a system's words what to do, by its chat
template where it has one. Either way it thinks, is stopped at the end of its thought, and hears what the tool
computes from the demand that it understood; then it goes on to its answer. A thought that no demand can be read
from gets no word from the tool, and the model goes on alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import torch

from rapps.orchestrator.answer import parse
from rapps.orchestrator.chat import Turn
from rapps.orchestrator.decoding import padded
from rapps.orchestrator.endpoint import NoAnswer
from rapps.orchestrator.grammar import ANSWER, THINK, reflection
from rapps.orchestrator.prompt import prompt, system
from rapps.orchestrator.reading import Reading
from training.orchestrator.lm import Lm
from twin.link.equipment import EquipmentState

if TYPE_CHECKING:
    from transformers import GenerationMixin

Ids = tuple[int, ...]
_LONGEST_STOP = 16
"""Tokens in which a text that ends what is written must lie."""


@dataclass(frozen=True, slots=True)
class Unmasked:
    """A model that takes the likeliest tokens, whatever they are; its plans are to have a margin to spare."""

    lm: Lm
    taught: bool
    """Whether it was trained to read bare tasks."""
    margin: float
    most_tokens: int = 1024
    """Of a thought, and of what comes after it."""
    at_once: int = 16

    def answer(self, asked: Sequence[tuple[Reading, EquipmentState]]) -> list[str | NoAnswer]:
        """What it writes to tasks, the tool's words included."""
        turns = [Turn("" if self.taught else system(), prompt(*task)) for task in asked]
        begun = [self._prompt(turn) for turn in turns]
        thoughts = self._written(begun, THINK[1])
        told = [self._told(thought, *task) for thought, task in zip(thoughts, asked, strict=True)]
        going_on = [begin + ids for begin, ids in zip(begun, told, strict=True) if ids is not None]
        rest = iter(self._written(going_on, ANSWER[1]))
        said: list[str | NoAnswer] = []
        for thought, ids in zip(thoughts, told, strict=True):
            if ids is None:
                said.append(thought if isinstance(thought, NoAnswer) else self.lm.decode(thought))
            else:
                more = next(rest)
                said.append(self.lm.decode(ids if isinstance(more, NoAnswer) else ids + more))
        return said

    def say(self, turns: Sequence[Turn]) -> list[str | NoAnswer]:
        """What it writes to any instruction."""
        written = self._written([self._prompt(turn) for turn in turns], None)
        return [ids if isinstance(ids, NoAnswer) else self.lm.decode(ids) for ids in written]

    def _told(self, thought: Ids | NoAnswer, reading: Reading, equipment: EquipmentState) -> Ids | None:
        """A thought and what the tool says to it; None for a thought that did not end."""
        if isinstance(thought, NoAnswer):
            return None
        text = self.lm.decode(thought)
        if not text.rstrip().endswith(THINK[1]):
            return None
        demand = parse(text, reading, equipment).demand
        if demand is None:
            return thought
        return thought + self.lm.encode(reflection(replace(demand, margin=self.margin), equipment))

    def _prompt(self, turn: Turn) -> Ids:
        """One message, for not every template knows a system's."""
        text = f"{turn.system}\n\n{turn.user}" if turn.system else turn.user
        if turn.system and self.lm.tokenizer.chat_template:
            message = [{"role": "user", "content": text}]
            text = cast(
                str, self.lm.tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
            )
        return tuple(self.lm.tokenizer.encode(text, add_special_tokens=False))

    def _written(self, prompts: Sequence[Ids], stop: str | None) -> list[Ids | NoAnswer]:
        """What comes after prompts, up to a text that ends it, an end, or as many tokens as there may be."""
        longest: int = getattr(self.lm.network.config, "max_position_embeddings", 1 << 20)
        found: list[Ids | NoAnswer] = [
            NoAnswer(f"the prompt has {len(ids)} tokens; the model reads {longest}, its answer included")
            for ids in prompts
        ]
        # Alike lengths together, so that little is padding.
        order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
        fitting = [place for place in order if len(prompts[place]) < longest]
        for start in range(0, len(fitting), self.at_once):
            places = fitting[start : start + self.at_once]
            most = min(self.most_tokens, longest - len(prompts[places[-1]]))
            written = self._generated([prompts[place] for place in places], stop, most)
            for place, ids in zip(places, written, strict=True):
                found[place] = ids
        return found

    @torch.no_grad()
    def _generated(self, prompts: Sequence[Ids], stop: str | None, most: int) -> list[Ids]:
        lm = self.lm
        ids, mask = (torch.from_numpy(item).to(lm.device) for item in padded(prompts, lm.end))
        length = ids.shape[1]

        def stopped(now: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            del scores
            written = now[:, length:].tolist()
            ends = [stop is not None and stop in lm.decode(row[-_LONGEST_STOP:]) for row in written]
            return torch.tensor(ends, device=now.device)

        lm.network.eval()
        out = cast("GenerationMixin", lm.network).generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=most,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=lm.end,
            stopping_criteria=[stopped],
        )
        return [self._cut(row[length:], stop) for row in out.tolist()]

    def _cut(self, row: Sequence[int], stop: str | None) -> Ids:
        """Up to the token that ends it; what is after that is padding."""
        if stop is None:
            return tuple(row)
        end = bisect_left(range(len(row)), True, key=lambda place: stop in self.lm.decode(row[:place]))
        return tuple(row[:end])
