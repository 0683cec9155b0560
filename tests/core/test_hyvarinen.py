"""Hyvärinen's objective: its minimiser, and what joins it to denoising."""

import pytest
import torch
from analytic import PLANE, PLANE_MODES, SDES

from molscore.core.divergence import rademacher
from molscore.core.hyvarinen import hyvarinen_loss, smoothing_penalty
from molscore.core.losses import denoising_loss
from molscore.core.sde import VE, perturb

N = 200_000


def draws(target, n=N, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return target.sample(n, generator), torch.randn(n, 2, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("sliced", [False, True])
def test_a_linear_score_learns_the_precision_matrix(sliced):
    """The minimiser over s = W (z - m) is W = -C^-1: with the sample's own moments, exactly."""
    z, _ = draws(PLANE, 2000)
    centred = z - z.mean(0)
    covariance = centred.T @ centred / len(z)
    probes = rademacher((1, *z.shape), torch.Generator().manual_seed(1), z) if sliced else None
    W = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)

    def objective():
        return hyvarinen_loss(lambda x: x @ W.T, centred, probes).mean()

    optimiser = torch.optim.LBFGS([W], lr=1, max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def closure():
        optimiser.zero_grad()
        value = objective()
        value.backward()
        return value

    optimiser.step(closure)
    trace = torch.eye(2).to(z) if probes is None else (probes[0].T @ probes[0]) / len(z)
    torch.testing.assert_close(W.detach(), -trace.T @ torch.linalg.inv(covariance), atol=1e-5, rtol=1e-5)
    error = (W.detach() + torch.linalg.inv(PLANE.covariances[0])).abs().max()
    assert error < (0.5 if sliced else 0.3)


def test_the_objective_is_the_error_of_the_score_up_to_a_constant():
    """E |s - s*|² / 2 - (E [|s|² / 2 + div s]) is the same for every s: E |s*|² / 2."""
    z, _ = draws(PLANE_MODES)
    t = torch.tensor(0.0, dtype=torch.float64)
    sde = SDES["cosine"]
    z = perturb(sde, z, t, torch.randn(z.shape, dtype=z.dtype, generator=torch.Generator().manual_seed(5)))
    exact = PLANE_MODES.score(sde)(z, t)
    differences = []
    for a, b in ((0.0, 0.0), (-1.0, 0.3), (0.5, -0.7)):

        def score(x, a=a, b=b):
            return a * x + b * torch.sin(2 * x.flip(1))

        gap = (score(z) - exact).square().sum(1) / 2 - hyvarinen_loss(score, z).detach()
        differences.append(gap)
    for gap in differences[1:]:
        spread = gap - differences[0]
        assert abs(spread.mean()) < 4 * spread.std() / N**0.5


def test_denoising_is_hyvarinen_on_the_noised_density():
    """Up to a constant: differences between two scores agree, within the error of the draws, at every noise level."""
    z0, noise = draws(PLANE_MODES)
    sde = SDES["linear"]
    for t in (0.1, 0.4, 0.9):
        clock = torch.tensor(t, dtype=torch.float64)
        _, sigma = sde.marginal(clock)
        zt = perturb(sde, z0, clock, noise)
        rows = []
        for a, b in ((-1.0, 0.0), (-0.4, 0.5)):

            def score(x, a=a, b=b):
                return a * x + b * torch.tanh(x.flip(1))

            denoising = denoising_loss(sde, lambda x, _: score(x), z0, clock, noise, "sigma2").sum(1) / (2 * sigma**2)
            rows.append(denoising - hyvarinen_loss(score, zt).detach())
        gap = rows[1] - rows[0]
        assert abs(gap.mean()) < 4 * gap.std() / N**0.5


@pytest.mark.parametrize("sigma", [0.1, 0.3, 0.8])
def test_for_a_linear_score_noise_is_a_penalty_on_its_matrix(sigma):
    """E on the noised data = E on the clean data + sigma² |W|² / 2, exactly, at every sigma."""
    z0, noise = draws(PLANE)
    W = torch.tensor([[-1.0, 0.6], [-0.2, -0.5]], dtype=torch.float64)
    noised = hyvarinen_loss(lambda x: x @ W.T, z0 + sigma * noise)
    clean = hyvarinen_loss(lambda x: x @ W.T, z0)
    penalty = smoothing_penalty(lambda x: x @ W.T, z0[:5], sigma)
    torch.testing.assert_close(penalty, (sigma**2 * W.square().sum() / 2).expand(5))
    gap = noised - clean
    assert abs(gap.mean() - penalty[0]) < 4 * gap.std() / N**0.5
    assert penalty[0] > 8 * gap.std() / N**0.5  # and without the penalty the two differ


def test_denoising_with_little_noise_is_hyvarinen_with_the_penalty():
    """The same for denoising, whose constant is that of the noise: E |eps|² / (2 sigma²)."""
    z0, noise = draws(PLANE)
    W = torch.tensor([[-1.0, 0.6], [-0.2, -0.5]], dtype=torch.float64)
    for sigma in (0.05, 0.2):
        sde, clock = VE(sigma_min=sigma, sigma_max=50.0), torch.tensor(0.0, dtype=torch.float64)
        loss = denoising_loss(sde, lambda x, _: x @ W.T, z0, clock, noise, "sigma2").sum(1) / (2 * sigma**2)
        loss = loss - noise.square().sum(1) / (2 * sigma**2)
        expected = hyvarinen_loss(lambda x: x @ W.T, z0) + smoothing_penalty(lambda x: x @ W.T, z0, sigma)
        gap = loss - expected.detach()
        assert abs(gap.mean()) < 4 * gap.std() / N**0.5
