"""Trained: agents trained by one configuration, then evaluated without noise on the frozen networks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

import torch

from training.experiments import frozen
from training.experiments.run import ExperimentError, Result, Task
from training.slicing import arms
from training.slicing.config import Config
from training.slicing.environment import Environment
from training.slicing.representation import build
from training.slicing.sac import Sac
from training.slicing.score import Score, play
from training.slicing.train import CHECKPOINT, CONFIG, Training
from twin.network import library

AGENT = "agent.pt"
BASE = Config(scenario=frozen.SCENARIO, evaluate_every=2)
Evaluate = Callable[[Sac, Config], Mapping[str, Score]]
"""Scores of a trained agent, by what they are of; "" is the agent as it is."""


def as_it_is(sac: Sac, config: Config) -> Mapping[str, Score]:
    """On the frozen networks."""
    return {"": on_frozen(sac, frozen.SEEDS, frozen.STEPS)}


def on_frozen(sac: Sac, seeds: Sequence[int], steps: int) -> Score:
    """The score on networks of the frozen scenario."""
    return play(Environment(frozen.scenario(), len(seeds)), arms.learnt(sac), seeds, steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The work of a learnt arm: `changes` of a base configuration make it."""

    changes: tuple[tuple[str, object], ...] = ()
    base: Config = BASE
    evaluate: Evaluate = as_it_is

    def config(self, task: Task) -> Config:
        """The configuration of a run; ExperimentError for a field that there is not."""
        changes = {**dict(self.changes), "seed": task.seed, "episodes": task.episodes}
        try:
            return replace(self.base, **changes)  # type: ignore[arg-type]
        except TypeError as error:
            raise ExperimentError(f"this arm cannot be trained: {error}") from None

    def __call__(self, task: Task) -> Result:
        """Train, or go on with that, keep the agent instead of the checkpoint, and evaluate."""
        config = self.config(task)
        _check_same(task.folder / CONFIG, config)
        began_s, cpu_s = perf_counter(), process_time()
        training = Training(config, task.folder, torch.device(task.device))
        sac = training.run().cpu().eval()
        spent = {"wall_s": round(perf_counter() - began_s, 1), "cpu_s": round(process_time() - cpu_s, 1)}
        scores = self.evaluate(sac, config)
        keep(sac, task.folder)
        (task.folder / CHECKPOINT).unlink(missing_ok=True)
        return {
            "episodes": task.episodes,
            "config": asdict(config),
            # Of the last process; a training that was killed cost more.
            "training": spent,
            "curve": training.curve,
            "scores": {name: score.plain() for name, score in scores.items()},
        }


def keep(sac: Sac, folder: Path) -> None:
    """Leave an agent in a folder whose configuration is there."""
    partial = folder / f"{AGENT}.partial"
    torch.save(sac.state_dict(), partial)
    partial.replace(folder / AGENT)


def load(folder: Path, names: tuple[str, ...] | None = None) -> tuple[Sac, Config]:
    """The agent that a run left, for slices of other names where given; ExperimentError where there is none."""
    if not (folder / AGENT).exists():
        raise ExperimentError(f"{folder} holds no trained agent: train it first")
    try:
        config = Config(**json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except TypeError as error:
        raise ExperimentError(f"{folder} was trained by another version: {error}") from None
    own = tuple(item.name for item in library.load(config.scenario).slices)
    sac = Sac(config, build(config, names or own, torch.device("cpu")))
    state = torch.load(folder / AGENT, map_location="cpu", weights_only=True)
    if names not in (None, own):
        # What a language model said of prompts is kept with the agent, and these prompts are others.
        state |= {name: kept for name, kept in sac.state_dict().items() if name.endswith("_extra_state")}
    sac.load_state_dict(state)
    return sac.eval(), config


def _check_same(path: Path, config: Config) -> None:
    """A folder holds one configuration's training, or its checkpoint would be continued under another."""
    if not path.exists():
        return
    had, wanted = json.loads(path.read_text(encoding="utf-8")), json.loads(json.dumps(asdict(config)))
    if odd := [name for name in wanted if name in had and had[name] != wanted[name]]:
        name = odd[0]
        raise ExperimentError(
            f"{path.parent} was begun with {name} {had[name]}, not {wanted[name]}: use other --runs or remove it"
        )
