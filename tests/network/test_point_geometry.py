"""Geometry of padded point clouds."""

import pytest
import torch
from e3nn import o3

from molscore.network.geometry import (
    SOFTENING,
    Neighbours,
    centre,
    neighbour_basis,
    pair_vectors,
    radial_basis,
    soft_lengths,
)


def cloud(dtype, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)
    return x + 4, torch.arange(5) < torch.tensor([[3], [5]])


def test_centre_leaves_out_padding(dtype):
    x, mask = cloud(dtype)
    y = centre(x, mask)
    assert (y[~mask] == 0).all()
    assert y.sum(1).abs().max() < 1e-5
    torch.testing.assert_close(y[0, :3], x[0, :3] - x[0, :3].mean(0))
    torch.testing.assert_close(centre(y, mask), y)


def test_distances(dtype):
    x, _ = cloud(dtype)
    d = soft_lengths(pair_vectors(x))
    true = torch.linalg.norm(x[:, :, None] - x[:, None], dim=-1)
    torch.testing.assert_close(d.square(), true.square() + SOFTENING)


@pytest.mark.parametrize("degrees", [(1,), (2, 1), (3,), ()])
def test_basis_of_neighbours_is_one_and_spherical_harmonics(dtype, degrees):
    x, mask = cloud(dtype)
    r = pair_vectors(x)
    d = soft_lengths(r)
    direction = (x[:, :, None] - x[:, None]) / d[..., None]
    count = torch.tensor([3.0, 5.0], dtype=dtype)[:, None, None, None]
    expected = [torch.ones_like(direction[..., :1]) / count]
    for ell in degrees:
        y = o3.spherical_harmonics(ell, direction, normalize=False, normalization="component")
        expected.append(y / count.sqrt())
    expected = torch.cat(expected, dim=-1) * mask[:, None, :, None]
    basis = neighbour_basis(r, d, Neighbours.of(mask, dtype), degrees)
    assert basis.shape == (2, 5, sum(2 * ell + 1 for ell in (0, *degrees)), 5)
    torch.testing.assert_close(basis, expected.movedim(-1, 2), rtol=0, atol=1e-5 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("ell", [1, 2])
def test_gradient_where_two_atoms_meet(dtype, ell):
    x = torch.zeros(1, 2, 3, dtype=dtype, requires_grad=True)
    r = pair_vectors(x)
    d = soft_lengths(r)
    (d.sum() + neighbour_basis(r, d, Neighbours.of(torch.ones(1, 2) > 0, dtype), [ell]).sum()).backward()
    assert x.grad.isfinite().all()


def test_radial_basis_tells_distances_apart(dtype):
    """Fine where bonds are: 0.02 Å apart (of 1.4 Å a unit) is seen at a bond's length, and decay at a distance."""
    d = torch.tensor([1.0, 1.0 + 0.02 / 1.4, 3.0, 30.0, 300.0], dtype=dtype)
    basis = radial_basis(d, 12)
    assert basis.dtype == dtype and basis.shape == (12, 5)
    assert 0 <= basis.min() and basis.max() <= 1
    assert (basis[:, 0] - basis[:, 1]).abs().max() > 0.05
    assert (basis[:, 3] - basis[:, 4]).abs().max() < 1e-3


@pytest.mark.parametrize("number", [1, 10])
def test_radial_basis_formula(number):
    d = torch.linspace(0.1, 5, 7, dtype=torch.float64)
    expected = [[max(-30.0, -((torch.exp(-r / 1.5) * (number + 1) - k) ** 2)) for k in range(1, number + 1)] for r in d]
    torch.testing.assert_close(radial_basis(d, number), torch.tensor(expected, dtype=torch.float64).exp().T)
