"""Words: agents that are told in words alone which slices count, on wordings that no training saw.

Numbers show the scenario's own weights whatever the operator wants, so an agent that does not hear plays for the
mean of all intents, and an oracle is told the weights. In between stand readers of the text: by a language model,
and by controls that cannot understand. Of each seed one agent is trained, on weights (see
`training.slicing.hearing` for why that is enough), and hears them all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from oran.sla import SlaTargets
from training.experiments import plots
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, Row, table, told
from training.experiments.run import Arm, ExperimentError, Result, Run, Task, folder_of
from training.slicing import arms
from training.slicing.config import Config
from training.slicing.environment import Environment, Orders
from training.slicing.hearing import (
    Bag,
    Encoder,
    Heard,
    Reader,
    Reading,
    Sentences,
    Strings,
    practice,
    unheard,
    weights_of,
)
from training.slicing.intents import NAMES, WEIGHTS, Wording, grown, weights, wordings
from training.slicing.llm import MINILM, load
from training.slicing.sac import Sac
from training.slicing.score import RESAMPLES, WARM_UP_STEPS, Interval
from training.slicing.train import Training
from twin.network import library
from twin.network.scenario import Scenario

HOME = "words"
SCENARIO, LOAD_FACTOR = "pa_mrl", 3.0
"""Twice the frozen load: only where there is not enough for all does it matter who counts."""
CONFIG = Config(scenario=SCENARIO, evaluate_every=10, evaluation_seeds=2)
SEED, NETWORKS, STEPS = 4_000_000, 1, 40
"""Networks from this seed on, so many for each text, and control intervals of each that count."""
GROWN, SEEN_EACH = 250, 8
"""Wordings of each intent that the grammar adds, and written ones that agents are also judged with."""
ORACLE, BLIND, TRAINED_BLIND = "oracle", "blind", "blind, trained so"
FROZEN, ADAPTED = "MiniLM", "MiniLM, adapted"
UNREPORTED: Mapping[str, tuple[str, ...]] = {
    "held out, no delays and losses": ("delay_s", "drop_rate"),
    "held out, no UE counts": ("active_ues",),
}
PARTS = ("seen", "held out", "languages", *UNREPORTED)
READING, READING_ADAPTED = Reading(), Reading(steps=100, batch=48, dropout=0.3, weight_decay=0.05)
GOAL = 0.8
"""Share of the oracle's gain over blind that is aimed at, on held-out wordings."""
AGENT = "agent.pt"


@cache
def scenario() -> Scenario:
    """The network that operators speak of."""
    return replace(library.load(SCENARIO), load_factor=LOAD_FACTOR)


def texts_of(part: str) -> tuple[Wording, ...]:
    """What operators say in a part of the evaluation."""
    if part == "languages":
        return wordings("languages")
    if part != "seen":
        return wordings("heldout")
    each = len(wordings("training")) // len(NAMES)
    return tuple(item for place, item in enumerate(wordings("training")) if place % each < SEEN_EACH)


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
        torch.save(training.run().state_dict(), task.folder / AGENT)
        (task.folder / "checkpoint.pt").unlink(missing_ok=True)
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


@dataclass(frozen=True, slots=True, eq=False)
class Earned:
    """What arms earned: [seeds, texts, networks] by part and arm."""

    values: Mapping[str, Mapping[str, np.ndarray]]
    reading: Mapping[str, Mapping[str, np.ndarray]]
    """Whether each text was read as what it meant: bool [seeds, texts]."""

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Earned":
        """Of those that are done."""
        values: dict[str, dict[str, list[list[list[float]]]]] = {part: {} for part in PARTS}
        reading: dict[str, dict[str, list[list[bool]]]] = {part: {} for part in PARTS}
        for run in runs:
            result = run.result or {}
            parts = cast(Mapping[str, list[list[float]]], result.get("parts", {}))
            for part, earned in parts.items():
                values[part].setdefault(run.arm.name, []).append(earned)
            names = cast(Mapping[str, list[str]], result.get("reading", {}))
            for part, told_as in names.items():
                right = [item.intent == name for item, name in zip(texts_of(part), told_as, strict=True)]
                reading[part].setdefault(run.arm.name, []).append(right)
        return cls(
            {part: {arm: np.array(rows) for arm, rows in found.items()} for part, found in values.items()},
            {part: {arm: np.array(rows) for arm, rows in found.items()} for part, found in reading.items()},
        )

    def mean(self, part: str, arm: str) -> Interval:
        """Return over seeds and texts."""
        return resampled(lambda own: float(own[0].mean()), self.values[part][arm])

    def share(self, part: str, arm: str, picked: Sequence[int] | None = None) -> Interval:
        """Which part of the oracle's gain over the better of the blind arms it has, on some of the texts."""
        found = self.values[part]
        names = (arm, self.reference(part), ORACLE)
        own = [found[name] if picked is None else found[name][:, picked] for name in names]
        return resampled(lambda values: share(*values), *own)

    def understood(self, part: str, arm: str) -> str:
        """How many texts were read right, and the share of the oracle's gain on those and on the others."""
        if arm not in self.reading[part]:
            return "-"
        right = self.reading[part][arm]
        found = [self.values[part][name] for name in (arm, self.reference(part), ORACLE)]
        both = [
            share(*(values[np.arange(len(picked)) % len(values)][picked] for values in found))
            if picked.any()
            else None
            for picked in (right, ~right)
        ]
        shares = ["-" if value is None else f"{value:.2f}" for value in both]
        return f"{right.mean():.0%} ({shares[0]}; {shares[1]})"

    def reference(self, part: str) -> str:
        """The better one of the arms that do not hear."""
        blind = [name for name in (BLIND, TRAINED_BLIND) if name in self.values[part]]
        return max(blind, key=lambda name: float(self.values[part][name].mean()))


