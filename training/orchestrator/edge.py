"""Edge: the small 6G-LLM, of Qwen2's architecture, before it has learnt anything, and its tokenizer.

What an answer is given or may choose (`rapps.orchestrator.grammar`) is one token each, and so is every small
number. Embeddings of numbers begin as smooth functions of their value, so that a number that is rarely met is not
unlike its neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from rapps.orchestrator import budget, prompt, sizing
from rapps.orchestrator.grammar import ANSWER, REFLECT, STRICTNESS, TARGETS, THINK
from rapps.orchestrator.legal import ORDER
from rapps.orchestrator.quantities import tell
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.lm import Lm
from twin.link.catalogue import PARAMETERS, ChannelClass

END = "<|end|>"
NUMBERS = range(401)
"""Whole numbers that are one token."""
DECIBELS = np.arange(-60.0, 160.0, budget.STEP_DB)
_DEVIATION = 0.02
_WAVES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """Sizes of the network; OrchestratorError unless heads divide the width."""

    layers: int = 4
    width: int = 256
    heads: int = 8
    key_value_heads: int = 4
    inner: int = 768
    vocabulary: int = 3072
    """Tokens that texts are cut into, beside those of answers and numbers."""
    texts: int = 6_000
    """Tasks and questions, as many each, that the tokenizer is made for, beside the corpus."""
    length: int = 1024

    def __post_init__(self) -> None:
        if self.width % self.heads or self.heads % self.key_value_heads:
            raise OrchestratorError(
                f"heads is {self.heads}; it must divide width ({self.width}) and be a multiple of key_value_heads"
            )
        if self.vocabulary < 300:
            raise OrchestratorError(f"vocabulary is {self.vocabulary}; it must be at least 300")


def made(texts: Iterable[str], config: EdgeConfig, seed: int) -> Lm:
    """A model that has learnt nothing, with a tokenizer made for such texts."""
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_tokenizer(texts, config.vocabulary),
        eos_token=END,
        pad_token=END,
        model_max_length=config.length,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=len(tokenizer),
                hidden_size=config.width,
                intermediate_size=config.inner,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                num_key_value_heads=config.key_value_heads,
                max_position_embeddings=config.length,
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.eos_token_id,
            )
        )
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    weight = network.get_input_embeddings().weight
    assert isinstance(weight, torch.Tensor)
    _smooth(weight, vocabulary)
    return Lm(tokenizer, network)


def pieces() -> Iterator[str]:
    """Every text of answers that is a token of its own: what is given, and what is chosen."""
    yield from (*THINK, *REFLECT, *ANSWER)
    yield from (f"; {target.name} " for target in TARGETS[1:])
    yield f"Demand: {TARGETS[0].name} "
    yield f"Budget: {budget.NAMES[0]} "
    yield from (f" dB, {name} " for name in budget.NAMES[1:])
    yield from prompt.UNITS
    yield from ChannelClass
    yield from STRICTNESS
    yield from (tell(target.kind, step) for target in TARGETS for step in target.steps)
    for place, name in enumerate(ORDER):
        yield f'{", " if place else "{"}"{name}": '
        yield from sizing.options(name) if name in sizing.BEYOND else map(json.dumps, PARAMETERS[name].values)
    yield from (f"{value:g}" for value in DECIBELS)
    yield from map(str, NUMBERS)


def _tokenizer(texts: Iterable[str], vocabulary: int) -> object:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    # Digits one by one, for what is no token of its own below.
    digits = pre_tokenizers.Split(Regex(r"\d"), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens(
        [
            AddedToken(piece, single_word=_is_number(piece) or piece in STRICTNESS, normalized=False)
            for piece in dict.fromkeys(pieces())
        ]
    )
    return tokenizer


def _smooth(embedding: torch.Tensor, vocabulary: dict[str, int]) -> None:
    """Let the embeddings of numbers begin as waves of their value and of its logarithm, and a little noise."""
    half = embedding.shape[1] // 2
    with torch.no_grad():
        for piece, row in vocabulary.items():
            if _is_number(piece) or _is_beyond(piece):
                value = float(piece.strip('"'))
                lengths = np.geomspace(4.0, 800.0, min(_WAVES, half // 4))
                angles = 2.0 * np.pi * np.concatenate((value / lengths, np.log1p(abs(value)) / lengths * 40.0))
                waves = torch.from_numpy(np.concatenate((np.sin(angles), np.cos(angles)))).to(embedding)
                embedding[row] *= 0.3
                embedding[row, half : half + len(waves)] += _DEVIATION * 1.5 * waves


def _is_number(piece: str) -> bool:
    return piece.isascii() and piece.removeprefix("-").replace(".", "", 1).isdigit()


def _is_beyond(piece: str) -> bool:
    """Tell what is had beyond the need, like "+3" in quotes."""
    return piece[:2] in ('"+', '"-') and piece[2:-1].isdigit()
