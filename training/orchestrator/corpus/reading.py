"""Reading: files prepared in processes of their own, so that no file ends or holds up a build."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from training.orchestrator.child import Child
from training.orchestrator.corpus import reading_worker
from training.orchestrator.corpus.errors import CorpusError
from training.orchestrator.corpus.preparing import Preparation, Prepared, lost

START_S = 120.0
_AHEAD = 2
"""Files that are prepared, or wait for their turn, for each process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How files are read; CorpusError for a value that cannot be."""

    workers: int = 1
    timeout_s: float = 120.0
    """A file that takes longer is dropped."""
    memory_byte: int = 4 * 2**30
    """The address space of a process; a file that takes more is dropped."""
    preparation: Preparation = field(default_factory=Preparation)

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= 256:
            raise CorpusError(f"workers is {self.workers}; it must lie in 1..256")
        if not 0.0 < self.timeout_s <= 86_400.0:
            raise CorpusError(f"timeout_s is {self.timeout_s}; it must be above 0 and at most 86400")
        if not 2**28 <= self.memory_byte <= 2**40:
            raise CorpusError(f"memory_byte is {self.memory_byte}; it must lie in 256 MiB..1 TiB")


def prepared(paths: Iterable[Path], how: Reading) -> Iterator[Prepared]:
    """What is left of each file, in their order; a few files are prepared ahead."""
    idle: SimpleQueue[_Worker] = SimpleQueue()
    workers = tuple(_Worker(how) for _ in range(how.workers))
    for worker in workers:
        idle.put(worker)

    def one(path: Path) -> Prepared:
        worker = idle.get()
        try:
            return worker.ask(path)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(how.workers) as threads:
            waiting: deque[Future[Prepared]] = deque()
            try:
                for path in paths:
                    waiting.append(threads.submit(one, path))
                    if len(waiting) >= _AHEAD * how.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
                for worker in workers:
                    worker.child.kill()
    finally:
        for worker in workers:
            worker.child.end()


class _Worker:
    """A process, started when it is first needed and again after its end."""

    def __init__(self, how: Reading) -> None:
        self._how = how
        self.child = Child(reading_worker.__name__)

    def ask(self, path: Path) -> Prepared:
        """What is left of a file."""
        connection = self._started()
        try:
            connection.send(path)
            if connection.poll(self._how.timeout_s):
                answer: Prepared = connection.recv()
                return answer
            reason = "too slow"
        except (OSError, EOFError):
            reason = "reader died"
        self.child.end()
        return lost(reason)

    def _started(self) -> Connection:
        if self.child.connection is not None:
            return self.child.connection
        ours = self.child.start()
        try:
            ours.send((self._how.preparation, self._how.memory_byte))
            if ours.poll(START_S):
                ours.recv()
                return ours
        except (OSError, EOFError):
            pass
        self.child.end()
        raise CorpusError(f"no process can be started that reads files: {sys.executable} -m {self.child.module}")
