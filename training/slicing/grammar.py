"""Grammar: training wordings that grow from names of services and clauses about their roles.

A text is made of clauses, each of which says of a service that it counts, that it may suffer, or how it compares
with others. Names and clauses are drawn apart, so that every name comes in every role.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import yaml

from training.slicing.intents import FOLDER, INTENTS, KINDS, LITTLE, Wording

_OPENED, _CLOSED, _GROUPED, _OTHERS = 0.25, 0.2, 0.15, 0.4
"""How often texts have a preamble, an ending, one name for two kinds, and `the others` for what counts or not."""


@lru_cache
def grown(each: int, seed: int) -> tuple[Wording, ...]:
    """So many different ones of each intent by the grammar, for training."""
    named, phrases = (
        yaml.safe_load((FOLDER / f"{file}.yaml").read_text(encoding="utf-8")) for file in ("names", "grammar")
    )
    grammar = _Grammar(named["names"], named["groups"], phrases, random.Random(seed))
    made = []
    for intent in INTENTS:
        texts: dict[str, None] = {}
        while len(texts) < each:
            texts[grammar.text(intent)] = None
        made += [Wording(text, intent) for text in texts]
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Phrases by what they are for, and chance."""

    names: Mapping[str, Sequence[str]]
    """Of services, by kind."""
    groups: Mapping[str, Sequence[str]]
    """What stands for the services of two kinds, by the intent that they alone count."""
    phrases: Mapping[str, Sequence[str]]
    draw: random.Random

    def text(self, intent: str) -> str:
        """Any one that stands for an intent."""
        count = self.shuffled(counting(intent))
        others = self.shuffled([kind for kind in KINDS if kind not in count])
        told = (self.one_counts, self.two_count, self.all_count)[len(count) - 1](count, others)
        if self.draw.random() < _OPENED:
            opening = self.any("openings")
            told = f"{opening} {_capital(told) if opening.endswith('.') else told}"
        if self.draw.random() < _CLOSED:
            told = f"{told} {self.any('closings')}"
        return _capital(told)

    def one_counts(self, count: Sequence[str], others: Sequence[str]) -> str:
        """That one kind does and two do not."""
        match self.draw.choices(range(6), (3, 3, 2, 2, 5, 5))[0]:
            case 0:
                return self.whole("one_counts", "acd", (*count, *others))
            case 1:
                return f"{self.say('protect', self.named(count))}."
            case 2:
                return f"{self.say('sacrifice', self.named(others))}."
            case 3:
                return f"{self.say('sacrifice', self.all_but(count))}."
            case 4:
                return self.joined(self.named(count), self.rest_or(others))
            case _:
                return f"{self.compared(self.named(count), self.rest_or(others))}."

    def two_count(self, count: Sequence[str], others: Sequence[str]) -> str:
        """That two kinds do and one does not."""
        match self.draw.choices(range(7), (3, 3, 2, 2, 4, 4, 2))[0]:
            case 0:
                return self.whole("two_count", "abc", (*count, *others))
            case 1:
                return f"{self.say('sacrifice', self.named(others))}."
            case 2:
                return f"{self.say('protect', self.named(count))}."
            case 3:
                return f"{self.say('protect', self.all_but(others))}."
            case 4:
                return self.joined(self.rest_or(count), self.named(others))
            case 5:
                return f"{self.compared(self.rest_or(count), self.named(others))}."
            case _:
                first, second = (self.say("protect", self.named([kind])) for kind in count)
                return f"{first}. {_capital(second)}."

    def all_count(self, count: Sequence[str], others: Sequence[str]) -> str:
        """That nobody is to be preferred."""
        ended, evened = self.say("over_now", self.named(count[:1])), self.any("even")
        match self.draw.choices(range(5), (2, 5, 2, 3, 2))[0]:
            case 0:
                return self.whole("all_count", "abc", count)
            case 1:
                return f"{self.say('alike', self.named(count))}."
            case 2:
                return f"{ended}."
            case 3:
                return f"{ended}, {evened}."
            case _:
                return f"{self.say(self.draw.choice(('protect', 'sacrifice')), self.named(count))}."

    def any(self, what: str) -> str:
        """One of the phrases for that."""
        return self.draw.choice(self.phrases[what])

    def say(self, what: str, of: str) -> str:
        """A clause about it."""
        return self.any(what).format(x=of)

    def compared(self, more: str, less: str) -> str:
        """A clause of both."""
        return self.any("over").format(x=more, y=less)

    def joined(self, more: str, less: str) -> str:
        """A clause of each."""
        more, less = self.say("protect", more), self.say("sacrifice", less)
        return _capital(self.any("joins").format(p=more, s=less, P=_capital(more), S=_capital(less)))

    def named(self, kinds: Sequence[str]) -> str:
        """Names of services of some kinds, or one for both of two."""
        if len(kinds) == 2 and self.draw.random() < _GROUPED:
            (pair,) = (name for name in self.groups if set(counting(name)) == set(kinds))
            return self.draw.choice(self.groups[pair])
        names = [self.draw.choice(self.names[kind]) for kind in kinds]
        return names[0] if len(names) == 1 else self.any(f"lists_of_{len(names)}").format(*names)

    def rest_or(self, kinds: Sequence[str]) -> str:
        """Names of services of two kinds, or `the others`; of one kind always its name."""
        return self.any("rest") if len(kinds) == 2 and self.draw.random() < _OTHERS else self.named(kinds)

    def all_but(self, kinds: Sequence[str]) -> str:
        """Everything but services of some kinds."""
        return self.say("all_but", self.named(kinds))

    def whole(self, what: str, letters: str, kinds: Sequence[str]) -> str:
        """A whole sentence with a name in the place of each letter."""
        return self.any(what).format(
            **{letter: self.named([kind]) for letter, kind in zip(letters, kinds, strict=True)}
        )

    def shuffled(self, kinds: Sequence[str]) -> list[str]:
        """In any order."""
        return self.draw.sample(kinds, len(kinds))


def counting(intent: str) -> list[str]:
    """The kinds that count in an intent."""
    return [kind for kind, weight in zip(KINDS, INTENTS[intent], strict=True) if weight > LITTLE]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
