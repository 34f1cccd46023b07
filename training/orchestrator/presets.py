"""Presets: how a 6G-LLM is trained, from a smoke test to seven billion weights on eight GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rapps.orchestrator.budget import USUAL_MARGIN
from training.orchestrator.adapters import Lora
from training.orchestrator.edge import EdgeConfig
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.instructing import InstructionConfig
from training.orchestrator.lm import Held
from training.orchestrator.rejection import RejectionConfig
from training.orchestrator.rldtf import RldtfConfig
from training.orchestrator.supervised import SupervisedConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingConfig:
    """How to learn from the corpus."""

    learning: SupervisedConfig = field(default_factory=lambda: SupervisedConfig(steps=600))
    batch: int = 32
    length: int = 256
    """Tokens of a piece."""

    def __post_init__(self) -> None:
        if self.batch < 1 or self.length < 8:
            raise OrchestratorError("batch must be at least 1 and length at least 8")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorConfig:
    """The four stages of a training, one after the other."""

    name: str
    foundation: str | None = None
    """A folder, a model package or a hub's model to begin with; None makes the edge model from nothing."""
    begin: str | None = None
    """The stage that a trained foundation goes on with, and all after it; None: every stage."""
    own_tasks: Path | None = None
    """The owner's tasks, with demand and equipment, that are learnt from beside the generator's."""
    own_share: float = 0.5
    """Their share among the tasks of instruction, rejection sampling, RLDTF and validation."""
    calibration: Path | None = None
    """How live links are off the twin's (`twin.link.calibration`); None: not at all."""
    edge: EdgeConfig = field(default_factory=EdgeConfig)
    """Sizes of the edge model, or of the foundation where a preset names one."""
    held: Held = field(default_factory=Held)
    margin: float = USUAL_MARGIN
    """Planning margin, in training and in use: how much a plan is to have to spare by T0."""
    facts: int = 1_000
    """Facts of the corpus that the twin is asked for."""
    domain: tuple[Path, ...] = ()
    """Folders of the user's own documents of the domain."""
    general: tuple[Path, ...] = ()
    """Folders of general text instead of the few that come with the package."""
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
    instruction: InstructionConfig = field(default_factory=InstructionConfig)
    rejection: RejectionConfig = field(default_factory=RejectionConfig)
    rldtf: RldtfConfig = field(default_factory=RldtfConfig)
    validation: int = 256
    twin_workers: int = 0
    """Processes that ask the twin in rejection sampling, RLDTF and validation; 0 asks in this one."""
    vllm: str | None = None
    """A server that samples answers, as URL#MODEL (`training.orchestrator.vllm_rollouts`); None: none does."""
    vllm_folder: str = ""
    """The training's folder as the server sees it, where that differs: it reads the weights below."""
    seed: int = 1

    def __post_init__(self) -> None:
        if self.validation < 1:
            raise OrchestratorError(f"validation is {self.validation}; it must be at least 1")
        if self.begin is not None and self.foundation is None:
            raise OrchestratorError(
                f"begin is {self.begin}; that needs a foundation, the trained model to go on from"
            )
        if not 0.0 < self.own_share <= 1.0:
            raise OrchestratorError(f"own_share is {self.own_share}; it must be above 0 and at most 1")
        if not 0 <= self.twin_workers <= 1024:
            raise OrchestratorError(f"twin_workers is {self.twin_workers}; it must lie in 0..1024")


PRESETS: Mapping[str, OrchestratorConfig] = {
    config.name: config
    for config in (
        OrchestratorConfig(
            name="smoke",
            facts=50,
            edge=EdgeConfig(layers=2, width=64, heads=4, key_value_heads=2, inner=128, vocabulary=600, texts=200),
            pretraining=PretrainingConfig(learning=SupervisedConfig(steps=8), batch=8, length=64),
            instruction=InstructionConfig(learning=SupervisedConfig(steps=20), batch=16),
            rejection=RejectionConfig(rounds=2, tasks=16, each=8, batch=16, patience=1),
            rldtf=RldtfConfig(
                steps=4,
                tasks=4,
                each=4,
                minibatches=2,
                audit_every=2,
                audit=2,
                validate_every=2,
                checkpoint_every=2,
            ),
            validation=16,
        ),
        OrchestratorConfig(
            name="cpu",
            pretraining=PretrainingConfig(learning=SupervisedConfig(steps=350)),
            instruction=InstructionConfig(learning=SupervisedConfig(steps=400)),
            rejection=RejectionConfig(
                rounds=1, tasks=2000, each=16, keep=1, keep_by="reward", epochs=4, best_by="validated reward"
            ),
            rldtf=RldtfConfig(
                steps=100,
                tasks=128,
                each=2,
                temperature=0.4,
                learning_rate=4e-4,
                entropy_weight=0.1,
                kl_weight=0.02,
                best_by="validated reward",
                validate_every=5,
                audit_every=10,
            ),
        ),
        OrchestratorConfig(
            name="gpu",
            edge=EdgeConfig(layers=6, width=320, heads=8, key_value_heads=4, inner=960, vocabulary=3072),
            pretraining=PretrainingConfig(learning=SupervisedConfig(steps=5_000), batch=128),
            instruction=InstructionConfig(learning=SupervisedConfig(steps=5_000), batch=256),
            rejection=RejectionConfig(rounds=10, tasks=8_000, each=8, batch=256),
            rldtf=RldtfConfig(steps=1_000, tasks=64, each=16, micro_batch=512),
        ),
        # For eight GPUs by deepspeed/zero3.yaml (docs/scale_llm.md): batches are multiples of 8 x micro_batch.
        OrchestratorConfig(
            name="qwen7b",
            foundation="Qwen/Qwen2.5-7B-Instruct",
            edge=EdgeConfig(
                layers=28,
                width=3584,
                heads=28,
                key_value_heads=4,
                inner=18_944,
                vocabulary=152_064,
                length=32_768,
            ),
            held=Held(dtype="bfloat16", recompute=True),
            facts=5_000,
            pretraining=PretrainingConfig(
                learning=SupervisedConfig(steps=2_000, learning_rate=1e-5, last_rate=0.1, micro_batch=2),
                batch=64,
                length=2_048,
            ),
            instruction=InstructionConfig(
                learning=SupervisedConfig(steps=1_000, learning_rate=1e-5, last_rate=0.1, micro_batch=8), batch=256
            ),
            rejection=RejectionConfig(rounds=6, tasks=4_096, batch=256, learning_rate=5e-6, micro_batch=8),
            rldtf=RldtfConfig(
                steps=300, tasks=64, each=8, learning_rate=1e-6, critic_rate=1e-5, micro_batch=8, minibatches=2
            ),
        ),
    )
}
FASTER = 10.0
"""Times the learning rate of all weights that adapters learn at (Schulman et al., LoRA Without Regret, 2025)."""


def with_adapters(config: OrchestratorConfig, rank: int) -> OrchestratorConfig:
    """The training by adapters; OrchestratorError for a rank that cannot be."""
    return replace(
        config,
        held=replace(config.held, lora=Lora(rank=rank, alpha=2 * rank)),
        pretraining=replace(config.pretraining, learning=_faster(config.pretraining.learning)),
        instruction=replace(config.instruction, learning=_faster(config.instruction.learning)),
        rejection=replace(config.rejection, learning_rate=FASTER * config.rejection.learning_rate),
        rldtf=replace(config.rldtf, learning_rate=FASTER * config.rldtf.learning_rate),
    )


def _faster(learning: SupervisedConfig) -> SupervisedConfig:
    return replace(learning, learning_rate=FASTER * learning.learning_rate)
