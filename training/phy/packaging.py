"""Packaging: a trained network becomes a model package."""

import subprocess
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from torch import nn

from oran.model_package import Manifest, write


def package(network: nn.Module, manifest: Manifest, folder: Path) -> None:
    """Write a network's weights and its manifest, the commit and twin version filled in."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    try:
        twin_version = version("ranloop")
    except PackageNotFoundError:
        twin_version = ""
    told = replace(manifest, commit=head.stdout.strip(), twin_version=twin_version)
    write(folder, told, {"model.safetensors": save(tensors)})
    print(f"{folder}: {sum(tensor.numel() for tensor in tensors.values())} weights")
