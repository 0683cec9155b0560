"""Bond lengths and angles of a geometry, each with the chemical environments under which it is looked up.

A bond or an angle has two environments, the finer first. The finer one is that of a Morgan fingerprint of radius 1: the
atoms, their charges, numbers of neighbours and rings, and the elements and bond orders all around them. The coarser
one leaves the surroundings out. Rings count, because strain does: the size of the ring that holds the bond or the
angle, in how many rings its atoms are, and whether they belong to a bridged system.

Angles at metals, at halogens with several neighbours and at atoms with more than four neighbours have no environment:
there 90 and 180 degrees are both right, so that a distribution says nothing.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rdkit import Chem

LARGEST_RING = 7
"""Rings from here on count as one size."""

METALLOIDS_AND_NONMETALS = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54})
HALOGENS = frozenset({9, 17, 35, 53})


class Measured(NamedTuple):
    """A length in Å or an angle in degrees, and where to look it up, finest first."""

    kind: str
    atoms: tuple[int, ...]
    value: float
    environments: tuple[tuple, ...]


def is_metal(atom: Chem.Atom) -> bool:
    """Everything but nonmetals, noble gases, B, Si, Ge, As, Sb and Te."""
    return atom.GetAtomicNum() not in METALLOIDS_AND_NONMETALS


class Graph:
    """What the environments of one molecule, hydrogens explicit, are made of."""

    def __init__(self, mol: Chem.Mol) -> None:
        self.mol = mol
        self.rings = [frozenset(ring) for ring in mol.GetRingInfo().AtomRings()]
        self.bridged = {atom for a, b in combinations(self.rings, 2) if len(a & b) > 2 for atom in a | b}
        self.orders = {}
        for bond in mol.GetBonds():
            order = "aromatic" if bond.GetIsAromatic() else str(bond.GetBondType())
            self.orders[frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))] = order
        self.neighbours = [sorted(n.GetIdx() for n in atom.GetNeighbors()) for atom in mol.GetAtoms()]
        self.atoms = [self._atom(atom) for atom in mol.GetAtoms()]
        self.around = [
            tuple(sorted((self.atoms[b][0], self.orders[frozenset((a, b))], len(self.neighbours[b])) for b in others))
            for a, others in enumerate(self.neighbours)
        ]

    def _atom(self, atom: Chem.Atom) -> tuple:
        """Element, charge, neighbours, bond orders in excess of one, unpaired electrons, aromatic or not."""
        orders = [self.orders[frozenset((atom.GetIdx(), b.GetIdx()))] for b in atom.GetNeighbors()]
        excess = orders.count("DOUBLE") + 2 * orders.count("TRIPLE")
        charge, radical = atom.GetFormalCharge(), atom.GetNumRadicalElectrons()
        return atom.GetAtomicNum(), charge, atom.GetDegree(), excess, radical, atom.GetIsAromatic()

    def ring_size(self, *atoms: int) -> int:
        """Of the smallest ring that holds all of them; 0 if none does."""
        return min((min(len(ring), LARGEST_RING) for ring in self.rings if ring.issuperset(atoms)), default=0)

    def ringness(self, atom: int) -> tuple[int, int, bool]:
        """Smallest ring, number of rings up to three, bridged or not."""
        sizes = [min(len(ring), LARGEST_RING) for ring in self.rings if atom in ring]
        return min(sizes, default=0), min(len(sizes), 3), atom in self.bridged

    def bond(self, a: int, b: int) -> tuple[tuple, ...]:
        """The environments of a bond."""
        shared = self.orders[frozenset((a, b))], self.ring_size(a, b), self.ring_size(a, b) and {a, b} <= self.bridged
        ends = sorted((self.atoms[i], self.around[i]) for i in (a, b))
        conjugated = self.mol.GetBondBetweenAtoms(a, b).GetIsConjugated()
        return (*shared, *ends), (*shared, conjugated, *sorted(self.atoms[i] for i in (a, b)))

    def angle(self, a: int, centre: int, b: int) -> tuple[tuple, ...]:
        """The environments of an angle; none where several angles are right."""
        atom = self.mol.GetAtomWithIdx(centre)
        if is_metal(atom) or len(self.neighbours[centre]) > 4 or atom.GetAtomicNum() in HALOGENS:
            return ()
        shared = self.ring_size(a, centre, b), self.ringness(centre), self.atoms[centre]
        ends = sorted((self.atoms[i][0], self.orders[frozenset((i, centre))], self.atoms[i][2:4]) for i in (a, b))
        return (*shared, self.around[centre], *ends), (*shared, *(end[:2] for end in ends))


def measure(mol: Chem.Mol, positions: np.ndarray, graph: Graph | None = None) -> Iterator[Measured]:
    """All bond lengths and angles of a geometry, positions (N, 3) in Å."""
    graph = graph or Graph(mol)
    for bond in mol.GetBonds():
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        yield Measured("bond", (a, b), float(np.linalg.norm(positions[a] - positions[b])), graph.bond(a, b))
    for centre, others in enumerate(graph.neighbours):
        for a, b in combinations(others, 2):
            yield Measured("angle", (a, centre, b), angle(positions, a, centre, b), graph.angle(a, centre, b))


def angle(positions: np.ndarray, a: int, centre: int, b: int) -> float:
    """In degrees."""
    u, v = positions[a] - positions[centre], positions[b] - positions[centre]
    cosine = u @ v / max(float(np.linalg.norm(u) * np.linalg.norm(v)), 1e-12)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def dihedral(positions: np.ndarray, a: int, b: int, c: int, d: int) -> float:
    """In degrees, from -180 to 180; positive: clockwise, looking from b to c."""
    axis = positions[c] - positions[b]
    axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
    u, v = positions[a] - positions[b], positions[d] - positions[c]
    u, v = u - (u @ axis) * axis, v - (v @ axis) * axis
    return float(np.degrees(np.arctan2(np.cross(u, v) @ axis, u @ v)))
