"""What else a plausible geometry has: flat trigonal centres and double bonds, twisted biaryls, room between atoms.

Each finding has a value and limits. The limits are wide: what lies outside is looked at again with GFN2-xTB, which
knows of strained molecules what a fixed limit cannot.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from judge.environments import LARGEST_RING, Graph, angle, dihedral, is_metal

PYRAMID = {5: 3.0, 6: 8.0, 7: 8.0}
"""Degrees that the three angles at a trigonal B, C or N+ may lack of 360: boron has no double bond to bend."""

TWIST = 25.0
"""Degrees out of the plane of a double bond outside small rings, or of a bond in an aromatic ring."""

HINDERED = 35.0
"""Degrees that two six-membered aromatic rings with three groups or more beside their bond are twisted at least."""

ALLENE = 25.0
"""Degrees from 90 between the two ends of an allene."""

ACCEPTORS = frozenset({7, 8, 9, 16, 17, 34, 35, 53})

VDW = {
    1: 1.1,
    5: 1.92,
    6: 1.7,
    7: 1.55,
    8: 1.52,
    9: 1.47,
    14: 2.1,
    15: 1.8,
    16: 1.8,
    17: 1.75,
    34: 1.9,
    35: 1.85,
    53: 1.98,
}
"""Van der Waals radii, Å: Bondi; Mantina et al., J. Phys. Chem. A 113, 5806 (2009). Other elements: 2.0."""

ROOM = {2: 0.50, 3: 0.55, 4: 0.75}
"""Shares of the sum of the radii that atoms two, three, or four and more bonds apart keep between them."""

ROOM_OF_HYDROGEN = {2: 0.50, 3: 0.55, 4: 0.65}
HYDROGEN_BOND = 0.53
"""As `ROOM`, where a hydrogen meets an atom that accepts hydrogen bonds."""


class Check(NamedTuple):
    """A quantity of some atoms, its value, and the lowest and the highest that are plausible."""

    kind: str
    atoms: tuple[int, ...]
    value: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether the value lies within its limits."""
        return self.low <= self.value <= self.high


def quantity(kind: str, atoms: tuple[int, ...], positions: np.ndarray) -> float:
    """The value that a check of this kind has in a geometry (N, 3): Å for bonds and contacts, else degrees."""
    if kind in ("bond", "contact"):
        return float(np.linalg.norm(positions[atoms[0]] - positions[atoms[1]]))
    if kind == "angle":
        return angle(positions, *atoms)
    if kind == "pyramid":
        return 360.0 - sum(angle(positions, a, atoms[0], b) for a, b in combinations(atoms[1:], 2))
    turn = abs(dihedral(positions, *atoms))
    if kind == "allene":
        return abs(90.0 - turn)
    return min(turn, 180.0 - turn)  # double bonds, aromatic rings, biaryls


def shapes(mol: Chem.Mol, positions: np.ndarray, graph: Graph) -> Iterator[Check]:
    """All checks of a geometry but those of bond lengths and angles."""
    limits = {"double bond": (0.0, TWIST), "aromatic ring": (0.0, TWIST), "biaryl": (HINDERED, 90.0)}
    limits |= {"allene": (0.0, ALLENE)}
    for atom in mol.GetAtoms():
        if is_trigonal(atom, graph):
            atoms = (atom.GetIdx(), *graph.neighbours[atom.GetIdx()])
            yield Check("pyramid", atoms, quantity("pyramid", atoms, positions), 0.0, PYRAMID[atom.GetAtomicNum()])
    for kind, atoms in (*double_bonds(mol, graph), *aromatic_rings(mol), *biaryls(mol, graph), *allenes(mol, graph)):
        yield Check(kind, atoms, quantity(kind, atoms, positions), *limits[kind])
    yield from contacts(mol, positions)


def is_trigonal(atom: Chem.Atom, graph: Graph) -> bool:
    """Three-coordinate boron, and carbon or N+ with one double bond or in an aromatic ring."""
    number, charge, degree, excess, radical, aromatic = graph.atoms[atom.GetIdx()]
    if degree != 3 or radical or any(is_metal(other) for other in atom.GetNeighbors()):
        return False
    if number == 5:
        return charge == 0
    return (number == 6 or (number == 7 and charge == 1)) and (aromatic or excess == 1)


