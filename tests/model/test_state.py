"""Flat states and the noise of molecules."""

import math

import numpy as np
import pytest
import torch

from molscore.model.state import Layout, MoleculeState, Times, molecule_noise, pair_mask, size_mask, symmetric

LAYOUT = Layout(5, 3, 4)


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_pack_and_unpack():
    parts = MoleculeState(torch.randn(2, 5, 3), torch.randn(2, 5, 3), torch.randn(2, 5, 5, 4))
    z = LAYOUT.pack(parts)
    assert z.shape == (2, sum(LAYOUT.parts)) == (2, 15 + 15 + 100)
    for part, back in zip(parts, LAYOUT.unpack(z), strict=True):
        assert torch.equal(part, back)


def test_times_of_atoms_and_their_bonds():
    """A bond has the larger of its two atoms' times; flat and back they are the same."""
    generator = torch.Generator().manual_seed(0)
    times = Times.of_atoms(*torch.rand(2, 2, 3, 5, generator=generator))
    flat = LAYOUT.pack_times(times)
    assert flat.shape == (2, 3, sum(LAYOUT.parts))
    for part, back in zip(times, LAYOUT.unpack_times(flat), strict=True):
        assert torch.equal(part, back)
    x, a, e = LAYOUT.unpack(flat[1])
    for row in range(3):
        for i in range(5):
            assert (x[row, i] == times.x[1, row, i]).all() and (a[row, i] == times.graph[1, row, i]).all()
            for j in range(5):
                assert (e[row, i, j] == max(times.graph[1, row, i], times.graph[1, row, j])).all()


def test_times_may_be_those_of_molecules():
    t_x, t_g = torch.tensor([0.1, 0.2]), torch.tensor([0.8, 0.0])
    x, a, e = LAYOUT.unpack(LAYOUT.pack_times(Times.uniform(t_x, t_g, 5)))
    for k in range(2):
        assert (x[k] == t_x[k]).all() and (a[k] == t_g[k]).all() and (e[k] == t_g[k]).all()
    assert LAYOUT.pack_times(Times.uniform(t_x[0], t_g[0], 5)).shape == (sum(LAYOUT.parts),)


def test_noise_in_a_frame_keeps_its_mean():
    n_atoms, draws = [3, 5], [random(0), random(1)]
    x, *_ = LAYOUT.unpack(molecule_noise(LAYOUT, n_atoms, draws, [True, False]))
    centred, *_ = LAYOUT.unpack(molecule_noise(LAYOUT, n_atoms, [random(0), random(1)]))
    assert x[0].sum(0).abs().min() > 1e-3
    torch.testing.assert_close(x[0, :3] - x[0, :3].mean(0), centred[0, :3])
    assert torch.equal(x[1], centred[1])


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
    x, a, e = LAYOUT.unpack(molecule_noise(LAYOUT, n_atoms, [random(k) for k in range(3)]))
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
    frame = Layout(n, 3, 4)
    for _ in range(2):
        own = frame.unpack(molecule_noise(frame, [n], [alone]))
        x, a, e = LAYOUT.unpack(molecule_noise(LAYOUT, [5, n, 2], [random(1), crowd, random(2)]))
        assert torch.equal(own[0][0], x[1, :n])
        assert torch.equal(own[1][0], a[1, :n])
        assert torch.equal(own[2][0], e[1, :n, :n])
    assert not torch.equal(own[1], frame.unpack(molecule_noise(frame, [n], [random(8)]))[1])


def test_noise_is_standard_normal():
    """Mean 0, variance 1 per dimension of the subspace, no correlation, within five standard errors."""
    b, n = 2000, 4
    layout = Layout(n, 3, 4)
    x, a, e = layout.unpack(molecule_noise(layout, [n] * b, [random(k) for k in range(b)]))
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
        molecule_noise(LAYOUT, [3, 4], [random(0)])
