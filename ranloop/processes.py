"""Child processes of the demo: started, watched, started again when they die, and ended by their own id."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ranloop.errors import ProcessError

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 8.0
RESTART_DELAYS_S = (0.5, 1.0, 2.0, 4.0)
STEADY_S = 20.0
"""A process that lived this long starts over with the shortest delay when it dies."""


@dataclass(slots=True)
class Process:
    """One part of the loop as `python -m MODULE ARGUMENTS`, logging into `folder`.

    The module prints one line of JSON on standard output once it serves; `ready` waits for it.
    """

    name: str
    module: str
    arguments: Sequence[str]
    folder: Path
    restarts: int = 0
    _child: subprocess.Popen[bytes] | None = None
    _stdout: Path = field(init=False)
    _started_s: float = 0.0
    _restart_at_s: float | None = None
    _failures: int = 0

    def __post_init__(self) -> None:
        self._stdout = self.folder / f"{self.name}.ready"

    @property
    def log(self) -> Path:
        """Where standard error goes, appended over restarts."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The running child's process id."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def start(self) -> None:
        """Start the child; its ready line is awaited by `ready`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        out: IO[bytes]
        err: IO[bytes]
        with open(self._stdout, "wb") as out, open(self.log, "ab") as err:
            self._child = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self._started_s = time.monotonic()
        self._restart_at_s = None

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> dict[str, object]:
        """Wait for the ready line and return it; ProcessError when the child dies or stays silent."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            line, end, _ = self._stdout.read_text().partition("\n")
            if end:
                answer = json.loads(line)
                if not isinstance(answer, dict):
                    raise ProcessError(f"{self.name} printed {line!r} instead of its ready line")
                return answer
            if self._child is None or self._child.poll() is not None:
                raise ProcessError(f"{self.name} ended before it was ready; see {self.log}:\n{self.tail()}")
            time.sleep(0.05)
        raise ProcessError(f"{self.name} was not ready within {timeout_s:g} s; see {self.log}:\n{self.tail()}")

    def tail(self, lines: int = 12) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def watch(self) -> str | None:
        """Start the child again some time after it died; returns what happened, once, for the event list."""
        now = time.monotonic()
        if self._child is None:
            return None
        if self._restart_at_s is not None:
            if now >= self._restart_at_s:
                self.start()
                self.restarts += 1
                return f"{self.name} started again (pid {self.pid})"
            return None
        code = self._child.poll()
        if code is None:
            return None
        self._failures = 0 if now - self._started_s > STEADY_S else self._failures + 1
        if self._failures >= len(RESTART_DELAYS_S):
            raise ProcessError(f"{self.name} keeps dying (exit {code}); see {self.log}:\n{self.tail()}")
        self._restart_at_s = now + RESTART_DELAYS_S[self._failures]
        return f"{self.name} died ({'signal ' + str(-code) if code < 0 else 'exit ' + str(code)})"

    def stop(self) -> None:
        """Ask the child to end, wait, and kill it only when it does not."""
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
