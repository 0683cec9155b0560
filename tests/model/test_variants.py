"""The options of a model that training can be tried with: scaled categories, distorted coordinates, fake atoms."""

import math

import e3nn.nn
import numpy as np
import pytest
import torch

from molscore.core.divergence import rotation
from molscore.model.config import SamplingConfig
from molscore.model.conformation import centred_probes, scaled
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.diffusion import MoleculeDiffusion, without_batch_norm
from molscore.model.fakes import FAKE, add_fakes
from molscore.model.sampling import Sample, sample_molecules, without_fakes


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbers(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def variant(build, **changes) -> MoleculeDiffusion:
    """The small model under a changed configuration, with as many of its weights as fit."""
    old = build()
    model = MoleculeDiffusion(old.config.model_copy(update=changes), old.vocabulary, old.size_probabilities)
    own = model.network.state_dict()
    model.network.load_state_dict(
        {k: v if v.shape == own[k].shape else own[k] for k, v in old.network.state_dict().items()}
    )
    return model.eval()


def inputs_of(model: MoleculeDiffusion, job) -> list[tuple]:
    """What the network was given at every call of a job."""
    seen = []
    handle = model.network.register_forward_hook(lambda _, given, got: seen.append(given))
    try:
        with torch.no_grad():
            job()
    finally:
        handle.remove()
    return seen


def test_the_scale_of_categories_is_that_of_their_clean_state(build, batch):
    """z = alpha s onehot + sigma eps: the same noise, the clean part s times as large; sampling has the same scale."""
    data, plain, scaled = batch(), build(), variant(build, category_scale=2.0)
    (_, _, a1, e1, mask, times, _), (_, _, a2, e2, *_) = (
        inputs_of(m, lambda m=m: m.loss(data, random(), conditioned=False))[-1] for m in (plain, scaled)
    )
    alpha, _ = plain.sde.marginal(times[:, 0, 1])
    k = len(plain.vocabulary)
    onehot = torch.eye(k)[data.atoms]
    torch.testing.assert_close((a2 - a1)[..., :k][mask], (alpha[:, None, None] * onehot)[mask], rtol=0, atol=1e-5)
    own = torch.arange(mask.shape[1])
    for pairs, scale in ((e1, 1.0), (e2, 2.0)):
        diagonal = pairs[:, own, own, :4][mask]
        expected = (scale * alpha[:, None, None] * torch.eye(4)[0]).expand(*mask.shape, 4)[mask]
        torch.testing.assert_close(diagonal, expected, rtol=0, atol=1e-5)
    seen = inputs_of(scaled, lambda: sample_molecules(scaled, [5], [numbers()], steps=4))
    for given in seen:
        alpha, _ = scaled.sde.marginal(given[5][:, 0, 1])
        torch.testing.assert_close(given[3][0, 0, 0, 0], 2 * alpha[0], rtol=1e-5, atol=1e-6)


def test_evidence_of_scaled_categories_is_bayes_rule(build, state):
    """With logits of nothing the classes are softmax(alpha s z / sigma²)."""
    model = variant(build, category_scale=0.5)
    for last in (model.network.atom_head[-1], model.network.bond_head[-1]):
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
    z = state(build())
    with torch.no_grad():
        out = z.asked(model)
    alpha, sigma = model.sde.marginal(z.times[0, 1])
    expected = (0.5 * alpha / sigma**2 * z.a).softmax(-1)
    torch.testing.assert_close(out.atom_logits.softmax(-1)[z.mask], expected[z.mask])


def test_distortion_is_more_noise_than_the_time_says_and_only_in_training(build, batch):
    plain, model, data = build(), variant(build, distortion=0.5), batch(sizes=(7,) * 300, padded=7)
    ((x, *_, times, _),) = inputs_of(plain, lambda: plain.loss(data, random(), conditioned=False))
    assert torch.equal(inputs_of(model, lambda: model.loss(data, random(), conditioned=False))[0][0], x)
    model.train()
    ((distorted, *_),) = inputs_of(model, lambda: model.loss(data, random(), conditioned=False))
    _, sigma = plain.sde.marginal(times[:, 0, 0])
    extra = (distorted - x) / sigma[:, None, None]
    assert distorted.sum(1).abs().max() < 1e-4
    # 7 atoms have 18 free coordinates: a fraction 6/7 of 21. Four standard errors of a variance.
    assert abs(extra.square().mean().item() / (0.25 * 6 / 7) - 1) < 4 * math.sqrt(2 / (300 * 18))


def test_fake_atoms(batch):
    """0 to 3 of them, equally often; each near an atom of its molecule, which is left as it was; none has a bond."""
    data = batch(sizes=(2, 7, 4) * 400, padded=8)
    positions, atoms, bonds, mask, _ = add_fakes(data, 3, 9, random())
    assert positions.shape == (1200, 11, 3) and bonds.shape == (1200, 11, 11)
    real = data.mask.sum(1)
    count = mask.sum(1) - real
    np.testing.assert_allclose(count.bincount().numpy(), 300, atol=4 * math.sqrt(1200 * 3 / 16))
    nearest = []
    for k, n in enumerate(real.tolist()):
        assert mask[k, : n + count[k]].all() and not mask[k, n + count[k] :].any()
        assert torch.equal(positions[k, :n], data.positions[k, :n]) and torch.equal(atoms[k, :n], data.atoms[k, :n])
        assert torch.equal(bonds[k, :n, :n], data.bonds[k, :n, :n]) and bonds[k].sum() == data.bonds[k, :n, :n].sum()
        assert (atoms[k, n : n + count[k]] == 9).all()
        assert (positions[k, n + count[k] :] == 0).all() and (atoms[k, n + count[k] :] == 0).all()
        nearest.append(torch.cdist(positions[k, n : n + count[k]], positions[k, :n]).amin(1))
    nearest = torch.cat(nearest)
    assert 0.2 < nearest.mean() < 2.0 and nearest.max() < 5  # a chi variable of three degrees has mean 1.6


def test_a_model_with_fake_atoms(build, batch):
    """It learns one more class and returns none of it; samples stand for themselves in any company."""
    model = variant(build, fake_atoms=3)
    assert model.classes == [*build().vocabulary, FAKE] and model.vocabulary == build().vocabulary
    seen = inputs_of(model, lambda: model.loss(batch(sizes=(4,) * 9, padded=4), random(), conditioned=False))
    assert seen[0][4].shape == (9, 7) and seen[0][2].shape[-1] == 3 * 5
    sizes = inputs_of(model, lambda: sample_molecules(model, [4] * 20, [numbers(k) for k in range(20)], steps=2))[0][
        4
    ].sum(1)
    assert set(sizes.tolist()) == {4, 5, 6, 7}
    together = sample_molecules(model, [4, 6], [numbers(1), numbers(2)], steps=4)
    alone = sample_molecules(model, [6], [numbers(2)], steps=4)[0]
    assert together[1].atom_probabilities.shape[1] == len(model.vocabulary)
    np.testing.assert_allclose(together[1].positions, alone.positions, atol=1e-5)


def test_what_is_fake_is_left_out():
    a = np.array([[0.6, 0.1, 0.3], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])
    bonds = np.arange(36.0).reshape(3, 3, 4)
    kept = without_fakes(Sample(np.arange(9.0).reshape(3, 3), a, bonds))
    np.testing.assert_array_equal(kept.positions, [[0, 1, 2], [6, 7, 8]])
    np.testing.assert_array_equal(kept.atom_probabilities, [[0.6, 0.1], [0.1, 0.8]])
    np.testing.assert_array_equal(kept.bond_probabilities, bonds[[0, 2]][:, [0, 2]])


def test_a_given_graph_is_clean_and_its_coordinates_are_not(build, batch):
    """Of about the fraction asked for the graph is at time 0; coordinates have the noise of their own time."""
    plain, model = build(), variant(build, graph_conditioned=0.3)
    data = batch(sizes=(5,) * 2000, padded=5)
    ((x, _, atoms, pairs, mask, times, _),) = inputs_of(model, lambda: model.loss(data, random(), conditioned=False))
    ((same, *_, usual, _),) = inputs_of(plain, lambda: plain.loss(data, random(), conditioned=False))
    known = times[:, 0, 1] == 0
    assert abs(known.float().mean() - 0.3) < 4 * (0.3 * 0.7 / 2000) ** 0.5
    torch.testing.assert_close(times[..., 0], usual[..., 0])
    torch.testing.assert_close(x, same)
    torch.testing.assert_close(times[~known], usual[~known])
    k = len(model.vocabulary)
    assert (atoms[known][..., :k].argmax(-1) == data.atoms[known]).all()
    alpha, _ = model.sde.marginal(torch.zeros(()))
    torch.testing.assert_close(atoms[known][..., :k], alpha * torch.eye(k)[data.atoms[known]])
    assert ((pairs[known][..., :4].argmax(-1) == data.bonds[known]) | torch.eye(5, dtype=torch.bool)).all()


def test_networks_with_batch_norm_are_refused(build):
    assert without_batch_norm(build().network) is build().network
    for layer in (torch.nn.BatchNorm1d(4), e3nn.nn.BatchNorm("4x0e")):
        with pytest.raises(ValueError, match="layer '1' is a BatchNorm"):
            without_batch_norm(torch.nn.Sequential(torch.nn.Linear(4, 4), layer))


def test_a_model_is_sampled_as_it_says_unless_told_otherwise(build):
    """Its own steps, grid and noise; each can be changed; an unknown word is an error."""
    own = SamplingConfig(steps=4, power=2.0, middle=0.0, t_end=0.1, eta_x=1.0, eta_g=2.0)
    model = variant(build, sampling=own)
    plain, said = (
        sample_molecules(model, [5], [numbers()])[0],
        sample_molecules(build(), [5], [numbers()], **own.model_dump())[0],
    )
    np.testing.assert_array_equal(plain.positions, said.positions)
    for change in ({"steps": 5}, {"eta_x": 0.0}, {"eta_g": 0.0}, {"power": 1.0}, {"t_end": 0.2}):
        other = sample_molecules(model, [5], [numbers()], **change)[0]
        assert not np.array_equal(other.positions, plain.positions), change
    with pytest.raises(ValueError, match="eta_y"):
        sample_molecules(model, [5], [numbers()], eta_y=1.0)


def test_an_energy_head_makes_the_score_a_gradient(build, batch):
    """Its Jacobian is symmetric; that of the displacement read off the layers is not. No gradient is left behind."""
    old, data = build(dtype=torch.float64), batch()
    config = old.config.model_copy(update={"network": old.config.network.model_copy(update={"energy": True})})
    model = MoleculeDiffusion(config, old.vocabulary, old.size_probabilities).double().eval()
    model.network.load_state_dict(old.network.state_dict(), strict=False)
    x, t = scaled(model, data), torch.tensor(0.3, dtype=torch.float64)
    probes = centred_probes(data.mask, [numbers(k) for k in range(3)], 4).double()
    for candidate, largest in ((model, 1e-8), (old, 1.0)):
        skew, whole = rotation(lambda z, candidate=candidate: ConformerDenoiser(candidate, data).score(z, t), x, probes)
        assert (skew / whole).max() < largest
    assert (skew / whole).min() > 1e-4
    turn = torch.linalg.qr(torch.randn(3, 3, generator=random(), dtype=torch.float64))[0]
    with torch.no_grad():
        denoiser = ConformerDenoiser(model, data)
        plain = denoiser.score(x, t)
        torch.testing.assert_close(denoiser.score(x @ turn.T, t), plain @ turn.T, atol=1e-8, rtol=1e-8)
    assert not plain.requires_grad
    model.train()
    model.loss(data, random())["loss"].backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    assert model.network.energy_head.weight.grad.abs().max() > 0
