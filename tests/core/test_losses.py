"""Denoising score matching: its minimiser, its weightings, its arithmetic."""

import numpy as np
import pytest
import torch
from analytic import SDES

from molscore.core.denoiser import score_from_mean
from molscore.core.losses import WEIGHTINGS, denoising_loss, weighted_mean_error, weighted_score_error
from molscore.core.sde import VE, perturb

every_sde = pytest.mark.parametrize("sde", SDES.values(), ids=SDES)
every_weighting = pytest.mark.parametrize("weighting", WEIGHTINGS)


def expectation_grid(deviation: float):
    """(z_0, eps, probability) nodes that integrate squares over z_0 ~ N(0, deviation²), eps ~ N(0, 1) exactly."""
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.hermite_e.hermegauss(5))
    weights = weights / weights.sum()
    z0, noise = torch.meshgrid(deviation * nodes, nodes, indexing="ij")
    return z0.flatten(), noise.flatten(), torch.outer(weights, weights).flatten()


@every_sde
@every_weighting
@pytest.mark.parametrize("deviation", [0.0, 0.8], ids=["point", "gaussian"])
def test_gradient_descent_drives_a_linear_score_to_the_exact_one(sde, weighting, deviation):
    """s(z) = theta z on z_0 ~ N(0, d²): theta -> -1 / (alpha² d² + sigma²); for a point at 0 that is -1 / sigma_t².

    The expectation is exact (Gauss–Hermite), so the tolerance is that of the descent. The limit is the same for every
    weighting.
    """
    z0, noise, probability = expectation_grid(deviation)
    t = torch.tensor(0.3, dtype=torch.float64)
    theta = torch.zeros((), dtype=torch.float64, requires_grad=True)

    def objective():
        return (probability * denoising_loss(sde, lambda z, t: theta * z, z0, t, noise, weighting)).sum()

    (slope,) = torch.autograd.grad(objective(), theta, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, theta)
    optimiser = torch.optim.SGD([theta], lr=0.9 / curvature.item())
    for _ in range(10):
        optimiser.zero_grad()
        objective().backward()
        optimiser.step()
    alpha, sigma = sde.marginal(t)
    exact = -1 / (alpha**2 * deviation**2 + sigma**2)
    assert abs(theta.item() / exact.item() - 1) < 1e-8  # 0.1^10 of the way is left


def test_stochastic_descent_learns_the_variance_from_samples():
    """Fresh samples at every step, as in training: theta -> -1 / v, v = alpha² d² + sigma², for z_0 ~ N(0, d²).

    Over n draws, theta = -mean(z eps / sigma) / mean(z²) has the relative standard error alpha d / (sigma sqrt(n)).
    """
    sde, deviation, t = SDES["linear"], 0.8, torch.tensor(0.4, dtype=torch.float64)
    alpha, sigma = sde.marginal(t)
    variance = alpha**2 * deviation**2 + sigma**2
    generator = torch.Generator().manual_seed(0)
    theta = torch.zeros((), dtype=torch.float64, requires_grad=True)
    batches, batch = 400, 256
    for k in range(batches):
        z0, noise = torch.randn(2, batch, dtype=torch.float64, generator=generator)
        loss = denoising_loss(sde, lambda z, t, theta=theta: theta * z, deviation * z0, t, noise).mean()
        (gradient,) = torch.autograd.grad(loss, theta)
        with torch.no_grad():
            theta -= gradient / (2 * sigma**2 * variance) / (k + 1)  # Robbins–Monro: 1 / k steps average the draws
    standard_error = (alpha * deviation / sigma / (batches * batch) ** 0.5).item()
    assert abs(theta.item() * variance.item() + 1) < 4 * standard_error


@every_sde
@every_weighting
def test_excess_loss_is_the_distance_to_the_true_score(sde, weighting):
    """Vincent's identity: L(s) - L(s*) = lambda E (s - s*)², here for s = theta z on a Gaussian."""
    z0, noise, probability = expectation_grid(0.8)
    t = torch.tensor(0.3, dtype=torch.float64)
    alpha, sigma = sde.marginal(t)
    variance = alpha**2 * 0.64 + sigma**2

    def objective(theta):
        return (probability * denoising_loss(sde, lambda z, t: theta * z, z0, t, noise, weighting)).sum()

    expected = WEIGHTINGS[weighting](sde, t) * (-2.0 + 1 / variance) ** 2 * variance
    torch.testing.assert_close(objective(-2.0) - objective(-1 / variance), expected, rtol=1e-9, atol=1e-9)


