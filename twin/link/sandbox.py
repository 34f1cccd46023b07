"""Sandbox: runs programs that an orchestrator wrote, however hostile, and gives back plans or refusals.

Two walls stand around a program. It is interpreted, never executed (`twin.link.interpreter`), with an allow-list
and bounded sizes and steps; and that happens in a process of its own (`twin.link.sandbox_worker`) that can open no
file or socket and start no process, has limits on memory and processor time, and is killed when it is late.

A short program takes about a millisecond; workers are kept, and replaced when they die.
"""

import contextlib
import json
import os
import queue
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from twin.link.equipment import EquipmentState, check
from twin.link.errors import PlanError, SandboxRefusal
from twin.link.grammar import MAX_SOURCE
from twin.link.plan import Plan

MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """What one program may take."""

    time_s: float = 2.0
    """Wall-clock time."""
    cpu_s: int = 1
    """Processor time, on top of at most a second of rounding."""
    memory_byte: int = 256 * 2**20
    """Address space of the worker process, the interpreter's own included."""

    def __post_init__(self) -> None:
        if not 0 < self.time_s <= 600:
            raise ValueError(f"time_s is {self.time_s}; it must be above 0 and at most 600")
        if not 1 <= self.cpu_s <= 600:
            raise ValueError(f"cpu_s is {self.cpu_s}; it must lie in 1..600")
        if not 64 * 2**20 <= self.memory_byte <= 16 * 2**30:
            raise ValueError(f"memory_byte is {self.memory_byte}; it must lie in 64 MiB..16 GiB")


class Sandbox:
    """A pool of worker processes; use it as a context manager, from any number of threads."""

    def __init__(self, *, workers: int = 1, limits: SandboxLimits | None = None) -> None:
        if not 1 <= workers <= 256:
            raise ValueError(f"workers is {workers}; it must lie in 1..256")
        self._limits = limits or SandboxLimits()
        self._workers: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._size = workers
        for _ in range(workers):
            self._workers.put(_Worker(self._limits))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; waits for programs that still run."""
        for _ in range(self._size):
            self._workers.get().end()
        self._size = 0

    def run(self, source: str, equipment: EquipmentState | None = None) -> Plan | SandboxRefusal:
        """Run one program and give its plan, or the refusal that names line and reason.

        With an equipment the program may read it (`twin.equipment.snr_db`), and a plan beyond it is refused.
        """
        if len(source) > MAX_SOURCE:
            return SandboxRefusal(
                0, f"the program has {len(source)} characters; it must have at most {MAX_SOURCE}"
            )
        shown = asdict(equipment) if equipment else {}
        request = json.dumps({"source": source, "equipment": shown})
        worker = self._workers.get()
        try:
            answer = worker.ask(request)
        finally:
            self._workers.put(worker)
        return answer if isinstance(answer, SandboxRefusal) else _plan(answer, equipment)

    def run_many(
        self, sources: Iterable[str], equipment: EquipmentState | None = None
    ) -> list[Plan | SandboxRefusal]:
        """Run programs side by side, one on each worker, and give their plans or refusals in order."""
        with ThreadPoolExecutor(self._size) as threads:
            return list(threads.map(lambda source: self.run(source, equipment), sources))


class _Worker:
    """One worker process, started when it is first needed and again after it died."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: str) -> dict[str, Any] | SandboxRefusal:
        """Send a request and wait for its answer, no longer than allowed."""
        try:
            self._send(request.encode() + b"\n")
            answer = _read_line(self._pipes()[1], time.monotonic() + self._limits.time_s)
            parsed: dict[str, Any] = json.loads(answer)
        except TimeoutError:
            self.end()
            return SandboxRefusal(0, f"the program ran longer than {self._limits.time_s:g} s")
        except (OSError, ValueError):
            self.end()
            return SandboxRefusal(0, "the program ended its process: it took too much memory or processor time")
        except BaseException:
            # An answer that nobody waits for must not reach the next program.
            self.end()
            raise
        if "reason" in parsed:
            return SandboxRefusal(int(parsed["line"]), str(parsed["reason"]))
        return parsed

    def _send(self, line: bytes) -> None:
        if self._process is None or self._process.poll() is not None:
            self._start()
        requests = self._pipes()[0]
        requests.write(line)
        requests.flush()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _start(self) -> None:
        self.end()
        # -S: no site packages, which the worker does not need and which would slow its start.
        command = [sys.executable, "-S", "-X", "utf8", "-m", "twin.link.sandbox_worker"]
        root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            [*command, str(self._limits.memory_byte), str(self._limits.cpu_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath},
            cwd="/",
        )

    def end(self) -> None:
        """Kill the process, if there is one, and close its pipes."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # What was not sent is lost with the process.
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process = None


def _read_line(pipe: IO[bytes], deadline: float) -> bytes:
    """Read a line; TimeoutError when it is late, ValueError when it is long, OSError when the process is gone."""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            part = os.read(pipe.fileno(), 65536)
            if not part:
                raise OSError("the worker is gone")
            line += part
            if len(line) > MAX_ANSWER:
                raise ValueError("the answer is too long")
    return line


def _plan(answer: dict[str, Any], equipment: EquipmentState | None) -> Plan | SandboxRefusal:
    """Validate what a program asked for; errors get the line of the step to blame."""
    lines: dict[str, int] = answer["lines"]
    try:
        plan = Plan(link_chain=answer["link_chain"], slice_policy=answer["slice_policy"])
        if equipment is not None:
            check(plan, equipment)
    except PlanError as error:
        return SandboxRefusal(lines.get(error.step, lines["plan"]), str(error))
    return plan
