"""Prediction and loss of a model, against formulae that need no network."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from molscore.core.losses import weighted_mean_error
from molscore.core.sde import CosineVP, perturb
from molscore.model.config import DiffusionConfig
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.state import MoleculeState, Times, pair_mask


class Calls:
    """What a model's network was given and returned, call by call."""

    def __init__(self, model):
        self.calls = []
        self.handle = model.network.register_forward_hook(lambda _, given, got: self.calls.append((given, got)))

    def __enter__(self):
        return self.calls

    def __exit__(self, *error):
        self.handle.remove()


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_velocity_weighting_is_the_plain_error_of_the_network(dtype):
    """x_0 = alpha x_t + sigma F* has F* = sigma x_0 - alpha eps; the loss must be (F - F*)², and 0 if F is F*."""
    sde = CosineVP()
    x0, noise, wrong = (torch.randn(500, 3, generator=random(k), dtype=torch.float64) for k in range(3))
    t = torch.linspace(0, 1, 500, dtype=torch.float64)[:, None]
    alpha, sigma = sde.marginal(t)
    x = perturb(sde, x0, t, noise)
    best = sigma * x0 - alpha * noise
    for f in (best, best + wrong):
        error = weighted_mean_error(sde, (alpha * x + sigma * f).to(dtype), x0.to(dtype), t.to(dtype), "velocity")
        # Float32 leaves 1e-7 of x_0, divided by sigma >= 0.005, in F.
        tolerance = {torch.float32: 1e-3, torch.float64: 1e-9}[dtype]
        torch.testing.assert_close(error, ((f - best) ** 2).to(dtype), rtol=tolerance, atol=tolerance)


def test_loss_is_what_the_network_got_wrong(build, batch, dtype):
    """All parts of the loss, recomputed molecule by molecule from what went in and out of the network."""
    model, data = build("vectors", dtype), batch()
    with Calls(model) as calls:
        losses = model.loss(data, random())
    (x, _, atoms, pairs, mask, times, _), (shift, atom_logits, bond_logits, _) = calls[-1]
    alpha, sigma = model.sde.marginal(times[:, 0])
    k = len(model.vocabulary)
    positions = atom = bond = 0.0
    for row, n in enumerate(data.mask.sum(1).tolist()):
        x0 = data.positions[row, :n].to(dtype) / model.config.position_scale
        x0 = x0 - x0.mean(0)
        noise = (x[row, :n] - alpha[row, 0] * x0) / sigma[row, 0]
        positions += (shift[row, :n] - (sigma[row, 0] * x0 - alpha[row, 0] * noise)).square().sum()
        evidence = min(50.0, float(alpha[row, 1] / sigma[row, 1] ** 2))
        log_p = (atom_logits[row, :n] + evidence * atoms[row, :n, :k]).log_softmax(-1)
        atom -= log_p.gather(1, data.atoms[row, :n, None]).sum()
        for i in range(n):
            for j in range(i):
                log_p = (bond_logits[row, i, j] + evidence * pairs[row, i, j, :BOND_CLASSES]).log_softmax(-1)
                bond -= log_p[data.bonds[row, i, j]]
    count = int(data.mask.sum())
    expected = {"positions": positions / (3 * count), "atoms": atom / count, "bonds": bond / count}
    expected["loss"] = expected["positions"] + 0.5 * expected["atoms"] + 0.5 * expected["bonds"]
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].ndim == 0 and losses[name] > 0.01
        torch.testing.assert_close(losses[name], value, rtol=1e-3 if dtype == torch.float32 else 1e-9, atol=0)


def test_loss_has_finite_gradients(build, batch):
    model = build()
    model.zero_grad()
    model(batch(sizes=(1, 2, 7)), random())["loss"].backward()
    for name, parameter in model.named_parameters():
        if parameter.numel():
            assert parameter.grad.isfinite().all(), name


