"""From a user's molecule to what conformers are made of: one fragment, every hydrogen an atom, stereo decided.

A SMILES often leaves stereo open. `isomers` decides it: every isomer, or one drawn by a seed. Where open stereo lies in
rings many combinations cannot exist (a bridge from one face of a small ring to the other); an embedding with KDG
(Riniker and Landrum, J. Chem. Inf. Model. 55, 2562, 2015) tells which do.
"""

import math
import random
import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt

from molscore.chem.arrays import MoleculeError, isomeric_smiles
from molscore.chem.geometry.shapes import unknown_metal

REASONS = {
    "empty": "there are no atoms",
    "disconnected": "more than one fragment",
    "unknown_element": "a dummy atom, an R group or a query in place of an atom",
    "valence": "a query in place of a bond",
    "metal": "a metal whose neighbours may lie about it in more than one way",
    "too_large": "more atoms or bonds than an SDF record can hold",
}
"""Why no conformer can be made of a molecule, by token."""

LARGEST = 999
"""Atoms, and bonds, that a V2000 record can count."""

ATTEMPTS = 8
"""Tries at an embedding before an isomer counts as impossible. Most that exist embed at the first."""

_TAGS = (Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_TETRAHEDRAL_CW)


class Prepared(NamedTuple):
    """A molecule ready for conformers.

    Attributes:
        mol: one fragment with every hydrogen an atom: the atoms of the input in their order, less those of other
            fragments, then the hydrogens that were implied. Coordinates of the input are kept.
        removed: SMILES of the other fragments; "" if there were none.
    """

    mol: Chem.Mol
    removed: str


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
    """Stereo that is open: a centre, a double bond with a neighbour on either side, or a group known relatively."""

    kind: str
    indices: tuple[int, ...]
    in_ring: bool


def whole(mol: Chem.Mol, fragments: str = "largest") -> Prepared:
    """Chooses a fragment and makes every hydrogen an atom.

    Isotopes, radicals, charges and stereo stay. Only tags at centres with three neighbours alike, in rings of four, go
    (bicyclo[1.1.1]pentane): they say nothing, and no embedding satisfies them.

    Args:
        mol: sanitised; it is left as it is. Some, all or none of the hydrogens may be atoms already.
        fragments: ``largest`` keeps the fragment with most heavy atoms, of equals the heaviest, then the first;
            ``refuse`` refuses a molecule of several.

    Raises:
        MoleculeError: with a reason of `REASONS`.
        ValueError: for another word in place of `fragments`.
    """
    if fragments not in ("largest", "refuse"):
        raise ValueError(f"unknown choice of fragments '{fragments}'; choose largest or refuse")
    if mol.GetNumAtoms() == 0:
        raise MoleculeError("empty", REASONS["empty"])
    with rdBase.BlockLogs():
        full = Chem.AddHs(mol, addCoords=True)
        pieces = Chem.GetMolFrags(full, asMols=True)
        if len(pieces) > 1 and fragments == "refuse":
            raise MoleculeError("disconnected", f"{len(pieces)} fragments; separate salts and solvents first")
        sizes = [(piece.GetNumHeavyAtoms(), round(CalcExactMolWt(piece), 3)) for piece in pieces]
        best = sizes.index(max(sizes))
        others = [isomeric_smiles(piece) for k, piece in enumerate(pieces) if k != best]
        kept = pieces[best] if others else full
        _check(kept)
    for index in _false_centres(_without_maps(kept)):
        if kept.GetRingInfo().IsAtomInRingOfSize(index, 4):
            kept.GetAtomWithIdx(index).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return Prepared(kept, ".".join(others))


