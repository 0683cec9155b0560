"""Samples: the same in any company, well-formed, and drawn from the distribution that the model stands for."""

import numpy as np
import pytest
import torch

from molscore.core.samplers import SAMPLERS
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.sampling import sample_molecules

SIZES = [5, 9, 3, 1]


def streams(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def assert_same(got, expected):
    assert got.positions.shape == expected.positions.shape
    scale = max(1, np.abs(expected.positions).max() / 10)  # a few Euler steps lead far away, and rounding with them
    np.testing.assert_allclose(got.positions, expected.positions, rtol=0, atol=1e-3 * scale)  # Å
    np.testing.assert_allclose(got.atom_probabilities, expected.atom_probabilities, rtol=0, atol=1e-3)
    np.testing.assert_allclose(got.bond_probabilities, expected.bond_probabilities, rtol=0, atol=1e-3)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_molecule_is_the_same_alone_and_in_company(build, sampler):
    """Seed i, size n_i: alone, in a batch, in another order; every sampler."""
    model = build()
    together = sample_molecules(model, SIZES, streams(0, 1, 2, 3), steps=6, sampler=SAMPLERS[sampler]())
    backward = sample_molecules(model, SIZES[::-1], streams(3, 2, 1, 0), steps=6, sampler=SAMPLERS[sampler]())[::-1]
    for k, n in enumerate(SIZES):
        (alone,) = sample_molecules(model, [n], streams(k), steps=6, sampler=SAMPLERS[sampler]())
        assert_same(together[k], alone)
        assert_same(backward[k], alone)
    (other,) = sample_molecules(model, SIZES[:1], streams(9), steps=6, sampler=SAMPLERS[sampler]())
    assert np.abs(other.positions - together[0].positions).max() > 0.1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_are_well_formed(build, sampler):
    steps = []
    samples = sample_molecules(
        build(),
        SIZES,
        streams(0, 1, 2, 3),
        steps=4,
        sampler=SAMPLERS[sampler](),
        on_step=lambda *step: steps.append(step),
    )
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for n, (positions, a, e) in zip(SIZES, samples, strict=True):
        assert positions.shape == (n, 3) and a.shape == (n, 4) and e.shape == (n, n, BOND_CLASSES)
        assert {x.dtype for x in (positions, a, e)} == {np.dtype(np.float32)}
        assert np.isfinite(positions).all()
        np.testing.assert_allclose(positions.sum(0), 0, atol=1e-5 * max(10, np.abs(positions).max()))  # float32
        np.testing.assert_allclose(a.sum(-1), 1, rtol=1e-5)
        np.testing.assert_allclose(e.sum(-1), 1, rtol=1e-5)
        np.testing.assert_allclose(e, e.transpose(1, 0, 2), atol=1e-5)
    assert np.abs(samples[1].positions).max() > 0.1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_classes_of_an_untrained_model_are_uniform(build, sampler):
    """Zero logits are the exact posterior of independent uniform classes, so that is what must come out.

    Each class must be certain in the end, and as frequent as the others within four standard errors.
    """
    torch.manual_seed(0)
    model = MoleculeDiffusion(build().config, build().vocabulary, [0, 1])
    samples = sample_molecules(model, [6] * 40, streams(*range(40)), steps=30, sampler=SAMPLERS[sampler]())
    atoms = np.concatenate([s.atom_probabilities for s in samples])
    i, j = np.triu_indices(6, 1)
    bonds = np.concatenate([s.bond_probabilities[i, j] for s in samples])
    for probabilities in (atoms, bonds):
        assert probabilities.max(-1).mean() > 0.98
        frequency = np.bincount(probabilities.argmax(-1), minlength=4) / len(probabilities)
        assert np.abs(frequency - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / len(probabilities))


def test_the_network_meets_what_it_was_trained_on(build, batch):
    """Training and sampling agree on what no noise touches: the bond of an atom to itself, and the times."""
    model, seen = build(), []
    handle = model.network.register_forward_hook(lambda _, given, got: seen.append(given))
    try:
        with torch.no_grad():
            model.loss(batch(), torch.Generator().manual_seed(0))
        trained = len(seen)
        sample_molecules(model, [4, 6], streams(0, 1), steps=5, t_end=0.2, power=1.0, middle=0.0)
    finally:
        handle.remove()
    assert len(seen) > trained >= 1
    for x, _, _, pairs, mask, times, _ in seen:
        alpha, _ = model.sde.marginal(times[:, 0, 1])
        diagonal = pairs.diagonal(dim1=1, dim2=2)[:, :BOND_CLASSES].transpose(1, 2)[mask]
        expected = torch.zeros_like(diagonal)
        expected[:, 0] = alpha[:, None].expand(mask.shape)[mask]
        torch.testing.assert_close(diagonal, expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(times[..., 0], model.position_time(times[..., 1]), rtol=0, atol=1e-6)
        assert x.sum(1).abs().max() < 1e-3
    graph = torch.stack([times[0, 0, 1] for *_, times, _ in seen[trained:]])
    torch.testing.assert_close(graph, torch.tensor([1, 0.8, 0.6, 0.4, 0.2]), rtol=0, atol=1e-6)


def test_each_step_sees_the_prediction_before(build):
    model, seen, made = build(), [], []
    handle = model.network.register_forward_hook(lambda _, given, got: seen.append(given[1]))
    predict = model.predict
    model.predict = lambda *given: made.append(predict(*given)) or made[-1]
    try:
        sample_molecules(model, [4], streams(0), steps=3)
    finally:
        handle.remove()
        del model.predict
    assert (seen[0] == 0).all()
    for previous, out in zip(seen[1:], made, strict=False):
        assert torch.equal(previous, out.positions)


@pytest.mark.parametrize(("sampler", "each"), [("dpm", 1), ("em", 1), ("pc", 2), ("ode", 2)])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_evaluations_of_the_network(build, sampler, each, steps):
    """One for the last step, the posterior mean; one or two for every other."""
    model, calls = build(), []
    handle = model.network.register_forward_hook(lambda *_: calls.append(1))
    try:
        sample_molecules(model, [4, 3], streams(0, 1), steps=steps, sampler=SAMPLERS[sampler]())
    finally:
        handle.remove()
    assert len(calls) == each * (steps - 1) + 1


def test_a_model_without_self_conditioning_never_sees_a_prediction(build):
    config = build().config.model_copy(update={"self_conditioning": 0.0})
    model, seen = MoleculeDiffusion(config, build().vocabulary, [0, 1]), []
    model.network.register_forward_hook(lambda _, given, got: seen.append(given[1]))
    sample_molecules(model, [4], streams(0), steps=3)
    assert len(seen) == 3 and not any(previous.any() for previous in seen)


def test_options_of_the_way_back(build):
    """The grid ends where it is told, denser where it is told; both parts of the state have noise."""
    model, times = build(), []
    handle = model.network.register_forward_hook(lambda _, given, got: times.append(given[5][0, 0, 1].item()))
    try:
        sample_molecules(model, [4], streams(0), steps=3, power=2.0, middle=0.0, t_end=0.25)
    finally:
        handle.remove()
    np.testing.assert_allclose(times, [1, 0.75**2, 0.25], atol=1e-6)
    plain = sample_molecules(model, [4], streams(0), steps=6)[0]
    for option in ({"eta_x": 0.0}, {"eta_g": 0.0}):
        other = sample_molecules(model, [4], streams(0), steps=6, **option)[0]
        assert np.abs(plain.positions - other.positions).max() > 1e-2
    with pytest.raises(ValueError, match="t_end"):
        sample_molecules(model, [4], streams(0), t_end=1.0)


def test_double_precision(build):
    """The whole way in float64: close to float32, whose rounding is all that differs."""
    model, double = build(), build(dtype=torch.float64)
    for y, z in zip(*(sample_molecules(m, [5, 3], streams(0, 1), steps=5) for m in (model, double)), strict=True):
        assert_same(y, z)


def test_errors(build):
    model = build()
    with pytest.raises(ValueError, match="steps must be at least 1"):
        sample_molecules(model, [3], streams(0), steps=0)
    with pytest.raises(ValueError, match="at least one atom, not 0"):
        sample_molecules(model, [3, 0], streams(0, 1))
    with pytest.raises(ValueError, match="2 molecules need as many streams, not 1"):
        sample_molecules(model, [3, 4], streams(0))
    assert sample_molecules(model, [], []) == []