@torch.no_grad()
def test_loss_depends_on_noise_but_not_on_the_frame(build, batch):
    model, data = build(dtype=torch.float64), batch()
    loss = model.loss(data, random())["loss"]
    moved = data._replace(positions=(data.positions + 8) * data.mask[..., None])
    torch.testing.assert_close(model.loss(moved, random())["loss"], loss, rtol=1e-5, atol=0)
    assert model.loss(data, random())["loss"] == loss
    assert (model.loss(data, random(1))["loss"] - loss).abs() > 1e-3


@torch.no_grad()
def test_times_are_stratified_and_coordinates_have_their_own(build, batch):
    model = build()
    with Calls(model) as calls:
        model.loss(batch(sizes=(3,) * 40, padded=3), random())
    times = calls[-1][0][5]
    x, graph = times[:, 0].T
    assert torch.equal(times, times[:, :1].expand_as(times))
    assert ((graph.sort().values * 40).floor() == torch.arange(40)).all()
    assert not (graph.diff() > 0).all(), "in order of size, large molecules would see little noise"
    torch.testing.assert_close(x, graph**2)


@torch.no_grad()
def test_noisy_coordinates_stay_centred_and_bonds_symmetric(build, batch):
    model, data = build(), batch()
    with Calls(model) as calls:
        model.loss(data, random())
    x, _, _, pairs, mask, _, _ = calls[-1][0]
    assert x.sum(1).abs().max() < 1e-5 and (x[~mask] == 0).all()
    torch.testing.assert_close(pairs, pairs.transpose(1, 2), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("fraction", "low", "high"), [(0.0, 0, 0), (0.5, 1, 9), (1.0, 10, 10)])
def test_self_conditioning(build, batch, fraction, low, high):
    """That fraction of ten batches is seen twice, the second time with the first prediction, as a plain input."""
    config = build().config.model_copy(update={"self_conditioning": fraction})
    model, data = MoleculeDiffusion(config, build().vocabulary, [0, 1]), batch()
    with Calls(model) as calls:
        for k in range(10):
            model.loss(data, random(k))
    previous = [given[1] for given, _ in calls]
    assert low <= len(calls) - 10 <= high  # a coin tossed ten times falls on one side once in 500
    assert sum(bool((y != 0).any()) for y in previous) == len(calls) - 10
    assert not any(y.requires_grad for y in previous)


@torch.no_grad()
def test_previous_prediction_matters(build, state):
    model = build(dtype=torch.float64)
    given = state(model)
    out = given.asked(model)
    for part in given.previous._fields:
        changed = given.previous._replace(**{part: given.previous._asdict()[part] * 0.5})
        other = given._replace(previous=changed).asked(model)
        for name, y, z in zip(out._fields, out, other, strict=True):
            assert (y - z)[given.mask].abs().max() > 1e-5, f"{name} does not depend on the previous {part}"


@torch.no_grad()
@pytest.mark.parametrize("t", [0.2, 0.5, 0.8, 1.0])
def test_untrained_classes_are_bayes_rule(build, dtype, t):
    """No training, zero logits: p(c | z) is that of a uniform prior and the Gaussian noise, written out here."""
    untrained = MoleculeDiffusion(build().config, build().vocabulary, [0, 1]).to(dtype)
    times = Times.uniform(*torch.tensor([[t], [t]], dtype=dtype), 2)
    alpha, sigma = (y.item() for y in untrained.sde.marginal(torch.tensor(t, dtype=torch.float64)))
    mask = torch.ones(1, 2, dtype=torch.bool)
    a = torch.randn(1, 2, 4, generator=random(), dtype=torch.float64)
    e = torch.randn(1, 2, 2, 4, generator=random(1), dtype=torch.float64)
    e = e + e.transpose(1, 2)

    def bayes(z: torch.Tensor) -> torch.Tensor:
        classes = alpha * torch.eye(z.shape[-1], dtype=torch.float64)
        density = torch.exp(-((z[..., None, :] - classes) ** 2).sum(-1) / (2 * sigma**2))
        return (density / density.sum(-1, keepdim=True)).to(dtype)

    x = torch.tensor([[[0.5, 0, 0], [-0.5, 0, 0]]], dtype=dtype)
    out = untrained.predict(MoleculeState(x, a.to(dtype), e.to(dtype)), times, mask)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-10}[dtype]
    torch.testing.assert_close(out.atom_logits.softmax(-1), bayes(a), rtol=0, atol=tolerance)
    pairs = pair_mask(mask)
    torch.testing.assert_close(out.bond_logits.softmax(-1)[pairs], bayes(e)[pairs], rtol=0, atol=tolerance)


