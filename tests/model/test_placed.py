"""Molecules with a pose: where they go, that the frame of the surroundings does not matter, and what stays as it is."""

import numpy as np
import pytest
import torch

from molscore.core.denoiser import Denoiser, Posterior
from molscore.core.sde import CosineVP
from molscore.model.placed import PlacedCarry, PlacedDenoiser, Poses, in_place, rotation
from molscore.model.slopes import shortened
from molscore.model.state import Layout, MoleculeState, size_mask

FLOAT = torch.float64
ROD = torch.tensor([[-2.0, 0, 0], [-1, 0, 0], [1, 0, 0], [2, 0, 0.5]], dtype=FLOAT)


class Known(Denoiser):
    """The posterior mean is a bent rod of four atoms of one class, and the same less an atom; noise does not matter."""

    def __init__(self):
        self.sde, self.mask = CosineVP(sigma_min=0.01, alpha_min=0.01), size_mask([4, 3])
        self.layout = Layout(4, 2, 4)

        class config:
            position_scale = 2.0

        self.model = type("Model", (), {"config": config})
        x = ROD.repeat(2, 1, 1) * self.mask[..., None]
        x = (x - x.sum(1, keepdim=True) / self.mask.sum(1)[:, None, None]) * self.mask[..., None]
        a = torch.tensor([0.5, 0.5], dtype=FLOAT).expand(2, 4, 2) * self.mask[..., None]
        self.answer = self.layout.pack(MoleculeState(x / 2.0, a, torch.zeros(2, 4, 4, 4, dtype=FLOAT)))

    def denoise(self, z, t, carry):
        return Posterior(self.answer.clone(), (carry or 0) + 1)


def spring(target, axis):
    """The molecule's centre goes to a point, its longest side along an axis."""

    def energy(state, t, rows):
        there = (state.x.abs().sum(-1, keepdim=True) > 0).to(state.x)
        centre = (state.x * there).sum(1) / there.sum(1)
        along = state.x[:, 2] - state.x[:, 0]
        return 5 * (centre - target).square().sum(-1) - 3 * (along * axis).sum(-1) + state.a[..., 0].sum(1)

    return energy


def start(seed=0):
    turns = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 5, 3)))
    return Poses(rotation(turns), torch.full((2, 5, 3), 7.0, dtype=FLOAT))


def followed(denoiser, steps=60):
    carry, times = None, torch.linspace(0.9, 0.05, steps, dtype=FLOAT)
    for t in times:
        mean, carry = denoiser(denoiser.denoiser.answer, t.view(1, 1), carry)
    return mean, carry


def test_poses_follow_forces_and_torques():
    known, target, axis = Known(), torch.tensor([10.0, 7, 5], dtype=FLOAT), torch.tensor([0, 0.6, 0.8], dtype=FLOAT)
    denoiser = PlacedDenoiser(known, spring(target, axis), start())
    mean, carry = followed(denoiser)
    x = in_place(known.layout.unpack(known.answer).x * 2.0, carry)
    assert carry.inner == 60 and carry.poses.centres.shape == (2, 1, 3)
    for k, n in enumerate((4, 3)):
        assert torch.allclose(x[k, :n].mean(0), target, atol=0.05)
        along = x[k, 2] - x[k, 0]
        assert along @ axis > 0.99 * along.norm()
        assert torch.allclose(torch.pdist(x[k, :n]), torch.pdist(known.layout.unpack(known.answer).x[k, :n] * 2))


def test_guidance_changes_classes_and_keeps_the_centre():
    known = Known()
    denoiser = PlacedDenoiser(known, spring(torch.zeros(3, dtype=FLOAT), torch.ones(3, dtype=FLOAT)), start())
    t = torch.full((1, 1), 0.5, dtype=FLOAT)
    state, before = (known.layout.unpack(y) for y in (denoiser(known.answer, t, None).mean, known.answer))
    assert (state.a[0, :, 0] < before.a[0, :, 0]).all() and torch.allclose(state.a.sum(-1), before.a.sum(-1))
    assert torch.equal(state.e, before.e)
    assert state.x.sum(1).abs().max() < 1e-9 and not state.x[1, 3].any()
    assert (state.x - before.x).norm(dim=-1).max() * 2.0 < 1.0


def test_the_frame_of_the_surroundings_does_not_matter():
    known, target, axis = Known(), torch.tensor([10.0, 7, 5], dtype=FLOAT), torch.tensor([0, 0.6, 0.8], dtype=FLOAT)
    turn, shift = rotation(torch.tensor([0.3, -1, 2], dtype=FLOAT)), torch.tensor([30.0, 1, -50], dtype=FLOAT)
    first = start()
    moved = Poses(turn @ first.rotations, first.centres @ turn.T + shift)
    here = followed(PlacedDenoiser(known, spring(target, axis), first), 10)
    there = followed(PlacedDenoiser(known, spring(turn @ target + shift, turn @ axis), moved), 10)
    assert torch.allclose(here[0], there[0], atol=1e-9)
    assert torch.allclose(here[1].poses.centres @ turn.T + shift, there[1].poses.centres)


def test_what_has_no_energy_is_left_as_it_is():
    known = Known()
    nothing = PlacedDenoiser(known, lambda state, t, rows: 0 * state.x.sum((1, 2)), start())
    mean, carry = followed(nothing, 3)
    assert torch.equal(mean, known.answer) and isinstance(carry, PlacedCarry)


def test_rotations_and_short_vectors():
    turn = torch.tensor([[0, 0, np.pi / 2], [0.0, 0, 0]], dtype=FLOAT)
    expected = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=FLOAT)
    assert torch.allclose(rotation(turn)[0], expected, atol=1e-12) and torch.equal(
        rotation(turn)[1], torch.eye(3).double()
    )
    vectors = torch.tensor([[3.0, 4, 0], [0.3, 0.4, 0], [0, 0, 0]])
    assert shortened(vectors, 1.0).norm(dim=-1).tolist() == pytest.approx([1, 0.5, 0])