def _check(mol: Chem.Mol) -> None:
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 0 or atom.HasQuery():
            raise MoleculeError("unknown_element", f"atom {atom.GetIdx()} ({atom.GetSymbol()}) is not of one element")
    if any(bond.HasQuery() for bond in mol.GetBonds()):
        raise MoleculeError("valence", "a bond is a query; say single, double or triple")
    if fault := unknown_metal(mol):
        raise MoleculeError("metal", fault)
    if max(mol.GetNumAtoms(), mol.GetNumBonds()) > LARGEST:
        sizes = f"{mol.GetNumAtoms()} atoms and {mol.GetNumBonds()} bonds, hydrogens included"
        raise MoleculeError("too_large", f"{sizes}; an SDF record holds {LARGEST} of each")


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
    plain, elements = _without_maps(mol), []
    false = _false_centres(plain)
    for found in Chem.FindPotentialStereo(plain):
        if found.specified == Chem.StereoSpecified.Specified:
            continue
        if found.type == Chem.StereoType.Atom_Tetrahedral and found.centeredOn not in false:
            atom = plain.GetAtomWithIdx(found.centeredOn)
            elements.append(_Element("centre", (atom.GetIdx(),), atom.IsInRing()))
        elif found.type == Chem.StereoType.Bond_Double:
            bond = plain.GetBondWithIdx(found.centeredOn)
            sides = [_told(plain, list(found.controllingAtoms)[k : k + 2]) for k in (0, 2)]
            if None not in sides and not any(map(_cumulated, (bond.GetBeginAtom(), bond.GetEndAtom()))):
                elements.append(_Element("double bond", (bond.GetIdx(), *sides), bond.IsInRing()))
    for group in mol.GetStereoGroups():
        if group.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE:
            atoms = list(group.GetAtoms())
            elements.append(_Element("group", tuple(a.GetIdx() for a in atoms), any(a.IsInRing() for a in atoms)))
    return elements


def _false_centres(mol: Chem.Mol) -> set[int]:
    """Atoms with three neighbours alike."""
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=False))
    around = [[ranks[neighbour.GetIdx()] for neighbour in atom.GetNeighbors()] for atom in mol.GetAtoms()]
    return {k for k, like in enumerate(around) if max(map(like.count, like), default=0) > 2}


def _told(mol: Chem.Mol, neighbours: list[int]) -> int | None:
    """The first neighbour that shows the side of a double bond: an atom, and not plain hydrogen."""
    atoms = (mol.GetAtomWithIdx(index) for index in neighbours if index != Chem.Atom.NOATOM)
    return next((atom.GetIdx() for atom in atoms if atom.GetAtomicNum() != 1 or atom.GetIsotope()), None)


def _cumulated(atom: Chem.Atom) -> bool:
    doubles = sum(bond.GetBondType() == Chem.BondType.DOUBLE for bond in atom.GetBonds())
    return atom.GetAtomicNum() == 6 and doubles > 1


def _draw(mol: Chem.Mol, elements: list[_Element], limit: int, seed: int) -> Iterator[Chem.Mol]:
    """Distinct isomers in random order: all, or of more than `limit` combinations as many drawn at random."""
    source, n = random.Random(seed), len(elements)
    choices = (source.getrandbits(n) for _ in range(limit))
    if 2**n <= limit:
        choices = source.sample(range(2**n), 2**n)
    seen = set()
    for choice in choices:
        isomer = _with(mol, elements, choice)
        if (key := _key(isomer)) not in seen:
            seen.add(key)
            yield isomer


def _with(mol: Chem.Mol, elements: list[_Element], choice: int) -> Chem.Mol:
    """The molecule with stereo set: bit k of `choice` says how element k is."""
    isomer = Chem.RWMol(mol)
    isomer.RemoveAllConformers()
    isomer.SetStereoGroups([])
    for bond in isomer.GetBonds():
        if bond.GetBondDir() in (Chem.BondDir.EITHERDOUBLE, Chem.BondDir.UNKNOWN):
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
            for index in indices:
                isomer.GetAtomWithIdx(index).InvertChirality()
    return _assigned(isomer)


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
    start = _with(mol, others, random.Random(seed).getrandbits(len(others)))
    placed, isomer = Chem.Mol(start), Chem.RWMol(start)
    if not _embed(placed, seed):
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
        for atom in mirror.GetAtoms():
            atom.InvertChirality()
        known[key] = known[_key(mirror)] = _embed(Chem.Mol(isomer), seed=1)
    return known[key]


def _embed(mol: Chem.Mol, seed: int) -> bool:
    parameters = rdDistGeom.KDG()
    parameters.randomSeed = seed % 2**31
    parameters.maxIterations = ATTEMPTS
    parameters.useRandomCoords = True
    with rdBase.BlockLogs():
        return rdDistGeom.EmbedMolecule(mol, parameters) == 0


def _key(mol: Chem.Mol) -> str:
    return Chem.MolToSmiles(_without_maps(mol))


def _without_maps(mol: Chem.Mol) -> Chem.Mol:
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        atom.SetAtomMapNum(0)
    return plain
