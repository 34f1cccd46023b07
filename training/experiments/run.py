"""Run: one arm of an experiment with one seed, done in a folder of its own and never twice."""

import fcntl
import json
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

RESULT, FAILURE = "result.json", "failure.txt"
Result = Mapping[str, object]
"""What a run found, as JSON holds it."""


class ExperimentError(RuntimeError):
    """An experiment that cannot be done as asked; says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a run is given."""

    folder: Path
    """Its own, which outlives it when it is killed."""
    runs: Path
    """Where the runs of all experiments are."""
    seed: int
    episodes: int
    device: str = "cpu"


Work = Callable[[Task], Result]
"""Trains and evaluates; goes to other processes, so it is a function of a module or a dataclass that is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One row of an experiment."""

    name: str
    about: str
    work: Work
    home: str = ""
    """The experiment whose folder holds its runs, where several share them."""
    seeds: int | None = None
    """How many seeds, where it is not for the experiment to say: 1 where nothing is drawn."""
    offline: bool = True
    """Whether it runs without the network; what does not is only run when named."""


@dataclass(frozen=True, slots=True)
class Run:
    """An arm with a seed."""

    arm: Arm
    task: Task

    def __str__(self) -> str:
        return f"{self.arm.name}, seed {self.task.seed}"

    @property
    def result(self) -> Result | None:
        """What it found, once it is done; ExperimentError where that was with other episodes than asked."""
        path = self.task.folder / RESULT
        if not path.exists():
            return None
        found: Result = json.loads(path.read_text(encoding="utf-8"))
        had = found.get("episodes", self.task.episodes)
        if had != self.task.episodes:
            raise ExperimentError(
                f"{self.task.folder} holds a result of {had} episodes, not {self.task.episodes}: "
                "give the same --episodes, name another folder by --runs, or remove it"
            )
        return found

    @property
    def failure(self) -> str | None:
        """The last line of what went wrong when it was last tried."""
        path = self.task.folder / FAILURE
        return path.read_text(encoding="utf-8").strip().splitlines()[-1] if path.exists() else None

    def do(self) -> bool:
        """Do it, or wait for another process that is doing it; whether there is a result then."""
        folder = self.task.folder
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            try:
                if self.result is None:
                    text = json.dumps(self.arm.work(self.task), indent=1)
                    partial = folder / f"{RESULT}.partial"
                    partial.write_text(text, encoding="utf-8")
                    partial.replace(folder / RESULT)
            except Exception:
                (folder / FAILURE).write_text(traceback.format_exc(), encoding="utf-8")
                return False
            (folder / FAILURE).unlink(missing_ok=True)
            return True


def folder_of(runs: Path, home: str, arm: str, seed: int) -> Path:
    """Where a run is done."""
    return runs / home / re.sub(r"[^\w.+-]+", "_", arm) / f"seed-{seed}"
