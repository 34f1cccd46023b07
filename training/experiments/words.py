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

from oran.model_package import Metric
from oran.sla import SlaTargets
from training.experiments.earned import (
    ADAPTED,
    BLIND,
    FROZEN,
    GROWN,
    HEARD,
    HELD_OUT,
    LOAD_FACTOR,
    NEW,
    ORACLE,
    PAIR,
    PARTS,
    SCENARIO,
    TRAINED_BLIND,
    UNREPORTED,
    Earned,
    tell,
    texts_of,
)
from training.experiments.experiment import Experiment, Findings
from training.experiments.run import Arm, ExperimentError, Result, Run, Task, folder_of
from training.experiments.trained import AGENT, keep
from training.slicing import arms
from training.slicing.config import Config
from training.slicing.environment import Environment, Orders
from training.slicing.grammar import grown
from training.slicing.hearing import Bag, Encoder, Heard, Reader, Reading, Sentences, Strings, practice, weights_of
from training.slicing.intents import NAMES, WEIGHTS, Wording, weights, written
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
READING = Reading(steps=3000)
READING_ADAPTED = Reading(
    steps=4000,
    batch=32,
    encoder_learning_rate=1.2e-3,
    weight_decay=0.05,
    dropout=0.2,
    smoothing=0.02,
    by_hand=0.8,
)
READER = "reader.pt"


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
class Reads:
    """Trains a reader with low-rank matrices beside the language model."""

    def __call__(self, task: Task) -> Result:
        """The reader is left in the run's folder."""
        reader = Reader(minilm_adapted())
        losses = reader.fit(written(), grown(GROWN, 0), task.seed, READING_ADAPTED)
        torch.save(reader.learnt(), task.folder / READER)
        return {"episodes": task.episodes, "loss": np.round(losses, 3).tolist()}


@dataclass(frozen=True, slots=True)
class Hears:
    """An arm that hears: by a reader, or by the mean of adapted ones, or it knows the weights, or nothing."""

    reader: tuple[Callable[[], Encoder], Reading] | None = None
    adapted: int = 0
    """How many readers, each trained once: those of the seed and of the seeds that follow, in a circle."""
    knows: bool = False
    robust: bool = False
    """Whether it is also judged where KPIs are missing."""

    def __call__(self, task: Task) -> Result:
        """What networks earned by part, and how texts were read."""
        sac, parts = agent(task, SHARED), PARTS if self.robust else HEARD
        readers = self.readers(task)
        if not readers:
            read = _true if self.knows else (lambda found: _deaf(len(found)))
            return {"episodes": task.episodes, "parts": _scores(sac, read, parts)}

        def intents(found: Sequence[Wording]) -> Tensor:
            return torch.stack([reader.intents([item.text for item in found]) for reader in readers]).mean(dim=0)

        return {
            "episodes": task.episodes,
            "parts": _scores(sac, lambda found: weights_of(intents(found)), parts),
            "reading": {part: [NAMES[place] for place in intents(texts_of(part)).argmax(-1)] for part in HEARD},
        }

    def readers(self, task: Task) -> list[Reader]:
        """Those whose mean is heard, trained."""
        if self.reader is not None:
            make, how = self.reader
            own = Reader(make())
            own.fit(written(), grown(GROWN, 0), task.seed, how)
            return [own]
        seeds = [(task.seed - 1 + place) % WORDS.seeds + 1 for place in range(self.adapted)]
        return [
            Reader(minilm_adapted()).take(torch.load(made(task, READERS, READER, seed), weights_only=True))
            for seed in seeds
        ]


def made(task: Task, name: str, file: str, seed: int) -> Path:
    """What the arm of that name left with a seed, trained now where it is not there yet."""
    (arm,) = (arm for arm in WORDS.arms if arm.name == name)
    folder = folder_of(task.runs, HOME, name, seed)
    path = folder / file
    if not path.exists() and not Run(arm, replace(task, folder=folder, seed=seed)).do():
        raise ExperimentError(f"{folder}: what {name} is could not be trained")
    return path


def agent(task: Task, name: str) -> Sac:
    """The trained agent of the task's seed."""
    sac = Sac(CONFIG, Heard(torch.from_numpy(WEIGHTS)))
    sac.load_state_dict(torch.load(made(task, name, AGENT, task.seed), weights_only=True))
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
    """Frozen, with low-rank matrices of rank 16 beside it."""
    return Sentences(load(MINILM), rank=16)


SHARED, READERS = "agent", "reader"
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
        Arm(name="random per string", about="a random vector for each text", work=Hears((Strings, READING))),
        Arm(name="bag of words", about="counts of the training texts' words", work=Hears((Bag, READING))),
        Arm(name=FROZEN, about="the frozen language model", work=Hears((minilm, READING))),
        Arm(name=READERS, about="has low-rank matrices trained beside the frozen weights", work=Reads()),
        Arm(name=ADAPTED, about="the reader of the seed", work=Hears(adapted=1)),
        Arm(name=PAIR, about="the mean of that and the next seed's", work=Hears(adapted=2, robust=True)),
        Arm(name=ORACLE, about="is told the weights", work=Hears(knows=True, robust=True)),
    ),
    seeds=5,
    episodes=320,
    tell=tell,
)


def ship(runs: Path, seed: int, folder: Path) -> None:
    """Write the package of a seed's agent and of the two readers that it hears; what is not there yet is trained.

    Its manifest has the share of the oracle's gain on held-out wordings, once the experiment is done.
    """
    from training.slicing.spoken import package

    (arm,) = (arm for arm in WORDS.arms if arm.name == PAIR)
    assert isinstance(arm.work, Hears)
    task = Task(folder=folder, runs=runs, seed=seed, episodes=WORDS.episodes)
    findings, metrics = Findings.of(WORDS, runs), {}
    if not findings.missing:
        earned = Earned.of(findings.done)
        for part in (*HELD_OUT, NEW):
            found = earned.share(PAIR, part)
            metrics[f"share of the oracle's gain, {part}"] = Metric(found.mean, found.low, found.high)
    package(agent(task, SHARED), arm.work.readers(task), scenario(), folder, metrics=metrics)
