"""Molecules made where they are to lie: wishes in a frame of their own, and random poses to begin with."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser
from molscore.core.samplers import Sampler
from molscore.core.steering import Steered
from molscore.generate.guiding import choices
from molscore.guidance.soft import SoftMolecules, Wish, normalised
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.placed import PlacedDenoiser, Poses
from molscore.model.state import MoleculeState, pair_mask

POSES = 6
"""Random poses with which a molecule begins."""

STEERING = 0.2
"""By default, the share of the energy that weighs particles."""


def placed(
    wishes: Sequence[Wish], points: np.ndarray, streams: Sequence[np.random.Generator], scale: float = 1.0
) -> Callable[[MoleculeDenoiser], Denoiser]:
    """The argument ``guide`` of `molscore.model.sample_molecules` for molecules that are made in a place.

    Args:
        wishes: see `molscore.guidance.soft.Wish`; their energies are added.
        points: ``(G, 3)`` Å, where centres of molecules may lie to begin with.
        streams: one for each molecule; poses come from there.
        scale: strength of the guidance, dimensionless: 1 takes energies for what they are, in kT.
    """
    start = Poses(*(torch.stack(part) for part in zip(*(_poses(points, stream) for stream in streams), strict=True)))

    def guided(denoiser: MoleculeDenoiser) -> Denoiser:
        pairs, vocabulary = pair_mask(denoiser.mask), denoiser.model.classes

        def energy(state: MoleculeState, t: Tensor, rows: Tensor) -> Tensor:
            mask = denoiser.mask[rows]
            atoms, bonds = normalised(state.a, mask), normalised(state.e, pairs[rows])
            molecules = SoftMolecules(state.x, atoms, bonds, mask, vocabulary)
            return torch.stack([wish(molecules, t) for wish in wishes]).sum(0)

        return PlacedDenoiser(denoiser, energy, start, scale)

    return guided


def steered(
    particles: int, streams: Sequence[np.random.Generator], scale: float = STEERING
) -> Callable[[Sampler, MoleculeDenoiser], Sampler]:
    """The argument ``steer`` of `molscore.model.sample_molecules` for molecules that are made in a place.

    Args:
        particles: in a group; the batch is whole groups, side by side, each of molecules of one size.
        streams: one for each molecule; those of the first of each group choose who is copied.
        scale: of the energy of the best pose in kT; 1 would leave a group one particle.
    """

    def steer(sampler: Sampler, denoiser: MoleculeDenoiser) -> Sampler:
        potential = lambda posterior, t: -scale * posterior.carry.energies.amin(1)  # noqa: E731
        return Steered(sampler, potential, choices(streams, particles), particles)

    return steer


def _poses(points: np.ndarray, stream: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Uniform rotations ``(M, 3, 3)`` and centres ``(M, 3)`` of `POSES` poses, between free points and the middle."""
    q = stream.normal(size=(POSES, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    chosen = points[stream.integers(len(points), size=POSES)]
    centres = (chosen + points.mean(axis=0)) / 2
    return torch.from_numpy(np.moveaxis(np.array(rows), -1, 0).copy()), torch.from_numpy(centres)
