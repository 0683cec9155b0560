"""Traces and rotations of Jacobians against fields whose Jacobians are known."""

import pytest
import torch
from analytic import PLANE_MODES, SDES

from molscore.core.divergence import estimated_divergence, exact_divergence, rademacher, rotation

W = torch.tensor([[-1.0, 0.4, 0.0], [-0.6, -2.0, 0.3], [0.1, 0.5, 0.7]], dtype=torch.float64)


def linear(z):
    return z @ W.T


def curved(z):
    """Jacobian: cos on the diagonal, and a product in the corner."""
    return torch.sin(z) + torch.stack([z[:, 1] * z[:, 2], torch.zeros(len(z)).to(z), torch.zeros(len(z)).to(z)], dim=1)


@pytest.fixture
def z():
    return torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_exact_divergence(z):
    value, divergence = exact_divergence(linear, z)
    torch.testing.assert_close(value, linear(z))
    torch.testing.assert_close(divergence, W.trace().expand(7))
    torch.testing.assert_close(exact_divergence(curved, z)[1], torch.cos(z).sum(1))


def test_the_shape_of_a_sample_does_not_matter(z):
    shaped = z.reshape(7, 1, 3)
    torch.testing.assert_close(exact_divergence(lambda x: curved(x[:, 0])[:, None], shaped)[1], torch.cos(z).sum(1))


def test_estimates_are_unbiased_with_the_predicted_variance(z):
    """v' W v has the variance sum over i != j of (W_ij + W_ji)² / 2 for Rademacher probes."""
    n = 20_000
    probes = rademacher((n, 7, 3), torch.Generator().manual_seed(1), z)
    assert set(probes.unique().tolist()) == {-1.0, 1.0}
    estimates = estimated_divergence(linear, z, probes)[1]
    both = W + W.T
    variance = (both - torch.diag(both.diag())).square().sum() / 2
    assert abs(estimates.mean() - W.trace()) < 4 * (variance / estimates.numel()) ** 0.5
    assert estimates.var() == pytest.approx(variance.item(), rel=0.05)


def test_derivatives_can_be_learnt_through():
    """The gradient of div(a sin z) with respect to a is the sum of cosines, exactly and along probes."""
    a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    z = torch.tensor([[0.3, -1.1]], dtype=torch.float64)
    probes = torch.tensor([[[1.0, -1.0]]], dtype=torch.float64)
    for divergence in (
        exact_divergence(lambda x: a * torch.sin(x), z, create_graph=True)[1].sum(),
        estimated_divergence(lambda x: a * torch.sin(x), z, probes, create_graph=True)[1].sum(),
    ):
        torch.testing.assert_close(torch.autograd.grad(divergence, a)[0], torch.cos(z).sum())


def test_rotation_of_a_linear_field(z):
    """|A|² and |J|² of W; a gradient has no rotation, an antisymmetric map is nothing else."""
    probes = rademacher((4000, 7, 3), torch.Generator().manual_seed(2), z)
    skew, whole = rotation(linear, z, probes)
    assert skew.mean() == pytest.approx(((W - W.T) / 2).square().sum().item(), rel=0.02)
    assert whole.mean() == pytest.approx(W.square().sum().item(), rel=0.02)
    skew, whole = rotation(lambda x: x @ (W + W.T), z, probes[:5])
    assert skew.max() < 1e-20 < whole.min()
    skew, whole = rotation(lambda x: x @ (W - W.T), z, probes[:5])
    torch.testing.assert_close(skew, whole)


def test_an_exact_score_does_not_rotate():
    """The score of a mixture is a gradient; with a swirl on top it is not, by as much as the swirl."""
    t = torch.tensor(0.2, dtype=torch.float64)
    score = PLANE_MODES.score(SDES["cosine"])
    z = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    swirl = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    probes = rademacher((3, 50, 2), torch.Generator().manual_seed(4), z)
    skew, whole = rotation(lambda x: score(x, t), z, probes)
    assert (skew / whole).max() < 1e-20
    skew, _ = rotation(lambda x: score(x, t) + 0.1 * x @ swirl, z, probes)
    torch.testing.assert_close(skew, torch.full((50,), 0.02, dtype=torch.float64))
