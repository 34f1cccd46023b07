"""Export: a trained agent becomes a model package that the xApp runs, checked against the network it came from."""

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from oran.model_package import Manifest, Metric, write
from training.provenance import commit, twin_version
from training.slicing.config import Config
from training.slicing.environment import Seen
from training.slicing.networks import share_of
from training.slicing.sac import Sac
from xapps.slicing.actor import Actor
from xapps.slicing.schema import ACTOR, CRITIC, INPUTS, KIND, OUTPUTS
from xapps.slicing.state import FEATURES

MOST_DIFFERENCE = 1e-4
"""Greatest difference in a share between the package and the network."""
OPSET = 18


class ExportError(RuntimeError):
    """A package that does not do what the network does."""


class _Share(nn.Module):
    """Features of cells -> shares."""

    def __init__(self, sac: Sac) -> None:
        super().__init__()
        self.representation, self.actor = sac.representation, sac.actor

    def forward(self, state: Tensor) -> Tensor:
        """[n, slices, FEATURES] -> [n, slices]."""
        levels = torch.zeros(*state.shape[:2], 2, dtype=torch.int64)
        return share_of(self.actor.best(self.representation(Seen.silent(state, levels))))


class _Value(nn.Module):
    """Features and shares of all cells -> the value of each, in units of the slicing reward."""

    def __init__(self, sac: Sac) -> None:
        super().__init__()
        self.representation, self.critics = sac.representation, sac.critics
        self.scale, self.gamma = sac.config.reward_scale, sac.config.gamma
        self.centre = float(sac.reward_centre)

    def forward(self, state: Tensor, share: Tensor) -> Tensor:
        """[1, cells, slices, FEATURES], [1, cells, slices] -> [1, cells]."""
        levels = torch.zeros(*state.shape[:3], 2, dtype=torch.int64)
        seen = self.representation(Seen.silent(state, levels))
        values = torch.stack([critic(seen, share) for critic in self.critics]).amin(dim=0)
        # The critics learnt centred and scaled rewards.
        return values / self.scale + self.centre / (1.0 - self.gamma)


def export(sac: Sac, config: Config, cells: int, slices: int, metrics: Mapping[str, Metric], folder: Path) -> None:
    """Write the package; ExportError unless the xApp's own loader gives the network's shares from it."""
    sac = sac.cpu().eval()
    state = torch.rand(4, slices, len(FEATURES))
    share = _onnx(_Share(sac), {"state": state}, "share", {"state": {0: "n", 1: "slices"}})
    joint = torch.rand(1, cells, slices, len(FEATURES))
    claims = torch.softmax(torch.rand(1, cells, slices), dim=-1)
    dynamic = {"state": {1: "cells", 2: "slices"}, "share": {1: "cells", 2: "slices"}}
    value = _onnx(_Value(sac), {"state": joint, "share": claims}, "value", dynamic)
    training = {name: item for name, item in asdict(config).items() if isinstance(item, str | int | float | bool)}
    manifest = Manifest(
        name=f"pa-mrl-{config.arm}",
        version="1.0.0",
        kind=KIND,
        inputs={"state": INPUTS["state"]},
        outputs=OUTPUTS,
        training={**training, "cells": cells},
        commit=commit(),
        twin_version=twin_version(),
        metrics=dict(metrics),
    )
    write(folder, manifest, {ACTOR: share, CRITIC: value})
    found = Actor.load(folder, tuple(map(str, range(slices)))).share(state.double().numpy())
    with torch.no_grad():
        wanted = _Share(sac)(state).numpy()
    difference = float(np.abs(found - wanted).max())
    if not difference <= MOST_DIFFERENCE:
        raise ExportError(f"{folder}: shares differ from the network's by up to {difference:.2g}")
    print(json.dumps({"package": str(folder), "difference": difference}))


def _onnx(network: nn.Module, inputs: dict[str, Tensor], output: str, free: dict[str, dict[int, str]]) -> bytes:
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
