"""The posterior of the last layer: its sums, the score that it leaves open, what it says of samples."""

import numpy as np
import pytest
import torch

from molscore.core.bayes import LastLayer
from molscore.core.sde import perturb
from molscore.model import load, save
from molscore.model.conformation import scaled
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.posterior import LOCAL, gather, local_score, uncertainty
from molscore.model.state import normal
from molscore.network.geometry import centre


def random(n: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng(seed + k) for k in range(n)]


def copy_of(model: MoleculeDiffusion, posterior: torch.Tensor | None = None) -> MoleculeDiffusion:
    """A model of one's own to change."""
    twin = MoleculeDiffusion(model.config, model.vocabulary, model.size_probabilities).to(model.dtype).eval()
    twin.load_state_dict(model.state_dict())
    twin.posterior = posterior
    return twin


@pytest.fixture
def model(build) -> MoleculeDiffusion:
    root = torch.from_numpy(random(1)[0].standard_normal((8, 8)))
    return copy_of(build(dtype=torch.float64), 1e-4 * root @ root.T)


def weights_of(model: MoleculeDiffusion) -> torch.nn.Parameter:
    return model.network.layers[-1].displace.weights[0]


def test_a_change_of_the_weights_is_what_it_says(model, batch):
    """For each molecule its own; and the displacement is linear in it, with the vectors as coefficients."""
    data = batch()
    x, t = scaled(model, data), torch.tensor(0.1)
    change = 0.1 * torch.from_numpy(random(1)[0].standard_normal((3, 8)))
    denoiser = ConformerDenoiser(model, data)
    plain, (_, vectors) = denoiser.score(x, t), denoiser.mean_and_vectors(x, t)
    changed = denoiser.changed(change).score(x, t)
    assert torch.equal(plain, denoiser.score(x, t))  # nothing of it stays
    for b in range(3):
        twin = copy_of(model)
        with torch.no_grad():
            weights_of(twin).add_(change[b])
        torch.testing.assert_close(changed[b], ConformerDenoiser(twin, data).score(x, t)[b])
    alpha, sigma = model.sde.marginal(t)
    moved = centre(torch.einsum("bnxd,bd->bnx", vectors, change), data.mask)
    torch.testing.assert_close(changed - plain, alpha / sigma * moved, atol=1e-9, rtol=1e-6)


def test_the_sums_are_those_of_the_denoising_loss(model, batch):
    """Features times errors are the loss's gradient in the weights, features times features its curvature."""
    data, layer = batch(), LastLayer.empty(8, like=torch.empty(0, dtype=torch.float64))
    gather(model, data, np.random.default_rng(3), layer)
    assert layer.data == 3

    def loss(weights: torch.Tensor) -> torch.Tensor:
        """Half the summed squared velocity errors at the same times and noise."""
        source = np.random.default_rng(3)
        t = model.position_time(torch.from_numpy((source.permutation(3) + source.random(3)) / 3))[:, None, None]
        x0 = scaled(model, data)
        x = perturb(model.sde, x0, t, centre(normal(source, *x0.shape).double(), data.mask))
        change = (weights - weights_of(model)).expand(3, -1)
        mean, _ = ConformerDenoiser(model, data).changed(change).mean_and_vectors(x, t)
        _, sigma = model.sde.marginal(t)
        error = (mean - x0) / sigma
        return (error * data.mask[..., None]).square().sum() / 2

    start = weights_of(model).detach()
    torch.testing.assert_close(layer.squares[0], 2 * loss(start).detach())
    curvature = torch.autograd.functional.hessian(loss, start)[0, :, 0]
    torch.testing.assert_close(layer.curvature, curvature)


def test_the_norm_of_a_gaussian_is_known(model, batch):
    """Without a network the score of alpha x + sigma eps is its negative; the noise averages out exactly."""
    data, plain = batch(), copy_of(model, torch.eye(8, dtype=torch.float64))
    with torch.no_grad():
        for parameter in plain.network.parameters():
            parameter.zero_()
    scores = local_score(plain, data, random(3))
    alpha, _ = plain.sde.marginal(torch.tensor(LOCAL))
    x = scaled(plain, data)
    expected = alpha * (x.square().sum((1, 2)) / data.mask.sum(1)).sqrt() / plain.config.position_scale
    torch.testing.assert_close(scores.norm, expected, rtol=1e-5, atol=0)
    assert (scores.deviation == 0).all()  # no vectors, no uncertainty


def test_the_deviation_is_that_of_draws(model, batch):
    data = batch()
    deviation = local_score(model, data, random(3), views=2).deviation
    x, t = scaled(model, data), torch.tensor(LOCAL).double()
    alpha, sigma = model.sde.marginal(t)
    noise = torch.zeros_like(x)
    for b, source in enumerate(random(3)):
        n = int(data.mask[b].sum())
        own = normal(source, n, 3)
        noise[b, :n] = own - own.mean(0)
    root, values = torch.linalg.cholesky(model.posterior), []
    for k in range(400):
        change = (root @ torch.from_numpy(random(1, seed=100 + k)[0].standard_normal(8))).expand(3, -1)
        with torch.no_grad():
            changed = ConformerDenoiser(model, data).changed(change)
            values.append(torch.stack([changed.score(alpha * x + s * sigma * noise, t) for s in (1, -1)]))
    variance = torch.stack(values).var(0).sum((2, 3)).mean(0) / data.mask.sum(1)
    torch.testing.assert_close(deviation * model.config.position_scale, variance.sqrt(), rtol=0.15, atol=0)


def test_uncertainty_grows_with_the_posterior_and_needs_one(model, batch):
    data = batch()
    deviation = uncertainty(model, data, random(3), *random(1, seed=9))
    assert (
        deviation.shape == data.mask.shape and (deviation[data.mask] > 0).all() and (deviation[~data.mask] == 0).all()
    )
    little = uncertainty(copy_of(model, 1e-8 * model.posterior), data, random(3), *random(1, seed=9))
    smaller = uncertainty(copy_of(model, 1e-10 * model.posterior), data, random(3), *random(1, seed=9))
    torch.testing.assert_close(smaller, little / 10, rtol=1e-2, atol=0)  # linear where it is small
    with pytest.raises(ValueError, match="no posterior"):
        uncertainty(copy_of(model), data, random(3), *random(1, seed=9))
    assert local_score(copy_of(model), data, random(3)).deviation is None


def test_it_is_a_molecule_s_own(model, batch):
    """Batch mates and padding change nothing."""
    data = batch()
    alone = type(data)(*(y[1:2, :4, :4] if y.ndim == 3 and y.shape[2] == 8 else y[1:2, :4] for y in data))
    for ask in (
        lambda *arguments: uncertainty(*arguments, *random(1, seed=9)),
        lambda *arguments: local_score(*arguments).deviation[:, None],
    ):
        together, single = ask(model, data, random(3)), ask(model, alone, random(3)[1:2])
        torch.testing.assert_close(together[1:2, : single.shape[1]], single, rtol=1e-6, atol=0)


def test_it_goes_to_the_file_and_back(model, tmp_path):
    save(model.float(), tmp_path / "a.safetensors", {})
    torch.testing.assert_close(load(tmp_path / "a.safetensors").posterior, model.posterior)
    save(copy_of(model), tmp_path / "b.safetensors", {})
    assert load(tmp_path / "b.safetensors").posterior is None
