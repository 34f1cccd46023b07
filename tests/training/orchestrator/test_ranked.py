"""Two processes train as one does (`torch.distributed.run` on gloo, as `accelerate launch` does on GPUs)."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.training.orchestrator import ranked
from training.orchestrator import ranks
from training.orchestrator.supervised import CURVE, Row

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ZERO3 = Path(ranks.__file__).parent / "deepspeed" / "zero3.json"


def launched(folder: Path, killed_at: int, timeout_s: float = 200, **more: str) -> bool:
    """Whether it went well; else what was said is printed whole."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--standalone", "--local-addr", "127.0.0.1"]
    command += ["-m", ranked.__name__, str(folder), str(killed_at)]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"} | more
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s)
    print(done.stderr)
    return done.returncode == 0


def curve(folder: Path) -> list[Row]:
    return [json.loads(line) for line in (folder / CURVE).read_text().splitlines()]


def alike(one: list[Row], other: list[Row], within: float = 2e-3) -> None:
    """But for sums in another order."""
    assert len(one) == len(other)
    for expected, row in zip(one, other, strict=True):
        known = {name: value for name, value in expected.items() if not name.endswith("_s")}
        assert {name: row[name] for name in known} == pytest.approx(known, rel=within, abs=1e-5)


def test_two_processes_learn_as_one_and_the_first_writes(tmp_path: Path) -> None:
    assert launched(tmp_path, 0)
    for stage, train in (("supervised", ranked.supervised), ("rldtf", ranked.reinforced)):
        alike(train(tmp_path / "alone" / stage), curve(tmp_path / "0" / stage))
    # Each rank keeps the state of its own random numbers in a checkpoint, and nothing else.
    assert {path.name for path in (tmp_path / "1").rglob("*") if path.is_file()} == {"random_states_1.pkl"}


def test_two_processes_that_were_killed_go_on(tmp_path: Path) -> None:
    assert not launched(tmp_path, 3)
    assert not (tmp_path / "supervised" / CURVE).exists()
    # It would be killed again if it began anew.
    assert launched(tmp_path, 1)
    alike(ranked.supervised(tmp_path / "alone"), curve(tmp_path / "supervised"))


@pytest.mark.skipif(find_spec("deepspeed") is None, reason="it needs the extra deepspeed")
@pytest.mark.timeout(600)
def test_networks_that_are_cut_among_processes_learn_as_whole_ones(tmp_path: Path) -> None:
    """ZeRO-3 by the file for GPUs, in float32; DeepSpeed's first run compiles, which takes minutes."""
    told = json.loads(ZERO3.read_text()) | {"bf16": {"enabled": False}}
    (tmp_path / "zero3.json").write_text(json.dumps(told))
    more = {
        "ACCELERATE_USE_CPU": "false",
        "ACCELERATE_USE_DEEPSPEED": "true",
        "ACCELERATE_DEEPSPEED_CONFIG_FILE": str(tmp_path / "zero3.json"),
        "ACCELERATE_DEEPSPEED_ZERO3_INIT": "false",
        "DS_ACCELERATOR": "cpu",
    }
    assert launched(tmp_path, 0, timeout_s=500, **more)
    for stage, train in (("supervised", ranked.supervised), ("rldtf", ranked.reinforced)):
        alike(train(tmp_path / "alone" / stage), curve(tmp_path / "0" / stage), within=0.03)
