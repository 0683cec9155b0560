"""Expected bond lengths and angles of one molecule, by the table or, where it has no row, by radii and ideal angles.

A value may leave the range of its type by a margin, which grows with the coarseness of the type and where few values
are known:

    margin = base(level) (1 + 1 / count),  base of ``molscore/chem/thresholds.yaml``

Bonds of no known type have the sum of the covalent radii (Cordero et al., Dalton Trans. 2832, 2008), shortened by
polarity (Schomaker and Stevenson, J. Am. Chem. Soc. 63, 37, 1941), or that of the radii of double and triple bonds
(Pyykkö and Atsumi, Chem. Eur. J. 15, 12770, 2009; Pyykkö, Riedel and Patzschke, Chem. Eur. J. 11, 3511, 2005); angles
have that of the hybridisation or, about atoms of many neighbours, of the shape.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem

from molscore.chem.geometry.bounds import flat_bonds, flat_rings, hindered_axes, puckered_rings
from molscore.chem.geometry.shapes import ELECTRONEGATIVITY, ideal_angles, is_metal, is_tagged, shape
from molscore.chem.geometry.table import Table, look_up, table
from molscore.chem.geometry.types import label, terms
from molscore.chem.stereo.cumulenes import Cumulenes, cumulenes
from molscore.chem.thresholds import THRESHOLDS

NAMED_LEVELS = 2
"""Of angles, those whose keys name the outer atoms."""

SHORTENING = {1.0: 1.0, 1.5: 0.93, 2.0: 0.87, 3.0: 0.78}
"""By which a bond of an order is shorter than a single bond, where `RADII` does not know both atoms."""

RADII = {
    2: {5: 0.78, 6: 0.67, 7: 0.60, 8: 0.57, 13: 1.13, 14: 1.07, 15: 1.02, 16: 0.94, 17: 0.95, 31: 1.17, 32: 1.11}
    | {33: 1.14, 34: 1.07, 35: 1.09, 49: 1.36, 50: 1.30, 51: 1.33, 52: 1.28, 53: 1.29, 82: 1.35, 83: 1.41},
    3: {5: 0.73, 6: 0.60, 7: 0.54, 8: 0.53, 13: 1.11, 14: 1.02, 15: 0.94, 16: 0.95, 31: 1.21, 32: 1.14, 33: 1.06}
    | {34: 1.07, 50: 1.32, 51: 1.27, 52: 1.21, 82: 1.37, 83: 1.35},
}
"""Å, of double and of triple bonds, by atomic number. Heavy atoms are not much nearer for a second bond: Si=Si 2.14."""

POLARITY = 0.05
"""Å for each unit of difference in electronegativity."""

_RING_ANGLES = {"3": 60.0, "4": 90.0, "5": 105.0}


@dataclass(frozen=True, eq=False)
class Expected:
    """What is expected of a molecule, whatever the conformer.

    Attributes:
        bonds: (B, 2) atoms.
        lengths, shortest, longest: (B,) Å; usual value and limits.
        length_margins: (B,) Å; the part of the limits that is beyond the range of the type.
        angles: (A, 3) atoms, the centre second.
        degrees, least, greatest: (A,) usual value and limits; no limits where the centre is in `shapes`.
        angle_margins: (A,) degrees, like those of lengths.
        named: (A,) bool; whether the table has the angle with its outer atoms, not its centre alone.
        flat: (F, 4) a flat atom and its three neighbours.
        least_sum: (F,) degrees of its three angles.
        planes: (P, 4) a neighbour, an aromatic carbon or nitrogen, and its other two neighbours.
        rings: (R, 4) atoms in a row of an aromatic ring.
        pairs: (K, 2) heavy atoms of four and more bonds apart.
        nearest: (K,) Å that they keep.
        shapes: for each centre whose neighbours may change places, name of the shape and rows of its `angles`; the
            usual values are in `degrees`.
        shaped: centres that have a shape, be it fixed or not.
        axes: (X, 4) of hindered biaryls, see `molscore.chem.geometry.bounds.hindered_axes`.
        cumulenes: dihedral angles across cumulated double bonds.
        flat_rings, flat_bonds, puckered_rings: groups of atoms, see `molscore.chem.geometry.bounds`.
    """

    bonds: np.ndarray
    lengths: np.ndarray
    shortest: np.ndarray
    longest: np.ndarray
    length_margins: np.ndarray
    angles: np.ndarray
    degrees: np.ndarray
    least: np.ndarray
    greatest: np.ndarray
    angle_margins: np.ndarray
    named: np.ndarray
    flat: np.ndarray
    least_sum: np.ndarray
    planes: np.ndarray
    rings: np.ndarray
    pairs: np.ndarray
    nearest: np.ndarray
    shapes: tuple[tuple[str, np.ndarray], ...]
    shaped: frozenset[int]
    axes: np.ndarray
    cumulenes: Cumulenes
    flat_rings: tuple[tuple[int, ...], ...]
    flat_bonds: tuple[tuple[int, ...], ...]
    puckered_rings: tuple[tuple[int, ...], ...]

    def outside(self, atoms: Collection[int]) -> "Expected":
        """The same, to judge by, where the geometry of some atoms is given: nothing is expected of them alone.

        Bonds, angles and sums of angles stay in their rows, without limits.
        """
        if not len(atoms):
            return self
        known = {int(k) for k in atoms}

        def among(rows: np.ndarray) -> np.ndarray:
            return np.asarray(np.isin(rows, list(known)).all(1))

        def others(groups: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
            return tuple(group for group in groups if not known.issuperset(group))

        bonds, angles = among(self.bonds), among(self.angles)
        return replace(
            self,
            shortest=np.where(bonds, 0, self.shortest),
            longest=np.where(bonds, np.inf, self.longest),
            least=np.where(angles, 0, self.least),
            greatest=np.where(angles, 180, self.greatest),
            least_sum=np.where(among(self.flat), 0, self.least_sum),
            shapes=tuple((name, rows) for name, rows in self.shapes if not among(self.angles[rows]).all()),
            axes=self.axes[~among(self.axes)],
            cumulenes=Cumulenes(*(field[~among(self.cumulenes.atoms)] for field in self.cumulenes)),
            flat_rings=others(self.flat_rings),
            flat_bonds=others(self.flat_bonds),
            puckered_rings=others(self.puckered_rings),
        )


def expected(mol: Chem.Mol, known: Table | None = None) -> Expected:
    """Expected bond lengths, angles and shapes of a molecule.

    Args:
        mol: sanitised, every hydrogen an atom; coordinates are not looked at.
        known: the table to use; the package's by default.
    """
    known = known or table()
    kinds = terms(mol)
    bonds = np.array([_length(mol, known, *pair) for pair in zip(kinds.bonds.tolist(), kinds.bond_keys, strict=True)])
    bonds = bonds.reshape(-1, 4)
    shapes = {atom.GetIdx(): name for atom in mol.GetAtoms() if (name := shape(atom))}
    ideals = {index: ideal_angles(mol, index) for index in shapes}
    angles = np.zeros((len(kinds.angles), 5))
    of_shape: dict[int, list[int]] = {}
    of_shapes, flat_sum = THRESHOLDS.bond_angle.shape_margin, THRESHOLDS.bond_angle.flat_sum
    for row, ((i, j, k), keys) in enumerate(zip(kinds.angles.tolist(), kinds.angle_keys, strict=True)):
        if j in ideals:
            ideal = ideals[j][min(i, k), max(i, k)]
            if is_tagged(mol.GetAtomWithIdx(j)):
                angles[row, :4] = ideal - of_shapes, ideal, ideal + of_shapes, of_shapes
            else:
                angles[row, :4] = 0.0, ideal, 180.0, of_shapes
                of_shape.setdefault(j, []).append(row)
        else:
            angles[row] = _angle(mol, known, j, keys)
    shortest, lengths, longest, length_margins = bonds.T
    least, degrees, greatest, angle_margins, named = angles.T
    flat, sums = [], []
    for j, atom in enumerate(mol.GetAtoms()):
        if atom.GetDegree() == 3 and (least_sum := flat_sum.get(label(atom))) is not None:
            flat.append((j, *(neighbour.GetIdx() for neighbour in atom.GetNeighbors())))
            sums.append(least_sum)
    return Expected(
        kinds.bonds,
        lengths,
        shortest,
        longest,
        length_margins,
        kinds.angles,
        degrees,
        least,
        greatest,
        angle_margins,
        named > 0,
        np.array(flat, dtype=np.int64).reshape(-1, 4),
        np.array(sums),
        np.array(_planes(mol), dtype=np.int64).reshape(-1, 4),
        np.array(_aromatic_rows(mol), dtype=np.int64).reshape(-1, 4),
        *_far_pairs(mol),
        tuple((shapes[j], np.array(rows)) for j, rows in of_shape.items()),
        frozenset(ideals),
        hindered_axes(mol),
        cumulenes(mol),
        flat_rings(mol),
        flat_bonds(mol),
        puckered_rings(mol),
    )


def _planes(mol: Chem.Mol) -> list[tuple[int, int, int, int]]:
    rows = []
    for atom in mol.GetAtoms():
        if atom.GetIsAromatic() and atom.GetDegree() == 3 and atom.GetAtomicNum() in (6, 7):
            a, b, c = (neighbour.GetIdx() for neighbour in atom.GetNeighbors())
            rows.append((a, atom.GetIdx(), b, c))
    return rows


def _far_pairs(mol: Chem.Mol) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], dtype=np.int64)
    far = (Chem.GetDistanceMatrix(mol) >= 4) & (numbers[:, None] > 1) & (numbers > 1)
    pairs = np.argwhere(np.triu(far, 1))
    radii = np.array([Chem.GetPeriodicTable().GetRvdw(int(number)) for number in numbers])
    return pairs, THRESHOLDS.strays.contact * radii[pairs].sum(1)


def _aromatic_rows(mol: Chem.Mol) -> list[tuple[int, ...]]:
    rows = []
    for ring in mol.GetRingInfo().AtomRings():
        flat = len(ring) <= THRESHOLDS.strays.largest_flat_ring
        if flat and all(mol.GetAtomWithIdx(index).GetIsAromatic() for index in ring):
            rows += [tuple(ring[(k + step) % len(ring)] for step in range(4)) for k in range(len(ring))]
    return rows


def unknown_metal_bond(mol: Chem.Mol) -> str | None:
    """A sentence on a bond of a metal that the table does not know, or None.

    Sums of radii will not do for metals: bonds of one length by them, 2.1 to 2.3 Å, are 1.8 to 2.1 Å in truth.
    """
    if not any(is_metal(atom) and atom.GetDegree() for atom in mol.GetAtoms()):
        return None
    kinds = terms(mol)
    for (i, j), keys in zip(kinds.bonds.tolist(), kinds.bond_keys, strict=True):
        ends = mol.GetAtomWithIdx(i), mol.GetAtomWithIdx(j)
        if any(map(is_metal, ends)) and look_up(table().bonds, keys) is None:
            first, last = (f"{end.GetSymbol()}{end.GetIdx()}" for end in ends)
            return f"how long the bond {first}-{last} is, is not known with so many neighbours of the metal"
    return None


def _length(mol: Chem.Mol, known: Table, atoms: list[int], keys: tuple[str, ...]) -> tuple[float, ...]:
    """Shortest, usual, longest, and margin."""
    limits = THRESHOLDS.bond_length
    if (match := look_up(known.bonds, keys)) is not None:
        level, row = match
        margin = limits.margins[level] * (1 + 1 / row.count)
        return row.low - margin, row.usual, row.high + margin, margin
    usual, margin = _from_radii(mol, *atoms), limits.radii_margin
    return usual - margin, usual, usual + margin, margin


def _from_radii(mol: Chem.Mol, i: int, j: int) -> float:
    """Å. An aromatic bond is half double, but not where no atom of it has a double bond (P4, cyclotriphosphanes)."""
    numbers = [mol.GetAtomWithIdx(k).GetAtomicNum() for k in (i, j)]
    order = mol.GetBondBetweenAtoms(i, j).GetBondTypeAsDouble()
    if order == 1.5 and not any(_has_double_bond(mol, k) for k in (i, j)):
        order = 1.0
    first, last = (ELECTRONEGATIVITY.get(z, 1.8) for z in numbers)
    single, polarity = sum(map(Chem.GetPeriodicTable().GetRcovalent, numbers)), POLARITY * abs(first - last)
    multiple = RADII[3 if order == 3 else 2]
    if order == 1 or not all(z in multiple for z in numbers):
        return single * SHORTENING.get(order, 1.0) - polarity
    whole = sum(multiple[z] for z in numbers)
    return (single - polarity + whole) / 2 if order == 1.5 else whole


def _has_double_bond(mol: Chem.Mol, index: int) -> bool:
    """Whether one is at an atom in a Kekulé structure."""
    kekule = Chem.Mol(mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    return any(bond.GetBondType() == Chem.BondType.DOUBLE for bond in kekule.GetAtomWithIdx(index).GetBonds())


def _angle(mol: Chem.Mol, known: Table, centre: int, keys: tuple[str, ...]) -> tuple[float, ...]:
    """Least, usual, greatest, margin, and whether the table has the outer atoms too."""
    ring, sizes = (part.rstrip() for part in keys[2].split("/")[1].split(":"))
    limits = THRESHOLDS.bond_angle
    cage = limits.cage_margin if ring not in "34" and sum(size in "34" for size in sizes) > 1 else 0.0
    if (match := look_up(known.angles, keys)) is not None:
        level, row = match
        margin = limits.margins[level] * (1 + 1 / row.count) + cage
        return row.low - margin, row.usual, row.high + margin, margin, level < NAMED_LEVELS
    hybridisation = mol.GetAtomWithIdx(centre).GetHybridization()
    usual = {Chem.HybridizationType.SP: 180.0, Chem.HybridizationType.SP2: 120.0}.get(hybridisation, 109.5)
    usual = _RING_ANGLES.get(ring, usual)
    margin = limits.ideal_margin + cage
    return usual - margin, usual, usual + margin, margin, False
