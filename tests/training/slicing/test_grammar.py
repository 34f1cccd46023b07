"""Training wordings that grow: every service comes in every role, and no text stands for two intents."""

from collections import Counter

import yaml

from training.slicing.grammar import counting, grown
from training.slicing.intents import FOLDER, KINDS, NAMES

PHRASES = yaml.safe_load((FOLDER / "grammar.yaml").read_text(encoding="utf-8"))
NAMED = yaml.safe_load((FOLDER / "names.yaml").read_text(encoding="utf-8"))["names"]


def test_no_grown_text_stands_for_two_intents() -> None:
    meant: dict[str, set[str]] = {}
    for item in grown(2000, 5):
        meant.setdefault(item.text, set()).add(item.intent)
    assert not {text: intents for text, intents in meant.items() if len(intents) > 1}


def test_a_service_is_named_as_often_where_it_counts_as_where_it_does_not() -> None:
    named = {kind: tuple(NAMED[kind]) for kind in KINDS}
    roles: Counter[tuple[str, bool]] = Counter()
    for item in grown(500, 6):
        text = item.text.lower()
        for kind in KINDS:
            if item.intent != "alike" and any(name.lower() in text for name in named[kind]):
                roles[kind, kind in counting(item.intent)] += 1
    for kind in KINDS:
        share = roles[kind, True] / (roles[kind, True] + roles[kind, False])
        assert 0.4 < share < 0.6, f"{kind} counts in {share:.0%} of the texts that name it"


def test_there_are_many_names_of_each_kind_and_none_is_of_two() -> None:
    names = [name for kind in KINDS for name in NAMED[kind]]
    assert min(len(NAMED[kind]) for kind in KINDS) >= 600
    assert len(set(names)) == len(names)


def test_no_clause_says_both_that_a_service_counts_and_that_it_may_suffer() -> None:
    assert not set(PHRASES["protect"]) & set(PHRASES["sacrifice"])


def test_intents_count_different_kinds() -> None:
    assert len({tuple(counting(intent)) for intent in NAMES}) == len(NAMES)
    assert counting("urgent") == ["URLLC"]
    assert counting("alike") == list(KINDS)
