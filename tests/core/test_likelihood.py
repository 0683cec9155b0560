"""The probability flow: there and back, and the likelihood along it, against densities that are known."""

import math

import pytest
import torch
from analytic import PLANE, PLANE_MODES, SDES, TWO_MODES, Mixture

from molscore.core.divergence import rademacher
from molscore.core.likelihood import flow, log_likelihood, log_likelihood_on_grid
from molscore.core.sde import perturb
from molscore.core.times import time_grid

T0 = 0.01
CENTRED = Mixture([0.5, 0.5], [[-0.8, 0.3], [0.8, -0.3]], [[[0.2, 0.1], [0.1, 0.1]]] * 2)
every_sde = pytest.mark.parametrize("sde", SDES.values(), ids=SDES)
every_target = pytest.mark.parametrize("target", [TWO_MODES, PLANE, PLANE_MODES], ids=["two", "plane", "modes"])


def noised(target, sde, n=40, seed=0):
    """Draws of z_t0."""
    generator = torch.Generator().manual_seed(seed)
    z0 = target.sample(n, generator)
    return perturb(sde, z0, z0.new_tensor(T0), torch.randn(z0.shape, dtype=z0.dtype, generator=generator))


@every_sde
@every_target
def test_likelihood_is_within_a_hundredth_of_a_nat(sde, target):
    z = noised(target, sde)
    exact = target.log_density(sde, z, z.new_tensor(T0))
    likelihood = log_likelihood(
        sde, target.score(sde), z, T0, log_prior=lambda x: target.log_density(sde, x, x.new_ones(()))
    )
    assert (likelihood.log_prob - exact).abs().max() < 0.001
    assert (likelihood.standard_error == 0).all() and likelihood.latent.shape == z.shape


@every_sde
def test_the_prior_may_stand_for_the_density_at_the_end(sde):
    """By default the latent is held against the prior: of centred data, within a hundredth of a nat."""
    z = noised(CENTRED, sde)
    likelihood = log_likelihood(sde, CENTRED.score(sde), z, T0)
    assert (likelihood.log_prob - CENTRED.log_density(sde, z, z.new_tensor(T0))).abs().max() < 0.01


def test_estimated_divergences_agree_within_their_standard_error():
    sde, z = SDES["cosine"], noised(PLANE_MODES, SDES["cosine"], n=60)
    probes = rademacher((64, *z.shape), torch.Generator().manual_seed(1), z)
    likelihood = log_likelihood(sde, PLANE_MODES.score(sde), z, T0, probes=probes)
    exact = PLANE_MODES.log_density(sde, z, z.new_tensor(T0))
    scaled = (likelihood.log_prob - exact) / likelihood.standard_error
    assert scaled.abs().max() < 5 and 0.7 < scaled.std() < 1.4
    assert 0 < likelihood.standard_error.max() < 0.3
    assert log_likelihood(sde, PLANE_MODES.score(sde), z[:2], T0, probes=probes[:1, :2]).standard_error.isnan().all()


@every_sde
def test_there_and_back(sde):
    """Data to latent to data, to the tolerance of the solver; and the latent is not the data."""
    z, score = noised(PLANE_MODES, sde), PLANE_MODES.score(sde)
    latent = flow(sde, score, z, T0, 1.0, rtol=1e-8, atol=1e-8)
    back = flow(sde, score, latent, 1.0, T0, rtol=1e-8, atol=1e-8)
    assert (back - z).abs().max() < 1e-5
    assert (latent - z).abs().max() > 0.5


def test_the_latent_of_a_gaussian_is_known():
    """For N(m, d²) the flow is linear: (z_t - alpha m) / sqrt(alpha² d² + sigma²) does not change along it."""
    sde, score = SDES["linear"], PLANE.score(SDES["linear"])
    z = noised(PLANE, sde)
    latent = flow(sde, score, z, T0, 1.0, rtol=1e-9, atol=1e-9)

    def whitened(x, t):
        mean, covariance = PLANE.moments(sde, t)
        values, vectors = torch.linalg.eigh(covariance)
        return (x - mean) @ PLANE.vectors[0] / (PLANE.vectors[0].T @ covariance @ PLANE.vectors[0]).diag().sqrt()

    torch.testing.assert_close(whitened(latent, 1.0), whitened(z, T0), atol=1e-6, rtol=1e-6)


