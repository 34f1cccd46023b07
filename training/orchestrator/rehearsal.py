"""Rehearsal: every stage of a preset in a few tiny steps on a network of its shape but few layers.

It shows in minutes and without a GPU that a training which will take days is put together rightly, and says what
memory it will take of each GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from training.orchestrator.adapters import Lora
from training.orchestrator.asking import Asked
from training.orchestrator.edge import EdgeConfig, pieces
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.memory import Load, Memory, estimate
from training.orchestrator.presets import PRESETS, OrchestratorConfig
from training.orchestrator.supervised import SupervisedConfig

if TYPE_CHECKING:
    from transformers import PretrainedConfig

GPUS = (1, 2, 4, 8)
LAYERS = 2
CONTEXT, OWN_CONTEXT = 512, 192
"""Tokens of a task with its answer: by the tokenizer of a hub's model, which cuts our words apart, and by ours."""


def rehearsed(config: OrchestratorConfig) -> OrchestratorConfig:
    """The training with all its stages and hardly a step in each."""
    return replace(
        config,
        foundation=None,
        begin=None,
        edge=_shrunk(config),
        facts=20,
        domain=(),
        general=(),
        pretraining=replace(config.pretraining, learning=_few(config.pretraining.learning), batch=2, length=64),
        instruction=replace(config.instruction, learning=_few(config.instruction.learning), batch=2),
        rejection=replace(config.rejection, rounds=1, tasks=2, each=2, batch=2, epochs=1),
        rldtf=replace(config.rldtf, steps=2, tasks=2, each=2, minibatches=1, critic_warm_up=1, resync_every=1),
        validation=2,
        # A server has the whole model, not the few layers of this one.
        vllm=None,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """What a training takes of each of so many GPUs."""

    gpus: int
    lora: bool
    memory: Memory

    def to_json(self) -> dict[str, float | bool]:
        """Bytes, by what takes them."""
        return {"gpus": self.gpus, "lora": self.lora, **asdict(self.memory), "total": self.memory.total}


def memories(config: OrchestratorConfig) -> Iterator[Row]:
    """Of one GPU and of more, with all weights learning and with adapters."""
    sizes = shape(config)
    for lora in (None, config.held.lora or Lora()):
        held = replace(config.held, lora=lora)
        for gpus in GPUS:
            yield Row(gpus, lora is not None, estimate(sizes, held, _load(config, gpus), gpus))


def shape(config: OrchestratorConfig) -> PretrainedConfig:
    """The sizes of the network that is trained; OrchestratorError where the foundation cannot be read."""
    from transformers import AutoConfig, Qwen2Config

    if config.foundation is not None and config.foundation != PRESETS[config.name].foundation:
        try:
            found: PretrainedConfig = AutoConfig.from_pretrained(config.foundation)
        except (OSError, ValueError) as error:
            raise OrchestratorError(f"{config.foundation} tells no sizes of a network: {error}") from None
        return found
    edge, own = config.edge, config.foundation is None
    return Qwen2Config(
        vocab_size=edge.vocabulary + (len(set(pieces())) if own else 0),
        hidden_size=edge.width,
        intermediate_size=edge.inner,
        num_hidden_layers=edge.layers,
        num_attention_heads=edge.heads,
        num_key_value_heads=edge.key_value_heads,
        tie_word_embeddings=own,
    )


def _load(config: OrchestratorConfig, gpus: int) -> Load:
    """The largest that a stage asks of a GPU."""
    pretraining, instruction, rldtf = config.pretraining, config.instruction, config.rldtf
    context = OWN_CONTEXT if config.foundation is None else CONTEXT
    passes = (
        (min(pretraining.learning.micro_batch, pretraining.batch), pretraining.length),
        (min(instruction.learning.micro_batch, instruction.batch), context),
        (min(rldtf.micro_batch, rldtf.tasks * rldtf.each), context),
    )
    texts, length = max(passes, key=lambda own: own[0] * own[1])
    answers = min(Asked().at_once, max(1, rldtf.tasks * rldtf.each // gpus))
    return Load(texts=texts, length=length, answers=answers, context=context)


def _shrunk(config: OrchestratorConfig) -> EdgeConfig:
    sizes = shape(config)
    return EdgeConfig(
        layers=min(LAYERS, sizes.num_hidden_layers),
        width=sizes.hidden_size,
        heads=sizes.num_attention_heads,
        key_value_heads=sizes.num_key_value_heads,
        inner=sizes.intermediate_size,
        vocabulary=400,
        texts=50,
    )


def _few(learning: SupervisedConfig) -> SupervisedConfig:
    return replace(learning, steps=2, log_every=1)
