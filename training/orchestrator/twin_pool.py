"""Twin pool: what the link twin says of many chains, found in worker processes that may die.

A worker that is killed, crashes or hangs costs the job that it was at: a whole question at tier T0, which is
answered in columns, and one chain at T1 and T2. The job is counted as lost, the worker replaced, and the run goes
on.
`concurrent.futures.ProcessPoolExecutor` would not do: one dead worker breaks all of it, and it ends no late one.
"""

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import numpy as np

from training.orchestrator import twin_worker
from training.orchestrator.child import Child
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.twin_worker import Job
from twin.link.demand import Demand
from twin.link.equipment import EquipmentGrid, EquipmentState, fits
from twin.link.plan import ChainGrid
from twin.link.qos import Results, Tier
from twin.link.reward import (
    DEFAULT_WEIGHTS,
    RewardWeights,
    decades,
    deviations,
    rewards,
    satisfied,
    use_share_of,
)
from twin.link.space import concatenate

TIMEOUT_S = {Tier.T0: 30.0, Tier.T1: 120.0, Tier.T2: 900.0}
START_S = 120.0
MOST_LOST_IN_A_ROW = 20
AT_ONCE = 4096
"""Chains of a batch at T0 in this process: more would take more memory and no less time."""
LOOKS = 2
"""Looks of T1 by which answers are judged, so that chance makes little of a verdict."""
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}


_OnOne = tuple[ChainGrid, EquipmentState, Tier, int, int]
"""A job of one question."""


class TwinPoolError(OrchestratorError):
    """No job is answered any more; says why the last one was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Chains to try on an equipment for a demand."""

    chains: ChainGrid
    demand: Demand
    equipment: EquipmentState


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Verdict:
    """What the twin says of a question's chains."""

    reward: np.ndarray
    """[chains]: by `twin.link.reward`, that of a refusal where the chain cannot be run, NaN where it was lost."""
    deviations: np.ndarray
    """[chains, 3]: from the demand, as there; NaN where the chain cannot be run or was lost."""
    met: np.ndarray
    """Whether the demand is met, bool [chains]."""
    lost: np.ndarray
    """Whether the chain has no answer because of its worker, bool [chains]."""
    chance: np.ndarray
    """Decades that the upper end of the bit error rate's interval lies above it [chains]; NaN as deviations."""


