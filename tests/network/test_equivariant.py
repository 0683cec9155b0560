"""The building blocks against e3nn's own: matrices of O(3), tensor products."""

from functools import partial

import pytest
import torch
from e3nn import o3

from molscore.network.equivariant import (
    ChannelProduct,
    EquivariantNorm,
    GatedUpdate,
    blocks,
    layout,
    scale_channels,
    split_scalars,
)

IRREPS = o3.Irreps("6x0e + 4x0o + 4x1o + 4x1e + 4x2e + 4x2o")
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}


def normal(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def matrices(irreps: o3.Irreps, dtype: torch.dtype) -> list[torch.Tensor]:
    """Representations of a rotation and of a rotation with inversion."""
    torch.set_default_dtype(torch.float64)  # which is how e3nn's generators, too, become exact
    try:
        return [irreps.D_from_angles(*torch.tensor([0.3, 1.2, -0.7]), torch.tensor(k)).to(dtype) for k in (0, 1)]
    finally:
        torch.set_default_dtype(torch.float32)


@torch.no_grad()
@pytest.mark.parametrize("block", ["norm", "update"])
def test_blocks_are_equivariant(generic, dtype, block):
    if block == "norm":
        function = partial(generic(EquivariantNorm(IRREPS, 5)).to(dtype), condition=normal(2, 5, dtype=dtype, seed=1))
    else:
        function = generic(GatedUpdate(IRREPS)).to(dtype)
    h = normal(2, 3, IRREPS.dim, dtype=dtype)
    out = function(h)
    for part in blocks(out, layout(IRREPS)):
        assert part.abs().max() > 0.01
    for matrix in matrices(IRREPS, dtype):
        torch.testing.assert_close(
            function(h @ matrix.T), out @ matrix.T, rtol=0, atol=TOLERANCE[dtype] * float(out.abs().max())
        )


def test_product_is_that_of_e3nn(dtype):
    factors = o3.Irreps("4x0o + 4x1o + 4x1e + 4x2e")
    paths = [(i, j, ir) for i, a in enumerate(factors) for j, b in enumerate(factors) for ir in a.ir * b.ir]
    a, b = normal(2, 3, factors.dim, dtype=dtype), normal(2, 3, factors.dim, dtype=dtype, seed=1)
    out = ChannelProduct(factors, paths).to(dtype)(a, b)
    expected = o3.TensorProduct(
        factors,
        factors,
        o3.Irreps([(4, ir) for *_, ir in paths]),
        [(i, j, k, "uuu", False) for k, (i, j, _) in enumerate(paths)],
        irrep_normalization="component",
        path_normalization="none",
    ).to(dtype)(a, b)
    # e3nn's own symbols are rounded to float32 in a module that is cast to float64.
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
    assert out.square().mean() > 0.1


def test_dot_and_cross_product(dtype):
    """The two products of vectors everyone knows, up to their constants."""
    factors = o3.Irreps("4x1o")
    product = ChannelProduct(factors, [(0, 0, o3.Irrep("0e")), (0, 0, o3.Irrep("1e"))]).to(dtype)
    a, b = normal(1, 1, 12, dtype=dtype), normal(1, 1, 12, dtype=dtype, seed=1)
    dot, cross = product(a, b).split([4, 12], dim=-1)
    a, b = a.view(4, 3), b.view(4, 3)
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(dot.view(4), (a * b).sum(-1) / 3**0.5, rtol=0, atol=tolerance)
    torch.testing.assert_close(
        cross.view(4, 3).abs(), (torch.linalg.cross(a, b) / 2**0.5).abs(), rtol=0, atol=tolerance
    )


def test_norm_without_condition(dtype):
    """Zero condition weights, as at the start: scalars have mean 0 and variance 1, other blocks mean square norm 1."""
    norm = EquivariantNorm(IRREPS, 5).to(dtype)
    h = 7 * normal(2, 3, IRREPS.dim, dtype=dtype) + 2
    first, *rest = blocks(norm(h, normal(2, 5, dtype=dtype)), layout(IRREPS))
    torch.testing.assert_close(first.mean(-2), torch.zeros_like(first.mean(-2)), rtol=0, atol=1e-5)
    torch.testing.assert_close(first.var(-2, correction=0), torch.ones_like(first.mean(-2)), rtol=0, atol=1e-4)
    for x in rest:
        square = x.square().sum(-1).mean(-1)
        torch.testing.assert_close(square, torch.ones_like(square), rtol=0, atol=1e-4)


def test_norm_sees_one_atom_at_a_time(generic, dtype):
    norm = generic(EquivariantNorm(IRREPS, 5)).to(dtype)
    h, condition = normal(3, 4, IRREPS.dim, dtype=dtype), normal(3, 5, dtype=dtype, seed=1)
    alone = norm(h[1:2, 2:3], condition[1:2])
    torch.testing.assert_close(norm(h, condition)[1:2, 2:3], alone, rtol=0, atol=TOLERANCE[dtype])


def test_channels_and_blocks():
    irreps = o3.Irreps("2x0e + 1x1o + 2x1o")
    h = torch.arange(1.0, 12.0)[None]
    scaled = scale_channels(h, torch.tensor([[1.0, 2, 10, 100, 1000]]), layout(irreps))
    assert scaled.tolist() == [[1, 4, 30, 40, 50, 600, 700, 800, 9000, 10000, 11000]]
    assert [x.shape[1:] for x in blocks(h, layout(irreps))] == [(2, 1), (1, 3), (2, 3)]


def test_scalars_come_first():
    assert split_scalars("5x0e + 2x1o + 3x0o") == (5, o3.Irreps("2x1o + 3x0o"))
    for wrong in ("2x1o", "2x1o + 5x0e", "5x0e + 2x1o + 5x0e", "5x0e", ""):
        with pytest.raises(ValueError, match="begin with their only 0e block and hold 1o"):
            split_scalars(wrong)
