"""Attention in full precision: the same function, nearer to the truth under autocast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from training import attention

if TYPE_CHECKING:
    from transformers import PreTrainedModel

transformers = pytest.importorskip("transformers")


def network(implementation: str = "sdpa") -> PreTrainedModel:
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation=implementation,
    )
    made: PreTrainedModel = transformers.Qwen2ForCausalLM(config)
    return made


def gradient(made: PreTrainedModel, half: bool) -> Tensor:
    """Of rows of which one is padded."""
    ids = torch.arange(24).reshape(2, 12)
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        told = made(input_ids=ids, attention_mask=mask).logits[mask > 0].float()
    torch.autograd.backward(told.log_softmax(-1)[:, 3].sum())
    return torch.cat([item.grad.flatten() for item in made.parameters() if item.grad is not None])


def test_in_full_precision_it_is_the_same_to_the_bit() -> None:
    plain, full = network(), network()
    attention.in_full(full)
    assert torch.equal(gradient(plain, half=False), gradient(full, half=False))


def test_under_autocast_its_gradient_is_no_farther_from_the_truth() -> None:
    truth, plain, full = network(), network(), network()
    attention.in_full(full)
    wanted = gradient(truth, half=False)
    far = [float((gradient(made, half=True) - wanted).norm() / wanted.norm()) for made in (plain, full)]
    assert 0.0 < far[1] < 0.05
    assert far[1] < 1.2 * far[0]


def test_what_is_set_otherwise_stays() -> None:
    eager = network("eager")
    attention.in_full(eager)
    assert getattr(eager.config, "_attn_implementation", "") == "eager"


def test_it_is_no_part_of_a_saved_model(tmp_path: Path) -> None:
    full = network()
    attention.in_full(full)
    full.save_pretrained(tmp_path)
    assert attention.IN_FULL not in (tmp_path / "config.json").read_text(encoding="utf-8")
