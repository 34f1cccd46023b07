"""Experiment: arms, how many seeds and episodes each gets, and the page that tells what they found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.experiments.page import Page
from training.experiments.run import Arm, ExperimentError, Run, Task, folder_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A table, a figure or a question."""

    name: str
    title: str
    about: str
    """The question, in one line."""
    arms: tuple[Arm, ...]
    seeds: int
    episodes: int
    tell: Callable[["Findings"], Page]
    lasting: str = "episodes"
    """What a training's length is counted in."""

    def plan(
        self,
        runs: Path,
        *,
        seeds: int | None = None,
        episodes: int | None = None,
        only: Sequence[str] = (),
        device: str = "cpu",
    ) -> tuple[Run, ...]:
        """All runs, seed by seed; ExperimentError for an arm that is not there."""
        known = [arm.name for arm in self.arms]
        if odd := [name for name in only if name not in known]:
            raise ExperimentError(f"{self.name} has no arm {odd[0]!r}; it has {', '.join(known)}")
        chosen = [arm for arm in self.arms if (arm.name in only if only else arm.offline)]
        planned = []
        for seed in range(1, (seeds or self.seeds) + 1):
            for arm in chosen:
                if seed <= (arm.seeds or seed):
                    folder = folder_of(runs, arm.home or self.name, arm.name, seed)
                    task = Task(
                        folder=folder, runs=runs, seed=seed, episodes=episodes or self.episodes, device=device
                    )
                    planned.append(Run(arm, task))
        return tuple(planned)


@dataclass(frozen=True, slots=True)
class Findings:
    """An experiment and its runs, some of which may have no result yet."""

    experiment: Experiment
    planned: tuple[Run, ...]

    @classmethod
    def of(
        cls, experiment: Experiment, runs: Path, *, seeds: int | None = None, episodes: int | None = None
    ) -> "Findings":
        """All that is run unasked, and of the other arms what has been."""
        every = [arm.name for arm in experiment.arms]
        planned = experiment.plan(runs, seeds=seeds, episodes=episodes, only=every)
        return cls(experiment, tuple(run for run in planned if run.arm.offline or run.result is not None))

    @property
    def done(self) -> tuple[Run, ...]:
        """Those that have a result."""
        return tuple(run for run in self.planned if run.result is not None)

    @property
    def missing(self) -> tuple[Run, ...]:
        """Those that have none."""
        return tuple(run for run in self.planned if run.result is None)
