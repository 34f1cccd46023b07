"""The runner does each run once, tells of those that fail, and leaves nothing behind when it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.experiments import works
from tests.training.experiments.works import COUNT, DIE, FAIL, LONE, ONLINE, experiment
from training.experiments.run import ExperimentError, Run
from training.experiments.runner import run_all


def silent(run: Run, fine: bool) -> None:
    """Hears nothing."""


def test_runs_that_fail_or_die_are_counted_and_stop_no_other(tmp_path: Path) -> None:
    planned = experiment(FAIL, DIE, COUNT, seeds=1).plan(tmp_path)
    told: dict[str, bool] = {}
    assert run_all(planned, lambda run, fine: told.update({str(run): fine}), workers=2) == 2
    assert told == {"fail: always, seed 1": False, "die, seed 1": False, "count, seed 1": True}
    failed, died, counted = planned
    assert failed.failure == "ValueError: seed 1 cannot be"
    assert died.result is None
    assert counted.result == {"episodes": 3, "seed": 1, "calls": 1}
    assert run_all([died], silent) == 0
    assert died.result is not None


def test_what_is_done_is_not_done_again_and_a_later_success_clears_the_failure(tmp_path: Path) -> None:
    (run,) = experiment(COUNT, seeds=1).plan(tmp_path)
    run.task.folder.mkdir(parents=True)
    (run.task.folder / "failure.txt").write_text("it failed\n")
    assert run.failure == "it failed"
    assert run.do()
    assert run.do()
    assert run.result is not None
    assert run.result["calls"] == 1
    assert run.failure is None


def test_a_plan_goes_seed_by_seed_and_leaves_out_what_needs_a_connection(tmp_path: Path) -> None:
    tiny = experiment(LONE, COUNT, ONLINE)
    assert [str(run) for run in tiny.plan(tmp_path)] == ["lone, seed 1", "count, seed 1", "count, seed 2"]
    assert [str(run) for run in tiny.plan(tmp_path, only=["online"], seeds=1)] == ["online, seed 1"]
    assert tiny.plan(tmp_path)[0].task.folder == tmp_path / "shared" / "lone" / "seed-1"
    with pytest.raises(ExperimentError, match="no arm 'other'; it has lone, count, online"):
        tiny.plan(tmp_path, only=["other"])


def test_a_result_of_other_episodes_is_not_taken_for_one(tmp_path: Path) -> None:
    tiny = experiment(COUNT, seeds=1)
    tiny.plan(tmp_path)[0].do()
    with pytest.raises(ExperimentError, match="holds a result of 3 episodes, not 5"):
        _ = tiny.plan(tmp_path, episodes=5)[0].result


def test_when_the_runner_is_killed_its_processes_end(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.training.experiments import works\n"
        "from training.experiments.runner import run_all\n"
        "if __name__ == '__main__':\n"
        "    run_all(works.experiment(works.WAIT, seeds=1).plan(Path(sys.argv[1])), lambda run, fine: None)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    root = Path(works.__file__).parents[3]
    runner = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], env={**os.environ, "PYTHONPATH": str(root)}
    )
    told = tmp_path / "tiny" / "wait" / "seed-1" / "pid"
    try:
        _until(told.exists)
        runner.send_signal(signal.SIGKILL)
    finally:
        runner.kill()
        runner.wait()
    pid = int(told.read_text())
    _until(lambda: not _alive(pid))


def test_ray_does_the_same(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra `scale`")
    planned = experiment(COUNT, FAIL, seeds=1).plan(tmp_path)
    assert run_all(planned, silent, ray="local") == 1
    assert [run.result is not None for run in planned] == [True, False]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _until(true: "object") -> None:
    assert callable(true)
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
