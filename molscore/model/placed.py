"""Molecules in a place: each has a pose, a rotation and a translation, beside its state.

Without given positions the state knows neither where a molecule lies nor how it is turned: it is centred, and the model
does not care for rotations. In surroundings with an energy E both are variables of their own,

    y_i = R x_i + c,    c <- c + m F,    R <- exp(m' τ) R,    F = - Σ_i dE/dy_i,    τ = - Σ_i (y_i - c) × dE/dy_i,

that follow the forces on the molecule as the posterior mean has it, in several small moves at each evaluation of the
network. A molecule begins with several poses and keeps the best. Its shape follows the slope of the energy there, as in
`molscore.core.guidance.Guided` with a variance, and an atom or bond of class probabilities p gets p exp(- scale dE/dp).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.slopes import shortened, tilted
from molscore.model.state import MoleculeState

PlacedEnergy = Callable[[MoleculeState, Tensor, Tensor], Tensor]
"""`energy(state, t, rows)`: kT for each of n molecules ``(n,)`` at graph times ``t (n,)``; positions of the state are
in Å in the frame of the surroundings, ``rows (n,)`` the molecules' places in the batch."""

MOVES, ALONE = 2, 0.65
"""Moves at each evaluation, and the graph time below which there is but the best pose."""

STIFFNESS, LONGEST, WIDEST = 6.0, 0.4, 0.15
"""Of rigid moves: kT/Å² for each atom, Å and radians."""

LONGEST_SHIFT, VARIANCE = 0.5, 1.0
"""Of guidance: Å that it may move an atom; variance of clean positions in units of the state."""


class Poses(NamedTuple):
    """M poses for each of B molecules: rotations ``(B, M, 3, 3)`` and centres ``(B, M, 3)`` in Å."""

    rotations: Tensor
    centres: Tensor

    def best(self, energies: Tensor) -> "Poses":
        """That of the lowest energy ``(B, M)`` alone."""
        best = energies.argmin(1)
        rows = torch.arange(len(best), device=best.device)
        return Poses(self.rotations[rows, best][:, None], self.centres[rows, best][:, None])


class PlacedCarry(NamedTuple):
    """The carry of `PlacedDenoiser`: that of the model's denoiser, the poses, and their energies ``(B, M)`` in kT."""

    inner: Any
    poses: Poses
    energies: Tensor


class PlacedDenoiser(Denoiser):
    """A denoiser of molecules that lie in surroundings, and are guided by them.

    Args:
        denoiser: of the molecules.
        energy: see `PlacedEnergy`.
        start: the poses with which they begin.
        scale: strength of the guidance of the state, dimensionless.
    """

    def __init__(self, denoiser: MoleculeDenoiser, energy: PlacedEnergy, start: Poses, scale: float = 1.0):
        self.denoiser, self.energy, self.start, self.scale = denoiser, energy, start, scale
        self.sde, self.layout, self.mask = denoiser.sde, denoiser.layout, denoiser.mask
        self.unit = denoiser.model.config.position_scale

    def __repr__(self) -> str:
        return f"PlacedDenoiser({self.denoiser!r}, {self.energy!r}, scale={self.scale})"

    def denoise(self, z: Tensor, t: Tensor, carry: PlacedCarry | None) -> Posterior:
        mean, inner = self.denoiser(z, t, None if carry is None else carry.inner)
        poses = self.start if carry is None else carry.poses
        state = self.layout.unpack(mean.detach())
        state = state._replace(x=state.x * self.unit)
        time = self.layout.unpack_times(t.expand(z.shape)).graph.amax(1)
        poses = Poses(*(part.to(mean) for part in poses))
        for _ in range(MOVES):
            poses, energies = self._moved(state, poses, time)
        if float(time.max()) < ALONE and energies.shape[1] > 1:
            poses = poses.best(energies)
            energies = energies.amin(1, keepdim=True)
        mean = self._guided(mean, state, poses.best(energies), time, t)
        return Posterior(mean, PlacedCarry(inner, poses, energies))

    def _moved(self, state: MoleculeState, poses: Poses, time: Tensor) -> tuple[Poses, Tensor]:
        """Poses after a move, and the energies before it, ``(B, M)``."""
        b, m = poses.centres.shape[:2]
        rows = torch.arange(b, device=time.device).repeat_interleave(m)
        rotations, centres = poses.rotations.flatten(0, 1), poses.centres.flatten(0, 1)
        there = self.mask[rows][..., None]
        turned = (state.x[rows] @ rotations.transpose(1, 2)) * there
        with torch.enable_grad():
            y = (turned + centres[:, None]).requires_grad_()
            energy = self.energy(MoleculeState(y, state.a[rows], state.e[rows]), time[rows], rows)
            (slope,) = torch.autograd.grad(energy.sum(), y)
        slope = slope * there
        atoms = there.sum((1, 2))[:, None].to(slope)
        force, torque = -slope.sum(1), -torch.linalg.cross(turned, slope).sum(1)
        shift = shortened(force / (STIFFNESS * atoms), LONGEST)
        inertia = turned.square().sum((1, 2))[:, None] + 1
        turn = shortened(torque / (STIFFNESS * inertia), WIDEST)
        rotations = rotation(turn) @ rotations
        moved = Poses(rotations.view(b, m, 3, 3), (centres + shift).view(b, m, 3))
        return moved, energy.detach().view(b, m)

    def _guided(self, mean: Tensor, state: MoleculeState, poses: Poses, time: Tensor, t: Tensor) -> Tensor:
        """The mean ``(B, D)`` after guidance."""
        rotations, centres = poses.rotations[:, 0], poses.centres
        there, rows = self.mask[..., None], torch.arange(len(time), device=time.device)
        with torch.enable_grad():
            x, a, e = (part.detach().requires_grad_() for part in state)
            energy = self.energy(MoleculeState(x @ rotations.transpose(1, 2) + centres, a, e), time, rows).sum()
            slope_x, slope_a, slope_e = torch.autograd.grad(energy, (x, a, e), allow_unused=True)
        x, a, e = self.layout.unpack(mean)
        if slope_x is not None:
            slope_x = shortened(slope_x * self.unit * there, LONGEST_SHIFT / self.unit / VARIANCE)
            slope_x = (slope_x - slope_x.sum(1, keepdim=True) / there.sum(1, keepdim=True)) * there
            alpha, sigma = (y[..., None] for y in self.sde.marginal(self.layout.unpack_times(t.expand(mean.shape)).x))
            x = x - self.scale * VARIANCE * sigma**2 / (sigma**2 + VARIANCE * alpha**2) * slope_x
        if slope_a is not None:
            a = tilted(a, self.scale * slope_a)
        if slope_e is not None:
            e = tilted(e, self.scale * (slope_e + slope_e.transpose(1, 2)))  # a bond has its class in either direction
        return self.layout.pack(MoleculeState(x, a, e))


def in_place(positions: Tensor, carry: Any) -> Tensor:
    """Positions ``(B, N, 3)`` in Å of molecules where they lie, if the carry that came with them says so."""
    if not isinstance(carry, PlacedCarry):
        return positions
    rotations, centres = carry.poses.best(carry.energies)
    return positions @ rotations[:, 0].transpose(1, 2).to(positions) + centres.to(positions)


def rotation(turn: Tensor) -> Tensor:
    """Rotation matrices ``(..., 3, 3)`` about axes ``turn (..., 3)``, by their norms in radians."""
    x, y, z = turn.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    return torch.linalg.matrix_exp(cross)
