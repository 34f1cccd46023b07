"""Arithmetic is the same to the last bit whatever the batch, at sizes that leave vector registers half full."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from twin.network.invariant import from_db, length, logistic, ordered_sum


@pytest.mark.parametrize(
    "function",
    [
        logistic,
        from_db,
        lambda x: ordered_sum(x, dim=1),
        lambda x: length(x.transpose(1, 2)),
        torch.special.ndtr,
        torch.special.bessel_j0,
        torch.log10,
        lambda x: x.cumsum(dim=-1),
        lambda x: x.double().sum(dim=-1, keepdim=True),
        lambda x: x.abs().log(),
        lambda x: x.cos(),
        lambda x: x.sin(),
        lambda x: x.abs().sqrt(),
        lambda x: torch.expm1(x),
        lambda x: torch.special.ndtri(torch.special.ndtr(x.double())),
        lambda x: torch.lerp(x, x + 1.0, x),
    ],
)
@pytest.mark.parametrize("ues", [1, 3, 41, 64, 151])
def test_alone_is_as_in_the_batch(function: Callable[[Tensor], Tensor], ues: int) -> None:
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(9, 5, ues, generator=generator).mul(5)
    together = function(batch)
    for row in range(9):
        alone = function(batch[row : row + 1].clone())[0]
        assert torch.equal(torch.nan_to_num(alone), torch.nan_to_num(together[row]))


def test_they_are_what_they_say() -> None:
    x = torch.linspace(-90, 90, 1001)
    assert torch.allclose(logistic(x), torch.sigmoid(x))
    assert torch.allclose(
        from_db(torch.tensor([-30.0, 0.0, 10.0, 3.0])), torch.tensor([1e-3, 1.0, 10.0, 1.9952623])
    )
    assert torch.allclose(ordered_sum(torch.ones(2, 7, 3), dim=1), torch.full((2, 3), 7.0))
    assert length(torch.tensor([3.0, 4.0])).item() == 5.0
