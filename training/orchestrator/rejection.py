"""Rejection sampling: learn from one's own answers that the twin has found good (section III-B of the paper).

Each round answers fresh tasks several times, keeps at most a few of the answers that meet the demand, by chance or
the best of them, and learns from these and from some of the instructions. Rounds end when the figure of validation
tasks stops growing; the best is kept. The bias that the paper warns of, toward plans that take more than they
need, is measured in each.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rapps.orchestrator.decoding import Sample
from training.orchestrator import ranks
from training.orchestrator.asking import Asked, chains, equipment
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.examples import of_sample
from training.orchestrator.feedback import Feedback
from training.orchestrator.lm import Lm
from training.orchestrator.supervised import Example, Row, SupervisedConfig, Tell, fit, read_rows, write_rows
from training.orchestrator.tasks.task import Task
from training.orchestrator.validation import BestBy
from twin.link.reward import use_share_of

KEPT, ROUNDS = "kept.jsonl", "rounds.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionConfig:
    """How to sample and learn; OrchestratorError for values that cannot be."""

    rounds: int = 6
    tasks: int = 1000
    each: int = 8
    keep: int = 2
    """Good answers of a task that are learnt from, at most."""
    keep_by: Literal["chance", "reward"] = "chance"
    """Which of the good answers are kept; the reward is that for the demand which an answer understood, for that a
    guess was lax and yet enough is luck."""
    temperature: float = 1.0
    epochs: int = 2
    batch: int = 128
    learning_rate: float = 3e-4
    micro_batch: int = 64
    """Texts in a process's forward pass."""
    replay: float = 0.2
    """Share of the instructions in what is learnt, against forgetting."""
    best_by: BestBy = "validated"
    """Which figure of the validation tells the best round."""
    patience: int = 2
    """Rounds without a better one before it ends."""

    def __post_init__(self) -> None:
        if self.keep_by not in ("chance", "reward"):
            raise OrchestratorError(f"keep_by is {self.keep_by}; it must be chance or reward")
        for name in ("rounds", "tasks", "each", "keep", "epochs", "batch", "micro_batch", "patience"):
            if not getattr(self, name) >= 1:
                raise OrchestratorError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0.0 <= self.replay < 1.0:
            raise OrchestratorError(f"replay is {self.replay}; it must be at least 0 and below 1")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where rounds take tasks and instructions from: by round, and by a number each."""

    tasks: Callable[[int], Sequence[Task]]
    instructions: Callable[[Sequence[int]], Sequence[Example]]


def improve(
    lm: Lm,
    config: RejectionConfig,
    asked: Asked,
    sources: Sources,
    folder: Path,
    seed: int,
    validate: Callable[[Lm], Row],
    tell: Tell | None = None,
) -> tuple[Lm, list[Row]]:
    """The best of the rounds' models, and a row of each round; goes on with the round that was cut off."""
    rows = ranks.from_first(lambda: read_rows(folder / ROUNDS))
    if not rows:
        rows.append({"round": 0.0, **validate(lm)})
        _save(lm, folder, 0, rows)
    for turn in range(len(rows), config.rounds + 1):
        best = int(np.argmax([row[config.best_by] for row in rows]))
        if len(rows) - 1 - best >= config.patience:
            break
        current = Lm.load(_folder(folder, turn - 1), lm.held)
        row = _round(current, config, asked, sources, _folder(folder, turn), (seed, turn))
        rows.append({"round": float(turn), **row, **validate(current)})
        _save(current, folder, turn, rows)
        if tell:
            tell(rows[-1])
    best = int(np.argmax([row[config.best_by] for row in rows]))
    return Lm.load(_folder(folder, best), lm.held), rows


