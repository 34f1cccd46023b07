"""`ranloop ask` and `ranloop export orchestrator`: from a training to a plan, or to why there is none."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from ranloop.errors import RanloopError
from rapps.orchestrator.task import USUAL_EQUIPMENT
from tests.rapps.orchestrator.peers import said, sent, serving
from tests.training.orchestrator import packaged
from tests.training.orchestrator.small import made

TEXT = "5 Mbit/s within 50 ms, ber 1e-5"
HEAVY = {"torch", "transformers"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged.write(tmp_path_factory.mktemp("packages") / "tiny")


def ran(*arguments: str) -> str:
    return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout


def test_json_is_one_object_of_demand_plan_and_qos(model: Path) -> None:
    printed = ran("ask", TEXT, "--model", str(model), "--json")
    found = json.loads(printed)
    assert printed.count("\n") == 1
    assert found["demand"].keys() == {"max_delay_s", "min_throughput_bps", "max_ber"}
    assert found["plan"].keys() == {"link_chain", "slice_policy"}
    assert found["feasible"] == (found["refusal_reason"] is None)
    assert found["qos"]["tier"] == "t1"
    # The same words get the same plan.
    assert ran("ask", TEXT, "--model", str(model), "--json") == printed


def test_plans_are_by_the_tables_where_that_is_asked_or_nothing_else_can_be_had(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("ask", TEXT, "--model", str(model), "--json")
    printed = ran(*asked, "--tier", "t0")
    assert json.loads(printed)["qos"]["tier"] == "t0"
    monkeypatch.setattr("ranloop.ask.find_spec", lambda name: None)
    assert ran(*asked) == printed
    with pytest.raises(RanloopError, match="t1 takes torch and numba; install the twin"):
        ran(*asked, "--tier", "t1")
    with pytest.raises(RanloopError, match="must be t0 or t1"):
        ran(*asked, "--tier", "t2")


def test_words_say_what_was_understood_and_planned(model: Path) -> None:
    printed = ran("ask", TEXT, "--model", str(model))
    for line in ("read       [A=5 Mbit/s] within [B=50 ms], ber [C=1e-5]", "understood delay", "plan ", "reward "):
        assert line in printed


def test_what_a_text_leaves_open_is_told_as_a_guess() -> None:
    asked = ("ask", "20 Mbit/s within 75 ms for the pictures of a crane", "--tier", "t0")
    found = json.loads(ran(*asked, "--json"))
    assert found["guessed"] == ["max_ber"]
    (understood,) = (line for line in ran(*asked).splitlines() if line.startswith("understood"))
    assert understood.endswith(f"bit error rate at most {found['demand']['max_ber']:g} (guessed)")
    assert understood.count("guessed") == 1


def test_the_margin_is_the_model_s_own(model: Path) -> None:
    assert ran("ask", TEXT, "--model", str(model)) == ran("ask", TEXT, "--model", str(model), "--margin", "0.2")


def test_a_folder_of_transformers_is_asked_too(tmp_path: Path) -> None:
    made().save(tmp_path)
    assert "understood" in ran("ask", TEXT, "--model", str(tmp_path))


def test_what_cannot_be_asked_says_why(model: Path, tmp_path: Path) -> None:
    idle = json.dumps(asdict(replace(USUAL_EQUIPMENT, compute_flops=1e6)))
    changed = packaged.write(tmp_path / "changed")
    (changed / "config.json").write_text("{}")
    cases: tuple[tuple[tuple[str, ...], str], ...] = (
        ((TEXT, "--model", str(changed)), "not what was shipped"),
        ((TEXT, "--model", str(tmp_path)), "no language model"),
        (("", "--model", str(model)), "text is empty"),
        ((TEXT, "--model", str(model), "--equipment", "{"), "JSON"),
        ((TEXT, "--model", str(model), "--equipment", idle), "no link chain fits"),
        ((TEXT, "--endpoint", "http://127.0.0.1:1/v1"), "names no model"),
        ((TEXT, "--endpoint", "http://127.0.0.1:1/v1#m"), "did not answer"),
    )
    for arguments, why in cases:
        with pytest.raises(RanloopError, match=why):
            ran("ask", *arguments)


ANSWER = """<think>Demand: delay B; throughput A; BER C</think><reflect>fine</reflect>
<answer>{"numerology": 1, "prbs": 51, "code_rate": 0.5, "modulation": "qpsk"}</answer>"""


def test_a_model_behind_a_server_is_asked_as_well() -> None:
    with serving(sent(200, said(ANSWER))) as peer:
        found = json.loads(ran("ask", TEXT, "--endpoint", f"{peer.url}/v1#some-model", "--json"))
    assert [path for path, _ in peer.asked] == ["/v1/chat/completions"]
    assert found["demand"] == {"max_delay_s": 0.05, "min_throughput_bps": 5e6, "max_ber": 1e-5}


def test_a_calibration_changes_what_the_twin_says_of_a_plan(model: Path, tmp_path: Path) -> None:
    worse = tmp_path / "live.json"
    worse.write_text(json.dumps({"snr_offset_db": {USUAL_EQUIPMENT.channel: -15.0}}))
    asked = ("ask", TEXT, "--model", str(model), "--json")
    told = [json.loads(ran(*asked, *more))["qos"] for more in ((), ("--calibration", str(worse)))]
    assert told[0] != told[1]


def asked_by_itself(*arguments: str) -> set[str]:
    """The packages that `ranloop ask` loads in a process of its own."""
    code = "import sys; from ranloop.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, "ask", TEXT, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert "understood" in run.stdout
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines()}


def test_a_package_is_asked_without_torch(model: Path) -> None:
    loaded = asked_by_itself("--model", str(model), "--tier", "t0")
    assert "onnxruntime" in loaded
    assert not HEAVY & loaded


def test_the_shipped_model_is_asked_without_torch() -> None:
    assert not HEAVY & asked_by_itself("--tier", "t0")


def test_a_training_is_exported_and_asked(tmp_path: Path) -> None:
    stage = tmp_path / "run" / "rldtf"
    made().save(stage / "model")
    (stage / "done.json").write_text("{}")
    out = tmp_path / "package"
    assert f"--model {out}" in ran("export", "orchestrator", str(tmp_path / "run"), "--out", str(out))
    assert "understood" in ran("ask", TEXT, "--model", str(out))
    with pytest.raises(RanloopError, match="is there already"):
        ran("export", "orchestrator", str(tmp_path / "run"), "--out", str(out))
    with pytest.raises(RanloopError, match="no stage 'rejection' that is done; it has rldtf"):
        ran("export", "orchestrator", str(tmp_path / "run"), "--out", f"{out}2", "--stage", "rejection")
