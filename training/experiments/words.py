"""Words: agents that are told in words alone which slices count, on wordings that no training saw.

Numbers show the scenario's own weights whatever the operator wants, so an agent that does not hear plays for the
mean of all intents, and an oracle is told the weights. In between stand readers of the text: by a language model,
and by controls that cannot understand. Of each seed one agent is trained, on weights (see
`training.slicing.hearing` for why that is enough), and hears them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oran.sla import SlaTargets
from training.experiments.earned import (
    ADAPTED,
    BLIND,
    FROZEN,
    GROWN,
    LOAD_FACTOR,
    ORACLE,
    PARTS,
    SCENARIO,
    TRAINED_BLIND,
    UNREPORTED,
    tell,
    texts_of,
)
from training.experiments.experiment import Experiment
from training.experiments.run import Arm, ExperimentError, Result, Run, Task, folder_of
from training.experiments.trained import AGENT, keep
from training.slicing import arms
from training.slicing.config import Config
from training.slicing.environment import Environment, Orders
from training.slicing.grammar import grown
from training.slicing.hearing import Bag, Encoder, Heard, Reader, Reading, Sentences, Strings, practice, weights_of
from training.slicing.intents import NAMES, WEIGHTS, Wording, weights, wordings
from training.slicing.llm import MINILM, load
from training.slicing.sac import Sac
from training.slicing.score import WARM_UP_STEPS
from training.slicing.train import CHECKPOINT, Training
from twin.network import library
from twin.network.scenario import Scenario

HOME = "words"
CONFIG = Config(scenario=SCENARIO, evaluate_every=10, evaluation_seeds=2)
SEED, NETWORKS, STEPS = 4_000_000, 1, 40
"""Networks from this seed on, so many for each text, and control intervals of each that count."""
READING, READING_ADAPTED = Reading(), Reading(steps=100, batch=48, dropout=0.3, weight_decay=0.05)


@cache
def scenario() -> Scenario:
    """The network that operators speak of."""
    return replace(library.load(SCENARIO), load_factor=LOAD_FACTOR)


@dataclass(frozen=True, slots=True)
class Trains:
    """Trains the agent that hears weights, or one that never does."""

    hears: bool

    def __call__(self, task: Task) -> Result:
        """The agent is left in the run's folder."""
        orders = practice(tuple(SlaTargets.of(scenario().slas).weight.tolist()), seed=0)
        known = orders.weight if self.hears else _deaf(len(orders.weight))
        if not self.hears:
            orders = Orders(orders.weight, torch.arange(1, 1 + len(NAMES)))
        config = replace(CONFIG, seed=task.seed, episodes=task.episodes)
        training = Training(
            config,
            task.folder,
            environments=lambda envs: Environment(scenario(), envs, orders=orders),
            representation=Heard(known),
        )
        keep(training.run(), task.folder)
        (task.folder / CHECKPOINT).unlink(missing_ok=True)
        scores = {}
        if not self.hears:
            scores = _scores(agent(task, TRAINED_BLIND), lambda found: _deaf(len(found)), PARTS)
        return {"episodes": task.episodes, "curve": training.curve, "parts": scores}


@dataclass(frozen=True, slots=True)
class Hears:
    """An arm that hears: by readers, whose mean counts, or it knows the weights, or nothing."""

    readers: tuple[tuple[Callable[[], Encoder], Reading], ...] = ()
    knows: bool = False
    robust: bool = False
    """Whether it is also judged where KPIs are missing."""

    def __call__(self, task: Task) -> Result:
        """What networks earned by part, and how texts were read."""
        sac, parts = agent(task, SHARED), PARTS if self.robust else PARTS[:3]
        if not self.readers:
            read = _true if self.knows else (lambda found: _deaf(len(found)))
            return {"episodes": task.episodes, "parts": _scores(sac, read, parts)}
        readers = self.fitted(task.seed)

        def intents(found: Sequence[Wording]) -> Tensor:
            return torch.stack([reader.intents([item.text for item in found]) for reader in readers]).mean(dim=0)

        return {
            "episodes": task.episodes,
            "parts": _scores(sac, lambda found: weights_of(intents(found)), parts),
            "reading": {
                part: [NAMES[place] for place in intents(texts_of(part)).argmax(-1)] for part in PARTS[:3]
            },
        }

    def fitted(self, seed: int) -> list[Reader]:
        """The readers, trained."""
        readers = []
        for make, how in self.readers:
            readers.append(Reader(make()))
            readers[-1].fit(wordings("training"), grown(GROWN, 0), seed, how)
        return readers