def _round(
    lm: Lm, config: RejectionConfig, asked: Asked, sources: Sources, folder: Path, seed: tuple[int, int]
) -> Row:
    kept, row = _kept(lm, config, asked, sources.tasks(seed[1]), folder, seed)
    number = len(kept)
    more = int(config.replay / (1.0 - config.replay) * number)
    first = seed[1] * 1_000_000
    examples = [*kept, *sources.instructions(range(first, first + more))]
    steps = max(1, config.epochs * len(examples) // config.batch)

    def batch(step: int) -> Sequence[Example]:
        picked = np.random.default_rng((*seed, step)).choice(
            len(examples), size=min(config.batch, len(examples)), replace=False
        )
        return [examples[place] for place in picked]

    learning = SupervisedConfig(steps=steps, learning_rate=config.learning_rate, micro_batch=config.micro_batch)
    curve = fit(lm, batch, learning, folder)
    return row | {"kept": float(number), "loss": curve[-1]["loss"]}


def _kept(
    lm: Lm, config: RejectionConfig, asked: Asked, tasks: Sequence[Task], folder: Path, seed: tuple[int, int]
) -> tuple[list[Example], Row]:
    """Good answers, sampled now unless they were before a run was cut off, and what was seen of all."""
    path = folder / KEPT
    draw = random.Random(f"{seed}")
    told = ranks.from_first(lambda: json.loads(path.read_text()) if path.exists() else None)
    if told is None:
        every = _sampled(lm, config, asked, tasks, draw.getrandbits(60))
        done, pairs = every.told.completed, list[tuple[int, list[str]]]()
        for place in range(len(tasks)):
            own = [row for row in range(place * config.each, (place + 1) * config.each) if done[row]]
            draw.shuffle(own)
            for row in sorted(own, key=lambda row: -every.worth[row])[: config.keep]:
                pairs.append((place, [choice.option for choice in every.samples[row].choices]))
        figures = every.told.figures() | {
            "lost": float(every.lost),
            "solved": float(done.reshape(-1, config.each).any(axis=1).mean()),
            "use of completed": float(every.use[done].mean()) if done.any() else 0.0,
            "use of all": float(every.use.mean()),
        }
        told = {"pairs": pairs, "figures": figures}
        if ranks.number() == 0:
            folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".new")
            partial.write_text(json.dumps(told))
            partial.rename(path)
    examples = [of_sample(asked.written(lm, tasks[place], options)) for place, options in told["pairs"]]
    return examples, told["figures"]


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """Answers to tasks, and what is known of them, [answers] each."""

    samples: list[Sample]
    told: Feedback
    worth: np.ndarray
    """By what they are kept, the highest first."""
    use: np.ndarray
    """Share of the equipment that they take."""
    lost: int
    """Questions to the twin that were."""

    @classmethod
    def join(cls, parts: Sequence[_Sampled]) -> _Sampled:
        """Those of some ranks after each other."""
        return cls(
            [sample for part in parts for sample in part.samples],
            Feedback.join([part.told for part in parts]),
            np.concatenate([part.worth for part in parts]),
            np.concatenate([part.use for part in parts]),
            sum(part.lost for part in parts),
        )


def _sampled(lm: Lm, config: RejectionConfig, asked: Asked, tasks: Sequence[Task], seed: int) -> _Sampled:
    """Several answers to each task; ranks share the tasks."""

    def answered(own: Sequence[Task]) -> list[_Sampled]:
        lm.network.eval()
        samples = asked.sample(lm, own, config.each, config.temperature, seed=seed + ranks.number())
        before, made = asked.twin.lost.total(), chains(samples)
        told, worth = asked.judged(own, made), np.zeros(len(samples))
        if config.keep_by == "reward":
            worth = np.nan_to_num(asked.judged(_as_understood(own, samples), made).rewards, nan=-np.inf)
        use = use_share_of(made, equipment(samples))
        return [_Sampled(samples, told, worth, use, asked.twin.lost.total() - before)]

    return _Sampled.join(ranks.shared(tasks, answered))


def _as_understood(tasks: Sequence[Task], samples: Sequence[Sample]) -> list[Task]:
    """Each answer's task, with the demand that it understood."""
    each = len(samples) // len(tasks)
    return [
        replace(tasks[row // each], demand=replace(sample.script.demand, margin=0.0))
        for row, sample in enumerate(samples)
    ]


def _folder(folder: Path, turn: int) -> Path:
    return folder / f"round-{turn}"


def _save(lm: Lm, folder: Path, turn: int, rows: Sequence[Row]) -> None:
    """The round's model, then its row, which says that it is whole."""
    if ranks.number() == 0:
        lm.save(_folder(folder, turn))
    write_rows(folder / ROUNDS, rows)
    ranks.wait()
