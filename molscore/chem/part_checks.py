"""What cannot be a kept part, found before anything is made around it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import index

import numpy as np
from rdkit import Chem

from molscore.limits import shown

SHORTEST, LONGEST = 0.6, 1.5
"""Of the sum of covalent radii: bonds beyond are of other units, or of another molecule."""

BONDED = 1.2
"""Of the sum of covalent radii: atoms no farther apart are bonded, or overlap. Of 32 samples none joins such."""

NEAREST = 1.1
"""Å between atoms that are not bonded to one another; 1.5 in cyclopropane."""


def atom_numbers(atoms: Iterable[int], name: str) -> tuple[int, ...]:
    """Numbers of atoms, from NumPy too, as Python's.

    Raises:
        ValueError: for what is no sequence of whole numbers, or is empty.
    """
    try:
        if isinstance(atoms, str) or any(isinstance(k, bool) for k in atoms):
            raise TypeError
        numbers = tuple(index(k) for k in atoms)
    except TypeError:
        raise ValueError(f"{name} must be numbers of atoms such as (3, 7), not {shown(atoms)}") from None
    if not numbers:
        raise ValueError(f"{name} names no atom; leave it out to mean any with a free valence")
    return numbers


def check_marks(mol: Chem.Mol) -> None:
    """Raises ValueError unless every dummy atom has one single bond."""
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum():
            continue
        bonds = [bond.GetBondType() for bond in atom.GetBonds()]
        if bonds != [Chem.BondType.SINGLE] and mol.GetNumAtoms() > 1:
            raise ValueError(
                "a mark (dummy atom, [*:1]) must have one single bond, to the atom at which to grow; the orders of new "
                "bonds are the model's choice"
            )


def mark_numbers(mol: Chem.Mol) -> Counter[int]:
    """How many dummy atoms each atom has for neighbours."""
    dummies = (atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0)
    return Counter(neighbour.GetIdx() for atom in dummies for neighbour in atom.GetNeighbors())


def check_one(mol: Chem.Mol, name: str) -> None:
    """Raises ValueError if it is of several molecules, such as a salt or one with water."""
    if (count := len(Chem.GetMolFrags(mol))) > 1:
        raise ValueError(
            f"{name} is of {count} molecules, and what is made is one: take counter-ions and solvent away, or join "
            "fragments with link"
        )


def check_isotopes(mol: Chem.Mol) -> None:
    """Raises ValueError for isotopes, of which models know nothing; those of dummy atoms are names."""
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() and atom.GetIsotope():
            label = f"{atom.GetIsotope()}{atom.GetSymbol()}"
            raise ValueError(f"atom {atom.GetIdx()} is the isotope {label}, which would be lost: give it without")


def check_fragments(mol: Chem.Mol) -> None:
    """Raises ValueError for heavy atoms of two fragments that are as near as bonded ones: nothing fits between."""
    if not mol.GetNumConformers():
        return
    numbers, table = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()]), Chem.GetPeriodicTable()
    pieces, positions = np.zeros(len(numbers), dtype=int), mol.GetConformer().GetPositions()
    for k, atoms in enumerate(Chem.GetMolFrags(mol)):
        pieces[list(atoms)] = k
    heavy = np.flatnonzero(numbers > 1)
    radii, x, piece = np.array([table.GetRcovalent(int(z)) for z in numbers[heavy]]), positions[heavy], pieces[heavy]
    apart = np.linalg.norm(x[:, None] - x[None], axis=-1)
    near = (apart < BONDED * (radii[:, None] + radii[None])) & (piece[:, None] != piece[None])
    if near.any():
        i, j = np.argwhere(near)[0]
        names = " and ".join(f"{mol.GetAtomWithIdx(int(k)).GetSymbol()}{k}" for k in heavy[[i, j]])
        raise ValueError(
            f"{names}, of different fragments, are {apart[i, j]:.2f} Å apart, as near as bonded atoms, so that nothing "
            "fits between: move the fragments apart, or, if they are bonded, draw the bond and use scaffold"
        )


def check_pose(mol: Chem.Mol, chosen: Sequence[int]) -> None:
    """Whether positions can be those of the atoms of a part.

    Raises:
        ValueError: for bonds that no unit of length but Å would explain, or atoms in one place.
    """
    positions, table = mol.GetConformer().GetPositions()[list(chosen)], Chem.GetPeriodicTable()
    if not np.isfinite(positions).all():
        raise ValueError("a position of the part to keep is not a finite number")
    radii = np.array([table.GetRcovalent(mol.GetAtomWithIdx(k).GetAtomicNum()) for k in chosen])
    bonded = np.array(Chem.GetAdjacencyMatrix(mol)[np.ix_(chosen, chosen)], dtype=bool)
    apart, usual = np.linalg.norm(positions[:, None] - positions[None], axis=-1), radii[:, None] + radii[None]
    wrong = np.where(bonded, (apart < SHORTEST * usual) | (apart > LONGEST * usual), apart < NEAREST)
    pairs = np.argwhere(np.triu(wrong, k=1))
    if len(pairs):
        i, j = pairs[0]
        names = "-".join(f"{mol.GetAtomWithIdx(chosen[k]).GetSymbol()}{chosen[k]}" for k in (i, j))
        what = f"the bond {names} is" if bonded[i, j] else f"{names.replace('-', ' and ')}, not bonded, are"
        tail = "long" if bonded[i, j] else "apart"
        raise ValueError(f"{what} {apart[i, j]:.2f} Å {tail}: the pose does not fit the structure, or is not in Å")
