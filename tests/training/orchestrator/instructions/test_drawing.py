"""A seed gives one instruction, the same always; shares of a mixture are kept."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.orchestrator.instructions.drawing import GENERATORS, Mixture, draw
from training.orchestrator.instructions.instruction import Instruction, InstructionError, parse

USERS = (Instruction(question="Ours?", answer="Yes.", source="users"),)
OTHERS = (Instruction(question="Theirs?", answer="Yes.", source="others"),)


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_a_seed_is_one_short_instruction(seed: int) -> None:
    instruction = draw(seed)
    assert instruction == draw(seed)
    assert parse(instruction.to_json()) == instruction
    assert instruction.reasoning
    assert len(" ".join(instruction.parts)) < 900


def test_the_stream_is_varied() -> None:
    drawn = [draw(seed) for seed in range(400)]
    assert len({instruction.question for instruction in drawn}) > 300
    sources = Counter(instruction.source.partition(":")[0] for instruction in drawn)
    assert set(sources) == {"units", "rates", "timing", "chains", "questions.yaml"}
    assert sources["questions.yaml"] / 400 == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_generator_has_many_questions_and_more_than_one_answer(generator: object) -> None:
    assert callable(generator)
    drawn = [generator(random.Random(seed)) for seed in range(12)]
    assert len({instruction.question for instruction in drawn}) >= 4
    assert len({instruction.answer for instruction in drawn}) >= 2


def test_a_mixture_keeps_its_shares() -> None:
    mixture = Mixture(general=OTHERS, general_share=0.2, users=USERS, users_share=0.3)
    sources = Counter(mixture.draw(seed).source for seed in range(1_000))
    assert sources["others"] / 1_000 == pytest.approx(0.2, abs=0.05)
    assert sources["users"] / 1_000 == pytest.approx(0.3, abs=0.05)
    assert mixture.draw(7) == mixture.draw(7)


def test_our_own_general_questions_are_the_default() -> None:
    assert {Mixture(general_share=1.0).draw(seed).source.partition(":")[0] for seed in range(20)} == {
        "general.yaml"
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"general_share": -0.1}, "at least 0"),
        ({"general_share": 0.9, "users_share": 0.2, "users": USERS}, "at most 1"),
        ({"users_share": 0.5}, "users must then hold"),
        ({"general": (), "general_share": 0.5}, "general must then hold"),
    ],
)
def test_shares_of_nothing_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InstructionError, match=message):
        Mixture(**wrong)  # type: ignore[arg-type]
