"""Irreps without e3nn are those of e3nn."""

import itertools

import pytest
import torch
from e3nn import o3 as theirs

from molscore.network import o3

TEXTS = ["128x0e + 16x1o", "1o", "4x2e+3x0o + 1x3o", " 12x0e ", "", "7x4e + 7x4e"]


@pytest.mark.parametrize("text", TEXTS)
def test_notation(text):
    own, expected = o3.Irreps(text), theirs.Irreps(text)
    assert own == expected and str(own) == str(expected) and own.num_irreps == expected.num_irreps
    assert [block.ir.dim for block in own] == [block.ir.dim for block in expected]
    assert o3.Irreps(expected) == o3.Irreps(own) == own == o3.Irreps([*own[:1], *own[1:]])


@pytest.mark.parametrize("text", ["8x0", "e", "0x", "2x1x0e", "1o + 1u", "nonsense"])
def test_what_is_no_notation(text):
    for irreps in (o3.Irreps, theirs.Irreps):
        with pytest.raises(ValueError, match="onvert|notation"):
            irreps(text)


def test_products():
    kinds = list(itertools.product(range(5), (1, -1)))
    for a, b in itertools.product(kinds, kinds):
        assert list(o3.Irrep(*a).products(o3.Irrep(*b))) == list(theirs.Irrep(*a) * theirs.Irrep(*b))


def test_numbers():
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    for ell in (1, 2, 3):
        expected = theirs.spherical_harmonics(ell, x, normalize=False, normalization="component")
        assert torch.equal(o3.spherical_harmonics(ell, x), expected)
    expected = theirs.wigner_3j(1, 2, 1, dtype=torch.float64)
    assert torch.equal(o3.wigner_3j(1, 2, 1, torch.float64), expected)
