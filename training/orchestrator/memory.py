"""Memory: what a training takes of each GPU, from the network's sizes.

Weights are counted on a network that lies nowhere (`torch.device("meta")`), so any architecture will do. States
follow DeepSpeed's own estimate of ZeRO-3 (`estimate_zero3_model_states_mem_needs`): 18 bytes a weight that learns,
in parts, and the largest layer whole. Activations are what layers keep for their gradients. Neither
fragments nor the CUDA context are in it: leave a tenth of a GPU free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from training.orchestrator import adapters
from training.orchestrator.lm import Held

if TYPE_CHECKING:
    from transformers import PretrainedConfig

FLOAT = 4
_LOGIT = 14
"""Bytes of a logit: itself, in float32, as a likelihood, and its gradient."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How many weights a network has."""

    all: int
    learning: int
    head: int
    """Of the layer that makes logits, if it is not the embedding's."""
    largest: int
    """Of its largest layer."""

    @classmethod
    def of(cls, sizes: PretrainedConfig, held: Held) -> Weights:
        """Of a network with such sizes, and its adapters where they learn."""
        from transformers import AutoModelForCausalLM

        with torch.device("meta"):
            network: nn.Module = AutoModelForCausalLM.from_config(sizes)  # type: ignore[no-untyped-call]
            if held.lora:
                network = adapters.begun(network, held.lora)
        parameters = list(network.parameters())
        head, words = network.get_output_embeddings(), network.get_input_embeddings()  # type: ignore[operator]
        return cls(
            all=sum(item.numel() for item in parameters),
            learning=sum(item.numel() for item in parameters if item.requires_grad),
            head=0 if head.weight is words.weight else head.weight.numel(),
            largest=max(item.numel() for item in parameters),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one GPU does at once."""

    texts: int
    """In a forward pass of supervised learning."""
    length: int
    """Tokens of each."""
    answers: int
    """Sampled side by side in a rollout."""
    context: int
    """Tokens of a task with its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes on one GPU."""

    weights: float
    gradients: float
    optimiser: float
    gathered: float
    """The largest layer, whole for a moment."""
    reference: float
    sampler: float
    """The whole copy that answers are sampled from, where the others are in parts."""
    activations: float
    cache: float
    """Keys and values of answers that are being sampled."""
    critic: float
    """Only where RLDTF's advantages are a critic's."""

    @property
    def total(self) -> float:
        """Without a critic. Sampling and learning take turns: the larger counts."""
        states = self.weights + self.gradients + self.optimiser + self.gathered + self.reference + self.sampler
        return states + max(self.activations, self.cache)


def estimate(sizes: PretrainedConfig, held: Held, load: Load, gpus: int) -> Memory:
    """What a training by so many GPUs takes of each.

    Weights in bfloat16 are cut by ZeRO-3, but for adapters on one GPU; others lie whole on each.
    """
    weights = Weights.of(sizes, held)
    width = getattr(torch, held.dtype).itemsize
    sharded = held.dtype == "bfloat16" and (gpus > 1 or held.lora is None)
    parts = gpus if sharded else 1
    # In bfloat16 Adam keeps the weights in float32 beside its two moments.
    states = (3 if sharded else 2) * FLOAT
    critic = 0 if held.lora else weights.all - weights.head
    return Memory(
        weights=width * weights.all / parts,
        gradients=FLOAT * weights.learning / parts,
        optimiser=states * weights.learning / parts,
        gathered=FLOAT * weights.largest if sharded else 0.0,
        reference=width * (weights.learning if held.lora else weights.all) / parts,
        sampler=width * weights.all if sharded else 0.0,
        activations=activations(sizes, held, load),
        cache=cache(sizes, held, load),
        critic=(width + FLOAT + states) * critic / parts,
    )


def activations(sizes: PretrainedConfig, held: Held, load: Load) -> float:
    """Bytes that a forward pass keeps for its gradients."""
    tokens = load.texts * load.length
    width = getattr(torch, held.dtype).itemsize
    layer = of_layer(sizes, width)
    kept = width * sizes.hidden_size
    layers = sizes.num_hidden_layers * kept + layer if held.recompute else sizes.num_hidden_layers * layer
    return float(tokens * (layers + _LOGIT * sizes.vocab_size))


def of_layer(sizes: PretrainedConfig, width: int) -> int:
    """Bytes that a layer keeps for each token, in elements of `width` bytes: what SDPA and a gated MLP need.

    Two norms keep their input in float32 too. Measured on Qwen2 by torch's hooks of saved tensors (tests).
    """
    d = sizes.hidden_size
    return int(width * (6 * d + 2 * _keys(sizes) + 4 * sizes.intermediate_size) + 2 * FLOAT * d)


def cache(sizes: PretrainedConfig, held: Held, load: Load) -> float:
    """Bytes of the keys and values of a rollout's answers."""
    token = 2 * sizes.num_hidden_layers * _keys(sizes) * getattr(torch, held.dtype).itemsize
    return float(load.answers * load.context * token)


def _keys(sizes: PretrainedConfig) -> int:
    head = getattr(sizes, "head_dim", None) or sizes.hidden_size // sizes.num_attention_heads
    return int(sizes.num_key_value_heads * head)
