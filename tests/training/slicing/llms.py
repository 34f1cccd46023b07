"""Small language models of both kinds, made in a second, with weights as drawn."""

from pathlib import Path

import torch

from training.slicing import small_llm

ENCODER, CAUSAL = "encoder", "causal"


def made(folder: Path, kind: str) -> str:
    """A model's folder."""
    small_llm.train(folder, steps=1)
    if kind == ENCODER:
        from transformers import BertConfig, BertModel

        torch.manual_seed(1)
        config = BertConfig(
            vocab_size=600, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
        )
        BertModel(config).save_pretrained(folder)
    return str(folder)
