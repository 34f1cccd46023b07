"""LM: a causal language model and its tokenizer, of a folder or of a hub by its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from rapps.orchestrator.decoding import padded
from training import attention
from training.orchestrator import adapters, ranks
from training.orchestrator.adapters import Lora
from training.orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OWN_TOKENIZERS = ("TokenizersBackend", "PreTrainedTokenizerFast")
"""Classes of tokenizers that are told whole by their file."""
KEEP_OUT = -100
"""Label of tokens that a loss leaves out."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of tokens, padded on the right: int64 [rows, length] each, and the mask of those that are there."""

    ids: Tensor
    labels: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How a network is held in memory."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of the weights. Small steps are lost in bfloat16, unless DeepSpeed keeps float32 too or adapters learn."""
    recompute: bool = False
    """Whether activations are computed again for gradients and not kept (gradient checkpointing)."""
    lora: Lora | None = None
    """Adapters that learn in the place of all weights."""


@dataclass(frozen=True, eq=False)
class Lm:
    """A tokenizer and a network of `transformers` that gives logits."""

    tokenizer: PreTrainedTokenizerBase
    network: nn.Module
    held: Held = Held()

    def __post_init__(self) -> None:
        attention.in_full(self.network)

    @classmethod
    def load(cls, name: str | Path, held: Held | None = None) -> Self:
        """Load a folder, which may hold adapters alone, or a model of a hub; OrchestratorError says why not."""
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

        held = held or Held()
        ranks.load_whole()
        try:
            tokenizer = _tokenizer(name)
            dtype = getattr(torch, held.dtype)
            network: nn.Module = AutoModelForCausalLM.from_pretrained(adapters.base(name) or name, dtype=dtype)
            if adapters.base(name):
                network = adapters.read(network, Path(name))
        except (OSError, ValueError) as error:
            raise OrchestratorError(f"{name} is no language model that can be loaded: {error}") from None
        if held.lora and not adapters.there(network):
            network = adapters.begun(network, held.lora)
        if held.recompute:
            network.activation_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
        return cls(tokenizer, network.to(ranks.device()), held)

    def save(self, folder: Path) -> None:
        """Write both as `transformers` reads them; where adapters learn, them alone."""
        self.tokenizer.save_pretrained(folder)
        adapters.save(self.network, folder)

    @property
    def end(self) -> int:
        """The token that ends a text, which pads too."""
        end = self.tokenizer.eos_token_id
        assert isinstance(end, int)
        return end

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def encode(self, text: str) -> tuple[int, ...]:
        """A text's tokens; a text that was seen lately costs nothing."""
        return _encoded(self, text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, the ending left out."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        assert isinstance(text, str)
        return text

    def digest(self) -> str:
        """Eight letters that another model would hardly have."""
        found = hashlib.sha256()
        for weight in self.network.state_dict().values():
            found.update(weight.detach().float().cpu().numpy().tobytes())
        return found.hexdigest()[:8]

    def parameters_million(self) -> float:
        """How many weights there are, in millions."""
        return sum(item.numel() for item in self.network.parameters()) / 1e6

    def begin(self, prompts: Sequence[Sequence[int]], each: int) -> Session:
        """Read prompts, for so many answers to each, in turn (`rapps.orchestrator.decoding`)."""
        return Session(self, prompts, each)

    def batch(self, rows: Sequence[Sequence[int]], labels: Sequence[Sequence[int]] | None = None) -> Batch:
        """Pad rows of tokens; their labels are the tokens themselves unless others are given."""
        length = max(map(len, rows))
        ids = torch.full((len(rows), length), self.end)
        told = torch.full((len(rows), length), KEEP_OUT)
        mask = torch.zeros((len(rows), length), dtype=torch.long)
        for row, (tokens, label) in enumerate(zip(rows, labels or rows, strict=True)):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            told[row, : len(tokens)] = torch.tensor(label)
            mask[row, : len(tokens)] = 1
        return Batch(*(item.to(self.device) for item in (ids, told, mask)))


class Session:
    """Answers under way: what the network has read of them, with padding wherever others were longer."""

    def __init__(self, lm: Lm, prompts: Sequence[Sequence[int]], each: int) -> None:
        self._lm = lm
        self._mask = torch.zeros((len(prompts), 0), dtype=torch.long, device=lm.device)
        self._cache = None
        self.feed(prompts)
        if each > 1:
            self._cache.batch_repeat_interleave(each)  # type: ignore[attr-defined]
            self._mask = self._mask.repeat_interleave(each, dim=0)

    @torch.no_grad()
    def feed(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Read the next tokens of each answer, and give the logits after them, float32 [answers, vocabulary]."""
        ids, mask = (torch.from_numpy(item).to(self._lm.device) for item in padded(rows, self._lm.end))
        self._mask = torch.cat((self._mask, mask), dim=1)
        # Padding takes no place in the count of positions.
        places = (self._mask.cumsum(dim=-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        out = self._lm.network(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=places,
            cache=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = out.cache
        logits: np.ndarray = out.logits[:, -1].float().cpu().numpy()
        return logits


def _tokenizer(name: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder or hub's model; one made by `edge` as it was made."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    path = Path(name) / "tokenizer_config.json"
    told = json.loads(path.read_text()) if path.exists() else {}
    # For a network of Qwen2's, AutoTokenizer would take Qwen2's own cutting of texts with our vocabulary.
    kind = PreTrainedTokenizerFast if told.get("tokenizer_class") in OWN_TOKENIZERS else AutoTokenizer
    found: PreTrainedTokenizerBase = kind.from_pretrained(name)
    return found


@lru_cache(maxsize=100_000)
def _encoded(lm: Lm, text: str) -> tuple[int, ...]:
    return tuple(lm.tokenizer.encode(text, add_special_tokens=False))
