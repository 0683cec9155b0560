"""Guided, inpainted and steered samples of Gaussians and mixtures, against posteriors that are known in closed form."""

import pytest
import torch
from analytic import DOUBLE, PLANE, SDES, grid, normal, processes

from molscore.core.denoiser import Denoiser, Posterior, ScoreDenoiser
from molscore.core.guidance import Guided, RePaint, Replaced, Sum
from molscore.core.mixture import Mixture
from molscore.core.samplers import DPMSolver, EulerMaruyama, SamplerState

N = 6000
MEAN, COVARIANCE = PLANE.means[0], PLANE.covariances[0]


def cleaned(denoiser: Denoiser, name: str, seed: int = 0, sampler=None, steps: int = 100) -> torch.Tensor:
    """N cleaned samples in the plane."""
    noise, times = normal(seed), grid(name, steps)
    z = denoiser.sde.prior(noise(torch.empty(N, 2, dtype=DOUBLE)))
    state = (sampler or DPMSolver()).sample(denoiser, z, times, noise)
    return denoiser.mean(state.z, times[-1])


def assert_gaussian(z: torch.Tensor, mean: torch.Tensor, covariance: torch.Tensor) -> None:
    """Mean and covariance within three of their standard errors."""
    n, variance = len(z), covariance.diagonal()
    errors = ((variance[:, None] * variance + covariance**2) / n).sqrt()
    assert ((z.mean(0) - mean).abs() < 3 * (variance / n).sqrt()).all()
    assert ((z.T.cov() - covariance).abs() < 3 * errors).all()


@processes
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_linear_energy_moves_a_gaussian(name, scale):
    """p(x) exp(-w b.x) is N(m - w C b, C): for a linear energy the plug-in of the mean is exact."""
    slope = torch.tensor([0.7, -1.1], dtype=DOUBLE)
    exact = ScoreDenoiser(SDES[name], PLANE.score(SDES[name]))
    guided = Guided(exact, lambda mean, t: mean @ slope, scale)
    assert_gaussian(cleaned(guided, name), MEAN - scale * COVARIANCE @ slope, COVARIANCE)


@processes
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_variance_in_place_of_the_network_s_gradient(name, scale):
    """It is exact for normal data of this variance; the denoiser is not differentiated."""
    sde, slope, variance = SDES[name], torch.tensor([0.7, -1.1], dtype=DOUBLE), 0.6 * torch.eye(2, dtype=DOUBLE)
    data = Mixture([1.0], [MEAN.tolist()], [variance.tolist()])

    class Plain(ScoreDenoiser):
        def denoise(self, z, t, carry):
            assert not z.requires_grad
            return super().denoise(z, t, carry)

    guided = Guided(Plain(sde, data.score(sde)), lambda mean, t: mean @ slope, scale, variance=0.6)
    assert_gaussian(cleaned(guided, name), MEAN - scale * 0.6 * slope, variance)


