"""Torsions that crystals hardly ever show, turned to the nearest that they do.

Angles about single bonds have profiles of potentials that were fitted to the Cambridge Structural Database, for 365
patterns (Riniker & Landrum, J. Chem. Inf. Model. 55, 2562, 2015): RDKit's ETKDGv3 embeds with them. They are used
here as a judge of geometries that came from elsewhere. A force field would not do: MMFF94s has minima of aryl ethers
that stand upright on the ring, which crystals do not know.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molscore.chem.turning import side_of, turned

GRID = 2
"""Degrees between two angles at which a profile is known."""


@dataclass(frozen=True, eq=False)
class Torsions:
    """The single bonds of a molecule about which something is known.

    Attributes:
        atoms: ``(T, 4)`` indices of atoms along the bond.
        moving: ``(T, n)`` bool, the atoms that turn with the last of them.
        profiles: ``(T, 360 / GRID)``, the potential above its lowest value at angles from 0° on.
    """

    atoms: np.ndarray
    moving: np.ndarray
    profiles: np.ndarray

    @cached_property
    def nearest(self) -> np.ndarray:
        """``(T, 360 / GRID)``: for each angle the nearest one of those at which the profile has a minimum, degrees."""
        size = self.profiles.shape[1]
        bottom = self.profiles <= np.minimum(np.roll(self.profiles, 1, 1), np.roll(self.profiles, -1, 1))
        gaps = np.abs((np.arange(size)[:, None] - np.arange(size) + size // 2) % size - size // 2)
        return GRID * np.where((bottom & self._low)[:, None], gaps, size).argmin(2)

    @cached_property
    def _low(self) -> np.ndarray:
        """Where a profile is in its lower half: a minimum high up is none to go to."""
        return self.profiles <= self.profiles.max(1, keepdims=True) / 2

    def angles(self, positions: np.ndarray) -> np.ndarray:
        """Dihedral angles of geometries ``(K, n, 3)``, ``(K, T)`` degrees in [0, 360)."""
        a, b, c, d = np.moveaxis(positions[:, self.atoms], 2, 0)
        u, v, w = b - a, c - b, d - c
        n, m = np.cross(u, v), np.cross(v, w)
        sine = (np.cross(n, m) * v).sum(-1) / np.linalg.norm(v, axis=-1).clip(1e-9)
        return np.degrees(np.arctan2(sine, (n * m).sum(-1))) % 360

    def potentials(self, positions: np.ndarray) -> np.ndarray:
        """What the profiles say of geometries ``(K, n, 3)``: ``(K, T)``, 0 at best, in RDKit's units."""
        return np.take_along_axis(self.profiles[None], self._cells(positions)[..., None], 2)[..., 0]

    def turned(self, positions: np.ndarray, limit: float) -> np.ndarray:
        """Geometries ``(K, n, 3)`` in which torsions beyond a limit are turned to the nearest minimum, one by one."""
        x = np.array(positions, dtype=np.float64)
        for t in range(len(self.atoms)):
            one = Torsions(self.atoms[t : t + 1], self.moving[t : t + 1], self.profiles[t : t + 1])
            cells = one._cells(x)[:, 0]
            bad = np.flatnonzero(self.profiles[t, cells] > limit)
            if len(bad):
                turn = np.radians(self.nearest[t, cells[bad]] - one.angles(x[bad])[:, 0])
                near, far, moving = x[bad, self.atoms[t, 1]], x[bad, self.atoms[t, 2]], np.flatnonzero(self.moving[t])
                axis = (far - near) / np.linalg.norm(far - near, axis=1, keepdims=True).clip(1e-9)
                x[np.ix_(bad, moving)] = turned(x[np.ix_(bad, moving)], axis * turn[:, None], far)
        return x

    def _cells(self, positions: np.ndarray) -> np.ndarray:
        return np.rint(self.angles(positions) / GRID).astype(np.int64) % self.profiles.shape[1]


def torsions(mol: Chem.Mol, heavy: np.ndarray, held: np.ndarray) -> Torsions:
    """What is known of a molecule's rotatable bonds.

    Args:
        mol: sanitised, hydrogens explicit; conformers are not looked at.
        heavy: ``(n,)`` indices of its heavy atoms, to which the answer refers.
        held: places among them of atoms that must not move. A bond between two of them is left out.
    """
    place = {int(index): k for k, index in enumerate(heavy)}
    angles = np.radians(np.arange(0, 360, GRID))
    atoms, moving, profiles = [], [], []
    for torsion in rdDistGeom.GetExperimentalTorsions(mol, rdDistGeom.ETKDGv3()):
        indices = list(torsion["atomIndices"])
        bond = mol.GetBondBetweenAtoms(*indices[1:3])
        if bond.IsInRing() or bond.GetBondType() != Chem.BondType.SINGLE or any(i not in place for i in indices):
            continue
        four = [place[i] for i in indices]
        side = np.isin(heavy, [indices[2], *side_of(mol, *indices[1:3])])
        if side[held].any():
            four, side = four[::-1], ~side
        if side[held].any():
            continue
        heights, signs = np.array(list(torsion["V"])), np.array(list(torsion["signs"]))
        orders = np.arange(1, len(heights) + 1)[:, None]
        profile = (heights[:, None] * (1 + signs[:, None] * np.cos(orders * angles))).sum(0)
        atoms.append(four)
        moving.append(side)
        profiles.append(profile - profile.min())
    shape = (len(atoms), 360 // GRID)
    return Torsions(
        np.array(atoms, dtype=np.int64).reshape(-1, 4),
        np.array(moving, dtype=bool).reshape(-1, len(heavy)),
        np.array(profiles).reshape(shape),
    )
