"""From a user's molecule to what conformers are made of: one fragment, every hydrogen an atom, stereo decided.

A SMILES often leaves stereo open. `isomers` decides it: every isomer, or one drawn by a seed. Where open stereo lies in
rings many combinations cannot exist (a bridge from one face of a small ring to the other); an embedding with KDG
(Riniker and Landrum, J. Chem. Inf. Model. 55, 2562, 2015) tells which do.
"""

import math
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom

from molscore.chem.geometry.shapes import shape
from molscore.chem.stereo import AXES
from molscore.chem.whole import LARGEST, REASONS, Prepared, false_centres, whole, without_maps
from molscore.randomness import Purpose, rdkit_seed, stream

__all__ = ["LARGEST", "REASONS", "Isomers", "Prepared", "isomers", "open_stereo", "whole"]

ATTEMPTS = 8
"""Tries at an embedding before an isomer counts as impossible. Most that exist embed at the first."""

_OLD = (Chem.BondDir.EITHERDOUBLE, Chem.BondDir.UNKNOWN, Chem.BondDir.BEGINWEDGE, Chem.BondDir.BEGINDASH)
_TAGS = (Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_TETRAHEDRAL_CW)


class Isomers(NamedTuple):
    """Stereoisomers of a molecule.

    Attributes:
        mols: distinct isomers, atoms in the order of the molecule; without coordinates, unless nothing was open.
        possible: an upper bound to how many there are: distinct isomers, or combinations where these are too many to
            list, less those that were tested and cannot exist.
    """

    mols: list[Chem.Mol]
    possible: int


class _Element(NamedTuple):
    """Stereo that is open: a centre, a double bond with a neighbour on either side, or a group known relatively.

    The indices of a group are those of its centres, and of the bonds that are its hindered axes.
    """

    kind: str
    indices: tuple
    in_ring: bool


def open_stereo(mol: Chem.Mol) -> int:
    """How many centres, double bonds, and groups known relatively or as a mixture, a sanitised molecule leaves open.

    Not counted are the side of a hydrogen at C=N, and centres with three neighbours alike (bicyclo[1.1.1]pentane).
    """
    return len(_open(mol))


def isomers(mol: Chem.Mol, how: str = "sample", most: int = 32, seed: int = 0, seconds: float | None = None) -> Isomers:
    """Decides stereo that is open; what is specified stays.

    Args:
        mol: sanitised, stereo assigned, every hydrogen an atom, as `whole` gives it; it is left as it is.
        how: ``sample``: one isomer, drawn by `seed`; of rings one that distance geometry finds when it is free to
            choose. ``enumerate``: all that exist, in the order of their SMILES; if there are more than `most`, some of
            them, drawn by `seed`.
        most: isomers to enumerate, 1 or more.
        seed: of what is drawn; the same seed gives the same isomers.
        seconds: after which no further isomer is tested for existence; those found so far are what there is.

    Returns:
        One isomer at least. Where each combination fails in the test of existence, it is what `sample` would give.

    Raises:
        ValueError: for another word in place of `how`, or `most` below 1.
    """
    if how not in ("sample", "enumerate") or most < 1:
        raise ValueError(f"cannot give {most} isomers by '{how}'; choose sample or enumerate, and 1 or more")
    elements = _open(mol)
    if not elements:
        return Isomers([Chem.Mol(mol)], 1)
    limit, rings = 4 * most, any(element.in_ring for element in elements)
    countable = 2 ** len(elements) <= limit
    found = list(islice(_draw(mol, elements, limit, seed), None if countable or how == "enumerate" else 1))
    possible = len(found) if countable else 2 ** len(elements)
    if possible == 1:
        return Isomers(found, 1)
    if how == "sample":
        return Isomers([_settled(mol, elements, seed) or found[0] if rings else found[0]], possible)
    kept, known, end = [], {}, time.monotonic() + (math.inf if seconds is None else seconds)
    while found and len(kept) < most and time.monotonic() < end:
        isomer = found.pop(0)
        if not rings or _exists(isomer, known):
            kept.append(isomer)
        else:
            possible -= 1
    if not kept:
        return Isomers([_settled(mol, elements, seed) or (found or [isomer])[0]], max(possible, 1))
    return Isomers(sorted(kept, key=_key), possible)


def _open(mol: Chem.Mol) -> list[_Element]:
    plain, elements = without_maps(mol), []
    false = false_centres(plain)
    for found in Chem.FindPotentialStereo(plain):
        if found.specified == Chem.StereoSpecified.Specified:
            continue
        if found.type == Chem.StereoType.Atom_Tetrahedral and found.centeredOn not in false:
            atom = plain.GetAtomWithIdx(found.centeredOn)
            if shape(atom) is None:  # two of four neighbours across from one another have no sense of rotation
                elements.append(_Element("centre", (atom.GetIdx(),), atom.IsInRing()))
        elif found.type == Chem.StereoType.Bond_Double:
            bond = plain.GetBondWithIdx(found.centeredOn)
            sides = [_told(plain, list(found.controllingAtoms)[k : k + 2]) for k in (0, 2)]
            if None not in sides and not any(map(_cumulated, (bond.GetBeginAtom(), bond.GetEndAtom()))):
                elements.append(_Element("double bond", (bond.GetIdx(), *sides), bond.IsInRing()))
    for group in mol.GetStereoGroups():
        if group.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE:
            atoms, axes = list(group.GetAtoms()), list(group.GetBonds())
            in_ring = any(atom.IsInRing() for atom in atoms)
            indices = tuple(a.GetIdx() for a in atoms), tuple(b.GetIdx() for b in axes)
            elements.append(_Element("group", indices, in_ring))
    return elements


