"""Graph: a language model's network as ONNX without its weights, as `rapps.orchestrator.onnx_lm` runs it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rapps.orchestrator.onnx_lm import OUTPUTS, WEIGHTS
from training.orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    import onnx
    from transformers import Qwen2ForCausalLM

OPSET = 18


class GraphError(OrchestratorError):
    """A network that has no such graph."""


class _Cache:
    """Keys and values as one tensor, in the way that attention of `transformers` asks for them."""

    def __init__(self, before: Tensor) -> None:
        self._before, self._after = before, list[Tensor]()

    def update(self, keys: Tensor, values: Tensor, layer: int, **_: object) -> tuple[Tensor, Tensor]:
        """Add those of the next tokens and give all."""
        self._after.append(torch.cat((self._before[layer], torch.stack((keys, values))), dim=-2))
        return self._after[layer][0], self._after[layer][1]

    def get_seq_length(self, _: int = 0) -> int:
        """How many tokens were read before."""
        return self._before.shape[-2]

    def after(self) -> Tensor:
        """All keys and values, of every layer."""
        return torch.stack(self._after)


class _Decoder(nn.Module):
    """The network from `INPUTS` to `OUTPUTS`; its parts have the names that weights have in WEIGHTS."""

    def __init__(self, network: Qwen2ForCausalLM) -> None:
        super().__init__()
        self.model = network.model
        # A head that is the embedding goes by that name alone.
        self.lm_head = None if network.config.tie_word_embeddings else network.lm_head

    def forward(self, ids: Tensor, mask: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [n, vocabulary] after the last token, and the cache with the new tokens."""
        length = ids.shape[1]
        # Padding takes no place in the count of positions.
        places = (mask.cumsum(dim=-1) - 1).clamp(min=0)[:, -length:]
        all_places = torch.arange(mask.shape[1])
        before = all_places[None, :] <= all_places[-length:, None]
        seen = before[None, None] & (mask[:, None, None, :] > 0)
        # Not minus infinity, which is no number where a row of padding sees nothing.
        hidden = torch.where(seen, 0.0, torch.finfo(torch.float32).min)
        kept = _Cache(cache)
        out = self.model(input_ids=ids, attention_mask=hidden, position_ids=places, cache=kept, use_cache=True)
        head = self.model.embed_tokens if self.lm_head is None else self.lm_head
        return nn.functional.linear(out[0][:, -1], head.weight), kept.after()


def graph(network: nn.Module, names: Collection[str]) -> bytes:
    """The graph of a network in float32, to which weights of these names are given later.

    GraphError for a network that is not built as Qwen2 is, or needs others.
    """
    from transformers import Qwen2ForCausalLM

    if not isinstance(network, Qwen2ForCausalLM):
        raise GraphError(f"the network is a {type(network).__name__}; only a Qwen2ForCausalLM has a graph")
    if network.model.has_sliding_layers:
        raise GraphError("the network's attention slides over a window; only one that sees all has a graph")
    model = _exported(network)
    left = set(names)
    for item in model.graph.initializer:
        if item.name in left:
            item.ClearField("raw_data")
            item.data_location = item.EXTERNAL
            item.external_data.add(key="location", value=WEIGHTS)
            left.remove(item.name)
    if left:
        raise GraphError(f"the network's graph lacks {', '.join(sorted(left))[:200]}")
    made: bytes = model.SerializeToString()
    return made


def _exported(network: Qwen2ForCausalLM) -> onnx.ModelProto:
    """The graph with the weights in it, each under its own name."""
    config, attention = network.config, network.model.layers[0].self_attn
    heads = attention.k_proj.out_features // attention.head_dim
    shape = (config.num_hidden_layers, 2, 3, heads, 7, attention.head_dim)
    some = {
        "ids": torch.ones((3, 5), dtype=torch.long),
        "mask": torch.ones((3, 12), dtype=torch.long),
        "cache": torch.zeros(shape),
    }
    n, length, read = (torch.export.Dim(name) for name in ("n", "length", "read"))
    free = {"ids": {0: n, 1: length}, "mask": {0: n, 1: torch.export.Dim.AUTO}, "cache": {2: n, 4: read}}
    implementation = config._attn_implementation
    network.set_attn_implementation("eager")
    try:
        with warnings.catch_warnings():
            # The exporter warns of its own libraries' future, and of axes that share a name, as they should.
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            program = torch.onnx.export(
                _Decoder(network).eval(),
                kwargs=some,
                output_names=[*OUTPUTS],
                dynamic_shapes=free,
                opset_version=OPSET,
                dynamo=True,
                # The exporter would merge weights; onnxruntime does that where they are loaded.
                optimize=False,
                verbose=False,
            )
    finally:
        network.set_attn_implementation(implementation)
    assert program is not None
    model = program.model_proto
    # The exporter's notes are many times as large as the graph.
    del model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
    return model
