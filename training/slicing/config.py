"""Configuration of PA-MRL's training: frozen, validated, with presets by the size of the machine."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, get_args

from twin.network import library

Arm = Literal["numbers", "matched", "random", "prompt", "frozen", "pa_mrl"]
Precision = Literal["float32", "bfloat16"]


class ConfigError(ValueError):
    """A training configuration that cannot be; says which field and what it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One training of slicing agents."""

    scenario: str = library.DEFAULT
    """A scenario of the library, or a file."""
    arm: Arm = "numbers"
    """What agents know of their state: numbers alone; with their levels, random vectors or what an LLM makes of
    the prompt beside them; the last two with learnable tokens, which stay as they are or are trained."""
    llm: str = "minilm"
    """The language model: minilm, small, a folder or a hub id, e.g. gpt2, NextGLab/ORANSight_Qwen_7B_Instruct."""
    tokens: int = 20
    """Learnable tokens, m in the paper."""
    adapters: bool = True
    """Whether adapters stand between the branches and the networks; else both are taken as they are."""
    token_learning_rate: float = 3e-3
    token_every: int = 10
    """Updates of the networks for each of the tokens."""
    token_batch: int = 64
    """Prompts that tell the tokens where to go."""
    precision: Precision = "bfloat16"
    """Of the language model, and on a GPU of the networks too (mixed precision); float32 is quicker on a CPU that
    has no arithmetic for bfloat16."""
    episodes: int = 1000
    """Episodes over all networks."""
    envs: int = 32
    """Networks at once."""
    episode_steps: int = 100
    """Control intervals of an episode."""
    updates: int = 1
    """Updates for each interval of all networks."""
    batch: int = 96
    """Transitions of all cells in an update."""
    replay_episodes: int = 40
    """Episodes of each network that are kept."""
    hidden: int = 128
    learning_rate: float = 1e-3
    last_learning_rate: float = 1e-4
    """At the end; in between it falls evenly."""
    gamma: float = 0.9
    tau: float = 0.01
    """How far target critics follow in an update."""
    clip: float = 5.0
    """Greatest norm of a gradient."""
    temperature: float = 0.1
    """Of the entropy, at the start; then it is tuned so that the entropy comes to `target_entropy`."""
    target_entropy: float = -3.0
    reward_scale: float = 5.0
    satisfaction_weight: float = 0.0
    """What a kept promise adds to the slicing reward in training, which alone has no step at the promise."""
    warm_up_steps: int = 100
    """Intervals under random actions before learning begins."""
    seed: int = 1
    evaluate_every: int = 5
    """Batches of episodes between evaluations."""
    evaluation_seeds: int = 16

    def __post_init__(self) -> None:
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in choices:
                raise ConfigError(f"{field} is {getattr(self, field)!r}; it must be one of {', '.join(choices)}")
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if not (math.isfinite(value) and low <= value <= high):
                raise ConfigError(f"{field} is {value}; it must lie in {low:g}..{high:g}")


_CHOICES = {"arm": get_args(Arm), "precision": get_args(Precision)}
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("episodes", 1, 10_000_000),
    ("envs", 1, 100_000),
    ("episode_steps", 1, 100_000),
    ("tokens", 0, 1000),
    ("token_learning_rate", 1e-8, 1.0),
    ("token_every", 1, 1_000_000),
    ("token_batch", 1, 100_000),
    ("updates", 1, 1000),
    ("batch", 1, 1_000_000),
    ("replay_episodes", 1, 100_000),
    ("hidden", 1, 8192),
    ("learning_rate", 1e-8, 1.0),
    ("last_learning_rate", 0.0, 1.0),
    ("gamma", 0.0, 0.9999),
    ("tau", 1e-6, 1.0),
    ("clip", 1e-3, 1e6),
    ("temperature", 1e-6, 100.0),
    ("target_entropy", -1000.0, 1000.0),
    ("reward_scale", 1e-3, 1e3),
    ("satisfaction_weight", 0.0, 100.0),
    ("warm_up_steps", 1, 1_000_000),
    ("seed", 0, 2**31),
    ("evaluate_every", 1, 1_000_000),
    ("evaluation_seeds", 1, 10_000),
)

PRESETS = {
    "smoke": Config(episodes=8, envs=4, episode_steps=15, warm_up_steps=10, evaluate_every=1, evaluation_seeds=2),
    "cpu": Config(),
    "gpu": Config(arm="pa_mrl", episodes=8000, envs=256, batch=512, updates=2, replay_episodes=20),
    "paper": Config(arm="pa_mrl", llm="NextGLab/ORANSight_Qwen_7B_Instruct", episodes=4000, updates=2),
}
FIELDS = tuple(item.name for item in fields(Config))


def parsed(changes: Iterable[str]) -> dict[str, object]:
    """Fields and values of texts like `tokens=10`; ConfigError for what is no field or no value of its type."""
    found: dict[str, object] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals or name not in FIELDS:
            raise ConfigError(f"{change!r}: give FIELD=VALUE with a field of {', '.join(FIELDS)}")
        kind = type(getattr(Config(), name))
        try:
            value = text if kind is str else json.loads(text)
        except ValueError:
            value = None
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ConfigError(f"{name} is {text!r}; it must be of type {kind.__name__}")
        found[name] = value
    return found
