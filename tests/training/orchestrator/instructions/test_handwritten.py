"""Hand-written questions are many, short and each asked once."""

import pytest

from training.orchestrator.instructions import handwritten
from training.orchestrator.instructions.instruction import Instruction


def test_the_domain_has_many_questions() -> None:
    assert len(handwritten.domain()) >= 150
    assert len(handwritten.general()) >= 40


@pytest.mark.parametrize("instructions", [handwritten.domain(), handwritten.general()])
def test_every_question_is_asked_once_and_reasoned_shortly(instructions: tuple[Instruction, ...]) -> None:
    assert len({instruction.question for instruction in instructions}) == len(instructions)
    for instruction in instructions:
        assert instruction.question.endswith(("?", "."))
        assert 0 < len(instruction.reasoning.split()) <= 40
        assert len(instruction.answer.split()) <= 15
