"""From wishes to guidance: the model's posterior mean as molecules, and what their energies make of it.

The slope of the energies is taken with respect to the posterior mean alone (`Guided` with a variance), which costs
little beside the network. Where wishes are steep, as where atoms touch, a step cannot follow them; so no atom is moved
by more than `LONGEST_MOVE` by a wish in one evaluation, or by more than the wish's own attribute ``longest_move``.

With particles, groups of attempts go side by side, and those whose wishes are met worst give way to copies of better
ones (`Steered`); noise parts the copies again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser
from molscore.core.guidance import Guided
from molscore.core.samplers import Sampler
from molscore.core.steering import Steered
from molscore.guidance.soft import SoftMolecules, Wish, normalised
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.slopes import shortened, tilted
from molscore.model.state import MoleculeState, pair_mask

LONGEST_MOVE = 0.5
"""Å."""

Watch = Callable[[MoleculeDenoiser, Denoiser], Denoiser]
"""``watch(denoiser, guided)``: what is asked in place of what guidance made of the model's denoiser."""

VARIANCE = 1.0
"""Of clean positions, in units of the state, which are chosen for that."""


class MoleculeEnergy:
    """Wishes as an energy of the core, of the model's flat posterior mean.

    Args:
        denoiser: whose state it is.
        wishes: their energies are added.
        frame: ``(3,)`` Å: where the origin of the state lies in the frame of the wishes.
    """

    def __init__(self, denoiser: MoleculeDenoiser, wishes: Sequence[Wish], frame: np.ndarray | None = None):
        self.wishes, self.layout, self.mask = list(wishes), denoiser.layout, denoiser.mask
        self.config, self.vocabulary = denoiser.model.config, denoiser.model.classes
        self.frame = torch.as_tensor(np.zeros(3) if frame is None else frame, device=self.mask.device)

    def molecules(self, mean: Tensor) -> SoftMolecules:
        """The posterior mean ``(B, D)`` as molecules."""
        state = self.layout.unpack(mean)
        positions = state.x * self.config.position_scale + self.frame.to(mean)
        atoms, bonds = normalised(state.a, self.mask), normalised(state.e, pair_mask(self.mask))
        return SoftMolecules(positions, atoms, bonds, self.mask, self.vocabulary)

    def __call__(self, mean: Tensor, t: Tensor) -> Tensor:
        """``(B,)``, see `molscore.core.guidance.Energy`."""
        molecules = self.molecules(mean)
        time = self.layout.unpack_times(t.expand(len(mean), -1)).graph.amax(1)
        return torch.stack([wish(self._limited(molecules, wish), time) for wish in self.wishes]).sum(0)

    def _limited(self, molecules: SoftMolecules, wish: Wish) -> SoftMolecules:
        """The molecules, whose atoms a wish moves no farther than it may."""
        if not molecules.positions.requires_grad:
            return molecules
        most = getattr(wish, "longest_move", LONGEST_MOVE) / VARIANCE / self.config.position_scale**2
        positions = molecules.positions.clone()
        positions.register_hook(lambda slope: shortened(slope, most))
        return molecules._replace(positions=positions)


class GuidedMolecules(Guided):
    """Positions are guided as if normal, and classes exactly: those of probabilities p get p exp(-scale slope).

    Args:
        denoiser: of molecules.
        energy: of its posterior mean.
        scale: strength, dimensionless.
    """

    def __init__(self, denoiser: MoleculeDenoiser, energy: MoleculeEnergy, scale: float):
        super().__init__(denoiser, energy, scale, VARIANCE)
        self.layout, self.unit = denoiser.layout, denoiser.model.config.category_scale

    def moved(self, mean: Tensor, t: Tensor, slope: Tensor) -> Tensor:
        """See `Guided.moved`."""
        x, *classes = self.layout.unpack(mean)
        _, a, e = self.layout.unpack(slope)
        slopes = a, e + e.transpose(1, 2)  # a bond has its class in either direction
        likelier = (tilted(p, self.scale * self.unit * g) for p, g in zip(classes, slopes, strict=True))
        normal = self.layout.unpack(super().moved(mean, t, slope)).x
        return self.layout.pack(MoleculeState(normal, *likelier))


def guide(
    wishes: Sequence[Wish], scale: float = 1.0, frame: np.ndarray | None = None
) -> Callable[[MoleculeDenoiser], Denoiser]:
    """The argument ``guide`` of `molscore.model.sample_molecules` for wishes.

    Args:
        wishes: see `molscore.guidance.soft.Wish`.
        scale: strength, dimensionless: 1 takes energies for what they are, in kT.
        frame: see `MoleculeEnergy`.
    """

    def guided(denoiser: MoleculeDenoiser) -> Denoiser:
        return GuidedMolecules(denoiser, MoleculeEnergy(denoiser, wishes, frame), scale)

    return guided


def steer(
    wishes: Sequence[Wish],
    particles: int,
    streams: Sequence[np.random.Generator],
    scale: float = 1.0,
    frame: np.ndarray | None = None,
) -> Callable[[Sampler, MoleculeDenoiser], Sampler]:
    """The argument ``steer`` of `molscore.model.sample_molecules` for wishes.

    Args:
        wishes, scale, frame: as for `guide`.
        particles: in a group; the batch is whole groups, side by side, each of molecules of one size.
        streams: one for each molecule; those of the first of each group choose who is copied.
    """

    def steered(sampler: Sampler, denoiser: MoleculeDenoiser) -> Sampler:
        energy = MoleculeEnergy(denoiser, wishes, frame)
        potential = lambda posterior, t: -scale * energy(posterior.mean, t)  # noqa: E731
        return Steered(sampler, potential, choices(streams, particles), particles)

    return steered


def watched(arguments: dict[str, Any], watch: Watch | None) -> dict[str, Any]:
    """Arguments of `molscore.model.sample_molecules` with someone who watches what is asked."""
    if watch is None:
        return arguments
    guided: Callable[[MoleculeDenoiser], Denoiser] = arguments.get("guide", lambda denoiser: denoiser)
    return arguments | {"guide": lambda denoiser: watch(denoiser, guided(denoiser))}


def choices(streams: Sequence[np.random.Generator], particles: int) -> Callable[[Tensor], Tensor]:
    """Uniform numbers for `Steered`, one for each group, from the stream of its first particle."""
    return lambda like: torch.tensor([stream.random() for stream in streams[::particles]]).to(like)