def _told(mol: Chem.Mol, neighbours: list[int]) -> int | None:
    """The first neighbour that shows the side of a double bond: an atom, and not plain hydrogen."""
    atoms = (mol.GetAtomWithIdx(index) for index in neighbours if index != Chem.Atom.NOATOM)
    return next((atom.GetIdx() for atom in atoms if atom.GetAtomicNum() != 1 or atom.GetIsotope()), None)


def _cumulated(atom: Chem.Atom) -> bool:
    doubles = sum(bond.GetBondType() == Chem.BondType.DOUBLE for bond in atom.GetBonds())
    return atom.GetAtomicNum() == 6 and doubles > 1


def _draw(mol: Chem.Mol, elements: list[_Element], limit: int, seed: int) -> Iterator[Chem.Mol]:
    """Distinct isomers in random order: all, or of more than `limit` combinations as many drawn at random."""
    source, n = stream(seed, Purpose.ISOMERS), len(elements)
    choices = (_bits(source, n) for _ in range(limit))
    if 2**n <= limit:
        choices = source.permutation(2**n).tolist()
    seen = set()
    for choice in choices:
        isomer = _with(mol, elements, choice)
        if (key := _key(isomer)) not in seen:
            seen.add(key)
            yield isomer


def _bits(source: np.random.Generator, n: int) -> int:
    """A whole number of n random bits."""
    return sum(bit << k for k, bit in enumerate(source.integers(2, size=n).tolist()))


def _with(mol: Chem.Mol, elements: list[_Element], choice: int) -> Chem.Mol:
    """The molecule with stereo set: bit k of `choice` says how element k is."""
    isomer = Chem.RWMol(mol)
    isomer.RemoveAllConformers()
    isomer.SetStereoGroups([])
    for bond in isomer.GetBonds():
        if bond.GetBondDir() in _OLD:  # of what is open, or wedges from which RDKit would read axes again
            bond.SetBondDir(Chem.BondDir.NONE)
    for k, (kind, indices, _) in enumerate(elements):
        bit = choice >> k & 1
        if kind == "centre":
            isomer.GetAtomWithIdx(indices[0]).SetChiralTag(_TAGS[bit])
        elif kind == "double bond":
            bond = isomer.GetBondWithIdx(indices[0])
            bond.SetStereoAtoms(*indices[1:])
            bond.SetStereo(Chem.BondStereo.STEREOCIS if bit else Chem.BondStereo.STEREOTRANS)
        elif bit:
            _mirror_in_place(isomer, *indices)
    return _assigned(isomer)


def _mirror_in_place(mol: Chem.Mol, centres: Iterable[int], axes: Iterable[int]) -> None:
    for index in centres:
        mol.GetAtomWithIdx(index).InvertChirality()
    for index in axes:
        mol.GetBondWithIdx(index).InvertChirality()


def _assigned(mol: Chem.RWMol) -> Chem.Mol:
    """Stereo assigned anew from tags of atoms and sides of double bonds; tags that mean nothing are gone."""
    Chem.SetDoubleBondNeighborDirections(mol)
    mol.ClearComputedProps(includeRings=False)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True, flagPossibleStereoCenters=True)
    return mol.GetMol()


def _settled(mol: Chem.Mol, elements: list[_Element], seed: int) -> Chem.Mol | None:
    """An isomer that exists: its ring stereo is that of an embedding free to choose, the rest is drawn."""
    rings = [element for element in elements if element.in_ring and element.kind != "group"]
    others = [element for element in elements if element not in rings]
    start = _with(mol, others, _bits(stream(seed, Purpose.ISOMERS), len(others)))
    placed, isomer = Chem.Mol(start), Chem.RWMol(start)
    if not _embed(placed, rdkit_seed(seed, Purpose.RING_STEREO)):
        return None
    Chem.AssignStereochemistryFrom3D(placed)
    positions = placed.GetConformer().GetPositions()
    for kind, (index, *_), _ in rings:
        if kind == "centre":
            around = [bond.GetOtherAtomIdx(index) for bond in isomer.GetAtomWithIdx(index).GetBonds()][:3]
            volume = np.linalg.det(positions[around] - positions[index])
            isomer.GetAtomWithIdx(index).SetChiralTag(_TAGS[int(volume < 0)])
        elif len(sides := placed.GetBondWithIdx(index).GetStereoAtoms()) == 2:
            isomer.GetBondWithIdx(index).SetStereoAtoms(*sides)
            isomer.GetBondWithIdx(index).SetStereo(placed.GetBondWithIdx(index).GetStereo())
    return _assigned(isomer)


def _exists(isomer: Chem.Mol, known: dict[str, bool]) -> bool:
    """Whether it embeds; `known` remembers it, and that its mirror image is as possible."""
    if (key := _key(isomer)) not in known:
        mirror = Chem.Mol(isomer)
        axes = [bond.GetIdx() for bond in mirror.GetBonds() if bond.GetStereo() in AXES]
        _mirror_in_place(mirror, range(mirror.GetNumAtoms()), axes)
        known[key] = known[_key(mirror)] = _embed(Chem.Mol(isomer), seed=1)
    return known[key]


def _embed(mol: Chem.Mol, seed: int) -> bool:
    parameters = rdDistGeom.KDG()
    parameters.randomSeed = seed
    parameters.maxIterations = ATTEMPTS
    parameters.useRandomCoords = True
    with rdBase.BlockLogs():
        return rdDistGeom.EmbedMolecule(mol, parameters) == 0


def _key(mol: Chem.Mol) -> str:
    """What distinct isomers differ in: SMILES, and the sense of hindered axes, which plain SMILES do not say."""
    fields = int(Chem.CXSmilesFields.CX_BOND_ATROPISOMER)
    return Chem.MolToCXSmiles(without_maps(mol), Chem.SmilesWriteParams(), fields)
