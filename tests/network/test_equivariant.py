"""The building blocks against e3nn's own: matrices of O(3), linear maps, tensor products."""

from functools import partial

import pytest
import torch
from e3nn import o3

from molscore.network.config import hidden_irreps
from molscore.network.equivariant import ChannelProduct, EquivariantLinear, EquivariantNorm, GatedUpdate

IRREPS = o3.Irreps("6x0e + 4x0o + 4x1o + 4x1e + 4x2e + 4x2o")
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}


def normal(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def features(irreps: o3.Irreps, dtype: torch.dtype, seed: int = 0, atoms: tuple[int, int] = (2, 3)) -> list:
    """Random blocks ``(B, N, 2l + 1, multiplicity)``."""
    return [normal(*atoms, m.ir.dim, m.mul, dtype=dtype, seed=100 * seed + k) for k, m in enumerate(irreps)]


def flat(h: list[torch.Tensor]) -> torch.Tensor:
    """e3nn's own layout: channels outside, components inside, all blocks in a row."""
    return torch.cat([x.transpose(-1, -2).flatten(-2) for x in h], dim=-1)


def turned(h: list[torch.Tensor], irreps: o3.Irreps, inversion: int) -> list[torch.Tensor]:
    """Every block under its representation of one rotation, with or without inversion."""
    torch.set_default_dtype(torch.float64)  # which is how e3nn's generators, too, become exact
    try:
        angles = torch.tensor([0.3, 1.2, -0.7])
        matrices = [m.ir.D_from_angles(*angles, torch.tensor(inversion)) for m in irreps]
    finally:
        torch.set_default_dtype(torch.float32)
    return [d.to(x.dtype) @ x for d, x in zip(matrices, h, strict=True)]


@torch.no_grad()
@pytest.mark.parametrize("inversion", [0, 1])
@pytest.mark.parametrize("block", ["linear", "norm", "update"])
def test_blocks_are_equivariant(generic, dtype, block, inversion):
    function = {
        "linear": EquivariantLinear(IRREPS, IRREPS),
        "norm": EquivariantNorm(IRREPS, 5),
        "update": GatedUpdate(IRREPS),
    }[block]
    function = generic(function).to(dtype)
    if block == "norm":
        function = partial(function, condition=normal(2, 5, dtype=dtype, seed=1))
    h = features(IRREPS, dtype)
    out = function(h)
    expected = turned(out, IRREPS, inversion)
    for got, y in zip(function(turned(h, IRREPS, inversion)), expected, strict=True):
        assert y.abs().max() > 0.01
        torch.testing.assert_close(got, y, rtol=0, atol=TOLERANCE[dtype] * float(y.abs().max()))


@torch.no_grad()
def test_linear_is_that_of_e3nn(dtype):
    """Same map, up to e3nn's normalisation of the weights; blocks of one irrep are read as one."""
    irreps_in, irreps_out = o3.Irreps("5x0e + 3x1o + 2x0e + 4x1o"), o3.Irreps("2x1o + 3x0e")
    linear, theirs = EquivariantLinear(irreps_in, irreps_out).to(dtype), o3.Linear(irreps_in, irreps_out).to(dtype)
    for view, instruction in zip(theirs.weight_views(), theirs.instructions, strict=True):
        source, target = instruction.i_in, instruction.i_out
        before = sum(m.mul for m in irreps_in[:source] if m.ir == irreps_in[source].ir)
        own = linear.weights[target][:, before : before + irreps_in[source].mul]
        view.copy_(own.T / instruction.path_weight)
    h = features(irreps_in, dtype)
    expected = theirs(flat(h))
    torch.testing.assert_close(flat(linear(h)), expected, rtol=0, atol=TOLERANCE[dtype] * float(expected.abs().max()))


@torch.no_grad()
def test_linear_keeps_the_size_of_its_input():
    """Unit variance in, unit variance out, whatever the number of channels."""
    torch.manual_seed(0)
    irreps = o3.Irreps("64x0e + 64x0e + 16x1o")
    scalars, vectors = EquivariantLinear(irreps, o3.Irreps("400x0e + 400x1o"))(
        features(irreps, torch.float32, atoms=(4, 9))
    )
    # 36 atoms of 16 channels: the mean square of the vectors scatters by some 3.5 %.
    assert scalars.square().mean() == pytest.approx(1, abs=0.1)
    assert vectors.square().mean() == pytest.approx(1, abs=0.15)


def test_linear_has_no_path_from_nothing():
    with pytest.raises(ValueError, match="1o"):
        EquivariantLinear(o3.Irreps("4x0e"), o3.Irreps("2x1o"))


def test_product_is_that_of_e3nn(dtype):
    factors = o3.Irreps("4x0o + 4x1o + 4x1e + 4x2e")
    paths = [(i, j, ir) for i, a in enumerate(factors) for j, b in enumerate(factors) for ir in a.ir * b.ir]
    a, b = features(factors, dtype), features(factors, dtype, seed=1)
    out = flat(ChannelProduct(factors, paths).to(dtype)(a, b))
    expected = o3.TensorProduct(
        factors,
        factors,
        o3.Irreps([(4, ir) for *_, ir in paths]),
        [(i, j, k, "uuu", False) for k, (i, j, _) in enumerate(paths)],
        irrep_normalization="component",
        path_normalization="none",
    ).to(dtype)(flat(a), flat(b))
    # e3nn's own symbols are rounded to float32 in a module that is cast to float64.
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
    assert out.square().mean() > 0.1


def test_dot_and_cross_product(dtype):
    """The two products of vectors everyone knows, up to their constants."""
    factors = o3.Irreps("4x1o")
    product = ChannelProduct(factors, [(0, 0, o3.Irrep("0e")), (0, 0, o3.Irrep("1e"))]).to(dtype)
    a, b = features(factors, dtype, atoms=(1, 1)), features(factors, dtype, seed=1, atoms=(1, 1))
    dot, cross = product(a, b)
    a, b = a[0][0, 0].T, b[0][0, 0].T
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(dot.view(4), (a * b).sum(-1) / 3**0.5, rtol=0, atol=tolerance)
    torch.testing.assert_close(cross[0, 0].T.abs(), (torch.linalg.cross(a, b) / 2**0.5).abs(), rtol=0, atol=tolerance)


def test_norm_without_condition(dtype):
    """Zero condition weights, as at the start: scalars have mean 0 and variance 1, other blocks mean square norm 1."""
    norm = EquivariantNorm(IRREPS, 5).to(dtype)
    h = [7 * x + 2 for x in features(IRREPS, dtype)]
    first, *rest = norm(h, normal(2, 5, dtype=dtype))
    torch.testing.assert_close(first.mean(-1), torch.zeros_like(first.mean(-1)), rtol=0, atol=1e-5)
    torch.testing.assert_close(first.var(-1, correction=0), torch.ones_like(first.mean(-1)), rtol=0, atol=1e-4)
    for x in rest:
        square = x.square().sum(-2).mean(-1)
        torch.testing.assert_close(square, torch.ones_like(square), rtol=0, atol=1e-4)


def test_norm_sees_one_atom_at_a_time(generic, dtype):
    norm = generic(EquivariantNorm(IRREPS, 5)).to(dtype)
    h, condition = features(IRREPS, dtype, atoms=(3, 4)), normal(3, 5, dtype=dtype, seed=1)
    alone = norm([x[1:2, 2:3] for x in h], condition[1:2])
    for together, x in zip(norm(h, condition), alone, strict=True):
        torch.testing.assert_close(together[1:2, 2:3], x, rtol=0, atol=TOLERANCE[dtype])


def test_scalars_come_first():
    assert hidden_irreps("5x0e + 2x1o + 3x0o") == o3.Irreps("5x0e + 2x1o + 3x0o")
    for wrong in ("2x1o", "2x1o + 5x0e", "5x0e + 2x1o + 5x0e", "5x0e", "", "5x0e + 2x1o + 2x1o"):
        with pytest.raises(ValueError, match="begin with their only 0e block"):
            hidden_irreps(wrong)
