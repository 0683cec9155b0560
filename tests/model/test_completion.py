"""Given parts: they stay what and where they are, and what is made is in their frame; a time for every atom."""

import numpy as np
import pytest
import torch

from molscore.core.guidance import Guided
from molscore.core.samplers import SAMPLERS
from molscore.core.times import time_grid
from molscore.model.completion import Given
from molscore.model.denoisers import ConformerDenoiser, MoleculeDenoiser
from molscore.model.sampling import sample_molecules, times_from
from molscore.model.state import MoleculeState, Times, pair_mask
from molscore.testing import check_purity, orthogonal


def streams(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


SIZES = (6, 4, 7)


def given_of(batch, graph, positions) -> Given:
    """Of the first atoms of each molecule: so many with classes, so many with positions."""
    data, place = batch(), torch.arange(8)
    return Given(data, place < torch.tensor(graph)[:, None], place < torch.tensor(positions)[:, None])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_given_stays(build, batch, sampler):
    """Positions exactly, classes and bonds for certain; whatever else is given is left to the model."""
    model, given = build(), given_of(batch, (3, 2, 0), (3, 0, 2))
    samples = sample_molecules(model, SIZES, streams(0, 1, 2), steps=5, sampler=SAMPLERS[sampler](), given=given)
    for row, (sample, n) in enumerate(zip(samples, SIZES, strict=True)):
        held, known = given.positions[row, :n].numpy(), given.graph[row, :n].numpy()
        expected = given.batch.positions[row, :n].numpy()
        np.testing.assert_allclose(sample.positions[held], expected[held], atol=1e-5)
        classes = given.batch.atoms[row, :n].numpy()
        assert (sample.atom_probabilities[known].argmax(1) == classes[known]).all()
        np.testing.assert_allclose(sample.atom_probabilities[known].max(1), 1, atol=1e-6)
        bonds = given.batch.bonds[row, :n, :n].numpy()
        both = known[:, None] & known & ~np.eye(n, dtype=bool)
        assert (sample.bond_probabilities.argmax(-1)[both] == bonds[both]).all()
        np.testing.assert_allclose(sample.bond_probabilities.sum(-1), 1, atol=1e-5)
        assert np.isfinite(sample.positions).all()


def test_nothing_given_is_a_new_molecule(build, batch):
    model, nothing = build(), given_of(batch, (0, 0, 0), (0, 0, 0))
    plain = sample_molecules(model, SIZES, streams(0, 1, 2), steps=5)
    for sample, other in zip(
        sample_molecules(model, SIZES, streams(0, 1, 2), steps=5, given=nothing), plain, strict=True
    ):
        np.testing.assert_allclose(sample.positions, other.positions, atol=1e-5)
        np.testing.assert_allclose(sample.atom_probabilities, other.atom_probabilities, atol=1e-5)


def test_a_completion_moves_with_its_core(build, batch):
    """Turned and moved, the core gets the same molecule in its new frame: all noise of positions is that of a frame."""
    model, given = build(dtype=torch.float64), given_of(batch, (3, 2, 3), (3, 2, 3))
    shift = torch.tensor([30.0, -4.0, 7.0])
    there = Given(given.batch._replace(positions=given.batch.positions + shift), given.graph, given.positions)
    plain, moved = (sample_molecules(model, SIZES, streams(0, 1, 2), steps=5, given=x) for x in (given, there))
    for sample, other in zip(plain, moved, strict=True):
        np.testing.assert_allclose(other.positions, sample.positions + shift.numpy(), atol=1e-4)
        np.testing.assert_allclose(other.atom_probabilities, sample.atom_probabilities, atol=1e-4)


def test_a_completion_is_its_own(build, batch):
    """Alone it is what it is among others."""
    model, given = build(), given_of(batch, (3, 2, 3), (3, 2, 3))
    together = sample_molecules(model, SIZES, streams(0, 1, 2), steps=5, given=given)
    rows = [slice(1, 2), slice(0, 4)]
    core = given.batch
    alone = Given(
        type(core)(
            core.positions[1:2, :4], core.atoms[1:2, :4], core.bonds[1:2, :4, :4], core.mask[1:2, :4], core.stereo[1:2]
        ),
        given.graph[tuple(rows)],
        given.positions[tuple(rows)],
    )
    (single,) = sample_molecules(model, [4], streams(1), steps=5, given=alone)
    np.testing.assert_allclose(single.positions, together[1].positions, atol=1e-3)
    np.testing.assert_allclose(single.bond_probabilities, together[1].bond_probabilities, atol=1e-3)


def test_masks_must_fit(build, batch):
    given = given_of(batch, (3, 2, 3), (3, 2, 3))
    for sizes in ((6, 4), (6, 3, 7)):
        with pytest.raises(ValueError, match="3 molecules are given for"):
            sample_molecules(build(), sizes, streams(*range(len(sizes))), steps=2, given=given)
    data = batch()
    with pytest.raises(ValueError, match="'graph' must be of the shape"):
        Given(data, torch.zeros(3, 7, dtype=torch.bool), torch.zeros(3, 8, dtype=torch.bool))
    with pytest.raises(ValueError, match="'positions' must .* name atoms alone"):
        Given(data, torch.zeros(3, 8, dtype=torch.bool), torch.ones(3, 8, dtype=torch.bool))


@torch.no_grad()
def test_the_score_of_mixed_times_turns_with_the_molecule(build, batch):
    """Every atom has times of its own, some are given: equivariant, permuted with its atoms, nothing but numbers."""
    model, data = build("all", torch.float64), batch()
    generator, mask = torch.Generator().manual_seed(3), data.mask
    own = torch.rand(3, 8, 2, generator=generator, dtype=torch.float64)
    own = torch.where(torch.rand(3, 8, 2, generator=generator, dtype=torch.float64) < 0.3, 0, own)
    times = Times.of_atoms(*own.movedim(-1, 0))
    k = len(model.vocabulary)
    x = data.positions.double() / 1.4
    a = torch.eye(k, dtype=torch.float64)[data.atoms]
    e = torch.eye(4, dtype=torch.float64)[data.bonds] * pair_mask(mask)[..., None]
    plain = model.predict(MoleculeState(x, a, e), times, mask)
    turn = orthogonal(-1)
    turned = model.predict(MoleculeState(x @ turn.T, a, e), times, mask)
    torch.testing.assert_close(turned.positions, plain.positions @ turn.T, rtol=0, atol=1e-9)
    torch.testing.assert_close(turned.atom_logits[mask], plain.atom_logits[mask], rtol=0, atol=1e-9)
    order = torch.tensor([3, 0, 7, 5, 1, 6, 2, 4])
    again = model.predict(
        MoleculeState(x[:, order], a[:, order], e[:, order][:, :, order]),
        Times.of_atoms(times.x[:, order], times.graph[:, order]),
        mask[:, order],
    )
    torch.testing.assert_close(again.positions, plain.positions[:, order], rtol=0, atol=1e-9)
    held = (times.x == 0) & mask
    assert held.any() and torch.equal(plain.positions[held], x[held])
    other = model.predict(MoleculeState(x, a, e), times._replace(x=times.x.roll(1, 1)), mask)
    assert (other.positions - plain.positions)[mask].abs().max() > 1e-3


def test_flat_denoisers_are_pure_and_can_be_guided(build, batch):
    model, data = build(), batch()
    denoiser = MoleculeDenoiser(model, data.mask)
    z = torch.randn(3, sum(denoiser.layout.parts), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    t = denoiser.layout.pack_times(Times.uniform(*torch.full((2, 3), 0.4, dtype=torch.float64), 8))
    check_purity(denoiser, z, t)
    guided = Guided(denoiser, lambda mean, t: denoiser.layout.unpack(mean).x.square().sum((1, 2)))
    check_purity(guided, z, t)
    assert not torch.equal(guided(z, t).mean, denoiser(z, t).mean)
    conformers = ConformerDenoiser(model, data)
    check_purity(conformers, data.positions.double(), torch.full((3, 8, 1), 0.4, dtype=torch.float64))


def test_the_way_back_begins_with_no_step_much_shorter_than_the_next():
    """Solvers of second order divide by it."""
    grid = torch.linspace(1, 0, 11)
    for first, wanted in ((0.71, [0.71, 0.6]), (0.76, [0.76, 0.7]), (0.7, [0.7, 0.6]), (1.0, [1.0, 0.9])):
        assert times_from(grid, first)[:2].tolist() == pytest.approx(wanted), first
    assert times_from(grid, 0.05).tolist() == pytest.approx([0.05, 0.0])


@pytest.mark.parametrize("steps", [5, 20, 100])
def test_the_way_back_from_any_time(steps):
    grid = time_grid(steps, t_min=0.03, power=1.25, middle=0.5)
    for first in torch.linspace(0.05, 1, 96).tolist() + [float(t) + 1e-6 for t in grid[1:-1]]:
        t = times_from(grid, first)
        taken = -t.diff()
        assert float(t[0]) == pytest.approx(first) and t[-1] == grid[-1] and (taken > 0).all()
        assert len(t) < 3 or taken[0] > 0.4 * taken[1], first