@processes
@pytest.mark.parametrize("error", [0.2, 0.5, 1.5])
def test_a_measurement_gives_the_posterior_of_a_gaussian(name, error):
    """y = h.x + noise. Its likelihood given the noisy state has the variance of the posterior of x besides its own."""
    sde, h, y = SDES[name], torch.tensor([1.0, 0.5], dtype=DOUBLE), 1.3

    def energy(mean: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha, sigma = sde.marginal(t)
        posterior = torch.linalg.inv(torch.linalg.inv(COVARIANCE) + (alpha / sigma) ** 2 * torch.eye(2, dtype=DOUBLE))
        return (y - mean @ h) ** 2 / (2 * (error**2 + h @ posterior @ h))

    guided = Guided(ScoreDenoiser(sde, PLANE.score(sde)), energy)
    gain = COVARIANCE @ h / (h @ COVARIANCE @ h + error**2)
    covariance = COVARIANCE - torch.outer(gain, h @ COVARIANCE)
    assert_gaussian(cleaned(guided, name, seed=1), MEAN + gain * (y - h @ MEAN), covariance)


def test_guidance_leaves_no_graph_behind():
    sde = SDES["cosine"]
    guided = Guided(ScoreDenoiser(sde, PLANE.score(sde)), lambda mean, t: mean.square().sum(1))
    assert not guided(torch.zeros(3, 2, dtype=DOUBLE), torch.tensor(0.5)).mean.requires_grad
    with torch.no_grad():
        strong = guided(torch.ones(3, 2, dtype=DOUBLE), torch.tensor(0.5)).mean
    weak = ScoreDenoiser(sde, PLANE.score(sde)).mean(torch.ones(3, 2, dtype=DOUBLE), torch.tensor(0.5))
    assert (strong.norm(dim=1) < weak.norm(dim=1)).all()


class GaussianDenoiser(Denoiser):
    """Of N(m, C), exactly, each element of the state with a time of its own; at time 0 it is given, without noise."""

    def __init__(self, sde):
        self.sde = sde

    def denoise(self, z, t, carry):
        t = t.expand(z.shape)
        alpha, sigma = self.sde.marginal(t)
        alpha, sigma = torch.where(t > 0, alpha, 1), torch.where(t > 0, sigma, 0)
        noisy = alpha[:, :, None] * COVARIANCE * alpha[:, None] + torch.diag_embed(sigma**2)
        gain = torch.linalg.solve(noisy, (z - alpha * MEAN)[..., None])
        return Posterior(MEAN + (COVARIANCE @ (alpha[..., None] * gain)).squeeze(-1))


def conditional(value: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of the second coordinate, given the first."""
    weight = COVARIANCE[0, 1] / COVARIANCE[0, 0]
    return MEAN[1] + weight * (value - MEAN[0]), COVARIANCE[1, 1] - weight * COVARIANCE[0, 1]


@processes
@pytest.mark.parametrize("value", [-1.0, 0.5, 2.0])
def test_a_given_coordinate_leaves_the_conditional_of_the_other(name, value):
    """Time 0 for what is given, t for the rest: exact, and what is given does not move."""
    denoiser, noise, times = GaussianDenoiser(SDES[name]), normal(2), grid(name)
    z = denoiser.sde.prior(noise(torch.empty(N, 2, dtype=DOUBLE)))
    z[:, 0] = value
    own = torch.stack([torch.zeros_like(times), times], dim=1)[:, None]
    state = DPMSolver().sample(denoiser, z, own, noise)
    assert (state.z[:, 0] == value).all()
    mean, variance = conditional(value)
    cleaned = denoiser(state.z, own[-1]).mean
    assert (cleaned[:, 0] == value).all()
    assert_gaussian(cleaned[:, 1:], mean[None], variance[None, None])


@pytest.mark.parametrize(("name", "value"), [("cosine", 1.5), ("ve", -0.5)])
def test_inpainting_agrees_with_what_is_known(name, value):
    """Replaced and gone over several times, an ordinary denoiser gives the conditional; replaced once, it does not."""
    exact = ScoreDenoiser(SDES[name], PLANE.score(SDES[name]))
    known = Replaced(exact, torch.tensor([value, 0.0], dtype=DOUBLE), torch.tensor([True, False]))
    z = cleaned(known, name, seed=3, sampler=RePaint(EulerMaruyama(), times=40), steps=150)
    mean, variance = conditional(value)
    assert (z[:, 0] == value).all()
    assert_gaussian(z[:, 1:], mean[None], variance[None, None])
    once = cleaned(known, name, seed=3, sampler=EulerMaruyama(), steps=150)
    assert (once[:, 1].mean() - mean).abs() > 6 * (variance / N).sqrt()


def test_what_is_released_is_free():
    sde = SDES["cosine"]
    exact = ScoreDenoiser(sde, PLANE.score(sde))
    known = Replaced(exact, torch.full((2,), 9.0, dtype=DOUBLE), torch.tensor([True, True]), release=0.4)
    z = torch.zeros(3, 2, dtype=DOUBLE)
    assert (known.mean(z, torch.tensor(0.5)) == 9).all()
    assert torch.equal(known.mean(z, torch.tensor(0.4, dtype=DOUBLE)), exact.mean(z, torch.tensor(0.4, dtype=DOUBLE)))


def test_elements_are_released_each_at_a_time_of_its_own():
    sde, half = SDES["cosine"], torch.tensor(0.5, dtype=DOUBLE)
    exact = ScoreDenoiser(sde, PLANE.score(sde))
    release = torch.tensor([0.6, 0.4], dtype=DOUBLE)
    known = Replaced(exact, torch.full((2,), 9.0, dtype=DOUBLE), torch.tensor([True, True]), release)
    z = torch.zeros(3, 2, dtype=DOUBLE)
    mean = known.mean(z, half)
    assert (mean[:, 1] == 9).all() and torch.equal(mean[:, 0], exact.mean(z, half)[:, 0])


def test_a_step_gone_twice_remembers_the_step_before_it():
    """Not itself: the second time is the step of a sampler of second order from where the first was thrown back to."""
    denoiser, sampler = GaussianDenoiser(SDES["cosine"]), DPMSolver(eta=0.0)
    times = torch.tensor([0.8, 0.6, 0.4], dtype=DOUBLE)
    before = sampler.step(denoiser, SamplerState(normal(0)(torch.empty(5, 2, dtype=DOUBLE))), *times[:2], normal(1))
    twice = RePaint(sampler, times=2).step(denoiser, before, *times[1:], normal(2))
    once = sampler.step(denoiser, before, *times[1:], normal(2))
    (alpha_t, sigma_t), (alpha_s, sigma_s) = (denoiser.sde.marginal(time) for time in times[1:])
    shrunk = alpha_t / alpha_s
    back = shrunk * once.z + (sigma_t**2 - (shrunk * sigma_s) ** 2).sqrt() * normal(2)(once.z)
    again = sampler.step(denoiser, before._replace(z=back), *times[1:], normal(2))
    assert torch.allclose(twice.z, again.z, atol=1e-12)


@processes
def test_classifier_free_guidance_of_gaussians(name):
    """(1 + w) of one less w of another of the same covariance is the score of one whose mean lies beyond, at any t."""
    sde, w = SDES[name], 1.5
    away = torch.tensor([-1.0, 0.3], dtype=DOUBLE)
    other = Mixture([1.0], [away.tolist()], COVARIANCE[None].tolist())
    beyond = Mixture([1.0], [(MEAN + w * (MEAN - away)).tolist()], COVARIANCE[None].tolist())
    total = Sum([ScoreDenoiser(sde, target.score(sde)) for target in (PLANE, other)], [1 + w, -w])
    z = 2 * torch.randn(50, 2, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    for t in (0.01, 0.4, 0.95):
        t = torch.tensor(t, dtype=DOUBLE)
        torch.testing.assert_close(total.score(z, t), beyond.score(sde)(z, t), rtol=1e-7, atol=1e-7)


def test_sums_that_cannot_be():
    cosine, ve = (ScoreDenoiser(SDES[name], PLANE.score(SDES[name])) for name in ("cosine", "ve"))
    with pytest.raises(ValueError, match="one schedule"):
        Sum([cosine, ve])
    with pytest.raises(ValueError, match="2 denoisers need as many weights, not 1"):
        Sum([cosine, cosine], [1.0])
    with pytest.raises(ValueError, match="0 denoisers"):
        Sum([])
