"""Coordinates of given graphs sampled by the reverse SDE: symmetry, independence, and the ways to begin."""

import numpy as np
import pytest
import torch

from molscore.core.times import log_snr_grid
from molscore.model.config import SamplingConfig
from molscore.model.conformation import flow, scaled
from molscore.model.conformers import LENGTH, harmonic, sample_positions


def random(n: int = 3) -> list[np.random.Generator]:
    return [np.random.default_rng(k) for k in range(n)]


@pytest.fixture
def model(build):
    return build(dtype=torch.float64)


@pytest.mark.parametrize("begin", ["noise", "harmonic", "given"])
def test_a_molecule_depends_on_its_own_noise_alone(model, batch, begin):
    data = batch()
    options = {"steps": 4, "eta_x": 0.5, "begin": begin, "t_start": 0.8}
    together = sample_positions(model, data, random(), **options)
    assert torch.isfinite(together).all() and (together[~data.mask] == 0).all()
    torch.testing.assert_close(together.sum(1), torch.zeros(3, 3, dtype=torch.float64), atol=1e-9, rtol=0)
    second = type(data)(*(y[1:2] for y in data))
    alone = sample_positions(model, second, random()[1:2], **options)
    torch.testing.assert_close(alone, together[1:2], atol=1e-9, rtol=1e-9)
    other = sample_positions(model, second, random()[2:3], **options)
    assert (other - alone).abs().max() > 0.1


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_each_step_is_one_evaluation(model, batch, steps):
    calls = []
    handle = model.network.register_forward_hook(lambda *_: calls.append(1))
    sample_positions(model, batch(), random(), steps=steps)
    handle.remove()
    assert len(calls) == steps


def test_given_positions_stay_near_where_little_noise_is_added(model, batch):
    data = batch()
    x = scaled(model, data) * model.config.position_scale
    near = sample_positions(model, data, random(), steps=3, eta_x=1.0, t_start=0.03, t_end=0.02, begin="given")
    far = sample_positions(model, data, random(), steps=3, eta_x=1.0, begin="given")
    assert 2 * (near - x).abs().max() < (far - x).abs().max()
    assert (near - x).square().mean().sqrt() < 0.5


def test_springs_hold_bonded_atoms(model, batch):
    """Two atoms of one bond are LENGTH apart, root mean square; a chain's ends are sqrt(its bonds) as far."""
    n, copies = 4, 4000
    bonds = torch.zeros(n, n, dtype=torch.int64)
    for i in range(n - 1):
        bonds[i, i + 1] = bonds[i + 1, i] = 1
    single = batch(sizes=(n,), padded=n)
    data = single._replace(
        positions=torch.zeros(copies, n, 3),
        atoms=single.atoms.expand(copies, n),
        bonds=bonds.expand(copies, n, n),
        mask=single.mask.expand(copies, n),
        stereo=single.stereo.expand(copies, 0, 5),
    )
    noise = torch.randn(copies, n, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = harmonic(model, data, noise) * model.config.position_scale
    for i, j in ((0, 1), (1, 2), (0, 3)):
        square = (x[:, i] - x[:, j]).square().sum(-1)
        error = 4 * float(square.std()) / copies**0.5
        assert abs(float(square.mean()) - abs(i - j) * LENGTH**2) < error
    torch.testing.assert_close(x.mean(1), torch.zeros_like(x[:, 0]), atol=1e-9, rtol=0)


def test_a_mirrored_molecule_from_mirrored_noise_is_the_mirror_image(build, batch):
    """Enantiomers stay apart: mirrored latents and tags flow to mirrored coordinates, mirrored tags alone do not."""
    model = build(dtype=torch.float64, stereo=True)
    data = batch(sizes=(6, 5), padded=6)
    tags = torch.tensor([[0, 1, 2, 3, 1], [1, 0, 2, 4, -1], [0, 1, 2, 3, 2]]).expand(2, 3, 5)
    other = tags * torch.where(tags.abs()[..., 4:] == 1, torch.tensor([1, 1, 1, 1, -1]), 1)
    latent = scaled(model, data)
    x, mirrored, wrong = (
        flow(model, data._replace(stereo=s), z, back=True, steps=6)
        for s, z in ((tags, latent), (other, -latent), (tags, -latent))
    )
    torch.testing.assert_close(mirrored, -x, atol=1e-9, rtol=1e-9)
    assert (wrong + x).abs().max() > 1e-3


def test_bad_words_are_refused(model, batch):
    with pytest.raises(ValueError, match="begin"):
        sample_positions(model, batch(), random(), steps=2, begin="nowhere")
    with pytest.raises(ValueError, match="t_end must lie below t_start"):
        sample_positions(model, batch(), random(), steps=2, t_start=0.01)
    assert len(log_snr_grid(model.sde, 3, 0.02, 0.98)) == 4


def test_a_model_says_how_its_conformers_are_drawn(build, batch, monkeypatch):
    """Its own steps, times and noise; each can be changed; an unknown word is an error."""
    model, data = build(dtype=torch.float64), batch()
    own = {"steps": 3, "t_start": 0.9, "t_end": 0.1, "eta_x": 1.0}
    said = sample_positions(model, data, random(), **own)
    monkeypatch.setattr(model, "config", model.config.model_copy(update={"sampling": SamplingConfig(**own)}))
    torch.testing.assert_close(sample_positions(model, data, random()), said, atol=0, rtol=0)
    for change in ({"steps": 4}, {"t_start": 0.8}, {"t_end": 0.2}, {"eta_x": 0.0}):
        assert not torch.equal(sample_positions(model, data, random(), **change), said), change
    with pytest.raises(ValueError, match="eta_y"):
        sample_positions(model, data, random(), eta_y=1.0)
