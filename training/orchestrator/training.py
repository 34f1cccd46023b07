"""Training: a preset's pipeline with the corpus and the instructions that come with it."""

from __future__ import annotations

from pathlib import Path

from training.orchestrator import ranks
from training.orchestrator.continuing import Own
from training.orchestrator.corpus import document
from training.orchestrator.corpus.build import CorpusConfig, build
from training.orchestrator.errors import StageError
from training.orchestrator.instructing import Question
from training.orchestrator.instructions.drawing import Mixture
from training.orchestrator.lm import Lm
from training.orchestrator.pipeline import STAGES, Material, Pipeline, Tell, server_of, stages
from training.orchestrator.presets import OrchestratorConfig
from training.orchestrator.record import Record
from training.orchestrator.twin_pool import TwinPool
from twin.link.calibration import UNCALIBRATED, Calibration
from twin.link.errors import CalibrationError


def train(config: OrchestratorConfig, folder: Path, tell: Tell, last: str = STAGES[-1]) -> Lm:
    """Train to a stage and give its model; goes on where an earlier run in the folder ended.

    Raises OrchestratorError, which says what to change.
    """
    ranks.from_first(lambda: Record.of(config).keep(folder))
    server = server_of(config, folder)
    if server is not None:
        # Better now than after the corpus is built.
        ranks.from_first(server.check)
    own = None if config.own_tasks is None else Own.read(config.own_tasks, config.own_share)
    calibration = _calibration(config)
    with TwinPool(workers=config.twin_workers) as twin:
        told = material(config, folder / "corpus")
        return Pipeline(config, folder, told, tell, twin, own, calibration).run(last)


def _calibration(config: OrchestratorConfig) -> Calibration:
    if config.calibration is None:
        return UNCALIBRATED
    try:
        return Calibration.read(config.calibration)
    except CalibrationError as error:
        raise StageError(str(error)) from None


def material(config: OrchestratorConfig, folder: Path) -> Material:
    """The corpus, built now where it is not yet, and questions; a training that reads no corpus gets none."""
    mixture = Mixture()

    def question(number: int) -> Question:
        return mixture.draw(number).parts

    if "pretraining" not in stages(config):
        return Material((), question)
    wanted = CorpusConfig(
        out=folder, seed=config.seed, facts=config.facts, domain=config.domain, general=config.general
    )
    ranks.from_first(lambda: _build(wanted))
    return Material([item.text for item in document.read(folder)], question)


def _build(wanted: CorpusConfig) -> None:
    build(wanted)