class TwinPool:
    """Workers of one thread each; use it as a context manager. Without workers the twin is asked in this process.

    `timeout_s` is the longest that a job may take, by tier when none is given; in this process nothing ends it.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        timeout_s: float | None = None,
        weights: RewardWeights = DEFAULT_WEIGHTS,
    ) -> None:
        if not 0 <= workers <= 1024:
            raise ValueError(f"workers is {workers}; it must lie in 0..1024")
        if timeout_s is not None and not timeout_s > 0:
            raise ValueError(f"timeout_s is {timeout_s}; it must be above 0")
        self.lost: Counter[str] = Counter()
        """Jobs without an answer, by reason."""
        self._lost_in_a_row = 0
        self._timeout_s = timeout_s
        self.weights = weights
        self._workers = tuple(_Worker() for _ in range(workers))
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers) if workers else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, whatever they are at."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.child.kill()
        if self._threads is not None:
            self._threads.shutdown()
        for worker in self._workers:
            worker.child.end()

    @property
    def processes(self) -> tuple[int, ...]:
        """The workers that run now, by process id."""
        return tuple(pid for worker in self._workers if (pid := worker.child.pid) is not None)

    def ask(
        self, questions: Iterable[Question], tier: Tier = Tier.T0, *, seed: int = 0, looks: int = 1
    ) -> Iterator[Verdict]:
        """Verdicts in the order of the questions, each as soon as it and those before it are there.

        `looks` are those of T1 (`twin.link.evaluate.evaluate`). TwinPoolError when MOST_LOST_IN_A_ROW jobs were
        lost one after the other.
        """
        asked = tuple(questions)
        wanted = tuple(parts(question, tier) for question in asked)
        jobs = [
            (question.chains.take(rows), question.equipment, tier, seed, looks)
            for question, some in zip(asked, wanted, strict=True)
            for rows in some
        ]
        if self._threads is not None:
            answers = self._threads.map(self._there, jobs)
        else:
            answers = self._together(jobs) if tier is Tier.T0 else map(self._here, jobs)
        for question, some in zip(asked, wanted, strict=True):
            yield verdict(question, [(rows, self._counted(next(answers))) for rows in some], self.weights)

    def _together(self, jobs: Sequence[_OnOne]) -> Iterator[Results | str]:
        """Answers of tier T0, of many jobs at once: most of the time of a small one goes into columns as such."""
        sizes = np.array([len(chains) for chains, *_ in jobs])
        turns = np.cumsum(sizes) // AT_ONCE
        for turn in np.unique(turns):
            some = [jobs[place] for place in np.flatnonzero(turns == turn).tolist()]
            answers: Iterable[Results | str]
            try:
                answers = _asked_together(some)
            except Exception:
                # One of them is at fault, which costs the others nothing.
                answers = map(self._here, some)
            yield from answers

    def _here(self, job: Job) -> Results | str:
        try:
            return twin_worker.answer(job)
        except Exception as error:
            return twin_worker.reason(error)

    def _there(self, job: Job) -> Results | str:
        worker = self._idle.get()
        try:
            return worker.ask(job, self._timeout_s or TIMEOUT_S[job[2]])
        finally:
            self._idle.put(worker)

    def _counted(self, answer: Results | str) -> Results | None:
        if isinstance(answer, Results):
            self._lost_in_a_row = 0
            return answer
        self.lost[answer] += 1
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= MOST_LOST_IN_A_ROW:
            raise TwinPoolError(f"{self._lost_in_a_row} questions to the twin in a row were lost: {answer}")
        return None


def _asked_together(jobs: Sequence[_OnOne]) -> list[Results]:
    counts = [len(chains) for chains, *_ in jobs]
    grid = EquipmentGrid.of([equipment for _, equipment, *_ in jobs], counts)
    told = twin_worker.answer((concatenate([chains for chains, *_ in jobs]), grid, *jobs[0][2:]))
    ends = np.cumsum(counts).tolist()
    return [told.take(slice(end - count, end)) for end, count in zip(ends, counts, strict=True)]


class _Worker:
    """One worker process, started when it is first needed and again after its end."""

    def __init__(self) -> None:
        self.child = Child(twin_worker.__name__, _ONE_THREAD)

    def ask(self, job: Job, timeout_s: float) -> Results | str:
        """An answer, or why there is none."""
        try:
            connection = self._started()
        except (OSError, EOFError) as error:
            self.child.end()
            return f"a worker did not start: {twin_worker.reason(error)}"
        with self._no_longer_than(timeout_s) as late:
            try:
                connection.send(job)
                answer: Results | str = connection.recv()
                return answer
            except (OSError, EOFError):
                self.child.end()
                return f"a worker took longer than {timeout_s:g} s" if late.is_set() else "a worker died"

    def _started(self) -> Connection:
        """The connection to a process that is ready."""
        if self.child.connection is not None and self.child.pid is not None:
            return self.child.connection
        self.child.end()
        ours = self.child.start()
        with self._no_longer_than(START_S):
            ours.recv()
        return ours

    @contextlib.contextmanager
    def _no_longer_than(self, timeout_s: float) -> Iterator[threading.Event]:
        """Kill the process when it is late, even where it is stopped, so that who waits for it gets an error."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self.child.kill()

        timer = threading.Timer(timeout_s, end)
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()


def parts(question: Question, tier: Tier) -> list[np.ndarray]:
    """The places of the chains that each job asks about; without those that cannot be run."""
    rows = np.flatnonzero(question.chains.consistent() & fits(question.chains, question.equipment))
    if tier is Tier.T0:
        return [rows] if len(rows) else []
    return [rows[place : place + 1] for place in range(len(rows))]


def verdict(
    question: Question,
    answers: Sequence[tuple[np.ndarray, Results | None]],
    weights: RewardWeights = DEFAULT_WEIGHTS,
) -> Verdict:
    """What answers to some of a question's chains (None: lost) make of it; the others cannot be run."""
    count = len(question.chains)
    reward = np.full(count, weights.refused)
    errors = np.full((count, 3), np.nan)
    lost, chance = np.zeros(count, dtype=bool), np.full(count, np.nan)
    for rows, results in answers:
        if results is None:
            lost[rows], reward[rows] = True, np.nan
            continue
        share = use_share_of(question.chains.take(rows), question.equipment) if weights.use else 0.0
        reward[rows] = rewards(results, question.demand, weights, use_share=share)
        errors[rows] = deviations(results.delay_s, results.throughput_bps, results.ber_high, question.demand)
        chance[rows] = decades(results.ber, results.ber_high)
    return Verdict(reward=reward, deviations=errors, met=satisfied(errors), lost=lost, chance=chance)