def share(own: np.ndarray, blind: np.ndarray, oracle: np.ndarray) -> float:
    """Of the way from blind to oracle."""
    return float((own.mean() - blind.mean()) / (oracle.mean() - blind.mean()))


def resampled(figure: Callable[[Sequence[np.ndarray]], float], *values: np.ndarray) -> Interval:
    """A figure of arrays [seeds, texts, networks], with its interval over training seeds and texts, paired."""
    draw = np.random.default_rng(0)
    seeds, texts = max(len(item) for item in values), values[0].shape[1]
    drawn = []
    for _ in range(RESAMPLES):
        seed, text = draw.integers(0, seeds, seeds), draw.integers(0, texts, texts)
        drawn.append(figure([item[seed % len(item)][:, text] for item in values]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(figure(values), float(low), float(high))


def tell(findings: Findings) -> Page:
    """Returns, shares of the oracle's gain, how texts were read, and the verdict."""
    earned = Earned.of(findings.done)
    return Page(
        body=(
            f"Scenario `{SCENARIO}` at load factor {LOAD_FACTOR:g}. {len(NAMES)} intents, "
            f"{len(wordings('training'))} wordings written for training and {GROWN} of each intent grown from a "
            f"grammar, {len(wordings('heldout'))} held out ({_new():.0%} of their words are in no training text).",
            "Return by what the operator meant (mean, 95 % interval over training seeds and texts):\n\n"
            + _table(earned, lambda part, arm: told(earned.mean(part, arm))),
            "Share of the oracle's gain over blind (the better of the two blind arms):\n\n"
            + _table(earned, lambda part, arm: told(earned.share(part, arm), 2)),
            "Texts read as what they meant (share of the oracle's gain on those; on the others):\n\n"
            + _table(earned, earned.understood, PARTS[:3]),
            "By intent, on held-out wordings: return of blind and oracle, and what readers add to blind's:\n\n"
            + _by_intent(earned),
            _verdict(earned),
        ),
        rows=tuple(_rows(earned)),
        draw=lambda figure: _draw(figure, earned),
    )


def _table(earned: Earned, cell: Callable[[str, str], str], parts: Sequence[str] = PARTS) -> str:
    names = list(earned.values["held out"])
    rows = [[cell(part, name) if name in earned.values[part] else "-" for part in parts] for name in names]
    return table(["arm", *parts], [[name, *row] for name, row in zip(names, rows, strict=True)])


def _by_intent(earned: Earned) -> str:
    found, held = earned.values["held out"], wordings("heldout")
    blind = found[earned.reference("held out")]
    readers = [name for name in found if name not in (BLIND, TRAINED_BLIND, ORACLE)]
    rows = []
    for intent in NAMES:
        picked = [place for place, item in enumerate(held) if item.intent == intent]
        mean = {name: float(values[:, picked].mean()) for name, values in found.items()}
        base = float(blind[:, picked].mean())
        gains = [f"{mean[name] - base:+.3f}" for name in (ORACLE, *readers)]
        rows.append([intent, f"{base:.3f}", *gains])
    return table(["intent", BLIND, ORACLE, *readers], rows)


def _verdict(earned: Earned) -> str:
    shares = {
        name: earned.share("held out", name) for name in (FROZEN, ADAPTED) if name in earned.values["held out"]
    }
    name, found = max(shares.items(), key=lambda item: item[1].mean)
    met = "met" if found.mean >= GOAL else "not met"
    return (
        f"Goal: at least {GOAL:.0%} of the oracle's gain on held-out wordings. **{met[0].upper()}{met[1:]}**: "
        f"{name} has {told(found, 2)}."
    )


def _rows(earned: Earned) -> list[Row]:
    rows: list[Row] = []
    for part, found in earned.values.items():
        for arm, values in found.items():
            for seed, texts in enumerate(values.mean(axis=-1), start=1):
                for place, (item, value) in enumerate(zip(texts_of(part), texts, strict=True)):
                    rows.append(
                        {
                            "arm": arm,
                            "seed": seed,
                            "part": part,
                            "text": place,
                            "intent": item.intent,
                            "return": round(float(value), 4),
                        }
                    )
    return rows


def _draw(figure: Figure, earned: Earned) -> None:
    names = [name for name in earned.values["held out"] if name not in (BLIND, TRAINED_BLIND)]
    panels = figure.subplots(1, 3, sharey=True)
    for axes, part in zip(panels, PARTS[:3], strict=True):
        plots.points(axes, {name: earned.share(part, name) for name in names}, "share of the oracle's gain")
        axes.axvline(GOAL, color="tab:green", linestyle="--", linewidth=0.8)
        axes.axvline(0.0, color="grey", linewidth=0.8)
        axes.set_title(part)


def _new() -> float:
    return unheard(wordings("heldout"), (*wordings("training"), *grown(GROWN, 0)))


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
