"""Posteriors of last layers, where the exact one is known."""

import pytest
import torch
from analytic import SDES

from molscore.core.bayes import LastLayer, draws, spread, variance
from molscore.core.denoiser import ScoreDenoiser
from molscore.core.samplers import DPMSolver
from molscore.core.sde import perturb
from molscore.core.times import time_grid

SDE = SDES["cosine"]
D, NOISE, PRIOR = 3, 0.3, 2.0


def regression(n, seed, views=1):
    """Features, a bias among them, true weights from the prior, targets."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, views, D, dtype=torch.float64, generator=generator)
    features[..., 0] = 1
    weights = PRIOR**0.5 * torch.randn(D, dtype=torch.float64, generator=generator)
    noise = NOISE * torch.randn(n, views, dtype=torch.float64, generator=generator)
    return features, weights, features @ weights + noise


def test_laplace_is_the_posterior_of_linear_regression():
    features, _, targets = regression(400, seed=0)
    phi = features[:, 0]
    exact = torch.linalg.inv(phi.T @ phi / NOISE**2 + torch.eye(D) / PRIOR)
    fitted = exact @ phi.T @ targets[:, 0] / NOISE**2
    layer = LastLayer.empty(D, like=phi)
    for rows in torch.arange(400).split(150):  # in batches
        layer.add(features[rows], (features[rows] @ fitted - targets[rows])[..., None])
    assert layer.data == layer.views == 400
    covariance = layer.laplace(PRIOR)[0]
    estimated = layer.squares[0] / 400
    torch.testing.assert_close(estimated, torch.tensor(NOISE**2).double(), rtol=0.2, atol=0)
    torch.testing.assert_close(covariance, exact * estimated / NOISE**2, rtol=1e-2, atol=1e-6)
    torch.testing.assert_close(
        layer.sandwich()[0], covariance, rtol=0.25, atol=5e-5
    )  # the same where noise is independent
    here = torch.randn(5, D, dtype=torch.float64)
    torch.testing.assert_close(variance(here, layer.laplace(PRIOR))[:, 0], (here @ covariance * here).sum(1))


def test_draws_have_the_covariance():
    root = torch.tensor([[[1.0, 0, 0], [0.5, 0.2, 0], [0, 0.3, 0.0]]], dtype=torch.float64)  # of rank two
    covariance = root @ root.transpose(1, 2)
    samples = draws(covariance, torch.randn(40_000, *covariance.shape[:2], generator=torch.Generator().manual_seed(0)))
    assert samples.shape == (40_000, 1, D)
    torch.testing.assert_close(samples[:, 0].T.cov(), covariance[0], atol=0.03, rtol=0)


def means(n: int, views: int, seed: int):
    """Denoising a Gaussian N(m, 1) whose mean m is to be learnt, at t = 0.4: z_t = alpha m + ..., linear in m.

    E[z_0 | z_t] = m + k (z_t - alpha m), k = alpha / (alpha² + sigma²) = alpha: so D - alpha z_t = (1 - alpha²) m.
    """
    generator = torch.Generator().manual_seed(seed)
    t = torch.tensor(0.4, dtype=torch.float64)
    alpha, _ = SDE.marginal(t)
    m = 0.7
    z0 = m + torch.randn(n, 1, dtype=torch.float64, generator=generator)
    zt = perturb(SDE, z0.expand(n, views), t, torch.randn(n, views, dtype=torch.float64, generator=generator))
    features = torch.full((n, views, 1), 1 - alpha.item() ** 2, dtype=torch.float64)
    targets = z0 - alpha * zt
    fitted = (features[..., 0] * targets).sum() / features.square().sum()
    layer = LastLayer.empty(1, like=features)
    layer.add(features, features * fitted - targets[..., None])
    return fitted.item() - m, layer


@pytest.mark.parametrize("views", [1, 8, 64])
def test_the_sandwich_is_calibrated_however_many_views(views):
    """Over 400 data sets of 100 data: the error of the mean, in its standard deviations, has a variance of one.

    Laplace takes views for data: with 64 of each it is sure of itself by far too much.
    """
    scaled, naive = [], []
    for seed in range(400):
        error, layer = means(100, views, seed)
        scaled.append(error / layer.sandwich()[0, 0, 0].sqrt().item())
        naive.append(error / layer.laplace(100.0)[0, 0, 0].sqrt().item())
    scaled, naive = torch.tensor(scaled), torch.tensor(naive)
    assert 0.8 < scaled.square().mean() < 1.25  # chi² of 400: 1 +- 0.07
    if views == 64:
        assert naive.square().mean() > 4


def test_uncertainty_of_samples_is_that_of_the_mean():
    """The posterior of the mean of N(m, 1) from n data is N(., 1 / n), and a sample shifts with the mean one to one."""
    n = 100
    _, layer = means(n, views=256, seed=1)
    shifts = draws(layer.sandwich(), torch.randn(64, 1, 1, generator=torch.Generator().manual_seed(2)))[:, 0, 0]

    def denoiser_of(shift):
        def score(z, t):
            alpha, sigma = SDE.marginal(t)
            return -(z - alpha * (0.7 + shift)) / (alpha**2 + sigma**2)

        return ScoreDenoiser(SDE, score)

    def sample(denoiser):
        generator = torch.Generator().manual_seed(3)

        def noise(z):
            return torch.randn(z.shape, dtype=z.dtype, generator=generator)

        start = SDE.prior(noise(torch.empty(50, 1, dtype=torch.float64)))
        return DPMSolver().sample(denoiser, start, time_grid(40, t_min=0.01), noise).z

    mean, variances = spread(sample, [denoiser_of(shift) for shift in shifts])
    assert mean.shape == variances.shape == (50, 1)
    expected = shifts.var()
    torch.testing.assert_close(variances, expected.expand(50, 1), rtol=0.02, atol=0)
    assert variances.mean().item() == pytest.approx(1 / n, rel=0.5)
    with pytest.raises(ValueError, match="two denoisers"):
        spread(sample, [denoiser_of(0.0)])


def test_outputs_have_covariances_of_their_own_and_padding_counts_for_nothing():
    features, weights, targets = regression(200, seed=3, views=2)
    residuals = torch.stack([features @ weights - targets, 3 * (features @ weights - targets)], dim=-1)
    layer, padded = LastLayer.empty(D, 2, features), LastLayer.empty(D, 2, features)
    layer.add(features, residuals)
    padded.add(torch.cat([features, 0 * features], dim=1), torch.cat([residuals, 0 * residuals], dim=1))
    torch.testing.assert_close(padded.sandwich(), layer.sandwich())
    torch.testing.assert_close(layer.sandwich()[1], 9 * layer.sandwich()[0])
    assert variance(features, layer.sandwich()).shape == (200, 2, 2)
