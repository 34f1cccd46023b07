"""Training: a preset's pipeline with the corpus and the instructions that come with it."""

from __future__ import annotations

from pathlib import Path

from training.orchestrator import ranks
from training.orchestrator.corpus import document
from training.orchestrator.corpus.build import CorpusConfig, build
from training.orchestrator.instructions.drawing import Mixture
from training.orchestrator.lm import Lm
from training.orchestrator.pipeline import STAGES, Material, Pipeline, Tell
from training.orchestrator.presets import OrchestratorConfig
from training.orchestrator.twin_pool import TwinPool


def train(config: OrchestratorConfig, folder: Path, tell: Tell, last: str = STAGES[-1]) -> Lm:
    """Train to a stage and give its model; goes on where an earlier run in the folder ended.

    Raises OrchestratorError, which says what to change.
    """
    with TwinPool(workers=config.twin_workers) as twin:
        return Pipeline(config, folder, material(config, folder / "corpus"), tell, twin).run(last)


def material(config: OrchestratorConfig, folder: Path) -> Material:
    """The corpus, built now where it is not yet, and questions."""
    wanted = CorpusConfig(
        out=folder, seed=config.seed, facts=config.facts, domain=config.domain, general=config.general
    )
    ranks.from_first(lambda: _build(wanted))
    mixture = Mixture()
    return Material([item.text for item in document.read(folder)], lambda number: mixture.draw(number).parts)


def _build(wanted: CorpusConfig) -> None:
    build(wanted)
