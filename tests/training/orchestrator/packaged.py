"""Packages of a model so small that a test can make them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from oran import model_package
from oran.model_package import Manifest
from rapps.orchestrator.grammar import FORM
from rapps.orchestrator.onnx_lm import INPUTS, OUTPUTS
from rapps.orchestrator.package import KIND
from tests.training.orchestrator.small import made
from training.orchestrator import shipping
from training.orchestrator.lm import Lm

MANIFEST = Manifest(
    name="tiny", version="0.1.0", kind=KIND, inputs=INPUTS, outputs=OUTPUTS, training={"form": FORM, "margin": 0.2}
)


@lru_cache
def lm() -> Lm:
    """The model, with weights as packages store them."""
    return shipping.rounded(made())


@lru_cache
def files() -> Mapping[str, bytes]:
    return shipping.files_of(made())


def write(folder: Path, manifest: Manifest = MANIFEST, **others: bytes) -> Path:
    """A package in a new folder, with some files replaced, by their names without the ending."""
    changed = {name: others.get(name.partition(".")[0], data) for name, data in files().items()}
    model_package.write(folder, manifest, changed)
    return folder