def test_residual_steps_are_inverted_to_second_order():
    """x + eps s(x), then x - eps s(x): the error falls as eps², with the slope 2 on doubly logarithmic paper."""
    sde, t = SDES["cosine"], torch.tensor(0.3, dtype=torch.float64)
    z, score = noised(PLANE_MODES, sde), PLANE_MODES.score(sde)
    steps = torch.tensor([0.04, 0.02, 0.01, 0.005], dtype=torch.float64)
    errors = []
    for step in steps:
        ahead = z + step * score(z, t)
        errors.append((ahead - step * score(ahead, t) - z).norm())
    slope = torch.log(errors[0] / errors[-1]) / torch.log(steps[0] / steps[-1])
    assert abs(slope - 2) < 0.1


def test_a_subspace_has_its_own_prior_and_dimension():
    """A Gaussian on the plane x + y + z = 0 in three dimensions: two dimensions' worth of density."""
    sde, variance = SDES["cosine"], 0.3
    project = torch.eye(3, dtype=torch.float64) - 1 / 3
    generator = torch.Generator().manual_seed(0)

    def score(z, t):
        alpha, sigma = sde.marginal(t)
        return -z @ project / (alpha**2 * variance + sigma**2)

    alpha, sigma = sde.marginal(torch.tensor(T0, dtype=torch.float64))
    total = alpha**2 * variance + sigma**2
    z = total.sqrt() * torch.randn(20, 3, dtype=torch.float64, generator=generator) @ project
    likelihood = log_likelihood(
        sde,
        score,
        z,
        T0,
        log_prior=lambda x: -(x.square().sum(1) + 2 * math.log(2 * math.pi)) / 2,
        dimensions=torch.full((20,), 2.0),
    )
    exact = -(z.square().sum(1) / total + 2 * (2 * math.pi * total).log()) / 2
    assert (likelihood.log_prob - exact).abs().max() < 0.01


@every_sde
@every_target
def test_on_a_grid_the_error_is_of_second_order(sde, target):
    """With exact divergences (the axes as probes): within a hundredth of a nat, and four times better on half steps."""
    z = noised(target, sde)
    d = z.shape[1]
    axes = d**0.5 * torch.eye(d, dtype=z.dtype)[:, None].expand(d, *z.shape)
    exact = target.log_density(sde, z, z.new_tensor(T0))
    errors = []
    for steps in (100, 200):
        times = time_grid(steps, t_min=T0, power=2.0).flip(0)
        prior = {"log_prior": lambda x: target.log_density(sde, x, x.new_ones(()))}
        likelihood = log_likelihood_on_grid(sde, target.score(sde), z, times, lambda: axes, **prior)
        errors.append((likelihood.log_prob - exact).abs().mean().item())
    print(errors)
    assert errors[1] < 0.01 and 2.5 < errors[0] / errors[1] < 6


def test_fresh_probes_at_every_knot_leave_less_noise():
    sde, z = SDES["cosine"], noised(PLANE_MODES, SDES["cosine"], n=60)
    generator, times = torch.Generator().manual_seed(1), time_grid(100, t_min=T0, power=2.0).flip(0)

    def fresh():
        return rademacher((8, *z.shape), generator, z)

    score, exact = PLANE_MODES.score(sde), PLANE_MODES.log_density(sde, z, z.new_tensor(T0))
    likelihood = log_likelihood_on_grid(sde, score, z, times, fresh)
    errors = likelihood.log_prob - exact
    assert 0.7 < (errors / likelihood.standard_error).std() < 1.4
    fixed = fresh()
    same = log_likelihood_on_grid(sde, score, z, times, lambda: fixed).log_prob - exact
    assert errors.square().mean() < same.square().mean() / 4
    single = log_likelihood_on_grid(sde, score, z[:2], times, lambda: fresh()[:1, :2])
    assert single.standard_error.isnan().all()