def double_bonds(mol: Chem.Mol, graph: Graph) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Torsions about C=C, C=N and N=N outside rings of less than seven; cumulated ones aside."""
    for bond in mol.GetBonds():
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if graph.orders[frozenset((a, b))] != "DOUBLE" or 0 < graph.ring_size(a, b) < LARGEST_RING:
            continue
        if any(graph.atoms[i][0] not in (6, 7) or graph.atoms[i][3] != 1 for i in (a, b)):
            continue
        for x in graph.neighbours[a]:
            for y in graph.neighbours[b]:
                if x != b and y != a:
                    yield "double bond", (x, a, b, y)


def aromatic_rings(mol: Chem.Mol) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Torsions along aromatic rings."""
    for ring in mol.GetRingInfo().AtomRings():
        if all(mol.GetAtomWithIdx(i).GetIsAromatic() for i in ring):
            for k in range(len(ring)):
                yield "aromatic ring", tuple(ring[(k + j) % len(ring)] for j in range(4))


def biaryls(mol: Chem.Mol, graph: Graph) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Single bonds between two six-membered aromatic rings with three or four groups beside them."""
    six = [ring for ring in mol.GetRingInfo().AtomRings() if len(ring) == 6]
    for bond in mol.GetBonds():
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if bond.IsInRing() or not all(in_aromatic_six(mol, i, six) for i in (a, b)):
            continue
        beside = {i: [n for n in graph.neighbours[i] if n not in (a, b)] for i in (a, b)}
        if sum(has_group(mol, graph, n, i) for i in (a, b) for n in beside[i]) >= 3:
            for x in beside[a]:
                for y in beside[b]:
                    yield "biaryl", (x, a, b, y)


def in_aromatic_six(mol: Chem.Mol, atom: int, six: list) -> bool:
    """Whether the atom is in an aromatic ring of six."""
    return mol.GetAtomWithIdx(atom).GetIsAromatic() and any(atom in ring for ring in six)


def has_group(mol: Chem.Mol, graph: Graph, ortho: int, beside: int) -> bool:
    """Whether an atom of the ring carries more than hydrogen out of the ring, a fused ring's atom included."""
    ring = next(r for r in graph.rings if ortho in r and beside in r)
    return any(mol.GetAtomWithIdx(n).GetAtomicNum() > 1 for n in graph.neighbours[ortho] if n not in ring)


def allenes(mol: Chem.Mol, graph: Graph) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Torsions between the ends of C=C=C."""
    for atom in mol.GetAtoms():
        centre = atom.GetIdx()
        if graph.atoms[centre][:4] != (6, 0, 2, 2):
            continue
        a, b = graph.neighbours[centre]
        if (
            any(graph.atoms[i][0] != 6 or graph.atoms[i][3] != 1 for i in (a, b))
            or 0 < graph.ring_size(a, b) < LARGEST_RING
        ):
            continue
        for x in graph.neighbours[a]:
            for y in graph.neighbours[b]:
                if centre not in (x, y):
                    yield "allene", (x, a, b, y)


def contacts(mol: Chem.Mol, positions: np.ndarray) -> Iterator[Check]:
    """Atoms that are not bonded and closer than they can be; those far apart are not listed."""
    apart = Chem.GetDistanceMatrix(mol)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    for a, b in zip(*np.nonzero(np.triu((apart > 1) & (distances < 3.2), 1)), strict=True):
        bonds = min(int(apart[a, b]), 4)
        least = room(numbers[a], numbers[b], bonds)
        if distances[a, b] < least + 0.5:
            yield Check("contact", (int(a), int(b)), float(distances[a, b]), least, np.inf)


def room(first: int, second: int, bonds: int) -> float:
    """The least distance, Å, of two elements so many bonds apart."""
    total = VDW.get(first, 2.0) + VDW.get(second, 2.0)
    if bonds == 4 and 1 in (first, second) and ACCEPTORS & {first, second}:
        return HYDROGEN_BOND * total
    return total * (ROOM_OF_HYDROGEN if 1 in (first, second) else ROOM)[bonds]
