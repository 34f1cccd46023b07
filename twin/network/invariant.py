"""Arithmetic whose last bit does not depend on the shape of the batch.

A CPU computes the bulk of a tensor with vector instructions and what is left over with scalar ones. For most
functions both round alike; for those replaced here they do not, and an environment would differ between batches.
"""

import functools
import math

import torch
from torch import Tensor


def ordered_sum(values: Tensor, dim: int) -> Tensor:
    """Sum over a short axis, one term after the other, so that the order never depends on the other axes."""
    return functools.reduce(torch.add, values.unbind(dim))


def logistic(values: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), at both ends exact as far as the type goes."""
    return (1.0 + torch.exp(-values)).reciprocal()


def from_db(level_db: Tensor) -> Tensor:
    """The ratio (or power) of a level in dB (or dBm)."""
    return torch.exp(level_db * (math.log(10.0) / 10.0))


def length(vector: Tensor) -> Tensor:
    """Euclidean length over the last axis, of two components."""
    return torch.sqrt(vector[..., 0].square() + vector[..., 1].square())
