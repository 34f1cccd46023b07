"""Packaging: a trained network becomes a model package."""

from dataclasses import replace
from pathlib import Path

from torch import nn

from oran.model_package import Manifest, write
from training.provenance import commit, twin_version


def package(network: nn.Module, manifest: Manifest, folder: Path) -> None:
    """Write a network's weights and its manifest, the commit and twin version filled in."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    told = replace(manifest, commit=commit(), twin_version=twin_version())
    write(folder, told, {"model.safetensors": save(tensors)})
    print(f"{folder}: {sum(tensor.numel() for tensor in tensors.values())} weights")
