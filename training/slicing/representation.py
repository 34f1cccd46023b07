"""Representation: what an actor is given for what its cell looks like, [..., slices, width]."""

import torch
from torch import Tensor, nn

from training.slicing.environment import Seen
from xapps.slicing.state import FEATURES


class Representation(nn.Module):
    """The numbers alone, standardised: the arm without a language model."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.width = len(FEATURES)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))

    def fit(self, features: Tensor) -> None:
        """Take mean and deviation from features seen [..., features]."""
        flat = features.reshape(-1, self.width)
        self.mean.copy_(flat.mean(dim=0))
        self.deviation.copy_(flat.std(dim=0).clamp(min=0.02))

    def forward(self, seen: Seen) -> Tensor:
        """[..., slices, features] -> [..., slices, width]."""
        standard: Tensor = (seen.features - self.mean) / self.deviation
        return standard
