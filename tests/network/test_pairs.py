"""Pair features: the folded forms against the plain ones."""

import torch
from torch import nn

from molscore.network.pairs import CentredLinear, PairNorm, embedded_pairs, hidden_pairs, updated_pairs

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


def normal(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def less_mean(e: torch.Tensor) -> torch.Tensor:
    return e - e.mean(-1, keepdim=True)


@torch.no_grad()
def test_pair_features_are_linear_maps_less_their_mean(generic, dtype):
    first, second = generic(CentredLinear(5 + 3, 6)).to(dtype), generic(CentredLinear(4, 6), seed=1).to(dtype)
    pairs, others, m = (
        normal(*shape, dtype=dtype, seed=k) for k, shape in enumerate([(2, 4, 4, 5), (3, 2, 4, 4), (2, 4, 4, 4)])
    )
    plain = nn.functional.linear(torch.cat([pairs, others.movedim(0, -1)], dim=-1), first.weight, first.bias)
    e = embedded_pairs(first, pairs, others)
    torch.testing.assert_close(e, less_mean(plain), rtol=0, atol=TOLERANCE[dtype])
    updated, before = updated_pairs(second, e, m), e.clone()
    plain = plain + nn.functional.linear(m, second.weight, second.bias)
    torch.testing.assert_close(updated, less_mean(plain), rtol=0, atol=TOLERANCE[dtype])
    assert (e == before).all()


def test_hidden_pairs_is_a_layer_norm_and_a_linear_map(generic, dtype):
    """Values and gradients."""
    norm, layer = generic(PairNorm(6)).to(dtype), generic(nn.Linear(6 + 5, 7), seed=1).to(dtype)
    e = less_mean(normal(2, 4, 4, 6, dtype=dtype)).requires_grad_()
    others = normal(5, 2, 4, 4, dtype=dtype, seed=5)
    left, right = (normal(2, 4, 7, dtype=dtype, seed=k) for k in (8, 9))
    plain = nn.functional.layer_norm(e, (6,), norm.weight, norm.bias)
    plain = layer(torch.cat([plain, others.movedim(0, -1)], dim=-1))
    plain = nn.functional.silu(plain + left[:, :, None] + right[:, None])
    folded = hidden_pairs(norm, layer, e, others, left, right)
    torch.testing.assert_close(folded, plain, rtol=0, atol=TOLERANCE[dtype])
    parameters = [e, *norm.parameters(), *layer.parameters()]
    weights = normal(*plain.shape, dtype=dtype, seed=3)
    gradients = torch.autograd.grad((folded * weights).sum(), parameters)
    for k, (got, expected) in enumerate(
        zip(gradients, torch.autograd.grad((plain * weights).sum(), parameters), strict=True)
    ):
        got = less_mean(got) if k == 0 else got  # along the mean, which pair features do not have, they may differ
        limit = 10 * TOLERANCE[dtype] * float(expected.abs().max())
        torch.testing.assert_close(got, expected, rtol=0, atol=limit)


@torch.no_grad()
def test_equal_channels_are_no_singularity(dtype):
    norm, layer = PairNorm(6).to(dtype), nn.Linear(6 + 1, 7).to(dtype)
    e, others = torch.zeros(1, 2, 2, 6, dtype=dtype), torch.zeros(1, 1, 2, 2, dtype=dtype)
    ends = torch.zeros(1, 2, 7, dtype=dtype)
    assert hidden_pairs(norm, layer, e, others, ends, ends).isfinite().all()
