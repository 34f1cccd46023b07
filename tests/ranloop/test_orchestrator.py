"""`ranloop evaluate orchestrator` on one's own tasks, in one JSON object or a table."""

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import count, islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from ranloop.errors import RanloopError
from rapps.orchestrator.task import USUAL_EQUIPMENT, Task, read, write
from tests.rapps.orchestrator.peers import Body, said, send, serving
from training.orchestrator import entries, outside
from training.orchestrator.tasks.feasibility import share_of_chains
from training.orchestrator.tasks.generator import draw
from twin.link.calibration import Calibration
from twin.link.catalogue import ChannelClass
from twin.link.plan import Plan
from twin.link.program import render


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    # Chance shows at once that these are feasible; where it does not, the oracle may search for minutes.
    drawn = [*islice((task for task in map(draw, count()) if share_of_chains(task) > 0.3), 4)]
    file = tmp_path / "tasks.jsonl"
    told = [Task(text=task.text, demand=task.demand, equipment=task.equipment) for task in drawn]
    write(file, [*told, Task(text=drawn[0].text, demand=drawn[0].demand), Task(text="Something fast")])
    return file


def evaluated(tmp_path: Path, *arguments: str) -> str:
    command = ["evaluate", "orchestrator", "--workers", "0", "--out", str(tmp_path / "out"), *arguments]
    return CliRunner().invoke(app, command, catch_exceptions=False).stdout


def test_json_is_one_object_with_intervals(tasks: Path, tmp_path: Path) -> None:
    asked = ("--tasks", str(tasks), "--entry", "amc:4", "--entry", "random", "--json")
    printed = evaluated(tmp_path, *asked)
    found = json.loads(printed)
    assert printed.count("\n") == 1
    assert found["entry"] == "amc:4"
    assert (found["tasks"], found["without_demand"]) == (6, 1)
    assert found["feasible"] + found["infeasible"] == 5
    assert found["optimality_gap"] is None
    for name in ("completion", "format_compliance"):
        assert 0 <= found[name]["low"] <= found[name]["mean"] <= found[name]["high"] <= 1
    (other,) = found["others"]
    assert other["entry"] == "random:1"
    difference = found["completion"]["mean"] - other["completion"]["mean"]
    assert other["gain_of_first"]["completion"]["mean"] == pytest.approx(difference)
    # What is known is not asked again, and gives the same figures.
    assert evaluated(tmp_path, *asked) == printed


def test_a_table_tells_the_same(tasks: Path, tmp_path: Path) -> None:
    printed = evaluated(tmp_path, "--tasks", str(tasks), "--entry", "random:4", "--limit", "3", "--seed", "1")
    assert "3 tasks at t0" in printed
    assert "random:4" in printed
    assert "difficulty: easy" in printed


def test_calibrated_links_deliver_as_links_of_that_snr_do(tasks: Path, tmp_path: Path) -> None:
    calibration, moved = tmp_path / "live.json", tmp_path / "moved.jsonl"
    calibration.write_text(json.dumps({"snr_offset_db": dict.fromkeys(ChannelClass, -15.0)}))
    known = Calibration.read(calibration)
    own = [replace(task, equipment=known.applied(task.equipment or USUAL_EQUIPMENT)) for task in read(tasks)]
    write(moved, own)
    entry = ("--entry", "sized:4", "--json")
    calibrated = evaluated(tmp_path, "--tasks", str(tasks), "--calibration", str(calibration), *entry)
    assert calibrated == evaluated(tmp_path, "--tasks", str(moved), *entry)
    assert calibrated != evaluated(tmp_path, "--tasks", str(tasks), *entry)
    calibration.write_text("{}")
    with pytest.raises(RanloopError, match="snr_offset_db"):
        evaluated(tmp_path, "--tasks", str(tasks), "--calibration", str(calibration), *entry)


def test_held_out_tasks_are_asked_by_default(tmp_path: Path) -> None:
    found = json.loads(evaluated(tmp_path, "--entry", "random:32", "--limit", "3", "--json"))
    assert found["tasks"] == 3
    assert set(found["by"]["demand"]) <= {"explicit", "implicit"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--entry", "oracle"), "there is no entry 'oracle'"),
        (("--entry", "amc", "--tier", "t9"), "tier is 't9'; it must be one of t0, t1, t2"),
        (("--entry", "amc", "--entry", "amc:1"), "named twice"),
    ],
)
def test_what_cannot_be_asked_says_why(
    tasks: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RanloopError, match=message):
        evaluated(tmp_path, "--tasks", str(tasks), *arguments)


def test_bad_and_empty_files_are_told(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"text": ""}\n')
    with pytest.raises(RanloopError, match="line 1: text is empty"):
        evaluated(tmp_path, "--tasks", str(file), "--entry", "random")
    file.write_text("")
    with pytest.raises(RanloopError, match="there are 0 tasks"):
        evaluated(tmp_path, "--tasks", str(file), "--entry", "random")


def test_a_model_s_own_programs_are_told_apart(
    tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = '{"numerology": 1, "prbs": 1, "code_rate": 0.3, "modulation": "qpsk"}'
    answer = f"<think>Demand: delay 1 s; throughput 1 kbit/s; BER 0.1</think><answer>{chain}</answer>"
    programs = count()

    def reply(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
        _, is_program, plan = body["messages"][1]["content"].partition("Write the program of this plan:\n")
        # The first program tries to get out, the others are what they should be.
        hostile = bool(is_program) and next(programs) == 0
        program = "import os" if hostile else render(Plan.parse(plan)) if is_program else ""
        send(handler, 200, said(program or answer))

    monkeypatch.setitem(entries.MAKERS, "endpoint", outside.MAKERS["endpoint"])
    with serving(reply) as peer:
        asked = ("--tasks", str(tasks), "--entry", f"endpoint:{peer.url}#m", "--translate", "4")
        found = json.loads(evaluated(tmp_path, *asked, "--json"))
        table = evaluated(tmp_path, *asked)
        proved = evaluated(tmp_path, *asked, "--prove")
    translation = found["translation"]
    assert found["format_compliance"]["mean"] == 0
    assert (translation["programs"], translation["ran"]["mean"], translation["same"]["mean"]) == (4, 0.75, 0.75)
    assert translation["refusals"] == {"import is not allowed": 1}
    assert translation["reward"] == translation["reference_reward"]
    assert "wrote 4 programs: ran 100 %" in table
    assert "wrote 4 programs: ran 100 %" in proved
    with pytest.raises(RanloopError, match="writes no programs"):
        evaluated(tmp_path, "--tasks", str(tasks), "--entry", "random", "--translate", "1")
