"""Works for tests of the runner: light, and importable by other processes."""

import os
import signal
import time

from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page
from training.experiments.run import Arm, Result, Task


def count(task: Task) -> Result:
    """Tells its seed, and how often it was called."""
    path = task.folder / "calls"
    calls = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(calls))
    return {"episodes": task.episodes, "seed": task.seed, "calls": calls}


def fail(task: Task) -> Result:
    """Fails."""
    raise ValueError(f"seed {task.seed} cannot be")


def die_once(task: Task) -> Result:
    """Is killed the first time."""
    path = task.folder / "died"
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"episodes": task.episodes}


def wait(task: Task) -> Result:
    """Says who it is and does not end."""
    (task.folder / "pid").write_text(str(os.getpid()))
    time.sleep(100)
    return {}


def _tell(findings: Findings) -> Page:
    raise NotImplementedError


def experiment(*arms: Arm, seeds: int = 2) -> Experiment:
    """An experiment of such arms."""
    return Experiment(name="tiny", title="Tiny", about="Nothing.", arms=arms, seeds=seeds, episodes=3, tell=_tell)


COUNT = Arm(name="count", about="", work=count)
FAIL = Arm(name="fail: always", about="", work=fail)
DIE = Arm(name="die", about="", work=die_once)
WAIT = Arm(name="wait", about="", work=wait)
ONLINE = Arm(name="online", about="", work=fail, offline=False)
LONE = Arm(name="lone", about="", work=count, home="shared", seeds=1)
