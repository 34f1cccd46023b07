"""Small LLM: a causal model of about half a million parameters that knows the prompts' language and nothing else.

It is trained in a minute or two on sentences made here: a cell's prompt, then what an engineer would say of it. It
stands in the sweeps where MiniLM would take too long, and is the second model that the first is compared with.
"""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from xapps.slicing import prompt

VERSION = 1
NAMES = (
    *("eMBB", "URLLC", "mMTC", "video", "voice", "gaming", "cranes", "robots", "meters", "sensors", "cameras"),
    *("tablets", "drones", "trains", "vehicles", "office", "public", "hospital", "factory", "harbour"),
)
_LAYERS, _WIDTH, _HEADS, _VOCABULARY = 3, 128, 4, 512
_STEPS, _BATCH, _LEARNING_RATE, _LENGTH = 400, 48, 2e-3, 64
_TEXTS = 6000


def made() -> Path:
    """The model's folder in the user's cache, trained when it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ranloop"
    folder = cache / f"small-llm-{VERSION}"
    if not (folder / "config.json").exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix="small-llm-", dir=cache))
        train(partial)
        try:
            partial.rename(folder)
        except OSError:
            # Another process was quicker; both made the same.
            if not (folder / "config.json").exists():
                raise
    return folder


def sentences(count: int, seed: int) -> Iterator[str]:
    """Prompts of cells of 2..5 slices with any names, each with what follows from it."""
    draw = random.Random(seed)
    for _ in range(count):
        slices = draw.randint(2, 5)
        names = tuple(draw.sample(NAMES, slices))
        places = np.array([[draw.randrange(3), draw.randrange(3)] for _ in names])
        yield f"{prompt.text(names, places)} {_said(names, places)}"


def train(folder: Path, *, steps: int = _STEPS, seed: int = 1) -> None:
    """Train the model from nothing and save it as `transformers` reads it."""
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    texts = list(sentences(_TEXTS, seed))
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_tokenizer(texts), eos_token="<end>", pad_token="<end>", model_max_length=_LENGTH
    )
    rows = torch.full((len(texts), _LENGTH), int(tokenizer.eos_token_id or 0))
    for row, ids in zip(rows, tokenizer(texts, truncation=True, max_length=_LENGTH - 1)["input_ids"], strict=True):
        row[: len(ids)] = torch.tensor(ids)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=len(tokenizer),
                hidden_size=_WIDTH,
                intermediate_size=4 * _WIDTH,
                num_hidden_layers=_LAYERS,
                num_attention_heads=_HEADS,
                num_key_value_heads=_HEADS,
                max_position_embeddings=256,
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=tokenizer.eos_token_id,
            )
        )
        _fit(network, rows, steps, seed)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _fit(network: torch.nn.Module, rows: torch.Tensor, steps: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    # The first end of a text is learnt, those that only fill the row are not.
    ended = (rows == rows[0, -1]).cumsum(dim=1) > 1
    labels = rows.masked_fill(ended, -100)
    for _ in range(steps):
        pick = torch.randint(len(rows), (_BATCH,), generator=draw)
        loss = network(input_ids=rows[pick], labels=labels[pick]).loss
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()


def _tokenizer(texts: list[str]) -> object:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made


def _said(names: tuple[str, ...], places: np.ndarray) -> str:
    """What an engineer would say of the cell: who needs most, who can lend, and how it is on the whole."""
    need = places[:, 1] - places[:, 0]
    most, least = names[int(need.argmax())], names[int(need.argmin())]
    kept = int((places[:, 0] == len(prompt.QOS) - 1).sum())
    whole = (
        "all is well" if kept == len(names) else "nothing is kept" if not kept else f"{kept} of {len(names)} kept"
    )
    lends = f"{least} can lend" if need.min() < 0 else "nobody can lend"
    wants = f"{most} needs more" if need.max() > 0 else "nobody needs more"
    return f"{wants}, {lends}, {whole}."
