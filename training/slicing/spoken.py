"""Spoken: a package whose agent follows the operator's words, as the xApp hears them from A1 policies.

`words.onnx` reads a text and gives the weights that it stands for, `actor.onnx` takes them in the place of those
in its state. A text without words stands for the scenario's own weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from oran.model_package import Manifest, Metric, write
from oran.sla import SlaTargets
from training.slicing.export import ExportError, int8, loaded, manifest_of, require_same, to_onnx
from training.slicing.hearing import Heard, Reader, Sentences, merged, weights_of
from training.slicing.intents import KINDS
from training.slicing.llm import Llm
from training.slicing.networks import share_of
from training.slicing.sac import Sac
from twin.network.scenario import Scenario
from xapps.slicing.schema import ACTOR, TOKENIZER, WORDS
from xapps.slicing.state import FEATURES


class _Words(nn.Module):
    """Tokens of one text -> the weights that it stands for."""

    own: Tensor

    def __init__(self, readers: Sequence[Reader], own: np.ndarray) -> None:
        super().__init__()
        self.readers = nn.ModuleList(readers)
        encoder = readers[0].encoder
        assert isinstance(encoder, Sentences)
        self.llms = [_merged(reader) for reader in readers]
        # Registered here, so that their weights go into the file.
        self.networks = nn.ModuleList(llm.network for llm in self.llms)
        _, mask = encoder.llm.tokens([""])
        self.silence = int(mask.sum())
        self.register_buffer("own", torch.from_numpy(own))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """[1, length] twice -> [1, kinds]"""
        told = []
        for reader, llm in zip(self.readers, self.llms, strict=True):
            assert isinstance(reader, Reader)
            vectors = llm.read(torch.zeros(0, llm.width), tokens, mask)
            told.append(reader.told(vectors))
        silent = mask.sum(dim=1, keepdim=True) <= self.silence
        heard: Tensor = torch.where(silent, self.own, weights_of(torch.stack(told).mean(dim=0)))
        return heard.to(torch.float32)


class _Share(nn.Module):
    """Features of cells and the weights heard -> shares."""

    def __init__(self, sac: Sac, heard: Heard) -> None:
        super().__init__()
        self.heard, self.actor = heard, sac.actor

    def forward(self, state: Tensor, words: Tensor) -> Tensor:
        """[n, slices, FEATURES], [n, kinds] -> [n, slices]."""
        return share_of(self.actor.best(self.heard.with_weights(state, words)))


def package(
    sac: Sac,
    readers: Sequence[Reader],
    scenario: Scenario,
    folder: Path,
    *,
    metrics: Mapping[str, Metric] | None = None,
    small: bool = True,
) -> None:
    """Write it, `small` with the reader's weights in eight bits.

    Raises ExportError where slices are not the kinds that intents speak of, in their order, and unless the xApp's
    own loader gives the shares of the networks exported.
    """
    names = tuple(item.name for item in scenario.slices)
    if names != KINDS:
        raise ExportError(f"the slices are {', '.join(names)}; intents speak of {', '.join(KINDS)}")
    heard = sac.representation
    assert isinstance(heard, Heard)
    encoder = readers[0].encoder
    assert isinstance(encoder, Sentences)
    sac = sac.eval()
    own = SlaTargets.of(scenario.slas).weight
    read, share = _Words(readers, own).eval(), _Share(sac, heard).eval()
    tokens, mask = encoder.llm.tokens(["Protect URLLC above everything else."])
    text_free = {name: {1: "length"} for name in ("tokens", "mask")}
    state, weight = torch.rand(4, len(names), len(FEATURES)), torch.full((4, len(names)), 1.0 / len(names))
    files = {
        WORDS: to_onnx(read, {"tokens": tokens, "mask": mask}, "words", text_free),
        ACTOR: to_onnx(
            share, {"state": state, "words": weight}, "share", {name: {0: "n"} for name in ("state", "words")}
        ),
        TOKENIZER: encoder.llm.tokenizer_json,
    }
    manifest = manifest_of(sac.config, "pa-mrl-words", ("state", "words"), scenario.cells, metrics or {})
    _check(manifest, files, names, read, share, encoder, state)
    if small:
        files[WORDS] = int8(files[WORDS])
    write(folder, manifest, files)


@torch.no_grad()
def _check(
    manifest: Manifest,
    files: dict[str, bytes],
    names: tuple[str, ...],
    read: _Words,
    share: _Share,
    encoder: Sentences,
    state: Tensor,
) -> None:
    actor = loaded(manifest, files, names)
    for text in ("", "Sensors can wait."):
        actor.hear(text)
        wanted = share(state, read(*encoder.llm.tokens([text])).expand(len(state), -1)).numpy()
        require_same(actor.share(state.double().numpy()), wanted)


def _merged(reader: Reader) -> Llm:
    assert isinstance(reader.encoder, Sentences)
    llm = reader.encoder.llm
    return replace(llm, network=merged(llm.network))
