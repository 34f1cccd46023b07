"""Tasks come back from their file as they went in, and an error says where and what."""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.task import Task, TaskError, parse, read, write
from tests.twin.link.link_cases import EQUIPMENT, demands, equipments

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: bool(text.strip()))
PLAIN = st.none() | st.booleans() | st.floats() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
TASKS = st.builds(Task, text=TEXTS, demand=st.none() | demands, equipment=st.none() | equipments)
GOOD = {"max_delay_s": 0.01, "min_throughput_bps": 1000000, "max_ber": 1e-5}


@given(tasks=st.lists(TASKS, max_size=4))
def test_tasks_come_back_from_their_file(tasks: list[Task], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("tasks") / "tasks.jsonl"
    write(file, tasks)
    assert read(file) == tuple(tasks)


@given(JSON)
def test_whatever_is_read_is_a_task_or_a_task_error(told: object) -> None:
    for line in (json.dumps(told), json.dumps({"text": "a", "demand": told}), json.dumps({"text": told})):
        with suppress(TaskError):
            assert isinstance(parse(line), Task)


@given(st.text())
def test_noise_is_a_task_error(line: str) -> None:
    try:
        parse(line)
    except TaskError:
        return
    pytest.fail("noise was taken for a task")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("[]", "not a task"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"text": "a", "demand": NaN}', "NaN is no number"),
        ({}, "text is missing"),
        ({"text": " "}, "text is empty"),
        ({"text": "\ud800"}, "half a surrogate"),
        ({"text": "a", "qos": {}}, "there is no qos; there are text, demand, equipment"),
        ({"text": "a", "demand": 3}, "demand is no object"),
        ({"text": "a", "demand": {"max_delay_s": 1}}, "demand.min_throughput_bps is missing"),
        ({"text": "a", "demand": GOOD | {"delay": 1}}, "there is no demand.delay"),
        ({"text": "a", "demand": GOOD | {"max_ber": 2}}, "demand.max_ber is 2"),
        ({"text": "a", "demand": GOOD | {"max_ber": "low"}}, "demand.max_ber is low; it must be a number"),
        ({"text": "a", "demand": GOOD | {"max_ber": True}}, "demand.max_ber is true; it must be a number"),
        ({"text": "a", "demand": GOOD | {"max_ber": 10**400}}, "it must be a number"),
        ({"text": "a", "equipment": asdict(EQUIPMENT) | {"free_prbs": 0}}, "equipment.free_prbs is 0"),
        ({"text": "a", "equipment": asdict(EQUIPMENT) | {"free_prbs": 5.5}}, "must be a whole number"),
        ({"text": "a", "equipment": asdict(EQUIPMENT) | {"has_deeprx": 1}}, "must be true or false"),
        ({"text": "a", "equipment": asdict(EQUIPMENT) | {"channel": "x"}}, "equipment.channel is x"),
    ],
)
def test_an_error_names_line_and_field(told: object, message: str, tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    line = told if isinstance(told, str) else json.dumps(told)
    file.write_text(f'{{"text": "fine"}}\n\n{line}\n')
    with pytest.raises(TaskError, match="line 3: ") as caught:
        read(file)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_a_task_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="none"):
        read(tmp_path / "none.jsonl")


def test_importing_tasks_loads_no_torch() -> None:
    code = "import sys, rapps.orchestrator.task; sys.exit('torch' in sys.modules or 'yaml' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
