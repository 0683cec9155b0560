"""Flat states and the noise of molecules."""

import math

import numpy as np
import pytest
import torch

from molscore.model.state import Shape, molecule_noise, pair_mask, size_mask, symmetric

SHAPE = Shape(5, 3, 4)


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_pack_and_unpack():
    parts = (torch.randn(2, 5, 3), torch.randn(2, 5, 3), torch.randn(2, 5, 5, 4))
    z = SHAPE.pack(*parts)
    assert z.shape == (2, sum(SHAPE.parts)) == (2, 15 + 15 + 100)
    for part, back in zip(parts, SHAPE.unpack(z), strict=True):
        assert torch.equal(part, back)


def test_clocks_tell_coordinates_from_graph():
    t_x, t_g = torch.tensor([0.1, 0.2]), torch.tensor([0.8, 0.9])
    clocks = SHAPE.clocks(t_x, t_g)
    assert clocks.shape == (2, sum(SHAPE.parts))
    x, a, e = SHAPE.unpack(clocks)
    for k in range(2):
        assert (x[k] == t_x[k]).all() and (a[k] == t_g[k]).all() and (e[k] == t_g[k]).all()
    assert SHAPE.clocks(t_x[0], t_g[0]).shape == (sum(SHAPE.parts),)


def test_symmetric_keeps_the_upper_triangle():
    e = torch.from_numpy(random(0).standard_normal((2, 4, 4, 3)))
    s = symmetric(e)
    assert torch.equal(s, s.transpose(1, 2))
    assert (s.diagonal(dim1=1, dim2=2) == 0).all()
    i, j = torch.triu_indices(4, 4, offset=1)
    assert torch.equal(s[:, i, j], e[:, i, j])


def test_masks():
    mask = size_mask([2, 3, 1])
    assert mask.tolist() == [[True, True, False], [True, True, True], [True, False, False]]
    assert pair_mask(mask).sum((1, 2)).tolist() == [2, 6, 0]
    assert not pair_mask(mask).diagonal(dim1=1, dim2=2).any()


def test_noise_lives_where_molecules_do():
    n_atoms = [3, 5, 1]
    x, a, e = SHAPE.unpack(molecule_noise(SHAPE, n_atoms, [random(k) for k in range(3)]))
    mask = size_mask(n_atoms)
    assert x.sum(1).abs().max() < 1e-6
    assert (x[2] == 0).all() and (a[2, 0] != 0).all()
    assert torch.equal(e, e.transpose(1, 2))
    assert (e[~pair_mask(mask)] == 0).all() and (e[pair_mask(mask)] != 0).all()
    for part in (x, a):
        assert (part[~mask] == 0).all() and (part[:2][mask[:2]] != 0).all()


@pytest.mark.parametrize("n", [1, 3, 5])
def test_noise_depends_on_the_molecules_generator_alone(n):
    """Alone, or in a larger frame among others: the same numbers; and the next draw goes on from the same place."""
    alone, crowd = random(7), random(7)
    frame = Shape(n, 3, 4)
    for _ in range(2):
        own = frame.unpack(molecule_noise(frame, [n], [alone]))
        x, a, e = SHAPE.unpack(molecule_noise(SHAPE, [5, n, 2], [random(1), crowd, random(2)]))
        assert torch.equal(own[0][0], x[1, :n])
        assert torch.equal(own[1][0], a[1, :n])
        assert torch.equal(own[2][0], e[1, :n, :n])
    assert not torch.equal(own[1], frame.unpack(molecule_noise(frame, [n], [random(8)]))[1])


def test_noise_is_standard_normal():
    """Mean 0, variance 1 per dimension of the subspace, no correlation, within five standard errors."""
    b, n = 2000, 4
    shape = Shape(n, 3, 4)
    x, a, e = shape.unpack(molecule_noise(shape, [n] * b, [random(k) for k in range(b)]))
    i, j = torch.triu_indices(n, n, offset=1)
    assert_normal(a.flatten())
    assert_normal(e[:, i, j].flatten())
    # Helmert's matrix: orthonormal coordinates of the zero-mean subspace, in which the noise must be white.
    q, _ = torch.linalg.qr(torch.cat([torch.ones(n, 1), torch.eye(n)[:, : n - 1]], dim=1))
    white = torch.einsum("bnx,nm->bmx", x, q[:, 1:]).flatten(1)
    assert_normal(white.flatten())
    correlation = torch.corrcoef(torch.cat([white, a.flatten(1), e[:, i, j].flatten(1)], dim=1).T)
    off = correlation - torch.eye(len(correlation))
    assert off.abs().max() < 5 / math.sqrt(b)


def assert_normal(numbers: torch.Tensor) -> None:
    m = len(numbers)
    assert abs(numbers.mean()) < 5 / math.sqrt(m)
    assert abs(numbers.var() - 1) < 5 * math.sqrt(2 / m)
    assert abs((numbers**4).mean() - 3) < 5 * math.sqrt(96 / m)


def test_one_generator_for_each_molecule():
    with pytest.raises(ValueError):
        molecule_noise(SHAPE, [3, 4], [random(0)])
