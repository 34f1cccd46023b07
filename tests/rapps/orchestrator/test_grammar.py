import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.answer import parse, policy, well_formed
from rapps.orchestrator.grammar import REFLECT, TARGETS, Script, reflection
from rapps.orchestrator.reading import read
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.demand import Demand
from twin.link.equipment import check

TEXT = "minimum rate: twenty megabits a second. we have 75 msec from sender to receiver. ber target: 1 in 1000000."


def written(text: str, seed: int) -> Script:
    """An answer of random choices."""
    draw, script = random.Random(seed), Script(read(text), USUAL)
    while not script.done:
        script.choose(draw.choice(script.step().options))
    return script


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(0, 2**32))
def test_any_text_is_answered_in_the_format_with_a_chain_that_runs(text: str, seed: int) -> None:
    script = written(text, seed)
    assert well_formed(script.text)
    found = parse(script.text, script.reading, USUAL)
    assert not found.wrong
    assert found.chain == script.chain()
    assert found.demand == script.demand
    check(script.chain(), USUAL)


def test_letters_stand_for_the_quantities_of_the_text() -> None:
    script = Script(read(TEXT), USUAL)
    for letter in ("B", "A", "C"):
        assert letter in script.step().options
        script.choose(letter)
    assert script.demand == Demand(max_delay_s=0.075, min_throughput_bps=20e6, max_ber=1e-6)


def test_what_a_text_leaves_open_is_planned_for_as_strictly_as_the_answer_says() -> None:
    reading = read("we need 20 Mbit/s")
    delay_s, _, ber = (target.usual(reading) for target in TARGETS)
    script = Script(reading, USUAL, margin=0.1)
    for option in ("stricter", "A", "easy"):
        script.choose(option)
    assert script.demand == Demand(
        max_delay_s=delay_s / 10, min_throughput_bps=20e6, max_ber=ber / 0.3, margin=0.1
    )
    assert script.step().told == reflection(script.demand, USUAL)
    # What is stricter than usual is caution, and was not asked for; what is easier was.
    assert script.understood == Demand(max_delay_s=delay_s, min_throughput_bps=20e6, max_ber=ber / 0.3)
    assert script.guessed == ("max_delay_s", "max_ber")


def test_words_go_from_easy_to_strict() -> None:
    for target in TARGETS:
        words = target.words(read("a link"))
        assert sorted(words.values(), reverse=target.name != "throughput") == [*words.values()]
        assert words["usual"] == target.usual(read("a link")) in target.steps


def test_a_rate_cannot_be_taken_for_a_delay() -> None:
    assert "A" not in Script(read(TEXT), USUAL).step().options


def test_what_is_no_option_is_refused() -> None:
    with pytest.raises(ValueError, match="none of"):
        Script(read(TEXT), USUAL).choose("42 parsecs")


def test_the_margin_is_in_the_budget() -> None:
    texts = []
    for margin in (0.0, 1.0):
        script = Script(read(TEXT), USUAL, margin=margin)
        for letter in ("B", "A", "C"):
            script.choose(letter)
        texts.append(script.step().told)
    assert texts[0].startswith(REFLECT[0])
    assert texts[0] != texts[1]


@given(st.text(max_size=2_000))
def test_any_answer_is_read_without_an_error(answer: str) -> None:
    found = parse(answer, read(TEXT), USUAL)
    assert found.plan is None or found.demand is not None


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(0, 400))
def test_a_damaged_answer_is_read_as_far_as_it_goes(seed: int, start: int, length: int) -> None:
    text = written(TEXT, seed).text
    found = parse(text[:start] + text[start + length :], read(TEXT), USUAL)
    assert (found.wrong == "") == (found.demand is not None and found.chain is not None)


@pytest.mark.parametrize(
    ("thought", "delay_s"),
    [
        ("It is urgent. Demand: delay 20 ms; throughput A; BER C", 0.02),
        ("Demand: delay half a second; throughput 1 Mbit/s; BER one in a million", 0.5),
    ],
)
def test_a_thought_may_be_free_and_name_quantities_in_words(thought: str, delay_s: float) -> None:
    found = parse(f"<think>{thought}</think><answer>{{}}</answer>", read(TEXT), USUAL)
    assert found.demand is not None
    assert found.demand.max_delay_s == pytest.approx(delay_s)
    assert "prbs is missing" in found.wrong or "missing" in found.wrong


@pytest.mark.parametrize(
    ("thought", "reason"),
    [
        ("I do not know.", "no line of the form"),
        ("Demand: delay Q; throughput A; BER C", "must be a letter of the text, or a time"),
        ("Demand: delay A; throughput A; BER C", "must be a letter of the text, or a time"),
        ("Demand: delay 5 Mbit/s; throughput A; BER C", "must be a letter of the text, or a time"),
    ],
)
def test_a_demand_that_cannot_be_read_is_told(thought: str, reason: str) -> None:
    assert reason in parse(f"<think>{thought}</think>", read(TEXT), USUAL).wrong


def test_a_slice_follows_from_the_demand() -> None:
    urgent, wide, thin = (
        policy(Demand(max_delay_s=delay_s, min_throughput_bps=rate_bps, max_ber=1e-5)).slice.sst
        for delay_s, rate_bps in ((0.005, 1e6), (0.1, 1e7), (1.0, 1e4))
    )
    assert (urgent, wide, thin) == (2, 1, 3)
