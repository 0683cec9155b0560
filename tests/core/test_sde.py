"""The SDEs against the equations that define them."""

import pytest
import torch
from analytic import PLANE_MODES, SDES, TWO_MODES, gaussian
from hypothesis import given
from hypothesis import strategies as st

from molscore.core.denoiser import mean_from_score, score_from_mean
from molscore.core.sde import VE, CosineVP, LinearVP, SubVP, perturb

every_sde = pytest.mark.parametrize("sde", SDES.values(), ids=SDES)
TIMES = torch.linspace(0.002, 1, 57, dtype=torch.float64)


def derivative(function, t):
    """d function / dt at every element of t, by automatic differentiation."""
    t = t.clone().requires_grad_()
    return torch.autograd.grad((function(t) + 0 * t).sum(), t)[0]  # 0 * t: the alpha of VE does not depend on t


@every_sde
def test_marginal_solves_the_moment_equations_of_drift_and_diffusion(sde):
    """d alpha / dt = f' alpha and d sigma² / dt = 2 f' sigma² + g², to rounding."""
    alpha, sigma = sde.marginal(TIMES)
    rate, g2 = sde.drift(torch.ones_like(TIMES), TIMES), sde.diffusion(TIMES) ** 2
    torch.testing.assert_close(derivative(lambda t: sde.marginal(t)[0], TIMES), rate * alpha, rtol=1e-10, atol=1e-12)
    slope = derivative(lambda t: sde.marginal(t)[1] ** 2, TIMES)
    # the two terms cancel near t = 1 for the VP family, so the scale of the error is that of g²
    assert ((slope - 2 * rate * sigma**2 - g2).abs() < 1e-10 * g2).all()


@every_sde
def test_drift_is_linear_in_the_state(sde):
    z = torch.linspace(-3, 3, 57, dtype=torch.float64)
    torch.testing.assert_close(sde.drift(z, TIMES), z * sde.drift(torch.ones_like(z), TIMES))


@every_sde
def test_log_snr_is_that_of_the_marginal_and_falls(sde):
    alpha, sigma = sde.marginal(TIMES)
    torch.testing.assert_close(sde.log_snr(TIMES), 2 * torch.log(alpha / sigma), rtol=1e-10, atol=1e-10)
    assert (sde.log_snr(TIMES).diff() < 0).all()


@every_sde
def test_float32_keeps_its_digits_at_both_ends(sde):
    """Relative error below 1e-5 (about 100 roundings) where sigma, and where alpha, is tiny."""
    t = torch.cat([torch.logspace(-6, -1, 40), 1 - torch.logspace(-6, -1, 40), torch.ones(1)])
    for single, double in zip(sde.marginal(t), sde.marginal(t.double()), strict=True):
        assert single.dtype == torch.float32
        assert ((single - double) / double).abs().max() < 1e-5
    torch.testing.assert_close(sde.diffusion(t).double(), sde.diffusion(t.double()), rtol=1e-4, atol=0)
    torch.testing.assert_close(sde.log_snr(t).double(), sde.log_snr(t.double()), rtol=1e-4, atol=1e-4)