@every_sde
@every_weighting
def test_mean_and_score_forms_agree(sde, weighting):
    generator = torch.Generator().manual_seed(0)
    z0, noise, mean = torch.randn(3, 6, 5, dtype=torch.float64, generator=generator)
    t = 0.01 + 0.98 * torch.rand(6, 5, dtype=torch.float64, generator=generator)
    z = perturb(sde, z0, t, noise)
    score = score_from_mean(sde, z, t, mean)
    by_mean = weighted_mean_error(sde, mean, z0, t, weighting)
    torch.testing.assert_close(weighted_score_error(sde, score, noise, t, weighting), by_mean, rtol=1e-7, atol=1e-9)
    by_definition = WEIGHTINGS[weighting](sde, t) * (score + noise / sde.marginal(t)[1]) ** 2
    torch.testing.assert_close(by_definition, by_mean, rtol=1e-7, atol=1e-9)
    whole = denoising_loss(sde, lambda z, t: score, z0, t, noise, weighting)
    torch.testing.assert_close(whole, by_mean, rtol=1e-7, atol=1e-9)


@every_sde
def test_weightings_are_the_errors_they_name(sde):
    generator = torch.Generator().manual_seed(0)
    z0, noise, mean = torch.randn(3, 200, dtype=torch.float64, generator=generator)
    t = torch.linspace(0.01, 1, 200, dtype=torch.float64)
    alpha, sigma = sde.marginal(t)
    z = perturb(sde, z0, t, noise)
    snr = alpha**2 / sigma**2
    noise_of_mean = (z - alpha * mean) / sigma

    def v(clean, noise):
        return (alpha * noise - sigma * clean) / (alpha**2 + sigma**2).sqrt()

    expected = {
        "sigma2": (noise_of_mean - noise) ** 2,
        "likelihood": sde.diffusion(t) ** 2 * ((alpha * mean - z) / sigma**2 + noise / sigma) ** 2,
        "mean": (mean - z0) ** 2,
        "velocity": (v(mean, noise_of_mean) - v(z0, noise)) ** 2,
        "min_snr": snr.clamp(max=5) * (mean - z0) ** 2,
    }
    assert expected.keys() == WEIGHTINGS.keys()
    for weighting, error in expected.items():
        mean_error = weighted_mean_error(sde, mean, z0, t, weighting)
        torch.testing.assert_close(
            mean_error, error, rtol=1e-8, atol=1e-9, msg=lambda text, w=weighting: f"{w}: {text}"
        )
    # v determines the mean: D = (alpha z - r sigma v) / r² with r² = alpha² + sigma²
    r = (alpha**2 + sigma**2).sqrt()
    torch.testing.assert_close((alpha * z - r * sigma * v(mean, noise_of_mean)) / r**2, mean, rtol=1e-7, atol=1e-7)


@every_weighting
def test_float32_keeps_its_digits_at_small_sigma(weighting):
    """sigma = 1e-4 against data of size 10: z holds the noise to 1 part in 100, so the loss must not be read from z."""
    sde = VE(sigma_min=1e-4, sigma_max=50.0)
    generator = torch.Generator().manual_seed(0)
    z0, noise, wrong = torch.randn(3, 1000, generator=generator)
    z0, t = 10 * z0, torch.tensor(0.0)
    sigma = sde.marginal(t)[1]

    def relative_error(loss, *tensors):
        exact = loss(sde, *(x.double() for x in tensors), t.double(), weighting)
        return (loss(sde, *tensors, t, weighting) - exact).norm() / exact.norm()

    assert relative_error(weighted_score_error, (-noise + 0.01 * wrong) / sigma, noise) < 1e-4
    assert relative_error(weighted_mean_error, z0 + 1e-5 * wrong, z0) < 1e-4


def test_loss_is_elementwise_and_has_the_dtype_of_the_data(dtype):
    generator = torch.Generator().manual_seed(0)
    z0, noise = torch.randn(2, 3, 4, dtype=dtype, generator=generator)
    t = torch.full((3, 1), 0.5, dtype=dtype)
    loss = denoising_loss(SDES["cosine"], lambda z, t: -z, z0, t, noise)
    assert loss.shape == z0.shape and loss.dtype == dtype
    changed = noise.clone()
    changed[1, 2] += 1
    moved = denoising_loss(SDES["cosine"], lambda z, t: -z, z0, t, changed) != loss
    assert moved.nonzero().tolist() == [[1, 2]]


def test_unknown_weighting_is_refused():
    z = torch.zeros(2)
    with pytest.raises(ValueError, match="choose one of sigma2, "):
        denoising_loss(SDES["cosine"], lambda z, t: z, z, torch.tensor(0.5), z, "sigma3")
