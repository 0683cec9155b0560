"""Substituents and linkers cut from known molecules, with how often they occur at which atoms.

Fragments are cut by RDKit's matched-pair code (Hussain & Rea, J. Chem. Inf. Model. 50, 339, 2010): at one acyclic
single bond for substituents, at two for linkers.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMMPA
from rdkit.Chem.MolStandardize import rdMolStandardize

from molscore.chem.arrays import BOND_ORDERS

LARGEST = 12
"""Heavy atoms of a fragment at most."""

LEAST_SIDE = 4
"""Heavy atoms on either side of a linker, at least."""

Context = tuple[int, bool]
"""Element and aromaticity of the atom to which an end of a fragment is bonded."""


class Fragment(NamedTuple):
    """Heavy atoms with Kekulé bonds, and the atoms that are to be bonded, in the order of the ends."""

    numbers: tuple[int, ...]
    charges: tuple[int, ...]
    bonds: tuple[tuple[int, int, int], ...]
    ends: tuple[int, ...]
    span: int  # bonds between what it joins

    @classmethod
    def from_smiles(cls, smiles: str) -> "Fragment":
        """Of a SMILES with ends ``[*:1]``, ``[*:2]``; stereo is left open."""
        mol = Chem.MolFromSmiles(smiles)
        Chem.Kekulize(mol, clearAromaticFlags=True)
        heavy = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum()]
        place = {atom.GetIdx(): k for k, atom in enumerate(heavy)}
        dummies = sorted((a for a in mol.GetAtoms() if not a.GetAtomicNum()), key=lambda atom: atom.GetAtomMapNum())
        bonds = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), BOND_ORDERS[b.GetBondType()]) for b in mol.GetBonds()]
        marks = [atom.GetIdx() for atom in dummies]
        return cls(
            tuple(atom.GetAtomicNum() for atom in heavy),
            tuple(atom.GetFormalCharge() for atom in heavy),
            tuple((place[i], place[j], order) for i, j, order in bonds if i in place and j in place),
            tuple(place[atom.GetNeighbors()[0].GetIdx()] for atom in dummies),
            int(Chem.GetDistanceMatrix(mol)[marks[0], marks[-1]]),
        )


class Library:
    """Fragments of molecules with their numbers, by the atoms to which they are bonded.

    Args:
        smiles: of whole molecules; they are taken uncharged.
        most: the most frequent substituents, and linkers, that are kept.
    """

    def __init__(self, smiles: Iterable[str], most: int = 3000):
        uncharger = rdMolStandardize.Uncharger()
        counts: dict[int, Counter[tuple[str, tuple[Context, ...]]]] = {1: Counter(), 2: Counter()}
        for text in smiles:
            mol = Chem.MolFromSmiles(text)
            if mol is not None:
                mol = uncharger.uncharge(mol)
                counts[1].update(substituents(mol))
                counts[2].update(linkers(mol))
        self.known: dict[int, dict[tuple[Context, ...], list[tuple[Fragment, int]]]] = {1: {}, 2: {}}
        for ends, seen in counts.items():
            frequent = Counter[str]()
            for (text, _), count in seen.items():
                frequent[text] += count
            fragments = {text: Fragment.from_smiles(text) for text, _ in frequent.most_common(most)}
            for (text, contexts), count in seen.items():
                if text in fragments:
                    self.known[ends].setdefault(contexts, []).append((fragments[text], count))
        self.sizes = {ends: min(len({text for text, _ in seen}), most) for ends, seen in counts.items()}

    def fitting(self, contexts: tuple[Context, ...]) -> tuple[list[Fragment], np.ndarray]:
        """Fragments that were seen between such atoms, and how often; those of any if there are none."""
        known = self.known[len(contexts)]
        entries = known.get(contexts) or [entry for some in known.values() for entry in some]
        return [fragment for fragment, _ in entries], np.array([count for _, count in entries], dtype=float)


def substituents(mol: Chem.Mol) -> Iterable[tuple[str, tuple[Context]]]:
    """What hangs on the rest of a molecule at one bond, and the atom on which it hangs."""
    for _, text in rdMMPA.FragmentMol(mol, maxCuts=1, resultsAsMols=False):
        one, other = text.split(".")
        for piece, rest in ((one, other), (other, one)):
            if heavy_atoms(piece) <= min(LARGEST, heavy_atoms(rest)) and uncharged(piece):
                yield Chem.CanonSmiles(piece, useChiral=0), (context(rest, 1),)


def linkers(mol: Chem.Mol) -> Iterable[tuple[str, tuple[Context, Context]]]:
    """What joins two parts of a molecule, and the atoms that it joins, in both directions."""
    cuts = rdMMPA.FragmentMol(mol, minCuts=2, maxCuts=2, maxCutBonds=30, resultsAsMols=False)
    for core, text in cuts:
        sides = text.split(".")
        if heavy_atoms(core) > LARGEST or min(map(heavy_atoms, sides)) < LEAST_SIDE or not uncharged(core):
            continue
        first = next(side for side in sides if "[*:1]" in side)
        last = next(side for side in sides if "[*:2]" in side)
        turned = core.replace("[*:1]", "[*:0]").replace("[*:2]", "[*:1]").replace("[*:0]", "[*:2]")
        ends = context(first, 1), context(last, 2)
        yield Chem.CanonSmiles(core, useChiral=0), ends
        yield Chem.CanonSmiles(turned, useChiral=0), (ends[1], ends[0])


def heavy_atoms(smiles: str) -> int:
    """Their number; marks do not count."""
    return sum(atom.GetAtomicNum() > 1 for atom in Chem.MolFromSmiles(smiles, sanitize=False).GetAtoms())


def uncharged(smiles: str) -> bool:
    """Whether the charges add up to nothing."""
    return Chem.GetFormalCharge(Chem.MolFromSmiles(smiles, sanitize=False)) == 0


def context(smiles: str, mark: int) -> Context:
    """Of the atom that bears a mark; aromatic atoms are written in small letters."""
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    dummy = next(atom for atom in mol.GetAtoms() if atom.GetAtomMapNum() == mark)
    atom = dummy.GetNeighbors()[0]
    return atom.GetAtomicNum(), atom.GetIsAromatic()
