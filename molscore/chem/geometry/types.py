"""What decides a bond length or an angle: types of bonds and angles, from fine to coarse.

An atom's type is its element, its coordination number, a letter for its bonding (``a`` aromatic, ``d`` sp2, ``t`` sp,
none else), its charge and its unpaired electrons: ``C3d``, ``N3d+``, ``S4``, ``O1.``. A bond or an angle has one key
per level, the most specific first:

    bond    C3d-N3d/5        C3d-N3d    C3-N3    C-N
    angle   -C C3d/0:5 =O    C3d/0:5    C3d/0    C3/0

A bond's number is the size of its smallest ring (3, 4, 5, 6 for all greater, 0 for none), an angle's that of the
smallest ring that holds both its bonds, followed by the ring sizes of its centre.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from rdkit import Chem

LARGEST_RING = 6
"""Rings of this size and greater are alike."""

_ORDERS = {
    Chem.BondType.SINGLE: "-",
    Chem.BondType.DOUBLE: "=",
    Chem.BondType.TRIPLE: "#",
    Chem.BondType.AROMATIC: ":",
    Chem.BondType.DATIVE: ">",
}
_BONDING = {Chem.HybridizationType.SP: "t", Chem.HybridizationType.SP2: "d"}


class Terms(NamedTuple):
    """The bonds and angles of a molecule.

    Attributes:
        bonds: (B, 2) atoms.
        angles: (A, 3) atoms, the centre second.
        bond_keys, angle_keys: for each, its keys, one per level.
    """

    bonds: np.ndarray
    angles: np.ndarray
    bond_keys: list[tuple[str, ...]]
    angle_keys: list[tuple[str, ...]]


def terms(mol: Chem.Mol) -> Terms:
    """Bonds and angles of a sanitised molecule, every hydrogen an atom, with their keys."""
    atoms = list(mol.GetAtoms())
    labels = [label(atom) for atom in atoms]
    symbols = [atom.GetSymbol() for atom in atoms]
    plain = [f"{symbol}{atom.GetTotalDegree()}" for symbol, atom in zip(symbols, atoms, strict=True)]
    of_atom: list[list[set[int]]] = [[] for _ in atoms]
    for ring in sorted(map(set, mol.GetRingInfo().AtomRings()), key=len):
        for index in ring:
            of_atom[index].append(ring)

    bonds, bond_keys, orders = [], [], {}
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        order = _ORDERS.get(bond.GetBondType(), "~")
        orders[i, j] = orders[j, i] = order
        fine, middle, coarse = (order.join(sorted((kind[i], kind[j]))) for kind in (labels, plain, symbols))
        bonds.append((i, j))
        bond_keys.append((f"{fine}/{_smallest(of_atom[i], j)}", fine, middle, coarse))

    angles, angle_keys = [], []
    for j, atom in enumerate(atoms):
        around = [neighbour.GetIdx() for neighbour in atom.GetNeighbors()]
        sizes = "".join(str(min(len(ring), LARGEST_RING)) for ring in of_atom[j][:3])
        for i, k in combinations(around, 2):
            size = min(min((len(ring) for ring in of_atom[j] if i in ring and k in ring), default=0), LARGEST_RING)
            first, last = sorted((orders[i, j] + symbols[i], orders[j, k] + symbols[k]))
            place = f"{labels[j]}/{size}:{sizes}"
            angles.append((i, j, k))
            angle_keys.append((f"{first} {place} {last}", place, f"{labels[j]}/{size}", f"{plain[j]}/{size}"))
    return Terms(
        np.array(bonds, dtype=np.int64).reshape(-1, 2),
        np.array(angles, dtype=np.int64).reshape(-1, 3),
        bond_keys,
        angle_keys,
    )


def label(atom: Chem.Atom) -> str:
    """An atom's type."""
    bonding = "a" if atom.GetIsAromatic() else _BONDING.get(atom.GetHybridization(), "")
    charge = atom.GetFormalCharge()
    unpaired = "." * atom.GetNumRadicalElectrons()
    sign = "+" * max(charge, 0) + "-" * max(-charge, 0)
    return f"{atom.GetSymbol()}{atom.GetTotalDegree()}{bonding}{sign}{unpaired}"


def lengths_and_angles(positions: np.ndarray, bonds: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(B,) Å and (A,) degrees, of positions (N, 3) in Å."""
    length = np.linalg.norm(positions[bonds[:, 0]] - positions[bonds[:, 1]], axis=1)
    a, b = (positions[angles[:, k]] - positions[angles[:, 1]] for k in (0, 2))
    cosine = (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-9)
    return length, np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _smallest(rings: list[set[int]], other: int) -> int:
    """Size of the smallest of an atom's rings that holds its neighbour, 0 if none does."""
    return min((min(len(ring), LARGEST_RING) for ring in rings if other in ring), default=0)
