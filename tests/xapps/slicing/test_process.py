"""The xApp as a process: what it loads, how it starts and how it ends."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
QUIET = ["--listen-host", "127.0.0.1", "--http-port", "0", "--rmr-port", "0", "--rmr-control-port", "0"]
HEAVY = {"torch", "uvicorn", "starlette", "httpx", "onnxruntime", "redis", "jsonschema", "tokenizers"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xapps.slicing", *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60
    )


@pytest.mark.parametrize("module", ["xapps.slicing.app", "xapps.slicing.controllers", "xapps.slicing.guard"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(name.split('.')[0] for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not HEAVY & set(loaded.stdout.split())


def test_it_starts_without_a_ric_serves_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "xapps.slicing", *QUIET, "--controller", "static", "--dry-run"]
    command += ["--ric-host", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        line = json.loads(child.stdout.readline())
        assert line["event"] == "ready"
        assert (line["controller"], line["dry_run"]) == ("static", True)
        assert httpx.get(f"{line['http']}/ric/v1/health/alive", trust_env=False).status_code == 200
        child.send_signal(signal.SIGTERM)
        rest, logs = child.communicate(timeout=30)
    assert child.returncode == 0
    assert rest == ""
    assert all(json.loads(entry)["event"] for entry in logs.splitlines())


def test_a_wrong_setting_ends_with_the_reason() -> None:
    ended = run("--period-ms", "0")
    assert ended.returncode == 2
    assert "period_ms" in ended.stderr
    ended = run("--config", "/nonexistent/config-file.json")
    assert ended.returncode == 2
    assert "/nonexistent/config-file.json" in ended.stderr
