"""Molecules under the variance-exploding SDE: the same network, losses, samplers and checks."""

import numpy as np
import pytest
import torch

from molscore.core.losses import weighted_mean_error
from molscore.core.samplers import SAMPLERS
from molscore.core.sde import VE
from molscore.model import load, save
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.sampling import sample_molecules
from molscore.model.state import Times
from molscore.testing import check_denoiser, check_equivariance, check_reflection


def exploding(build, dtype: torch.dtype = torch.float32, **changes) -> MoleculeDiffusion:
    old = build(dtype=dtype)
    config = old.config.model_copy(update={"sde": "ve", "sigma_min": 0.01, "graph_conditioned": 0.3} | changes)
    model = MoleculeDiffusion(config, old.vocabulary, old.size_probabilities).to(dtype)
    model.network.load_state_dict(old.network.state_dict())
    return model.eval()


def test_the_schedule_is_the_one_asked_for(build, tmp_path):
    model = exploding(build, sigma_max=30.0)
    assert model.sde == VE(sigma_min=0.01, sigma_max=30.0)
    save(model, tmp_path / "ve.safetensors", {})
    assert load(tmp_path / "ve.safetensors").sde == model.sde


@torch.no_grad()
def test_the_loss_is_the_plain_error_of_the_network(build, batch):
    """With r² = alpha² + sigma² and x_0 = (alpha x_t + sigma r F) / r²: the velocity weighting is (F - F*)²."""
    model, data = exploding(build, torch.float64), batch()
    x0 = torch.randn(3, 8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)[:, None, None]
    alpha, sigma = model.sde.marginal(t)
    noise = torch.randn(x0.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x, r = alpha * x0 + sigma * noise, (alpha**2 + sigma**2).sqrt()
    best = (x0 * r**2 - alpha * x) / (sigma * r)
    mean = (alpha * x + sigma * r * (best + 0.3)) / r**2
    error = weighted_mean_error(model.sde, mean, x0, t, "velocity")
    torch.testing.assert_close(error, torch.full_like(error, 0.09))
    assert best.std() < 1.5  # of order one at every noise level
    assert all(value.isfinite() for value in model.loss(data, torch.Generator().manual_seed(0)).values())


def test_a_short_training_lowers_the_loss_and_samples_are_molecules_in_shape(build, batch):
    """Fifty steps on three molecules; then samples by every sampler, of finite size, classes that add up to one."""
    torch.manual_seed(0)
    model, data = exploding(build), batch()
    model.train()
    optimiser, losses = torch.optim.Adam(model.parameters(), lr=3e-3), []
    for step in range(50):
        optimiser.zero_grad()
        loss = model.loss(data, torch.Generator().manual_seed(step))["loss"]
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    model.eval()
    for make in SAMPLERS.values():
        streams = [np.random.default_rng(k) for k in range(3)]
        for n, sample in zip(
            (5, 9, 3), sample_molecules(model, [5, 9, 3], streams, steps=8, sampler=make()), strict=True
        ):
            assert sample.positions.shape == (n, 3) and np.isfinite(sample.positions).all()
            np.testing.assert_allclose(sample.positions.sum(0), 0, atol=1e-3 * max(1, np.abs(sample.positions).max()))
            np.testing.assert_allclose(sample.atom_probabilities.sum(-1), 1, rtol=1e-5)
            np.testing.assert_allclose(
                sample.bond_probabilities, sample.bond_probabilities.transpose(1, 0, 2), atol=1e-5
            )


@torch.no_grad()
def test_scores_turn_with_the_molecule(build, batch):
    model, data = exploding(build, torch.float64), batch(sizes=(6,), padded=6)
    denoiser, t = ConformerDenoiser(model, data), torch.tensor(0.4)
    x = 3 * data.positions.double()
    check_denoiser(denoiser, x, torch.full((1, 6, 1), 0.4, dtype=torch.float64))
    check_equivariance(lambda y: [denoiser.score(y, t)], x, [True], 1e-9)
    check_reflection(lambda y: [denoiser.score(y, t)], x, [True], 1e-9)


@torch.no_grad()
@pytest.mark.parametrize("t", [0.4, 0.6, 1.0])
def test_untrained_classes_are_bayes_rule(build, t):
    """p(c | z) ∝ exp(-(z - e_c)² / (2 sigma²)): alpha is 1."""
    model = MoleculeDiffusion(exploding(build).config, build().vocabulary, [0, 1]).double()
    _, sigma = model.sde.marginal(torch.tensor(t, dtype=torch.float64))
    mask, times = torch.ones(1, 3, dtype=torch.bool), Times.uniform(*torch.full((2, 1), t, dtype=torch.float64), 3)
    a = sigma * torch.randn(1, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    features = model.features(a, torch.zeros(1, 3, 3, 4, dtype=torch.float64), mask, times)
    expected = (-((a[..., None, :] - torch.eye(4, dtype=torch.float64)) ** 2).sum(-1) / (2 * sigma**2)).softmax(-1)
    torch.testing.assert_close(features.atom_logits.softmax(-1), expected)
    assert features.atoms.abs().max() < 10  # what the network sees is of order one
