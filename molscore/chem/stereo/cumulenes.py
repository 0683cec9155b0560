"""Cumulated double bonds: how the groups at their two ends stand to one another.

Across an odd number of atoms between the ends (allenes, C=C=C) the planes of the two ends are perpendicular, across an
even number (C=C=C=C) they are one: each pair of neighbouring double bonds turns the plane by 90°. Force fields have no
torsion across a linear centre and leave the ends at any angle. Ends are carbon, or nitrogen with a substituent
(ketenimines, keteniminium ions); between two nitrogens, as in carbodiimides, one turns freely and is left alone.

Dihedral angles are those of a substituent, the two ends, and a substituent of the other end, in degrees.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from molscore.chem.thresholds import THRESHOLDS

_MIDDLE = Chem.MolFromSmarts("[#6,#7+;D2](=*)=*")
_MARK = "_cumulene"


class Cumulenes(NamedTuple):
    """The rows of cumulated double bonds of a molecule.

    Attributes:
        atoms: (C, 4) a substituent, the two ends, and a substituent of the other end.
        degrees: (C,) their dihedral angle.
        period: (C,) degrees: 180 where the angle may as well be that of the other enantiomer, or the other side; 360
            where the stereo is marked.
        tolerance: (C,) degrees that the angle may be off.
    """

    atoms: np.ndarray
    degrees: np.ndarray
    period: np.ndarray
    tolerance: np.ndarray

    def off(self, positions: np.ndarray) -> np.ndarray:
        """(..., C) degrees, -180 to 180: by how much the angles are off, in positions ``(..., N, 3)``."""
        return dihedrals_off(positions, self.atoms, self.degrees, self.period)

    def opposite(self, positions: np.ndarray) -> np.ndarray:
        """(..., C) bool: which have the stereo that is opposite to their mark."""
        return np.abs(self.off(positions)) > 90

    @property
    def marked(self) -> "Cumulenes":
        """Those with a mark."""
        return Cumulenes(*(field[self.period == 360] for field in self))


def dihedrals_off(
    positions: np.ndarray, atoms: np.ndarray, degrees: np.ndarray | float, period: np.ndarray | float
) -> np.ndarray:
    """(..., C) by how many degrees the dihedral angles of atoms (C, 4) are off, modulo a period, in ``(..., N, 3)``."""
    if not len(atoms):
        return np.zeros((*positions.shape[:-2], 0))
    a, b, c, d = np.moveaxis(np.asarray(positions, dtype=np.float64)[..., atoms, :], -2, 0)
    with np.errstate(invalid="ignore"):
        axis = c - b
        axis = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-9)
        left, right = np.cross(b - a, axis), np.cross(axis, d - c)
        angle = np.degrees(np.arctan2((np.cross(left, right) * axis).sum(-1), (left * right).sum(-1)))
        return (angle - degrees + period / 2) % period - period / 2


def cumulenes(mol: Chem.Mol) -> Cumulenes:
    """Those of a sanitised molecule whose ends are held; every hydrogen an atom; coordinates are not looked at."""
    rows, limits = [], THRESHOLDS.cumulene
    for chain in chains(mol):
        ends = mol.GetAtomWithIdx(chain[0]), mol.GetAtomWithIdx(chain[-1])
        if not all(map(_holds, ends)) or all(end.GetAtomicNum() == 7 for end in ends) or not has_room(mol, chain):
            continue
        mark = ends[0].GetIntProp(_MARK) if ends[0].HasProp(_MARK) else None
        degrees = (90 if len(chain) % 2 else 0) if mark is None else mark
        strained = 0 < _ring(mol, chain) <= limits.strained_ring
        tolerance = limits.ring_tolerance if strained else limits.tolerance
        rows.append((*row(mol, chain), degrees, 180 if mark is None else 360, tolerance))
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return Cumulenes(table[:, :4].astype(np.int64), *table[:, 4:].T)


def chains(mol: Chem.Mol) -> Iterator[list[int]]:
    """Atoms of each row of two or more cumulated double bonds, from the end of lower index to the other."""
    for atom in mol.GetAtoms() if mol.HasSubstructMatch(_MIDDLE) else ():
        if len(_next(atom)) != 1:
            continue
        chain = [atom.GetIdx(), *_next(atom)]
        while len(_next(mol.GetAtomWithIdx(chain[-1]))) == 2 and mol.GetAtomWithIdx(chain[-1]).GetDegree() == 2:
            chain += [index for index in _next(mol.GetAtomWithIdx(chain[-1])) if index != chain[-2]]
        if len(chain) > 2 and chain[0] < chain[-1] and len(_next(mol.GetAtomWithIdx(chain[-1]))) == 1:
            yield chain


def has_room(mol: Chem.Mol, chain: list[int]) -> bool:
    """Whether a chain is in no ring that is too small for it."""
    return not 0 < _ring(mol, chain) < THRESHOLDS.cumulene.smallest_ring


def row(mol: Chem.Mol, chain: list[int]) -> tuple[int, int, int, int]:
    """The four atoms that define the dihedral angle of a chain: at either end the heavy neighbour of lowest index, or
    if there is none a hydrogen."""
    first, last = (
        min((n.GetAtomicNum() == 1, n.GetIdx()) for n in mol.GetAtomWithIdx(end).GetNeighbors() if n.GetIdx() != near)[
            1
        ]
        for end, near in ((chain[0], chain[1]), (chain[-1], chain[-2]))
    )
    return first, chain[0], chain[-1], last


def mark_in_place(mol: Chem.Mol, chain: list[int], degrees: int) -> None:
    """Notes the stereo of a chain: the dihedral angle of its `row`, 90, -90, 0 or 180."""
    mol.GetAtomWithIdx(chain[0]).SetIntProp(_MARK, degrees)


def _next(atom: Chem.Atom) -> list[int]:
    doubles = (bond for bond in atom.GetBonds() if bond.GetBondType() == Chem.BondType.DOUBLE)
    return [bond.GetOtherAtomIdx(atom.GetIdx()) for bond in doubles]


def _holds(end: Chem.Atom) -> bool:
    """Whether an end has a plane."""
    substituents = end.GetDegree() - 1
    return end.GetAtomicNum() == 6 and substituents == 2 or end.GetAtomicNum() == 7 and substituents in (1, 2)


def _ring(mol: Chem.Mol, chain: list[int]) -> int:
    """Atoms of the smallest ring that holds a chain, 0 if there is none."""
    return min((len(ring) for ring in mol.GetRingInfo().AtomRings() if set(chain) <= set(ring)), default=0)
