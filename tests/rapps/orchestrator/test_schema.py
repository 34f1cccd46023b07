"""The JSON schema of an answer admits every legal answer, and what it admits is read as it was said."""

import json
import random
import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.answer import parse, well_formed
from rapps.orchestrator.grammar import TARGETS, Script
from rapps.orchestrator.reading import Reading, read
from rapps.orchestrator.schema import PLAN, answer, schema
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL

TEXT = "video from the ambulance, 20 Mbit/s within 75 ms, or 50 ms, ber 1e-6"


def told(seed: int, reading: Reading) -> tuple[dict[str, object], Script]:
    """A legal answer, chosen at random, in the schema's form and as a script."""
    draw, script, said = random.Random(seed), Script(reading, USUAL), list[str]()
    while not script.done:
        said.append(draw.choice(script.step().options))
        script.choose(said[-1])
    targets = {target.name: option for target, option in zip(TARGETS, said, strict=False)}
    chain = script.chain().model_dump(mode="json")
    chain = {name: chain[name] for name in PLAN}
    plan = {name: str(value) if isinstance(value, float) else value for name, value in chain.items()}
    return {"thought": "so </think> Demand: delay 1 s", **targets, "plan": plan}, script


@given(st.integers(0, 10**6), st.text(max_size=80))
def test_every_legal_answer_has_the_form_and_says_the_same(seed: int, text: str) -> None:
    reading = read(f"{TEXT} {text}")
    said, script = told(seed, reading)
    jsonschema.Draft202012Validator.check_schema(schema(reading))
    jsonschema.validate(said, schema(reading))
    written = answer(json.dumps(said), reading)
    assert well_formed(written)
    found = parse(written, reading, USUAL)
    assert found.demand == script.demand
    assert found.chain == script.chain()


def test_letters_stand_for_their_kind_alone() -> None:
    properties = schema(read(TEXT))["properties"]
    assert isinstance(properties, dict)
    letters = [
        [option for option in properties[target.name]["enum"] if len(option) == 1]  # type: ignore[index, call-overload, union-attr]
        for target in TARGETS
    ]
    assert letters == [["B", "C"], ["A"], ["D"]]


@pytest.mark.parametrize(
    "change",
    [
        {"delay": "soon"},
        {"delay": "A"},
        {"plan": {}},
        {"more": 1},
        {"thought": None},
        {"plan": {"numerology": True}},
    ],
)
def test_what_is_not_in_the_form_stays_as_it_is_and_is_not_well_formed(change: dict[str, object]) -> None:
    said, _ = told(1, read(TEXT))
    text = json.dumps(said | change)
    assert answer(text, read(TEXT)) == text
    assert not well_formed(text)


def test_no_option_is_a_fraction_for_servers_write_those_each_in_its_own_way() -> None:
    assert not re.search(r"\d\.\d(?!\d*\")", json.dumps(schema(read("a camera"))))


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_without_harm(text: str) -> None:
    assert answer(text, read(TEXT)) == text
