"""Coordinates of given graphs: their score, their likelihood, the flow there and back."""

import math

import numpy as np
import torch

from molscore.core import likelihood as core
from molscore.datasets.batch import MoleculeBatch
from molscore.model.conformation import T0, centred_probes, flow, grid, log_likelihood, scaled
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.diffusion import MoleculeDiffusion
from molscore.network.geometry import centre


def random(n: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng(seed + k) for k in range(n)]


def gaussian(build) -> MoleculeDiffusion:
    """A network that returns nothing: its posterior mean, alpha x, is that of standard normal data."""
    old = build(dtype=torch.float64)
    model = MoleculeDiffusion(old.config, old.vocabulary, old.size_probabilities).double().eval()
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.zero_()
    return model


def moved(batch: MoleculeBatch, change) -> MoleculeBatch:
    return batch._replace(positions=change(batch.positions) * batch.mask[..., None])


def test_the_score_of_a_gaussian_is_exact(build, batch):
    model, data = gaussian(build), batch()
    x = scaled(model, data)
    for t in (0.05, 0.4, 0.9):
        torch.testing.assert_close(ConformerDenoiser(model, data).score(x, torch.tensor(t)), -x, atol=1e-9, rtol=1e-9)


def test_the_likelihood_of_a_gaussian_is_exact(build, batch):
    """In Å, on the subspace of zero centre of mass: 3 (N - 1) dimensions of deviation 1.4 Å."""
    model, data = gaussian(build), batch()
    likelihood = log_likelihood(model, data, random(3), steps=60)
    dimensions = 3 * (data.mask.sum(1) - 1).double()
    expected = -(scaled(model, data).square().sum((1, 2)) + dimensions * math.log(2 * math.pi * 1.4**2)) / 2
    torch.testing.assert_close(likelihood.log_prob, expected, atol=0.02, rtol=1e-3)
    assert likelihood.standard_error.max() < 1e-4  # the Jacobian is isotropic


def exactly(model: MoleculeDiffusion, data: MoleculeBatch, steps: int = 6) -> torch.Tensor:
    """Log-likelihoods with exact divergences, the same rule as estimates follow: axes for probes."""
    x, n = scaled(model, data), data.mask.shape[1]
    axes = ((3 * n) ** 0.5 * torch.eye(3 * n, dtype=x.dtype)).view(3 * n, 1, n, 3)
    probes = centre(axes.expand(3 * n, *x.shape).flatten(0, 1), data.mask.repeat(3 * n, 1)).view(3 * n, *x.shape)
    dimensions = 3.0 * (data.mask.sum(1) - 1).to(x)

    def prior(z):
        return -(z.square().sum((1, 2)) + dimensions * math.log(2 * math.pi)) / 2

    field, times = ConformerDenoiser(model, data).score, grid(model, steps)
    options = {"log_prior": prior, "dimensions": dimensions}
    likelihood = core.log_likelihood_on_grid(model.sde, field, x, times, lambda: probes, **options)
    return likelihood.log_prob - dimensions * math.log(model.config.position_scale)


def test_it_does_not_depend_on_place_orientation_order_or_batch(build, batch):
    model, data = build(dtype=torch.float64), batch()
    expected = exactly(model, data)
    turn = torch.linalg.qr(torch.from_numpy(random(1)[0].standard_normal((3, 3), dtype=np.float32)))[0]
    for change in (lambda x: x + torch.tensor([1.0, -2.0, 3.0]), lambda x: x @ turn.T):
        torch.testing.assert_close(exactly(model, moved(data, change)), expected, atol=1e-5, rtol=1e-5)
    order = torch.tensor([3, 0, 2, 1, 4, 5, 6, 7])  # of atoms that the smallest molecule has too
    turned = MoleculeBatch(
        data.positions[:, order],
        data.atoms[:, order],
        data.bonds[:, order][:, :, order],
        data.mask[:, order],
        data.stereo,
    )
    torch.testing.assert_close(exactly(model, turned), expected, atol=1e-5, rtol=1e-5)
    alone = MoleculeBatch(*(y[1:2, :4, :4] if y.ndim == 3 and y.shape[2] == 8 else y[1:2, :4] for y in data))
    torch.testing.assert_close(exactly(model, alone), expected[1:2], atol=1e-5, rtol=1e-5)


def test_estimates_agree_with_the_exact_divergence(build, batch):
    model, data = build(dtype=torch.float64), batch()
    exact = exactly(model, data)
    likelihood = log_likelihood(model, data, random(3), probes=40, steps=6)
    assert ((likelihood.log_prob - exact).abs() < 4 * likelihood.standard_error).all()
    assert (likelihood.standard_error < 0.05 * exact.abs()).all()
    again = log_likelihood(model, data, random(3), probes=40, steps=6)
    assert torch.equal(likelihood.log_prob, again.log_prob)


def test_probes_are_the_identity_of_the_subspace(batch):
    mask = batch().mask
    probes = centred_probes(mask, random(3), 20_000)
    assert probes.sum(2).abs().max() < 1e-4 and (probes[:, ~mask] == 0).all()
    for b, n in enumerate(mask.sum(1).tolist()):
        v = probes[:, b, :n, 0]
        expected = torch.eye(n) - 1 / n
        torch.testing.assert_close(v.T @ v / len(v), expected, atol=0.03, rtol=0)


def test_there_and_back(build, batch):
    model, data = build(dtype=torch.float64, noise=0.02), batch()
    x = scaled(model, data)
    latent = flow(model, data, x, steps=60)
    back = flow(model, data, latent, back=True, steps=60)
    assert (latent - x).abs().max() > 0.05
    assert (back - x).abs().max() < 0.02
    assert (latent[~data.mask] == 0).all() and latent.sum(1).abs().max() < 1e-6
    finer = flow(model, data, flow(model, data, x, steps=120), back=True, steps=120)
    assert (finer - x).abs().max() < (back - x).abs().max() / 2
    assert T0 < 0.05
