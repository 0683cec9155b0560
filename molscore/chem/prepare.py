"""From a user's molecule to what conformers are made of: one fragment, every hydrogen an atom, stereo decided.

A SMILES often leaves stereo open. `isomers` decides it: every isomer, or one chosen at random by a seed. Where open
stereo lies in rings many combinations cannot exist (a bridge from one face of a small ring to the other); an embedding
with KDG shows which do. In strained cages, where it does not, the strain of several relaxed embeddings does
(`molscore.chem.embedding.cages`).
"""

import math
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from molscore.chem.embedding.cages import cage_atoms, kdg_in_place, settled, without_cage_stereo
from molscore.chem.geometry.shapes import shape
from molscore.chem.stereo.tags import AXES, tags, wrong
from molscore.chem.whole import LARGEST, PREPARATION_FAULTS, Prepared, false_centres, whole, without_maps
from molscore.randomness import Purpose, rdkit_seed, stream

__all__ = ["LARGEST", "PREPARATION_FAULTS", "Isomers", "Prepared", "isomers", "open_stereo", "whole"]

EMBEDDINGS = 12
"""Embeddings of a molecule with open stereo in a strained cage, and half of those from which its isomers are taken. Of
most cages at least half have stereo that exists."""

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

    The indices of a group are those of its centres; its axes are bonds.
    """

    kind: str
    indices: tuple[int, ...]
    in_ring: bool
    axes: tuple[int, ...] = ()


def open_stereo(mol: Chem.Mol) -> int:
    """How many centres, double bonds, and groups known relatively or as a mixture, a sanitised molecule leaves open.

    Not counted are the side of a hydrogen at C=N, and centres with three neighbours alike (bicyclo[1.1.1]pentane).
    """
    return len(_open(mol))


def isomers(mol: Chem.Mol, how: str = "sample", most: int = 32, seed: int = 0, seconds: float | None = None) -> Isomers:
    """Decides stereo that is open; what is specified stays.

    Args:
        mol: sanitised, stereo assigned, every hydrogen an atom, as `whole` gives it; it is left as it is.
        how: ``sample``: one random isomer; the stereo of rings is that of an embedding by distance geometry without
            constraints on it. ``enumerate``: all that exist, in the order of their SMILES; if there are more than
            `most`, a random choice of them.
        most: isomers to enumerate, 1 or more.
        seed: of the random choices; the same seed gives the same isomers.
        seconds: after which no further isomer is tested for existence; those accepted until then are returned.

    Returns:
        One isomer at least: where each combination fails the test of existence, that of `sample`.

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
    wanted = None if countable or how == "enumerate" else 1
    candidates = list(islice(_random_isomers(mol, elements, limit, seed), wanted))
    possible = len(candidates) if countable else 2 ** len(elements)
    if possible == 1:
        return Isomers(candidates, 1)
    kept: list[Chem.Mol] = []
    end = time.monotonic() + (math.inf if seconds is None else seconds)
    exists = _Existence(mol, elements, end)
    if how == "sample":
        sample = _isomer_of_embedding(mol, elements, seed, end) if rings else candidates[0]
        return Isomers([sample or next(filter(exists, candidates), candidates[0])], possible)
    while candidates and len(kept) < most and time.monotonic() < end:
        isomer = candidates.pop(0)
        if not rings or exists(isomer):
            kept.append(isomer)
        else:
            possible -= 1
    if not kept:
        sample = _isomer_of_embedding(mol, elements, seed, end) or (candidates or [isomer])[0]
        return Isomers([sample], max(possible, 1))
    return Isomers(sorted(kept, key=_key), possible)


def _open(mol: Chem.Mol) -> list[_Element]:
    plain, elements = without_maps(mol), []
    false = false_centres(plain)
    for info in Chem.FindPotentialStereo(plain):
        if info.specified == Chem.StereoSpecified.Specified:
            continue
        if info.type == Chem.StereoType.Atom_Tetrahedral and info.centeredOn not in false:
            atom = plain.GetAtomWithIdx(info.centeredOn)
            if shape(atom) is None:  # two of four neighbours across from one another have no sense of rotation
                elements.append(_Element("centre", (atom.GetIdx(),), atom.IsInRing()))
        elif info.type == Chem.StereoType.Bond_Double:
            bond = plain.GetBondWithIdx(info.centeredOn)
            either = (_stereo_atom(plain, list(info.controllingAtoms)[k : k + 2]) for k in (0, 2))
            sides = [side for side in either if side is not None]
            if len(sides) == 2 and not any(map(_cumulated, (bond.GetBeginAtom(), bond.GetEndAtom()))):
                elements.append(_Element("double bond", (bond.GetIdx(), *sides), bond.IsInRing()))
    for group in mol.GetStereoGroups():
        if group.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE:
            atoms, axes = list(group.GetAtoms()), list(group.GetBonds())
            in_ring = any(atom.IsInRing() for atom in atoms)
            indices, bonds = tuple(a.GetIdx() for a in atoms), tuple(b.GetIdx() for b in axes)
            elements.append(_Element("group", indices, in_ring, bonds))
    return elements


def _stereo_atom(mol: Chem.Mol, neighbours: list[int]) -> int | None:
    """The first neighbour that defines the side of a double bond: an atom, and not plain hydrogen; or None."""
    atoms = (mol.GetAtomWithIdx(index) for index in neighbours if index != Chem.Atom.NOATOM)
    return next((atom.GetIdx() for atom in atoms if atom.GetAtomicNum() != 1 or atom.GetIsotope()), None)


def _cumulated(atom: Chem.Atom) -> bool:
    doubles = sum(bond.GetBondType() == Chem.BondType.DOUBLE for bond in atom.GetBonds())
    return atom.GetAtomicNum() == 6 and doubles > 1


