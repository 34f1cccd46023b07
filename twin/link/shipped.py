"""Shipped networks: a model package becomes the network that it was written from."""

from pathlib import Path
from typing import TypeVar

from torch import nn

from oran.model_package import load

Network = TypeVar("Network", bound=nn.Module)
WEIGHTS = "model.safetensors"


def shipped(network: Network, folder: Path, kind: str, device: str) -> Network:
    """Fill a network with a package's verified weights; PackageError where it is absent or was changed."""
    from safetensors.torch import load as read_tensors

    _, files = load(folder, kind=kind)
    network.load_state_dict(read_tensors(files[WEIGHTS]))
    return network.to(device).eval()
