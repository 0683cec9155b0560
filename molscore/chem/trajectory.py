"""A molecule on its way from noise, as a sampler went it."""

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molscore.reprs import short_repr


@dataclass(frozen=True, eq=False)
class Trajectory:
    """T frames of N atoms, and what became of them.

    Attributes:
        title: of the molecule.
        times: (T,) diffusion times, falling from 1: all noise, to nearly 0.
        positions: (T, N, 3) Å, noisy.
        atomic_numbers: (T, N) of the most probable class of each atom; 0 where that is a fake atom.
        charges: (T, N) formal charges of these classes.
        bond_orders: (T, N, N) most probable ones, symmetric; 0 is no bond.
        mol: the finished molecule, with hydrogens, in the same frame; None if nothing could be built.
        reason: why it was rejected; None if it was not.
    """

    title: str
    times: np.ndarray
    positions: np.ndarray
    atomic_numbers: np.ndarray
    charges: np.ndarray
    bond_orders: np.ndarray
    mol: Chem.Mol | None = None
    reason: str | None = None

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.times)