def _random_isomers(mol: Chem.Mol, elements: list[_Element], limit: int, seed: int) -> Iterator[Chem.Mol]:
    """Distinct isomers in random order: of all combinations, or of `limit` random ones if there are more."""
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
    """The molecule with stereo set: bit k of `choice` decides element k."""
    isomer = Chem.RWMol(mol)
    isomer.RemoveAllConformers()
    isomer.SetStereoGroups([])
    for bond in isomer.GetBonds():
        if bond.GetBondDir() in _OLD:  # of what is open, or wedges from which RDKit would read axes again
            bond.SetBondDir(Chem.BondDir.NONE)
    for k, (kind, indices, _, axes) in enumerate(elements):
        bit = choice >> k & 1
        if kind == "centre":
            isomer.GetAtomWithIdx(indices[0]).SetChiralTag(_TAGS[bit])
        elif kind == "double bond":
            bond = isomer.GetBondWithIdx(indices[0])
            bond.SetStereoAtoms(*indices[1:])
            bond.SetStereo(Chem.BondStereo.STEREOCIS if bit else Chem.BondStereo.STEREOTRANS)
        elif bit:
            _mirror_in_place(isomer, indices, axes)
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


def _isomer_of_embedding(mol: Chem.Mol, elements: list[_Element], seed: int, end: float) -> Chem.Mol | None:
    """An isomer that exists: its ring stereo is that of an unconstrained embedding, the rest is random; or None."""
    rings = [element for element in elements if element.in_ring and element.kind != "group"]
    others = [element for element in elements if element not in rings]
    start = _with(mol, others, _bits(stream(seed, Purpose.ISOMERS), len(others)))
    if (placed := _embedding(start, rings, seed, end)) is None:
        return None
    isomer = Chem.RWMol(start)
    Chem.AssignStereochemistryFrom3D(placed)
    for kind, (index, *_), *_ in rings:
        if kind == "centre":
            _read_in_place(isomer, index, placed)
        elif len(sides := placed.GetBondWithIdx(index).GetStereoAtoms()) == 2:
            isomer.GetBondWithIdx(index).SetStereoAtoms(*sides)
            isomer.GetBondWithIdx(index).SetStereo(placed.GetBondWithIdx(index).GetStereo())
    return _assigned(isomer)


def _embedding(start: Chem.Mol, rings: list[_Element], seed: int, end: float) -> Chem.Mol | None:
    """An embedding without constraints on the ring stereo; one of little strain where that is in a cage; or None."""
    if cage_atoms(start).isdisjoint(index for kind, (index, *_), *_ in rings if kind == "centre"):
        placed = Chem.Mol(start)
        return placed if kdg_in_place(placed, rdkit_seed(seed, Purpose.RING_STEREO)) else None
    embeddings = settled(start, [rdkit_seed(seed, Purpose.RING_STEREO, k) for k in range(EMBEDDINGS)], end)
    asked = tags(start)
    sound = (mol for mol in embeddings if not wrong(mol.GetConformer().GetPositions()[None], asked).any())
    return next(sound, None)


def _read_in_place(mol: Chem.RWMol, index: int, placed: Chem.Mol) -> None:
    """The tag of a centre as positions have it, by its first three neighbours."""
    positions = placed.GetConformer().GetPositions()
    around = [bond.GetOtherAtomIdx(index) for bond in mol.GetAtomWithIdx(index).GetBonds()][:3]
    volume = np.linalg.det(positions[around] - positions[index])
    mol.GetAtomWithIdx(index).SetChiralTag(_TAGS[int(volume < 0)])


class _Existence:
    """Test whether isomers of a molecule embed. It remembers the answers, which hold for mirror images too."""

    def __init__(self, mol: Chem.Mol, elements: list[_Element], end: float) -> None:
        marked = {element.indices[0] for element in elements if element.kind == "centre"}
        marked |= {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetChiralTag() in _TAGS}
        self.in_cage, self.end = sorted(marked & cage_atoms(mol)), end
        self.known: dict[str, bool] = {}
        self.keys: dict[str, set[str]] = {}

    def __call__(self, isomer: Chem.Mol) -> bool:
        """Whether it embeds; in a cage, whether it is among the embeddings without constraints on the handedness."""
        if (key := _key(isomer)) not in self.known:
            mirror = Chem.Mol(isomer)
            axes = [bond.GetIdx() for bond in mirror.GetBonds() if bond.GetStereo() in AXES]
            _mirror_in_place(mirror, range(mirror.GetNumAtoms()), axes)
            keys = self._keys_of_cage_embeddings(isomer)
            exists = bool(keys & {key, _key(mirror)}) if keys else kdg_in_place(Chem.Mol(isomer), 1)
            self.known[key] = self.known[_key(mirror)] = exists
        return self.known[key]

    def _keys_of_cage_embeddings(self, isomer: Chem.Mol) -> set[str]:
        """Keys of isomers alike but for the cage that exist; empty if there is no cage, or it cannot be embedded."""
        if (free := without_cage_stereo(isomer)) is None:
            return set()
        if (key := _key(free)) not in self.keys:
            self.keys[key] = set()
            for placed in settled(free, range(1, 2 * EMBEDDINGS + 1), self.end):
                read = Chem.RWMol(free)
                for index in self.in_cage:
                    _read_in_place(read, index, placed)
                self.keys[key].add(_key(_assigned(read)))
        return self.keys[key]


def _key(mol: Chem.Mol) -> str:
    """What distinct isomers differ in: SMILES, and the sense of hindered axes, which plain SMILES do not hold."""
    fields = int(Chem.CXSmilesFields.CX_BOND_ATROPISOMER)
    return Chem.MolToCXSmiles(without_maps(mol), Chem.SmilesWriteParams(), fields)
