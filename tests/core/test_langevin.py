"""Langevin dynamics against densities that are known."""

import pytest
import torch
from analytic import PLANE, SDES, TWO_MODES, run

from molscore.core.langevin import langevin_dynamics, metropolis_langevin
from molscore.core.samplers import Langevin
from molscore.core.times import time_grid

N = 20_000
SDE = SDES["cosine"]
T0 = torch.tensor(0.02, dtype=torch.float64)


def normal(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda z: torch.randn(z.shape, dtype=z.dtype, generator=generator)


def uniform(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda z: torch.rand(z.shape, dtype=z.dtype, generator=generator)


def of(target):
    """Score and log-density of a target at T0."""
    return (lambda z: target.score(SDE)(z, T0)), (lambda z: target.log_density(SDE, z, T0))


@pytest.mark.parametrize("step", [0.1, 0.5])
def test_the_bias_of_unadjusted_langevin_is_the_predicted_one(step):
    """On N(0, v) the chain z <- (1 - h / v) z + sqrt(2 h) eps has the variance v / (1 - h / (2 v))."""
    v = 1.0
    z = langevin_dynamics(lambda x: -x / v, torch.zeros(N, 1, dtype=torch.float64), step, normal(0), 300)
    expected = v / (1 - step / (2 * v))
    error = expected * (2 / N) ** 0.5
    assert abs(z.var() - expected) < 4 * error
    assert expected - v > 4 * error  # the bias is there to be seen


def test_the_compass_leads_uphill():
    """Without noise it is gradient ascent: every step climbs, up to the mode."""
    score, log_density = of(PLANE)
    z = torch.tensor([[3.0, 3.0], [-4.0, 1.0]], dtype=torch.float64)
    heights = [log_density(z)]
    for _ in range(30):
        z = langevin_dynamics(score, z, 0.05, torch.zeros_like, 5)
        heights.append(log_density(z))
    assert (torch.stack(heights).diff(dim=0) > -1e-12).all()
    torch.testing.assert_close(z, PLANE.moments(SDE, T0.item())[0].expand(2, 2), atol=1e-2, rtol=0)


def test_metropolis_leaves_the_density_as_it_is():
    """Long steps, a correlated Gaussian: means and covariance are exact, and without the adjustment they are not."""
    score, log_density = of(PLANE)
    mean, covariance = PLANE.moments(SDE, T0.item())
    start = torch.zeros(N, 2, dtype=torch.float64)
    step = 0.15
    z, accepted = metropolis_langevin(score, log_density, start, step, normal(1), uniform(2), 300)
    assert 0.3 < accepted < 0.95
    assert ((z.mean(0) - mean).abs() < 4 * (covariance.diag() / N).sqrt()).all()
    spread = (covariance.diag()[:, None] * covariance.diag() + covariance**2) ** 0.5
    assert ((z.T.cov() - covariance).abs() < 4 * spread / N**0.5).all()
    biased = langevin_dynamics(score, start, step, normal(1), 300)
    assert ((biased.T.cov() - covariance).abs() > 4 * spread / N**0.5).any()


def test_a_wrong_score_still_gives_the_density():
    """The adjustment asks the density alone."""
    _, log_density = of(TWO_MODES)
    mean, covariance = TWO_MODES.moments(SDE, T0.item())
    start = TWO_MODES.sample(N, torch.Generator().manual_seed(0)) + 0.5
    z, accepted = metropolis_langevin(lambda x: -x, log_density, start, 0.2, normal(3), uniform(4), 200)
    assert 0.2 < accepted < 1
    assert abs(z.mean() - mean[0]) < 4 * (covariance[0, 0] / N) ** 0.5
    error = ((TWO_MODES.fourth_moment(SDE, T0.item()) - covariance[0, 0] ** 2) / N) ** 0.5
    assert abs(z.var() - covariance[0, 0]) < 4 * error


def test_annealing_finds_both_modes_in_their_shares_where_a_plain_chain_does_not():
    """All begin on the left: at little noise they stay there; annealed, 70 % end on the right."""
    start = torch.full((N, 1), -1.2, dtype=torch.float64)
    score = TWO_MODES.score(SDE)
    sigma = SDE.marginal(T0)[1].item()
    plain = langevin_dynamics(lambda x: score(x, T0), start, 0.1 * sigma**2, normal(5), 400)
    assert (plain > 0).double().mean() < 0.01
    times = time_grid(40, t_min=T0.item())
    annealed = run(Langevin(steps=20, size=0.2), SDE, score, start, times, normal(6))
    right = (annealed > 0).double().mean()
    expected = TWO_MODES.probability_above(SDE, T0.item(), torch.zeros((), dtype=torch.float64))
    assert abs(right - expected) < 0.03
    mean, covariance = TWO_MODES.moments(SDE, T0.item())
    assert abs(annealed.var() / covariance[0, 0] - 1) < 0.05