@torch.no_grad()
def test_nearly_clean_classes_are_known(build, state, batch):
    """At the clean end the state itself says which class: the bound on the evidence must not hide that."""
    model = build()
    given, data = state(model, (1e-4, 1e-4)), batch()
    out = given.asked(model)
    pairs = data.mask[:, :, None] & data.mask[:, None]
    for logits, classes, real in ((out.atom_logits, data.atoms, data.mask), (out.bond_logits, data.bonds, pairs)):
        assert logits.isfinite().all()
        assert logits.softmax(-1).gather(-1, classes[..., None])[real].min() > 0.999
    torch.testing.assert_close(out.positions, given.x, rtol=0, atol=0.1)


@torch.no_grad()
def test_double_precision_is_double_throughout(build, state):
    """Nothing on the way is rounded to float32: the last bits are there, and float32 agrees to its own precision."""
    single, double = build(), build(dtype=torch.float64)
    given = state(double)
    with Calls(double) as calls:
        out = given.asked(double)
    alpha, sigma = double.sde.marginal(given.times[0, 1])
    for noisy, logits, got in zip((given.a, given.e), out[1:], calls[0][1][1:3], strict=True):
        torch.testing.assert_close(logits, got + alpha / sigma**2 * noisy, rtol=0, atol=1e-12)
    rounded = type(given)(*(y.float() if y.is_floating_point() else y for y in given[:5]), given.previous)
    rounded = rounded._replace(previous=type(given.previous)(*(y.float() for y in given.previous)))
    for y, z in zip(out, rounded.asked(single), strict=True):
        assert y.dtype == torch.float64 and z.dtype == torch.float32
        assert (y != y.float().double()).any()
        torch.testing.assert_close(z[given.mask], y[given.mask].float(), rtol=0, atol=1e-3)


@torch.no_grad()
def test_batch_of_molecules_without_bonds_or_neighbours(build, batch):
    losses = build().loss(batch(sizes=(1, 1), padded=1), random())
    assert all(math.isfinite(value) for value in losses.values())
    assert losses["bonds"] == 0


def test_training_and_evaluation_are_the_same_function(build, batch):
    """No layer may keep statistics of what it has seen.

    Batch normalisation would: its running averages are those of training's noise levels, while a sampler's batch
    evolves from noise to molecules. They fit no step of it, drift with it, and tie samples to their batch mates.
    """
    model, data = build(), batch()
    normalisations = (nn.modules.batchnorm._NormBase,)
    for name, module in model.named_modules():
        assert not isinstance(module, normalisations), name
        assert "batchnorm" not in type(module).__name__.lower(), name  # e3nn's own
    model.train()
    try:
        before = {name: buffer.clone() for name, buffer in model.named_buffers()}
        assert before, "the walk must see buffers: frequencies of the times, Wigner symbols"
        first, second = (model.loss(data, random())["loss"].detach() for _ in range(2))
        assert first == second
        for name, buffer in model.named_buffers():
            torch.testing.assert_close(buffer, before[name], rtol=0, atol=0)
    finally:
        model.eval()
    assert model.loss(data, random())["loss"] == first


@pytest.mark.parametrize("wrong", [{"self_conditioning": 1.5}, {"atom_weight": -1}, {"noise": 1}, {"sigma_min": 0}])
def test_configurations_that_cannot_be(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        DiffusionConfig(**wrong)
