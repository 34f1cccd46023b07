"""Runner: does the runs that have no result yet, in processes of one thread each or as Ray's tasks.

A run that fails, or whose process dies, is told and counted and stops no other. When the runner itself is killed
its processes end too, and the next call goes on where their checkpoints are.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess

from training.experiments.run import ExperimentError, Run

Told = Callable[[Run, bool], None]
"""Hears of each run that has ended, and whether it has a result."""


def run_all(pending: Sequence[Run], told: Told, *, workers: int = 1, ray: str | None = None) -> int:
    """Do all of them; how many failed. `ray` is a cluster's address, or `local`."""
    failed = 0

    def count(run: Run, fine: bool) -> None:
        nonlocal failed
        failed += not fine
        told(run, fine)

    if ray is None:
        _in_processes(pending, workers, count)
    else:
        _by_ray(pending, ray, count)
    return failed


def _in_processes(pending: Sequence[Run], workers: int, told: Told) -> None:
    context, queue = get_context("spawn"), deque(pending)
    running: dict[int, tuple[BaseProcess, Run]] = {}
    try:
        while queue or running:
            while queue and len(running) < workers:
                run = queue.popleft()
                begun = context.Process(target=_work, args=(run,))
                begun.start()
                running[begun.sentinel] = begun, run
            ended = connection.wait(list(running))
            for sentinel in [number for number in running if number in ended]:
                process, run = running.pop(sentinel)
                process.join()
                told(run, process.exitcode == 0)
    finally:
        for process, _ in running.values():
            process.kill()


def _work(run: Run) -> None:
    """What a process does."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    raise SystemExit(0 if _alone(run) else 1)


def _alone(run: Run) -> bool:
    """Do a run on one thread."""
    import torch

    torch.set_num_threads(1)
    return run.do()


def _by_ray(pending: Sequence[Run], address: str, told: Told) -> None:
    try:
        import ray
    except ImportError:
        raise ExperimentError("--ray needs Ray: pip install 'ranloop[scale]'") from None
    ray.init(
        address=None if address == "local" else address,
        runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}},
        log_to_driver=False,
    )
    try:
        remote = ray.remote(num_cpus=1, max_retries=2)(_alone)
        running = {remote.remote(run): run for run in pending}
        while running:
            (ended,), _ = ray.wait(list(running))
            run = running.pop(ended)
            try:
                fine = bool(ray.get(ended))
            except ray.exceptions.RayError:
                fine = False
            told(run, fine)
    finally:
        ray.shutdown()