def test_schedules_are_the_published_ones():
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    alpha, sigma = LinearVP(beta_min=0.1, beta_max=20.0).marginal(TIMES)
    torch.testing.assert_close(alpha, torch.exp(-(TIMES**2) * 19.9 / 4 - TIMES * 0.1 / 2))  # Song et al. 2021, eq. 33
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(TIMES))
    torch.testing.assert_close(SubVP(beta_min=0.1, beta_max=20.0).marginal(TIMES)[1], sigma**2)

    cosine = CosineVP(sigma_min=0.02, alpha_min=0.003)
    torch.testing.assert_close(cosine.marginal(ends)[1][0].item(), 0.02)
    torch.testing.assert_close(cosine.marginal(ends)[0][1].item(), 0.003)
    alpha, sigma = cosine.marginal(TIMES)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(TIMES))
    angle = torch.atan2(sigma, alpha)
    torch.testing.assert_close(angle.diff() / TIMES.diff(), torch.full((56,), cosine.speed, dtype=torch.float64))

    alpha, sigma = VE(sigma_min=0.02, sigma_max=30.0).marginal(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    torch.testing.assert_close(sigma, torch.tensor([0.02, 0.6**0.5, 30.0], dtype=torch.float64))
    assert (alpha == 1).all()


@every_sde
def test_probability_flow_carries_the_density(sde):
    """Continuity, d log p / dt = -(d u / dz + u d log p / dz) with u the flow, on a mixture."""
    z, t = torch.meshgrid(torch.linspace(-2, 2, 9), torch.linspace(0.05, 0.95, 10), indexing="ij")
    z, t = z.double().flatten().requires_grad_(), t.double().flatten().requires_grad_()
    log_p = TWO_MODES.log_density(sde, z.unsqueeze(-1), t.unsqueeze(-1))
    by_z, by_t = torch.autograd.grad(log_p.sum(), (z, t))
    flow = sde.reverse(TWO_MODES.elementwise_score(sde)).flow(z, t)
    divergence = torch.autograd.grad(flow.sum(), z)[0]
    torch.testing.assert_close(by_t, -(divergence + flow * by_z), rtol=1e-8, atol=1e-8)


@every_sde
def test_reverse_sde_undoes_the_moments_of_the_forward_one(sde):
    """For a Gaussian: backward in time the variance changes by -2 F' v + g², which must be minus its forward change."""
    target = gaussian(0.7, 0.5)
    reverse = sde.reverse(target.elementwise_score(sde))
    zero, unit = torch.zeros_like(TIMES), torch.ones_like(TIMES)
    slope = reverse.drift(unit, TIMES) - reverse.drift(zero, TIMES)
    alpha, sigma = sde.marginal(TIMES)
    variance = 0.25 * alpha**2 + sigma**2
    forward = derivative(lambda t: 0.25 * sde.marginal(t)[0] ** 2 + sde.marginal(t)[1] ** 2, TIMES)
    backward = -2 * slope * variance + reverse.diffusion(TIMES) ** 2
    assert ((backward + forward).abs() < 1e-10 * sde.diffusion(TIMES) ** 2).all()
    mean_slope = reverse.drift(alpha * 0.7, TIMES)
    torch.testing.assert_close(mean_slope, 0.7 * derivative(lambda t: sde.marginal(t)[0], TIMES), rtol=1e-9, atol=1e-9)


@every_sde
def test_tweedie_gives_the_posterior_mean_of_a_gaussian(sde):
    """That is the regression of z_0 on z_t, m + alpha s² (z - alpha m) / (alpha² s² + sigma²)."""
    target = gaussian(0.7, 0.5)
    z, t = torch.linspace(-2, 2, 57, dtype=torch.float64), TIMES
    alpha, sigma = sde.marginal(t)
    expected = 0.7 + alpha * 0.25 * (z - alpha * 0.7) / (0.25 * alpha**2 + sigma**2)
    score = target.elementwise_score(sde)(z, t)
    torch.testing.assert_close(mean_from_score(sde, z, t, score), expected, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(score_from_mean(sde, z, t, expected), score, rtol=1e-8, atol=1e-8)


@given(
    name=st.sampled_from(sorted(SDES)),
    t=st.floats(1e-3, 1),
    mean=st.floats(-10, 10),
    noise=st.floats(-5, 5),
)
def test_score_and_mean_are_inverse(name, t, mean, noise):
    sde, (t, mean, noise) = SDES[name], torch.tensor([t, mean, noise], dtype=torch.float64)
    z = perturb(sde, mean, t, noise)
    score = score_from_mean(sde, z, t, mean)
    torch.testing.assert_close(mean_from_score(sde, z, t, score), mean, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(score * sde.marginal(t)[1], -noise, rtol=1e-8, atol=1e-8)  # s = -eps / sigma


@every_sde
@pytest.mark.parametrize("shape", [(), (1,), (5,), (4, 1), (1, 5), (4, 5)], ids=str)
def test_times_of_any_shape_that_broadcasts(sde, shape, dtype):
    """One call with broadcast times = one call per element."""
    generator = torch.Generator().manual_seed(0)
    z, noise = torch.randn(2, 4, 5, dtype=dtype, generator=generator)
    t = 0.05 + 0.9 * torch.rand(shape, dtype=dtype, generator=generator)
    full = t.expand(4, 5)
    for function in (lambda z, t: perturb(sde, z, t, noise), lambda z, t: score_from_mean(sde, z, t, noise), sde.drift):
        result = function(z, t)
        assert result.dtype == dtype
        assert torch.equal(result, function(z, full.clone()))
    assert perturb(sde, z[1:2, 2:3], full[1, 2], noise[1:2, 2:3]).item() == perturb(sde, z, t, noise)[1, 2].item()


@every_sde
def test_prior_has_the_spread_of_the_last_marginal(sde, dtype):
    noise = torch.tensor([[1.0, -2.0]], dtype=dtype)
    prior = sde.prior(noise)
    assert prior.dtype == dtype
    torch.testing.assert_close(prior / noise, sde.marginal(torch.ones(1, 2, dtype=dtype))[1])


@every_sde
def test_prior_is_nearly_the_law_of_noised_data(sde):
    """What the prior leaves out, alpha z_0 at t = 1, is below 0.1 % of the variance, for data of unit variance."""
    alpha, sigma = sde.marginal(torch.ones((), dtype=torch.float64))
    assert alpha**2 / sigma**2 < 1e-3


def test_the_exact_score_of_the_tests_is_the_gradient_of_their_density():
    sde = SDES["cosine"]
    z = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    t = torch.tensor(0.3, dtype=torch.float64)
    gradient = torch.autograd.grad(PLANE_MODES.log_density(sde, z, t).sum(), z)[0]
    torch.testing.assert_close(PLANE_MODES.score(sde)(z, t), gradient)


@pytest.mark.parametrize(
    "build",
    [
        lambda: LinearVP(beta_min=0.0),
        lambda: SubVP(beta_min=3.0, beta_max=2.0),
        lambda: CosineVP(sigma_min=0.0),
        lambda: CosineVP(sigma_min=0.9, alpha_min=0.9),
        lambda: VE(sigma_min=2.0, sigma_max=1.0),
    ],
)
def test_impossible_schedules_are_refused(build):
    with pytest.raises(ValueError, match="need"):
        build()
