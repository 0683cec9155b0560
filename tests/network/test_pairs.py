"""Pair features: the folded forms against the plain ones."""

import pytest
import torch
from torch import nn

from molscore.network.pairs import PairLinear, PairNorm, hidden_pairs

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


def normal(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@torch.no_grad()
def test_linear_map_of_channels(dtype):
    linear, e = PairLinear(5, 3).to(dtype), normal(5, 2, 4, 4, dtype=dtype)
    expected = nn.functional.linear(e.movedim(0, -1), linear.weight, linear.bias).movedim(-1, 0)
    torch.testing.assert_close(linear(e), expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_hidden_pairs_is_a_layer_norm_and_a_linear_map(generic, dtype, offset):
    """Values and gradients, also where the mean of the channels is far from zero."""
    norm, linear = generic(PairNorm(6)).to(dtype), PairLinear(6 + 3 + 2, 7).to(dtype)
    e = (normal(6, 2, 4, 4, dtype=dtype) + offset).requires_grad_()
    others = [normal(c, 2, 4, 4, dtype=dtype, seed=c) for c in (3, 2)]
    left, right = (normal(7, 2, 4, dtype=dtype, seed=k) for k in (8, 9))
    plain = nn.functional.layer_norm(e.movedim(0, -1), (6,), norm.weight, norm.bias)
    plain = linear.weight @ torch.cat([plain.movedim(-1, 0), *others]).flatten(1) + linear.bias[:, None]
    plain = nn.functional.silu(plain.view(7, 2, 4, 4) + left[..., None] + right[:, :, None])
    folded = hidden_pairs(norm, linear, e, others, left, right)
    torch.testing.assert_close(folded, plain, rtol=0, atol=TOLERANCE[dtype] * (1 + offset))
    parameters = [e, *norm.parameters(), *linear.parameters()]
    weights = normal(*plain.shape, dtype=dtype, seed=3)
    for got, expected in zip(
        torch.autograd.grad((folded * weights).sum(), parameters),
        torch.autograd.grad((plain * weights).sum(), parameters),
        strict=True,
    ):
        limit = 10 * TOLERANCE[dtype] * (1 + offset) * float(expected.abs().max())
        torch.testing.assert_close(got, expected, rtol=0, atol=limit)


@torch.no_grad()
def test_equal_channels_are_no_singularity(dtype):
    norm, linear = PairNorm(6).to(dtype), PairLinear(6 + 1, 7).to(dtype)
    e, other = torch.full((6, 1, 2, 2), 3.0, dtype=dtype), torch.zeros(1, 1, 2, 2, dtype=dtype)
    ends = torch.zeros(7, 1, 2, dtype=dtype)
    assert hidden_pairs(norm, linear, e, [other], ends, ends).isfinite().all()
