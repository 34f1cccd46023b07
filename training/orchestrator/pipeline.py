"""Pipeline: the stages of a training one after the other, each left in a folder of its own.

A stage that is done is not done again, one that was cut off goes on from its last checkpoint. Stage folders hold
the model as `transformers` reads it (`model/`), its curve, and `done.json`, the figures of its end; with LoRA
`adapters/` too, which the next stage goes on from.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch

from training.orchestrator import adapters, edge, examples, ranks
from training.orchestrator.asking import Asked
from training.orchestrator.continuing import Both, Own, verified
from training.orchestrator.errors import StageError
from training.orchestrator.instructing import Instructions, Question
from training.orchestrator.lm import Lm
from training.orchestrator.presets import OrchestratorConfig
from training.orchestrator.rejection import Sources, improve
from training.orchestrator.rldtf import BEST, Rldtf
from training.orchestrator.supervised import Example, Row, SupervisedConfig, fit
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.task import Task
from training.orchestrator.twin_pool import TwinPool
from training.orchestrator.validation import Validation, feasible_seeds, task_of
from training.orchestrator.vllm_rollouts import ServedAsked, Server
from twin.link.calibration import UNCALIBRATED, Calibration

STAGES = ("foundation", "pretraining", "instruction", "rejection", "rldtf")
MODEL, ADAPTERS, DONE, VALIDATION = "model", "adapters", "done.json", "validation.json"
SERVED = "served"
"""The folder of the policy that a server of rollouts reads."""
REJECTION, RLDTF = 500_000_000, 1_000_000_000
"""Seeds of tasks begin at 0 for instructions, and here for the stages after it."""

Tell = Callable[[str, Row], None]


@dataclass(frozen=True)
class Material:
    """What the stages learn from."""

    documents: Sequence[str]
    question: Callable[[int], Question]


@dataclass(frozen=True)
class Pipeline:
    """A training in a folder."""

    config: OrchestratorConfig
    folder: Path
    material: Material
    tell: Tell
    twin: TwinPool = field(default_factory=lambda: TwinPool(workers=0))
    own: Own | None = None
    calibration: Calibration = UNCALIBRATED

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of this training."""
        return stages(self.config)

    def run(self, last: str = STAGES[-1]) -> Lm:
        """The model after a stage, which is trained now with all before it, as far as they are not done."""
        if last not in self.stages:
            raise StageError(f"{last} is before {self.config.begin}, which this training begins with")
        lm: Lm | None = None
        for stage in self.stages[: self.stages.index(last) + 1]:
            if ranks.from_first((self.folder / stage / DONE).exists):
                lm = None
            elif stage == STAGES[0]:
                ranks.from_first(self._foundation)
            else:
                lm, figures = self._stage(stage, lm or self._before(stage))
                lm = self._left(stage, lm, figures)
        return lm or Lm.load(self.folder / last / MODEL)

    def _before(self, stage: str) -> Lm:
        """What a stage goes on from."""
        folder = self.folder / self.stages[self.stages.index(stage) - 1]
        alone = folder / ADAPTERS
        return Lm.load((alone if alone.exists() else folder / MODEL).resolve(), self.config.held)

    def _left(self, stage: str, lm: Lm, figures: Row) -> Lm | None:
        """Write what a stage has made, and give what goes on: adapters that were merged have to be read again."""
        folder, lora = self.folder / stage, self.config.held.lora
        merged = lora is not None and lora.merged
        if ranks.number() == 0:
            if merged:
                lm.save(folder / ADAPTERS)
                lm = replace(lm, network=adapters.merged(lm.network))
            lm.save(folder / MODEL)
            (folder / DONE).write_text(json.dumps(figures))
        ranks.wait()
        return None if merged else lm

    def _stage(self, stage: str, lm: Lm) -> tuple[Lm, Row]:
        makers = {
            "pretraining": self._pretraining,
            "instruction": self._instruction,
            "rejection": self._rejection,
            "rldtf": self._rldtf,
        }
        lm = makers[stage](lm)
        figures = self.validation(lm)
        self.tell(stage, figures)
        return lm, figures

    def _foundation(self) -> None:
        config, folder = self.config, self.folder / STAGES[0]
        if config.foundation is None:
            lm = edge.made(self._texts(), config.edge, config.seed)
            lm.network.to(getattr(torch, config.held.dtype))
        else:
            lm = Lm.load(verified(config.foundation), replace(config.held, lora=None))
        lm.save(folder / MODEL)
        (folder / DONE).write_text(json.dumps({"parameters_million": lm.parameters_million()}))

    def _texts(self) -> Iterator[str]:
        """Texts such as the model will meet: documents, tasks and questions."""
        yield from self.material.documents
        for number in range(self.config.edge.texts):
            yield self.asked.prompt(draw(number))
            yield " ".join(self.material.question(number))

    def _pretraining(self, lm: Lm) -> Lm:
        how = self.config.pretraining
        pieces = examples.of_documents(lm, self.material.documents, how.length)
        if not pieces:
            raise StageError("the corpus is empty; build it first, or give it sources")

        def batch(step: int) -> Sequence[Example]:
            # Every piece once before any comes again, in another order each time.
            wanted, found = range(step * how.batch, (step + 1) * how.batch), []
            for number in wanted:
                turn, place = divmod(number, len(pieces))
                found.append(pieces[self._order(turn, len(pieces))[place]])
            return found

        return self._fitted("pretraining", lm, batch, how.learning)

    def _order(self, turn: int, count: int) -> list[int]:
        return random.Random(f"{self.config.seed} {turn}").sample(range(count), count)

    def _instruction(self, lm: Lm) -> Lm:
        how = self.config.instruction
        return self._fitted("instruction", lm, self._instructions(lm).batch(how.batch), how.learning)

    def _rejection(self, lm: Lm) -> Lm:
        how = self.config.rejection
        sources = Sources(
            lambda turn: [self.task(REJECTION + turn * how.tasks + place) for place in range(how.tasks)],
            self._instructions(lm).examples,
        )
        best, _ = improve(
            lm,
            how,
            self.asked,
            sources,
            self.folder / "rejection",
            self.config.seed,
            self.validation,
            lambda row: self.tell("rejection", row),
        )
        return best

    def _rldtf(self, lm: Lm) -> Lm:
        how, folder = self.config.rldtf, self.folder / "rldtf"

        def tasks(step: int) -> Sequence[Task]:
            return [self.task(RLDTF + step * how.tasks + place) for place in range(how.tasks)]

        training = Rldtf(lm, how, self.asked, tasks, folder, self.config.seed)
        training.run(self.validation, lambda row: self.tell("rldtf", row))
        ranks.wait()
        return Lm.load(folder / BEST, lm.held)

    def _fitted(
        self, stage: str, lm: Lm, batch: Callable[[int], Sequence[Example]], learning: SupervisedConfig
    ) -> Lm:
        fit(lm, batch, learning, self.folder / stage, lambda row: self.tell(stage, row))
        return lm

    def _instructions(self, lm: Lm) -> Instructions:
        how = self.config.instruction
        return Instructions(lm, self.asked, self.task, self.material.question, how.questions, how.caution)

    def task(self, number: int) -> Task:
        """The task of a number, on the equipment as it was calibrated."""
        found = self.own.task(number) if self.own else draw(number)
        return self._calibrated(found)

    def _calibrated(self, task: Task) -> Task:
        return replace(task, equipment=self.calibration.applied(task.equipment))

    @cached_property
    def asked(self) -> Asked:
        """How tasks are put."""
        server = server_of(self.config, self.folder)
        if server is None:
            return Asked(margin=self.config.margin, twin=self.twin)
        return ServedAsked(margin=self.config.margin, twin=self.twin, server=server)

    @cached_property
    def validation(self) -> Callable[[Lm], Row]:
        """What stages are compared by."""
        path = self.folder / VALIDATION
        seeds = ranks.from_first(lambda: feasible_seeds(self.config.validation, path, self.calibration))
        general = Validation([task_of(seed, self.calibration) for seed in seeds], self.asked)
        if self.own is None:
            return general
        # Ranks share the tasks, and each must have one.
        own = [*map(self._calibrated, self.own.held_back)] * math.ceil(ranks.count() / len(self.own.held_back))
        return Both(general, Validation(own, self.asked), self.own.share)


def server_of(config: OrchestratorConfig, folder: Path) -> Server | None:
    """The server of rollouts for a training in this folder, or None; StageError where it is told wrongly."""
    if config.vllm is None:
        return None
    there = f"{config.vllm_folder}/{SERVED}" if config.vllm_folder else ""
    return Server.of(config.vllm, folder / SERVED, there)


def stages(config: OrchestratorConfig) -> tuple[str, ...]:
    """The stages of a training, in order; StageError for a first one that there is not."""
    if config.begin is None:
        return STAGES
    if config.begin not in STAGES[1:]:
        raise StageError(f"begin is {config.begin!r}; it must be one of {', '.join(STAGES[1:])}")
    return (STAGES[0], *STAGES[STAGES.index(config.begin) :])
