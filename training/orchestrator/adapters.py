"""Adapters: low-rank matrices that learn in the place of a network's weights (LoRA, Hu et al., 2022).

The network stays as it was, so one copy of it serves policy, critic and reference of RLDTF: the reference is a
second set of adapters. `peft` makes them; it takes seconds to import and is imported where it is needed.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from training.orchestrator.errors import OrchestratorError

LEARNT, REFERENCE = "default", "reference"
_CONFIG = "adapter_config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Sizes of adapters; OrchestratorError for those that cannot be."""

    rank: int = 16
    alpha: int = 32
    """What adapters add counts alpha / rank times."""
    targets: str | tuple[str, ...] = "all-linear"
    """Names of the layers that get adapters."""
    merged: bool = True
    """Whether a stage's model is a whole network as anyone reads it, or the adapters alone."""

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha < 1:
            raise OrchestratorError(f"rank is {self.rank} and alpha {self.alpha}; both must be at least 1")


def begun(network: nn.Module, lora: Lora, seed: int = 0) -> nn.Module:
    """The network with adapters that add nothing yet and alone learn."""
    from peft import LoraConfig, get_peft_model

    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=lora.rank, lora_alpha=lora.alpha, target_modules=targets, lora_dropout=0.0
    )
    with _quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found: nn.Module = get_peft_model(network, config)
    return found


def base(name: str | Path) -> str | None:
    """The folder or hub id of the network that a folder's adapters belong to; None where it holds none."""
    path = Path(name) / _CONFIG
    return str(json.loads(path.read_text())["base_model_name_or_path"]) if path.exists() else None


def read(network: nn.Module, folder: Path) -> nn.Module:
    """The network with a folder's adapters, which go on learning."""
    from peft import PeftModel

    with _quiet():
        found: nn.Module = PeftModel.from_pretrained(network, folder, is_trainable=True)
    return found


def save(network: nn.Module, folder: Path) -> None:
    """Write the adapters, or the network where there are none."""
    chosen = {"selected_adapters": [LEARNT]} if there(network) else {}
    network.save_pretrained(folder, **chosen)  # type: ignore[operator]


def there(network: nn.Module) -> bool:
    """Whether a network has adapters."""
    return hasattr(network, "peft_config")


def merged(network: nn.Module) -> nn.Module:
    """The network with what its adapters add in its weights; the adapters are gone."""
    found: nn.Module = network.merge_and_unload(adapter_names=[LEARNT])  # type: ignore[operator]
    return found


def add_reference(network: nn.Module) -> None:
    """Give the network a second set of adapters, which learn nothing and are as the first."""
    network.add_adapter(REFERENCE, network.peft_config[LEARNT])  # type: ignore[operator, index]
    network.set_adapter(LEARNT)  # type: ignore[operator]


@contextlib.contextmanager
def as_reference(network: nn.Module) -> Iterator[None]:
    """The second set of adapters is the one in use, for passes without gradients."""
    network.set_adapter(REFERENCE)  # type: ignore[operator]
    try:
        yield
    finally:
        network.set_adapter(LEARNT)  # type: ignore[operator]


def weights(network: nn.Module, name: str) -> list[nn.Parameter]:
    """Of a set of adapters, always in the same order."""
    return [item for path, item in network.named_parameters() if f".{name}." in path]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning that peft 0.21 asks transformers 5.24 for what will have another name in 6."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield
