"""Linear maps: the same numbers from either library, and gradients where they are wanted."""

import pytest
import torch
from torch import nn

from molscore.network.linear import LARGE, Linear, linear


def normal(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@torch.no_grad()
@pytest.mark.parametrize("shape", [(3, 5, 40), (7, 90, 1, 64), (700, 40), (1, 40)], ids=str)
@pytest.mark.parametrize("biased", [True, False])
def test_they_are_those_of_pytorch(dtype, shape, biased):
    x, weight = normal(*shape, dtype=dtype), normal(48, shape[-1], dtype=dtype, seed=1)
    bias = normal(48, dtype=dtype, seed=2) if biased else None
    tolerance = {"rtol": 0, "atol": 2e-5 if dtype == torch.float32 else 1e-12}
    torch.testing.assert_close(linear(x, weight, bias), nn.functional.linear(x, weight, bias), **tolerance)


@torch.no_grad()
def test_parts_of_larger_tensors():
    """Neither the input nor the weights need lie side by side."""
    x, weight = normal(64, 900).T[:, ::2], normal(48, 70, seed=1)[:, 5:37]
    assert x.numel() * len(weight) >= LARGE
    torch.testing.assert_close(linear(x, weight), x @ weight.T, rtol=0, atol=2e-5)


def test_large_ones_have_gradients():
    layer, x = Linear(64, 64), normal(400, 64).requires_grad_()
    assert x.numel() * len(layer.weight) >= LARGE
    gradients = torch.autograd.grad(layer(x).square().sum(), [x, *layer.parameters()])
    plain = torch.autograd.grad(
        nn.functional.linear(x, layer.weight, layer.bias).square().sum(), [x, *layer.parameters()]
    )
    for got, expected in zip(gradients, plain, strict=True):
        torch.testing.assert_close(got, expected)
