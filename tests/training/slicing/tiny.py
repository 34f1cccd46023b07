"""A tiny encoder, for tests of what reads texts."""

import torch

from training.slicing.intents import wordings
from training.slicing.llm import Llm


def tiny() -> Llm:
    """An encoder of random weights that knows the words of the training texts."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    texts = [item.text.lower() for item in wordings("training")]
    plain = pre_tokenizers.BertPreTokenizer()
    known = sorted({word for text in texts for word, _ in plain.pre_tokenize_str(text)})
    places = {word: place for place, word in enumerate(("[UNK]", "[CLS]", "[SEP]", *known))}
    tokenizer = Tokenizer(models.WordLevel(places, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = plain
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=len(places), hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    network = BertModel(shape, add_pooling_layer=False).eval().requires_grad_(False)
    return Llm("tiny", network, 64, causal=False, tokenizer_json=tokenizer.to_str().encode())
