import os
import signal
import time
from pathlib import Path

import pytest

from ranloop.errors import ProcessError
from ranloop.processes import Process

SERVER = """
import json, os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(json.dumps({"pid": os.getpid()}), flush=True)
time.sleep(60)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def make(folder: Path, code: str) -> Process:
    (folder / "child_module.py").write_text(code)
    return Process("child", "child_module", (), folder / "run")


def test_ready_line_and_clean_stop(module: Path) -> None:
    child = make(module, SERVER)
    child.start()
    assert child.ready(20)["pid"] == child.pid
    pid = child.pid
    child.stop()
    assert child.pid is None
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_child_comes_back(module: Path) -> None:
    child = make(module, SERVER)
    child.start()
    first = child.ready(20)["pid"]
    os.kill(int(str(first)), signal.SIGKILL)
    events: list[str] = []
    deadline = time.monotonic() + 20
    while len(events) < 2 and time.monotonic() < deadline:
        if event := child.watch():
            events.append(event)
        time.sleep(0.02)
    try:
        assert events[0] == "child died (signal 9)"
        assert child.restarts == 1
        assert child.ready(20)["pid"] != first
    finally:
        child.stop()


def test_a_child_that_dies_at_once_is_reported_with_its_log(module: Path) -> None:
    child = make(module, "raise SystemExit('no port for me')")
    child.start()
    with pytest.raises(ProcessError, match="no port for me"):
        child.ready(20)
