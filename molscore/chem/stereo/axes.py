"""Hindered axes: single bonds between flat rings about which a molecule hardly turns, so that it has two atropisomers.

RDKit holds the sense of such an axis where a SMILES or mol block marks it with a wedge. Where only the 3-D coordinates
show it, it is assigned here, to axes that keep it at room temperature: those with at least three of four ortho
positions occupied, of two rings of six atoms, or all four (barriers above some 25 kcal/mol: LaPlante et al., J. Med.
Chem. 54, 7005, 2011). Fluorine is too small to count.
"""

import numpy as np
from rdkit import Chem

from molscore.chem.stereo.tags import AXES, axis_atoms, wrong

_CANDIDATE = Chem.MolFromSmarts("[a;r5,r6]-!@[a;r5,r6]")


def hindered_axes(mol: Chem.Mol) -> list[int]:
    """Bonds of a sanitised molecule that are hindered axes with two different sides at either end."""
    ranks, bonds = None, []
    for begin, end in mol.GetSubstructMatches(_CANDIDATE):
        either = (_ortho(mol, atom, other) for atom, other in ((begin, end), (end, begin)))
        sides = [side for side in either if side is not None]
        if len(sides) < 2:
            continue
        six = all(mol.GetRingInfo().IsAtomInRingOfSize(atom, 6) for atom in (begin, end))
        if sum(_occupied(mol, ortho, ring) for side, ring in sides for ortho in side) < (3 if six else 4):
            continue
        ranks = ranks or list(Chem.CanonicalRankAtoms(mol, breakTies=False))
        if all(ranks[side[0]] != ranks[side[1]] for side, _ in sides):
            bonds.append(mol.GetBondBetweenAtoms(begin, end).GetIdx())
    return bonds


def assign_axes_in_place(mol: Chem.Mol) -> None:
    """Gives hindered axes without a mark the sense that they have in the first conformer, if that is 3-D."""
    if not (mol.GetNumConformers() and mol.GetConformer().Is3D()):
        return
    x = mol.GetConformer().GetPositions()[None]
    for bond in map(mol.GetBondWithIdx, hindered_axes(mol)):
        for stereo, code in AXES.items() if bond.GetStereo() == Chem.BondStereo.STEREONONE else ():
            if not wrong(x, np.array([(*axis_atoms(bond), code)])).any():
                bond.SetStereo(stereo)


def _ortho(mol: Chem.Mol, atom: int, other: int) -> tuple[list[int], set[int]] | None:
    """The two neighbours of an end of an axis in its ring, and the ring."""
    for ring in mol.GetRingInfo().AtomRings():
        if atom in ring and len(ring) in (5, 6):
            around = [n.GetIdx() for n in mol.GetAtomWithIdx(atom).GetNeighbors() if n.GetIdx() != other]
            if len(around) == 2 and set(around) <= set(ring):
                return around, set(ring)
    return None


def _occupied(mol: Chem.Mol, atom: int, ring: set[int]) -> bool:
    """Whether a ring atom carries something that stands in the way."""
    outside = [n for n in mol.GetAtomWithIdx(atom).GetNeighbors() if n.GetIdx() not in ring]
    return any(n.GetAtomicNum() not in (1, 9) for n in outside)
