"""Completion without a network: substituents and linkers of known molecules, attached, embedded with RDKit.

They are drawn as often as they occur at an atom of the same element and aromaticity as the one to which they are
attached, each combination once. Of linkers only those are tried whose chain of bonds can span the anchors. The rest is
ETKDGv3 with the kept atoms' coordinates in ``coordMap`` and their stereo, from random coordinates; where they come to
lie within 0.5 Å they are put where they were given and held, and MMFF94s relaxes all others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from fragments import Fragment, Library
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from rdkit.Geometry import Point3D

from molscore.chem.arrays import MoleculeArrays, MoleculeError, to_mol
from molscore.chem.parts import KeptPart
from molscore.chem.stereo.tags import CIS, tags
from molscore.chem.superposition import best_fit

NEAR = 0.5
"""Å by which a kept atom may lie off, to be put where it was given."""

PER_BOND = 1.3
"""Å that a bond adds to the length of a stretched chain."""


class Enumerator:
    """Completions of a part, one after the other, each combination of fragments once.

    Args:
        part: fragments that are joined at their open atoms by a linker, or a core that gets a substituent at each.
        library: of fragments.
        seed: of the random choices.
    """

    def __init__(self, part: KeptPart, library: Library, seed: int):
        self.part, self.random = part, np.random.default_rng(seed)
        self.open = np.flatnonzero(part.open).tolist()
        atoms = to_mol(part.arrays, implied=True).GetAtoms()
        contexts = [(atoms[k].GetAtomicNum(), atoms[k].GetIsAromatic()) for k in self.open]
        self.joins = len(set(part.pieces.tolist())) > 1
        if self.joins and len(self.open) != 2:
            raise ValueError(f"linkers have two ends, and there are {len(self.open)} anchors")
        self.choices = [library.fitting(tuple(contexts))] if self.joins else [library.fitting((c,)) for c in contexts]
        if self.joins:
            self.choices = [self.spanning(*self.choices[0])]
        self.seen: set[tuple[int, ...]] = set()

    def spanning(self, fragments: list[Fragment], weights: np.ndarray) -> tuple[list[Fragment], np.ndarray]:
        """Linkers whose chain is long enough, and not more than twice as long."""
        ends = self.part.arrays.positions[self.open]
        distance = float(np.linalg.norm(ends[0] - ends[1]))
        reach = PER_BOND * np.array([fragment.span for fragment in fragments])
        fit = np.flatnonzero((reach > 0.95 * distance) & (reach < 2 * distance))
        return [fragments[k] for k in fit], weights[fit]

    def round(self) -> list[tuple[MoleculeArrays | None, float]]:
        """One molecule in 3-D, see `embedding`; none if all combinations have been tried."""
        made = self.draw()
        return [] if made is None else [self.embedding(made)]

    def draw(self) -> MoleculeArrays | None:
        """A molecule without positions, the part first; None if nothing new turns up."""
        if not all(len(fragments) for fragments, _ in self.choices):
            return None
        for _ in range(200):
            picked = tuple(int(self.random.choice(len(w), p=w / w.sum())) for _, w in self.choices)
            if picked not in self.seen:
                self.seen.add(picked)
                chosen = [fragments[k] for k, (fragments, _) in zip(picked, self.choices, strict=True)]
                return attached(self.part, chosen, [self.open] if self.joins else [[k] for k in self.open])
        return None

    def embedding(self, made: MoleculeArrays) -> tuple[MoleculeArrays | None, float]:
        """The molecule in 3-D about the part's origin, and by how many Å the farthest kept atom lay off at first.

        Without an embedding there is no molecule.
        """
        n, heavy, given = len(self.part), len(made.atomic_numbers), self.part.arrays.positions.astype(float)
        try:
            mol = to_mol(made, implied=True)
        except MoleculeError:
            return None, np.inf
        mol.RemoveAllConformers()
        with_stereo_in_place(mol, self.part)
        mol = Chem.AddHs(mol)
        settings = rdDistGeom.ETKDGv3()
        settings.randomSeed, settings.maxIterations = int(self.random.integers(2**31 - 1)), 10
        if self.part.posed:
            settings.useRandomCoords = True
            settings.SetCoordMap({k: Point3D(*x) for k, x in enumerate(given.tolist())})
        if rdDistGeom.EmbedMolecule(mol, settings) < 0:
            return None, np.inf
        off = self.put_in_place(mol, given) if self.part.posed else 0.0
        if off <= NEAR:
            relax_in_place(mol, range(n) if self.part.posed else ())
        positions = mol.GetConformer().GetPositions()[:heavy].astype(np.float32)
        return replace(made, positions=positions), off

    def put_in_place(self, mol: Chem.Mol, given: np.ndarray) -> float:
        """Lays the molecule over the given positions; where all are near, they become them.

        Returns:
            Å by which the farthest was off.
        """
        n, conformer = len(given), mol.GetConformer()
        x = conformer.GetPositions()
        turn, _ = best_fit(x[:n], given)
        x = (x - x[:n].mean(0)) @ turn.T + given.mean(0)
        off = float(np.linalg.norm(x[:n] - given, axis=1).max())
        if off <= NEAR:
            x[:n] = given
        conformer.SetPositions(x)
        return off


def attached(part: KeptPart, fragments: Sequence[Fragment], places: Sequence[Sequence[int]]) -> MoleculeArrays:
    """The part, then fragments bonded with their ends to its atoms at these places; all at the origin."""
    numbers, charges = part.arrays.atomic_numbers.tolist(), part.arrays.formal_charges.tolist()
    bonds = [(*ends, order) for ends, order in zip(part.arrays.bonds.tolist(), part.arrays.bond_orders, strict=True)]
    for fragment, at in zip(fragments, places, strict=True):
        first = len(numbers)
        numbers += fragment.numbers
        charges += fragment.charges
        bonds += [(*sorted((first + i, first + j)), order) for i, j, order in fragment.bonds]
        bonds += [(k, first + end, 1) for k, end in zip(at, fragment.ends, strict=True)]
    table = np.array(sorted(bonds), dtype=np.int64).reshape(-1, 3)
    return MoleculeArrays(
        atomic_numbers=np.array(numbers, dtype=np.uint8),
        formal_charges=np.array(charges, dtype=np.int8),
        positions=np.zeros((len(numbers), 3), dtype=np.float32),
        bonds=table[:, :2],
        bond_orders=table[:, 2].astype(np.uint8),
    )


def with_stereo_in_place(mol: Chem.Mol, part: KeptPart) -> None:
    """Gives the kept atoms, the first of a molecule, the stereo of the part; with a pose also where it is none yet."""
    rows = part.arrays.stereo.tolist()
    if part.posed:
        rows = [row for row in rows if abs(row[4]) > 1] + handed(mol, part)
    for a, b, c, d, code in rows:
        if abs(code) > 1:
            bond = mol.GetBondBetweenAtoms(b, c)
            bond.SetStereoAtoms(a, d)
            bond.SetStereo(Chem.BondStereo.STEREOCIS if code == CIS else Chem.BondStereo.STEREOTRANS)
            continue
        centre = mol.GetAtomWithIdx(a)
        centre.SetChiralTag(Chem.ChiralType.CHI_TETRAHEDRAL_CCW)
        own = [row for row in tags(mol, redundant=True).tolist() if row[0] == a and set(row[1:4]) == {b, c, d}]
        if not own:  # the sense of an axis, which RDKit is not told
            centre.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        elif own[0][4] * parity(own[0][1:4], (b, c, d)) != code:
            centre.SetChiralTag(Chem.ChiralType.CHI_TETRAHEDRAL_CW)


def handed(mol: Chem.Mol, part: KeptPart) -> list[tuple[int, ...]]:
    """Tags of the atoms with four neighbours, three of which have positions."""
    rows = []
    for atom in list(mol.GetAtoms())[: len(part)]:
        near = [n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() < len(part)][:3]
        if atom.GetTotalDegree() == 4 and len(near) == 3:
            x, (b, c, d) = part.arrays.positions[atom.GetIdx()], part.arrays.positions[near]
            rows.append((atom.GetIdx(), *near, int(np.sign((b - x) @ np.cross(c - x, d - x)))))
    return rows


def parity(order: Sequence[int], other: Sequence[int]) -> int:
    """Of the permutation of three that leads from one to the other: 1 or -1."""
    return 1 if [order.index(k) for k in other] in ([0, 1, 2], [1, 2, 0], [2, 0, 1]) else -1


def relax_in_place(mol: Chem.Mol, held: Iterable[int]) -> None:
    """Minimises in MMFF94s with atoms held; without parameters nothing moves."""
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol, mmffVariant="MMFF94s")
    if properties is None:
        return
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties)
    field.Initialize()
    for k in held:
        field.AddFixedPoint(k)
    field.Minimize(maxIts=200)
