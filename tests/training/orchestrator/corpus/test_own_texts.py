"""Our own texts: the primers are articles, the reference is complete, and the facts are the twin's."""

import re

import pytest

from training.orchestrator.corpus import facts, toolkit
from training.orchestrator.corpus.figures import digits, ratio, said_ber, said_delay, said_rate
from training.orchestrator.corpus.sources import GENERAL, PRIMERS
from twin.link.catalogue import PARAMETERS, STEPS
from twin.link.plan import RULES


def test_primers_are_articles() -> None:
    primers = sorted(PRIMERS.glob("*.md"))
    assert len(primers) >= 25
    for primer in primers:
        text = primer.read_text(encoding="utf-8")
        assert text.startswith("# ")
        assert 300 <= len(text.split()) <= 700


def test_general_english_is_there() -> None:
    assert sum(len(text.read_text(encoding="utf-8").split()) for text in GENERAL.glob("*.md")) >= 3_000


def test_the_reference_has_every_step_parameter_value_and_rule() -> None:
    documents = dict(toolkit.documents())
    everything = "\n".join(documents.values())
    for step in STEPS:
        text = next(text for title, text in documents.items() if title.endswith(step.name))
        for parameter in step.parameters:
            assert f"## {parameter.name}" in text
            for choice in parameter.choices:
                assert re.search(rf"(?<![\w.]){re.escape(str(choice.value))}(?![\w])", text)
                assert choice.about in text
            if not parameter.choices:
                assert f"{parameter.low}..{parameter.high}" in text
    assert all(name in everything for name in PARAMETERS)
    assert all(rule.text in documents["rules"] for rule in RULES)


def test_a_seed_gives_the_same_facts_and_so_many() -> None:
    one = list(facts.documents(20, 1))
    assert one == list(facts.documents(20, 1))
    assert [title for title, _ in one] == ["facts-00000", "facts-00001", "facts-00002"]
    assert one != list(facts.documents(20, 2))
    assert list(facts.documents(0, 1)) == []


def test_facts_are_mostly_of_links_that_work() -> None:
    text = "\n".join(text for _, text in facts.documents(160, 3))
    assert text.count("bit/s") > 1.5 * len(re.findall(r"(?<![\d.])0 bit/s", text))
    assert "dB" in text
    assert "times as" in text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (said_rate(13.82e6), "14 Mbit/s"),
        (said_rate(0.0), "0 bit/s"),
        (said_rate(999.9e3), "1 Mbit/s"),
        (said_rate(2.5e9), "2.5 Gbit/s"),
        (said_delay(0.00075), "750 microseconds"),
        (said_delay(0.01), "10 ms"),
        (said_delay(1.23), "1.2 s"),
        (said_ber(3.21e-5), "3.2e-5"),
        (said_ber(1e-5), "1e-5"),
        (said_ber(0.47), "0.47"),
        (said_ber(1e-13), "below 1e-9"),
        (ratio(10.0), "10"),
        (ratio(-3.0), "0.5"),
        (digits(1234.0), "1200"),
        (digits(0.0996), "0.1"),
    ],
)
def test_figures_are_said_to_two_digits(said: str, text: str) -> None:
    assert said == text
