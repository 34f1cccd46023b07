"""Instructions come back from their file as they went in, and an error says where and what."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.orchestrator.instructions.instruction import Instruction, InstructionError, parse, read, write

ANY = st.text(st.characters(codec="utf-8"))
SAID = ANY.filter(lambda text: bool(text.strip()))
INSTRUCTIONS = st.builds(Instruction, question=SAID, answer=SAID, reasoning=ANY, source=ANY)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(instructions=st.lists(INSTRUCTIONS, max_size=4))
def test_instructions_come_back_from_their_file(
    instructions: list[Instruction], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("instructions") / "a.jsonl"
    write(file, instructions)
    assert read(file) == tuple(instructions)


@given(JSON)
def test_whatever_is_read_is_an_instruction_or_an_error(told: object) -> None:
    for line in (
        json.dumps(told),
        json.dumps({"question": told, "answer": "a"}),
        json.dumps({"question": "a", "answer": told}),
    ):
        with suppress(InstructionError):
            assert isinstance(parse(line), Instruction)


@given(st.text())
def test_noise_is_an_error(line: str) -> None:
    with pytest.raises(InstructionError):
        parse(line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "no instruction"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"answer": "b"}', "question is missing"),
        ('{"question": "a"}', "answer is missing"),
        ('{"question": " ", "answer": "b"}', "question is empty"),
        ('{"question": "a", "answer": 5}', "answer is 5; it must be a text"),
        ('{"question": "a", "answer": "b", "reasoning": null}', "reasoning is null"),
        ('{"question": "a", "answer": "b", "reason": "c"}', "there is no reason; there are question, answer"),
        ('{"question": "a\\ud800", "answer": "b"}', "question has half a surrogate"),
    ],
)
def test_an_error_names_line_and_field(line: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"question": "fine", "answer": "yes"}}\n\n{line}\n')
    with pytest.raises(InstructionError, match="line 3: ") as caught:
        read(file)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstructionError, match="nowhere"):
        read(tmp_path / "nowhere")
