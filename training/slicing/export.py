"""Export: a trained agent becomes a model package that the xApp runs, checked against the network it came from.

An agent with a language model has three forms. `distilled` has a small network in the model's place, and ships.
`full` holds the LLM with its learnable tokens and reads the prompt, operator's words included; `int8` is the same
with weights of eight bits. Agents without one have one form, which goes by the name `distilled` too.
"""

import copy
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from oran.model_package import Manifest, Metric, write
from training.provenance import commit, twin_version
from training.slicing import arms, fidelity
from training.slicing.config import Config
from training.slicing.distil import distil
from training.slicing.environment import Environment, Seen
from training.slicing.language import Language
from training.slicing.llm import Llm, load
from training.slicing.networks import share_of
from training.slicing.representation import Fused, Representation
from training.slicing.sac import Sac
from twin.network import library
from xapps.slicing import prompt
from xapps.slicing.actor import Actor
from xapps.slicing.drift import reference_of
from xapps.slicing.schema import ACTOR, CRITIC, INPUTS, KIND, OUTPUTS, REFERENCE, TOKENIZER
from xapps.slicing.state import FEATURES

Form = Literal["distilled", "int8", "full"]
FORMS: tuple[Form, ...] = ("distilled", "int8", "full")
MOST_DIFFERENCE = 1e-4
"""Greatest difference in a share between the package and the network that was exported."""
OPSET = 18
VERSION = "1.0.0"
Tell = Callable[[str], None]


class ExportError(RuntimeError):
    """A package that does not do what the network does, or a form that an agent does not have."""


class _Share(nn.Module):
    """Features of cells -> shares."""

    def __init__(self, sac: Sac, representation: Representation) -> None:
        super().__init__()
        self.representation, self.actor = representation, sac.actor

    def forward(self, state: Tensor) -> Tensor:
        """[n, slices, FEATURES] -> [n, slices]."""
        return share_of(self.actor.best(self.representation(_seen(state))))


