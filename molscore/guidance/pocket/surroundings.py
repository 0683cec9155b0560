"""A pocket as tensors."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor

from molscore.chem.pocket.receptor import Pocket
from molscore.reprs import short_repr

_TABLE = Chem.GetPeriodicTable()
RADII = [_TABLE.GetRvdw(z) for z in range(119)]
RADII[1] = 0.5
"""Å, van der Waals, by atomic number; of hydrogen what leaves room for hydrogen bonds."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """P atoms of a pocket, H directions of hydrogen bonds and G points of its free volume.

    Attributes:
        positions: (P, 3) Å.
        radii: (P,) Å, van der Waals; of metals covalent.
        hydrophobe: (P,) 0 or 1.
        charge: (P,) elementary charges.
        polar: (P,) 0 or 1, whether it has hydrogen bonds, or coordinates.
        partners: (H, 3) Å, where the atom is that has a hydrogen bond, and
        directions: (H, 3) in which, 0 for any.
        donor, acceptor, metal: (H,) 0 or 1, what it is.
        full, none: (H,) cosines, see `molscore.chem.pocket.roles`.
        volume: (G, 3) Å, see `molscore.chem.pocket.volume`.
    """

    positions: Tensor
    radii: Tensor
    hydrophobe: Tensor
    charge: Tensor
    polar: Tensor
    partners: Tensor
    directions: Tensor
    donor: Tensor
    acceptor: Tensor
    metal: Tensor
    full: Tensor
    none: Tensor
    volume: Tensor

    @classmethod
    def of(cls, pocket: Pocket) -> Self:
        """That of a pocket, float64 on the CPU."""
        roles, numbers = pocket.roles, pocket.atomic_numbers
        covalent = np.array([_TABLE.GetRcovalent(int(z)) for z in numbers])
        radii = np.where(roles.metal, covalent, np.array(RADII)[numbers])
        polar, atoms = np.zeros(len(numbers)), roles.polar.atoms
        polar[atoms] = 1
        parts = (
            pocket.positions,
            radii,
            roles.hydrophobe,
            roles.charge,
            polar,
            pocket.positions[atoms],
            roles.polar.directions,
            roles.polar.donor & ~roles.metal[atoms],
            roles.polar.acceptor,
            roles.metal[atoms],
            roles.polar.full,
            roles.polar.none,
            pocket.volume.points,
        )
        return cls(*(torch.from_numpy(np.asarray(part, dtype=np.float64)) for part in parts))

    def to(self, other: Tensor) -> Self:
        """The same, of the dtype and on the device of a tensor."""
        return type(self)(*(getattr(self, field.name).to(other) for field in fields(self)))

    __repr__ = short_repr
