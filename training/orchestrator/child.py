"""Child: a process that answers over a connection, started from a module and ended at any moment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

_ROOT = str(Path(__file__).parents[2])


class Child:
    """A process of one module, whose argument is the number of its end of the connection; not running at first."""

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        self.module = module
        self.connection: Connection | None = None
        """Our end, while there is a process."""
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, if it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> Connection:
        """Start it, and give our end of the connection; none may run."""
        ours, theirs = Pipe()
        self.connection = ours
        paths = (_ROOT, os.environ.get("PYTHONPATH", ""))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | self._environment | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )
        return ours

    def kill(self) -> None:
        """Kill the process at once; whoever waits for it learns of it."""
        if (process := self._process) is not None:
            process.kill()

    def end(self) -> None:
        """Kill the process, if there is one, and close the connection; nobody may wait for it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self.connection is not None:
            self.connection.close()
            self.connection = None
