"""Molecules made where they are to lie: wishes in a frame of their own, and random poses to begin with."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior
from molscore.core.samplers import Sampler, SamplerState
from molscore.core.steering import Steered
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

    def uniform(like: Tensor) -> Tensor:
        return torch.tensor([stream.random() for stream in streams[::particles]]).to(like)

    def steer(sampler: Sampler, denoiser: MoleculeDenoiser) -> Sampler:
        return SteeredPlaces(sampler, lambda mean, t: scale * mean.new_ones(len(mean)), uniform, particles)

    return steer


class SteeredPlaces(Steered):
    """Steering by the energies that placed molecules carry: particles with worse ones give way to copies of better.

    The last particles are kept as they are: copies would be duplicates.
    """

    def weighted(self, posterior: Posterior, t: Tensor) -> Tensor:
        """See `Steered.weighted`."""
        return -self.potential(posterior.mean, t) * posterior.carry.energies.amin(1)

    def settled(self, denoiser: Denoiser, state: SamplerState, t: Tensor) -> SamplerState:
        """See `Steered.settled`."""
        return state._replace(memory=None)


def _poses(points: np.ndarray, stream: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rotations ``(M, 3, 3)``, uniform, and centres ``(M, 3)`` of `POSES` poses: half-way from a free point to the middle."""
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
