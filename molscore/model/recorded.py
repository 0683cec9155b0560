"""The way from noise to a molecule, for those who want to watch it."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.placed import in_place
from molscore.model.state import MoleculeState
from molscore.reprs import short_repr


class Frames(NamedTuple):
    """One molecule at the T times of a sampler.

    Attributes:
        times: (T,) diffusion time of the graph, falling.
        positions: (T, N, 3) Å, float32: the noisy state itself.
        atoms: (T, N) the most probable class of each atom at that time, see `MoleculeDiffusion.classes`.
        bonds: (T, N, N) uint8: the most probable order of each bond at that time, 0 where there is none.
    """

    times: np.ndarray
    positions: np.ndarray
    atoms: np.ndarray
    bonds: np.ndarray

    def __repr__(self) -> str:
        return short_repr(self)


class Recorded(Denoiser):
    """A denoiser that keeps what it was asked, and what it answered; its answers are those of the other.

    Of several evaluations at one time the last is kept: that of the corrected state.

    Args:
        denoiser: of whole molecules.
        rows: which molecules of the batch.
        asked: what guidance made of the denoiser, and is asked in its place; None is nothing.
    """

    def __init__(self, denoiser: MoleculeDenoiser, rows: list[int], asked: Denoiser | None = None):
        self.denoiser, self.rows, self.sde, self.asked = denoiser, rows, denoiser.sde, asked or denoiser
        self._kept: dict[float, tuple[np.ndarray, ...]] = {}

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        posterior = self.asked.denoise(z, t, carry)
        layout = self.denoiser.layout
        mean = self._of_rows(layout.unpack(posterior.mean))
        own = layout.unpack(z).x.float() * self.denoiser.model.config.position_scale
        x = in_place(own, posterior.carry)[self.rows]
        parts = x, mean.a.argmax(-1), mean.e.argmax(-1).to(torch.uint8)
        self._kept[float(layout.unpack_times(t).graph.max())] = tuple(part.cpu().numpy() for part in parts)
        return posterior

    def frames(self) -> list[Frames]:
        """What was kept of each of the rows; atoms that turned out fake are left out."""
        model, kept = self.denoiser.model, sorted(self._kept.items(), reverse=True)
        times = np.array([time for time, _ in kept])
        x, a, e = (np.stack(part) for part in zip(*(parts for _, parts in kept), strict=True))
        molecules = []
        for k, row in enumerate(self.rows):
            there = self.denoiser.mask[row].cpu().numpy().copy()
            there &= a[-1, k] < len(model.vocabulary)
            positions = x[:, k, there]
            molecules.append(Frames(times, positions, a[:, k, there], e[:, k, there][:, :, there]))
        return molecules

    def _of_rows(self, state: MoleculeState) -> MoleculeState:
        return MoleculeState(*(part[self.rows] for part in state))