def agent(task: Task, name: str) -> Sac:
    """The trained agent of the task's seed, trained now where it is not yet."""
    (arm,) = (arm for arm in WORDS.arms if arm.name == name)
    folder = folder_of(task.runs, HOME, name, task.seed)
    path = folder / AGENT
    if not path.exists() and not Run(arm, replace(task, folder=folder)).do():
        raise ExperimentError(f"{folder}: the agent could not be trained")
    sac = Sac(CONFIG, Heard(torch.from_numpy(WEIGHTS)))
    sac.load_state_dict(torch.load(path, weights_only=True))
    return sac.eval()


@torch.no_grad()
def earn(sac: Sac, found: Sequence[Wording], heard: Tensor, unreported: Sequence[str] = ()) -> np.ndarray:
    """Mean reward by the intents meant, of an agent that heard weights [texts, slices]: [texts, NETWORKS]."""
    representation = sac.representation
    assert isinstance(representation, Heard)
    representation.hear(heard)
    orders = Orders(torch.from_numpy(weights(found)), torch.arange(len(found)))
    first = SEED - SEED % len(found)
    seeds = range(first, first + NETWORKS * len(found))
    environment = Environment(scenario(), len(seeds), orders=orders, unreported=unreported)
    seen, policy, earned = environment.reset(seeds), arms.learnt(sac), []
    for step in range(WARM_UP_STEPS + STEPS):
        outcome = environment.step_ratios(policy(environment, seen))
        seen = outcome.seen
        if step >= WARM_UP_STEPS:
            earned.append(outcome.reward.mean(dim=-1))
    mean: np.ndarray = torch.stack(earned).mean(dim=0).reshape(NETWORKS, len(found)).T.numpy()
    return mean


def _scores(
    sac: Sac, read: Callable[[Sequence[Wording]], Tensor], judged: Sequence[str]
) -> dict[str, list[list[float]]]:
    parts: dict[str, list[list[float]]] = {}
    for part in judged:
        found = texts_of(part)
        earned = earn(sac, found, read(found), UNREPORTED.get(part, ()))
        parts[part] = np.round(earned, 5).tolist()
    return parts


def _true(found: Sequence[Wording]) -> Tensor:
    return torch.from_numpy(weights(found))


def _deaf(texts: int) -> Tensor:
    """The mean of all intents, whatever is said."""
    return torch.from_numpy(WEIGHTS.mean(axis=0)).expand(texts, -1)


def minilm() -> Encoder:
    """Frozen."""
    return Sentences(load(MINILM))


def minilm_adapted() -> Encoder:
    """Frozen, with low-rank matrices of rank 8 beside it."""
    return Sentences(load(MINILM), rank=8)


SHARED = "agent"
WORDS = Experiment(
    name=HOME,
    title="Words: what operators want, said in words alone",
    about="Does an agent that reads the operator's words follow wordings that it never met?",
    arms=(
        Arm(
            name=SHARED, about="is trained on weights, and hears all of the readers below", work=Trains(hears=True)
        ),
        Arm(name=TRAINED_BLIND, about="was trained without hearing anything", work=Trains(hears=False), seeds=2),
        Arm(name=BLIND, about="is told the mean of all intents", work=Hears(robust=True)),
        Arm(name="random per string", about="a random vector for each text", work=Hears(((Strings, READING),))),
        Arm(name="bag of words", about="counts of the training texts' words", work=Hears(((Bag, READING),))),
        Arm(name=FROZEN, about="the frozen language model", work=Hears(((minilm, READING),))),
        Arm(
            name=ADAPTED,
            about="the mean of that and one with low-rank matrices trained beside the frozen weights",
            work=Hears(((minilm, READING), (minilm_adapted, READING_ADAPTED)), robust=True),
        ),
        Arm(name=ORACLE, about="is told the weights", work=Hears(knows=True, robust=True)),
    ),
    seeds=5,
    episodes=320,
    tell=tell,
)


def ship(runs: Path, seed: int, folder: Path) -> None:
    """Write the package of a seed's agent and of the readers of the adapted arm, trained again by its seed."""
    from training.slicing.spoken import package

    (arm,) = (arm for arm in WORDS.arms if arm.name == ADAPTED)
    assert isinstance(arm.work, Hears)
    task = Task(folder=folder, runs=runs, seed=seed, episodes=WORDS.episodes)
    package(agent(task, SHARED), arm.work.fitted(seed), scenario(), folder)


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(
        description="Write the package of an agent that follows the operator's words."
    )
    parser.add_argument("folder", type=Path, help="The package's folder, which is not there yet.")
    parser.add_argument("--runs", type=Path, default=Path("out/experiments"), help="Folder of all runs.")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    ship(given.runs, given.seed, given.folder)
