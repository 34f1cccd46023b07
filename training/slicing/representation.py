"""Representation: what an actor is given for what its cell looks like, [..., slices, width].

The paper's state representation module is `Fused`: the numbers through an adapter Fc1, the hidden state of the LLM
that read the prompt through an adapter Fc2, one after the other. The arms of the comparison put something else in
the LLM's place, with the same adapters, so that what the language adds can be told from what a second branch adds.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from training.slicing.config import Config
from training.slicing.environment import Seen
from training.slicing.language import Language, Tokens
from training.slicing.llm import load
from xapps.slicing import prompt
from xapps.slicing.state import FEATURES

LATENT = 64
"""Width of each adapter."""
_LEAST_DEVIATION = 0.02
RANDOM_WIDTH = 384
"""Of random vectors: that of MiniLM's."""
MOST_CODES = 1 << 20


class Source(Protocol):
    """What stands beside the numbers: something about the levels of a cell."""

    width: int

    def __call__(self, levels: Tensor) -> Tensor:
        """int64 [..., slices, 2] -> float32 [..., width]."""
        ...


class Representation(nn.Module):
    """The numbers alone, standardised: the arm without a language model."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.width = len(FEATURES)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))

    @property
    def language(self) -> Language | None:
        """What a language model tells, where one does."""
        return None

    def fit(self, features: Tensor) -> None:
        """Take mean and deviation from features seen [..., features]."""
        flat = features.reshape(-1, len(FEATURES))
        self.mean.copy_(flat.mean(dim=0))
        self.deviation.copy_(flat.std(dim=0).clamp(min=_LEAST_DEVIATION))

    def prepare(self, seen: Seen, seed: int) -> None:
        """Learn what can be learnt before any reward, from what was seen under random actions."""
        self.fit(seen.features)

    def numbers(self, seen: Seen) -> Tensor:
        """The features, standardised: [..., slices, features]."""
        standard: Tensor = (seen.features - self.mean) / self.deviation
        return standard

    def forward(self, seen: Seen) -> Tensor:
        """[..., slices, features] -> [..., slices, width]."""
        return self.numbers(seen)


class Fused(Representation):
    """Numbers and a source, each through its adapter; without adapters, as they are."""

    source_mean: Tensor
    source_deviation: Tensor

    def __init__(self, source: Source, *, adapters: bool = True, latent: int = LATENT) -> None:
        super().__init__()
        self.source, self.adapters = source, adapters
        self.register_buffer("source_mean", torch.zeros(source.width))
        self.register_buffer("source_deviation", torch.ones(source.width))
        self.fc1 = adapter(len(FEATURES), latent) if adapters else nn.Identity()
        self.fc2 = adapter(source.width, latent) if adapters else nn.Identity()
        self.width = 2 * latent if adapters else len(FEATURES) + source.width

    @property
    def language(self) -> Language | None:
        """What a language model tells, where one does."""
        return self.source if isinstance(self.source, Language) else None

    def prepare(self, seen: Seen, seed: int) -> None:
        """Standardise both branches and train the adapters, see `adapters.pretrain`."""
        from training.slicing.adapters import pretrain

        super().prepare(seen, seed)
        with torch.no_grad():
            found = self.source(seen.levels).reshape(-1, self.source.width)
        # Hidden states of one model all point the same way; what differs is what they tell.
        self.source_mean.copy_(found.mean(dim=0))
        self.source_deviation.copy_(found.std(dim=0).clamp(min=1e-3))
        if self.adapters:
            pretrain(self, seen, seed)

    def told(self, levels: Tensor) -> Tensor:
        """What the source tells, standardised: [..., slices, 2] -> [..., source width]."""
        return self.standard(self.source(levels))

    def standard(self, told: Tensor) -> Tensor:
        """What a source told [..., source width], standardised."""
        standard: Tensor = (told - self.source_mean) / self.source_deviation
        return standard

    def fuse(self, numbers: Tensor, told: Tensor) -> Tensor:
        """[..., slices, features], [..., source width] -> [..., slices, width]; all slices are told the same."""
        one, two = self.fc1(numbers), self.fc2(told).unsqueeze(-2)
        return torch.cat((one, two.expand(*one.shape[:-1], -1)), dim=-1)

    def forward(self, seen: Seen) -> Tensor:
        """[..., slices, features] -> [..., slices, width]."""
        return self.fuse(self.numbers(seen), self.told(seen.levels))


class Matched(nn.Module):
    """A second branch of numbers: the levels themselves, one flag each."""

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.width = slices * sum(map(len, prompt.WORDS))

    def forward(self, levels: Tensor) -> Tensor:
        """int64 [..., slices, 2] -> float32 [..., width]."""
        flags = [nn.functional.one_hot(levels[..., place], len(words)) for place, words in enumerate(prompt.WORDS)]
        return torch.cat(flags, dim=-1).flatten(-2).to(torch.float32)


class Random(nn.Module):
    """A random vector for every prompt: as many differences as the LLM tells, and no meaning."""

    table: Tensor

    def __init__(self, slices: int, width: int, seed: int) -> None:
        super().__init__()
        codes = (len(prompt.QOS) * len(prompt.PRESSURE)) ** slices
        if codes > MOST_CODES:
            raise ValueError(f"{slices} slices have {codes} prompts; random vectors are for {MOST_CODES} at most")
        self.width = width
        draw = torch.Generator().manual_seed(seed)
        self.register_buffer("table", torch.randn(codes, width, generator=draw))

    def forward(self, levels: Tensor) -> Tensor:
        """int64 [..., slices, 2] -> float32 [..., width]."""
        found: Tensor = self.table[prompt.code(levels)]
        return found


def adapter(width: int, latent: int) -> nn.Sequential:
    """Fc1 or Fc2."""
    return nn.Sequential(nn.Linear(width, latent), nn.LayerNorm(latent), nn.ReLU())


def build(config: Config, names: tuple[str, ...], device: torch.device) -> Representation:
    """The representation of a training's arm; raises LlmError where its language model cannot be had."""
    if config.arm == "numbers":
        return Representation()
    source: nn.Module
    if config.arm == "matched":
        source = Matched(len(names))
    elif config.arm == "random":
        source = Random(len(names), RANDOM_WIDTH, config.seed)
    else:
        dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
        tokens = Tokens(
            count=0 if config.arm == "prompt" else config.tokens, trained=config.arm == "pa_mrl", seed=config.seed
        )
        source = Language(load(config.llm, device, dtype), names, tokens)
    return Fused(source, adapters=config.adapters)