class _ReadingShare(nn.Module):
    """Features and prompts of cells -> shares."""

    def __init__(self, sac: Sac, fused: Fused, language: Language) -> None:
        super().__init__()
        self.fused, self.actor, self.tokens = fused, sac.actor, language.tokens
        self.llm = language.llm
        # Registered here, so that its weights go into the file.
        self.network = language.llm.network

    def forward(self, state: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """[n, slices, FEATURES], [n, length] twice -> [n, slices]."""
        told = self.fused.standard(self.llm.read(self.tokens, tokens, mask))
        return share_of(self.actor.best(self.fused.fuse(self.fused.numbers(_seen(state)), told)))


class _Value(nn.Module):
    """Features and shares of all cells -> the value of each, in units of the slicing reward."""

    def __init__(self, sac: Sac, representation: Representation) -> None:
        super().__init__()
        self.representation, self.critics = representation, sac.critics
        self.scale, self.gamma = sac.config.reward_scale, sac.config.gamma
        self.centre = float(sac.reward_centre)

    def forward(self, state: Tensor, share: Tensor) -> Tensor:
        """[1, cells, slices, FEATURES], [1, cells, slices] -> [1, cells]."""
        seen = self.representation(_seen(state))
        values = torch.stack([critic(seen, share) for critic in self.critics]).amin(dim=0)
        # The critics learnt centred and scaled rewards.
        return values / self.scale + self.centre / (1.0 - self.gamma)


def export(
    sac: Sac,
    config: Config,
    metrics: Mapping[str, Metric],
    folder: Path,
    *,
    form: Form = "distilled",
    critic: bool = True,
    method: Mapping[str, str | int | float | bool] | None = None,
    tell: Tell = lambda text: None,
) -> None:
    """Write the package, with its fidelity and latency in the manifest; without `critic` where none was trained.

    What `method` tells of the training stands in the manifest beside its configuration.
    Raises ExportError unless the xApp's own loader gives the exported network's shares from it.
    """
    if form != "distilled" and sac.representation.language is None:
        raise ExportError(f"the arm {config.arm} has no language model, so it has no form {form}; take distilled")
    sac = copy.deepcopy(sac).cpu().eval()
    scenario = library.load(config.scenario)
    names = tuple(item.name for item in scenario.slices)
    environment = Environment(scenario, fidelity.NETWORKS)
    language = _exact(sac, config)
    tell("collecting states that the agent comes to see")
    seeds = range(fidelity.SEED, fidelity.SEED + fidelity.NETWORKS)
    states = fidelity.visited(environment, arms.learnt(sac), seeds, fidelity.STEPS)
    light: Representation = sac.representation
    if language is not None and (critic or form == "distilled"):
        tell("teaching a small network what the language model says")
        assert isinstance(light, Fused)
        light = distil(light, len(names), config.seed)
    files = {REFERENCE: reference_of(states)}
    if critic:
        files[CRITIC] = _critic(sac, light, scenario.cells, len(names))
    if form == "distilled":
        share = _Share(sac, light)
        free = {"state": {0: "n", **_free_slices(light, 1)}}
        files[ACTOR] = to_onnx(share, {"state": torch.rand(4, len(names), len(FEATURES))}, "share", free)
        wanted = _all(lambda rows: share(rows), states)
        inputs: tuple[str, ...] = ("state",)
    else:
        assert language is not None
        files[ACTOR], wanted = _reading(sac, language, names, states)
        files[TOKENIZER] = language.llm.tokenizer_json
        inputs = ("state", "tokens", "mask")
    version = VERSION if form == "distilled" else f"{VERSION}-{form}"
    told = {"form": form, **(method or {})}
    manifest = manifest_of(
        config, f"pa-mrl-{config.arm}", inputs, scenario.cells, metrics, version=version, more=told
    )
    require_same(_served(loaded(manifest, files, names), states), wanted)
    if form == "int8":
        files[ACTOR] = int8(files[ACTOR])
    tell("measuring what the package loses, and how long it takes")
    actor = loaded(manifest, files, names)
    asked = _all(lambda rows: share_of(sac.act(sac.representation(_seen(rows)))), states)
    found = {
        "share_difference": fidelity.difference(_served(actor, states), asked),
        **fidelity.cost(environment, sac, actor),
        **fidelity.latency(actor, states),
    }
    write(folder, replace(manifest, metrics={**metrics, **found}), files)


def _exact(sac: Sac, config: Config) -> Language | None:
    """The language model in full precision, whatever it was trained in, every prompt read anew."""
    language = sac.representation.language
    if language is not None:
        language.llm = load(config.llm)
        language.refresh()
    return language


def _critic(sac: Sac, representation: Representation, cells: int, slices: int) -> bytes:
    joint = torch.rand(1, cells, slices, len(FEATURES))
    claims = torch.softmax(torch.rand(1, cells, slices), dim=-1)
    free = {name: {1: "cells", **_free_slices(representation, 2)} for name in ("state", "share")}
    return to_onnx(_Value(sac, representation), {"state": joint, "share": claims}, "value", free)


def _reading(sac: Sac, language: Language, names: tuple[str, ...], states: np.ndarray) -> tuple[bytes, np.ndarray]:
    """The network that reads prompts, and its shares of the states' cells."""
    assert isinstance(sac.representation, Fused)
    share = _ReadingShare(sac, sac.representation, language)
    some = torch.from_numpy(states[:4])
    tokens, mask = _told(language.llm, names, some)
    free = {"state": {0: "n"}, "tokens": {0: "n", 1: "length"}, "mask": {0: "n", 1: "length"}}
    made = to_onnx(share, {"state": some, "tokens": tokens, "mask": mask}, "share", free)
    return made, _all(lambda rows: share(rows, *_told(language.llm, names, rows)), states)


def _told(llm: Llm, names: tuple[str, ...], states: Tensor) -> tuple[Tensor, Tensor]:
    return llm.tokens([prompt.text(names, places.numpy()) for places in prompt.levels(states)])


def _seen(state: Tensor) -> Seen:
    return Seen.silent(state, prompt.levels(state))


def manifest_of(
    config: Config,
    name: str,
    inputs: Iterable[str],
    cells: int,
    metrics: Mapping[str, Metric],
    *,
    version: str = VERSION,
    more: Mapping[str, str | int | float | bool] | None = None,
) -> Manifest:
    """What a package says of itself; `more` stands beside the training's configuration."""
    training = {
        field: item for field, item in asdict(config).items() if isinstance(item, str | int | float | bool)
    }
    return Manifest(
        name=name,
        version=version,
        kind=KIND,
        inputs={part: INPUTS[part] for part in inputs},
        outputs=OUTPUTS,
        training={**training, "cells": cells, **(more or {})},
        commit=commit(),
        twin_version=twin_version(),
        metrics=dict(metrics),
    )


def require_same(found: np.ndarray, wanted: np.ndarray) -> None:
    """Refuse a package whose shares are not those of the network that was exported; raises ExportError."""
    off = float(np.abs(found - wanted).max())
    if not off <= MOST_DIFFERENCE:
        raise ExportError(f"shares of the package differ from the network's by up to {off:.2g}")


def loaded(manifest: Manifest, files: dict[str, bytes], names: tuple[str, ...]) -> Actor:
    """The package as the xApp would load it."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "package", manifest, files)
        return Actor.load(Path(folder) / "package", names)


def _served(actor: Actor, states: np.ndarray) -> np.ndarray:
    parts = [actor.share(part.astype(np.float64)) for part in np.array_split(states, max(1, len(states) // 64))]
    return np.concatenate(parts)


@torch.no_grad()
def _all(share: Callable[[Tensor], Tensor], states: np.ndarray) -> np.ndarray:
    return torch.cat([share(part) for part in torch.split(torch.from_numpy(states), 64)]).numpy()


def int8(data: bytes) -> bytes:
    """The same network with weights of eight bits, activations as they come (dynamic quantisation)."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load_from_string(data)
    # The exporter's notes on shapes stand in the way of the quantiser's own.
    del model.graph.value_info[:]
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "full.onnx", Path(folder) / "int8.onnx"
        before.write_bytes(model.SerializeToString())
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.ERROR)
        try:
            quantize_dynamic(before, after, weight_type=QuantType.QInt8)
        finally:
            root.setLevel(level)
        return after.read_bytes()


def _free_slices(representation: Representation, axis: int) -> dict[int, str]:
    """Numbers are the same for any number of slices; what stands beside them is of those that were trained."""
    return {axis: "slices"} if type(representation) is Representation else {}


def to_onnx(network: nn.Module, inputs: dict[str, Tensor], output: str, free: dict[str, dict[int, str]]) -> bytes:
    """The network as ONNX; `free` names the axes of any length."""
    shapes = {name: {axis: torch.export.Dim(label) for axis, label in axes.items()} for name, axes in free.items()}
    with warnings.catch_warnings():
        # The exporter warns of its own libraries' future, and of axes that share a name, as they should.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network.eval(),
            kwargs=inputs,
            output_names=[output],
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    made: bytes = program.model_proto.SerializeToString()
    return made
