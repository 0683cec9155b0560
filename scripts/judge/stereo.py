"""Stereo of a geometry, by signed volumes and dihedral angles, against the marks of the SMILES that was given.

The marks are read from the SMILES before RDKit's sanitisation, which silently drops some: of allenes, of bridgehead
nitrogens, of double bonds in rings below eight. Such a mark may be missed only by a record that says so.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from rdkit import Chem

from judge.environments import dihedral

MATCHES = 2000
"""Ways to lay the input on the record that are tried."""

AXES = (Chem.BondStereo.STEREOATROPCW, Chem.BondStereo.STEREOATROPCCW)
TAGS = {Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 1, Chem.ChiralType.CHI_TETRAHEDRAL_CW: -1}
ACROSS = {1: ((0, 2), (1, 3)), 2: ((0, 1), (2, 3)), 3: ((0, 3), (1, 2))}
"""Of the square planar SP1 (U), SP2 (4) and SP3 (Z): which neighbours, in their order, lie across."""

MAY_BE_UNHELD = ("lost", "axis", "square planar")
"""What a record may fail to hold if it says so: marks that RDKit drops, axes, square planar metals."""

UP = {Chem.BondDir.ENDUPRIGHT: 1, Chem.BondDir.ENDDOWNRIGHT: -1}


class Marks:
    """What a SMILES says of stereo; atoms as they are numbered in it, explicit hydrogens included."""

    def __init__(self, smiles: str) -> None:
        parameters = Chem.SmilesParserParams()
        parameters.removeHs = False
        self.mol = Chem.MolFromSmiles(smiles, parameters)
        if self.mol is None:
            raise ValueError(f"RDKit cannot read the SMILES {smiles}")
        parameters.sanitize = False
        self.raw = Chem.MolFromSmiles(smiles, parameters)
        self.raw.UpdatePropertyCache(strict=False)
        self.ranks = list(Chem.CanonicalRankAtoms(self.mol, breakTies=False, includeChirality=False))

    def errors(self, positions: np.ndarray, place: dict[int, int], hydrogens: dict[int, list[int]]) -> Iterator[str]:
        """What is wrong in a geometry; `place` says where each atom of the input lies, `hydrogens` those not in it."""
        at = {i: positions[k] for i, k in place.items()}
        spare = {i: [positions[k] for k in others] for i, others in hydrogens.items()}
        yield from self._centres(at, spare)
        yield from self._double_bonds(at)
        yield from self._axes(at)

    def _centres(self, at: dict, spare: dict) -> Iterator[str]:
        for atom in self.raw.GetAtoms():
            i, tag = atom.GetIdx(), atom.GetChiralTag()
            kept = self.mol.GetAtomWithIdx(i).GetChiralTag()
            points = [at[b.GetOtherAtomIdx(i)] for b in atom.GetBonds()]
            if tag == Chem.ChiralType.CHI_SQUAREPLANAR and len(points) == 4:
                permutation = atom.GetIntProp("_chiralPermutation")
                pairs = ACROSS.get(permutation, ())
                if any(np.degrees(separation(points[a] - at[i], points[b] - at[i])) < 135 for a, b in pairs):
                    yield f"square planar {atom.GetSymbol()}{i}"
            elif tag in TAGS and atom.GetDegree() == 2:
                if (sign := self._allene(i, at, spare)) not in (0, TAGS[tag]):
                    yield f"lost allene {atom.GetSymbol()}{i}"
            elif tag in TAGS and (kept in TAGS or self._stereogenic(i)):
                sign = handedness([*points, *spare.get(i, [])], at[i])
                if sign != TAGS[tag]:
                    lost = "" if kept in TAGS else "lost "
                    yield f"{lost}{'centre' if sign else 'flat centre'} {atom.GetSymbol()}{i}"

    def _stereogenic(self, i: int) -> bool:
        """Whether a centre that RDKit has dropped can have two hands: four different arms, or three on a bridge."""
        atom = self.mol.GetAtomWithIdx(i)
        ranks = [self.ranks[n.GetIdx()] for n in atom.GetNeighbors()]
        arms = len(ranks) + min(atom.GetTotalNumHs(), 1)
        if len(set(ranks)) < len(ranks) or atom.GetTotalNumHs() > 1:
            return False
        rings = [set(ring) for ring in self.mol.GetRingInfo().AtomRings() if i in ring]
        bridged = any(len(a & b) > 2 for a in rings for b in rings if a is not b)
        return arms == 4 if atom.GetAtomicNum() != 7 or atom.GetFormalCharge() == 1 else bridged

    def _allene(self, i: int, at: dict, spare: dict) -> int:
        """The hand of an allene's four arms in the order of the SMILES; 0: it has none, or a ring mixes the order."""
        left, right = sorted(n.GetIdx() for n in self.raw.GetAtomWithIdx(i).GetNeighbors())
        points = []
        for end in (left, right):
            others = sorted(n.GetIdx() for n in self.raw.GetAtomWithIdx(end).GetNeighbors() if n.GetIdx() != i)
            arms = [(at[n], self.ranks[n]) for n in others] + [(h, -1) for h in spare.get(end, [])]
            if len(arms) != 2 or arms[0][1] == arms[1][1] or self.mol.GetAtomWithIdx(end).IsInRing():
                return 0
            if spare.get(end) and not (others and others[0] < end and end == left):
                arms.reverse()  # an implicit hydrogen follows the atom before it at once
            points += [point for point, _ in arms]
        return int(np.sign(volume(*points)))

    def _double_bonds(self, at: dict) -> Iterator[str]:
        for bond in self.raw.GetBonds():
            if bond.GetBondType() != Chem.BondType.DOUBLE:
                continue
            ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            arms = [self._marked(a, b) for a, b in (ends, ends[::-1])]
            if not all(arms):
                continue
            kept = self.mol.GetBondBetweenAtoms(*ends)
            if kept.GetStereo() == Chem.BondStereo.STEREONONE and not (kept.IsInRing() and not kept.GetIsAromatic()):
                continue  # not stereogenic
            (x, first), (y, second) = arms
            turn = abs(dihedral(np.array([at[x], at[ends[0]], at[ends[1]], at[y]]), 0, 1, 2, 3))
            if (turn > 90.0) != (first != second):
                lost = "lost " if kept.GetStereo() == Chem.BondStereo.STEREONONE else ""
                yield f"{lost}double bond {ends[0]}={ends[1]}"

    def _marked(self, end: int, other: int) -> tuple[int, int] | None:
        """A neighbour with a directional mark and whether it lies above (1) or below (-1) the end of a double bond."""
        for bond in self.raw.GetAtomWithIdx(end).GetBonds():
            neighbour = bond.GetOtherAtomIdx(end)
            if neighbour != other and bond.GetBondDir() in UP:
                up = UP[bond.GetBondDir()]
                return neighbour, up if bond.GetBeginAtomIdx() == end else -up
        return None

    def _axes(self, at: dict) -> Iterator[str]:
        """Of atropisomers: RDKit's counterclockwise is a negative dihedral of the lowest neighbours on both sides."""
        for bond in self.mol.GetBonds():
            if bond.GetStereo() not in AXES:
                continue
            a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            x, y = (
                min(n.GetIdx() for n in self.mol.GetAtomWithIdx(i).GetNeighbors() if n.GetIdx() not in (a, b))
                for i in (a, b)
            )
            turn = dihedral(np.array([at[x], at[a], at[b], at[y]]), 0, 1, 2, 3)
            if (turn < 0) != (bond.GetStereo() == Chem.BondStereo.STEREOATROPCCW):
                yield f"axis {a}-{b}"


def separation(u: np.ndarray, v: np.ndarray) -> float:
    """Angle between two vectors in radians."""
    return float(np.arccos(np.clip(u @ v / (np.linalg.norm(u) * np.linalg.norm(v)), -1.0, 1.0)))


def volume(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """Positive where b, c, d are counterclockwise seen from a."""
    return float((a - d) @ np.cross(b - d, c - d))


def handedness(points: list[np.ndarray], centre: np.ndarray) -> int:
    """1: counterclockwise, -1: clockwise, 0: flat, of three or four neighbours in the order of the SMILES."""
    if len(points) == 4:
        size = volume(*points)
    elif len(points) == 3:
        size = float((points[0] - centre) @ np.cross(points[1] - centre, points[2] - centre))
    else:
        return 0
    return 0 if abs(size) < 0.05 else int(np.sign(size))


def wrong_stereo(smiles: str, record: Chem.Mol, positions: np.ndarray) -> list[str]:
    """What is wrong, for the best way to lay the input on the record; `graph` where it cannot be laid on it at all."""
    marks = Marks(smiles)
    best: list[str] | None = None
    for place in placements(marks.mol, record):
        taken = set(place.values())
        hydrogens = {
            i: [n.GetIdx() for n in record.GetAtomWithIdx(k).GetNeighbors() if n.GetIdx() not in taken]
            for i, k in place.items()
        }
        wrong = list(marks.errors(positions, place, hydrogens))
        if best is None or len(wrong) < len(best):
            best = wrong
        if not best:
            break
    if best is None:
        return ["graph"]
    return best or ([] if read_by_rdkit(marks.mol, record, positions) else ["RDKit reads other stereo"])


def placements(given: Chem.Mol, record: Chem.Mol) -> Iterator[dict[int, int]]:
    """Atoms of the input on those of the record, in order first, then in every other way that fits."""
    plain = Chem.Mol(given)
    Chem.RemoveStereochemistry(plain)
    heavy = [atom.GetIdx() for atom in given.GetAtoms()]
    if given.GetNumAtoms() <= record.GetNumAtoms() and same_in_order(given, record):
        yield {i: i for i in heavy}
    for match in islice(record.GetSubstructMatches(plain, uniquify=False, maxMatches=MATCHES), MATCHES):
        yield dict(enumerate(match))


def same_in_order(given: Chem.Mol, record: Chem.Mol) -> bool:
    """Whether the record begins with the atoms and the bonds of the input."""
    if any(a.GetAtomicNum() != record.GetAtomWithIdx(a.GetIdx()).GetAtomicNum() for a in given.GetAtoms()):
        return False
    return all(record.GetBondBetweenAtoms(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in given.GetBonds())


def read_by_rdkit(given: Chem.Mol, record: Chem.Mol, positions: np.ndarray) -> bool:
    """Whether RDKit's own reading of the coordinates has the stereo of the input; tetrahedral and double bonds."""
    fresh = Chem.Mol(record)
    fresh.RemoveAllConformers()
    conformer = Chem.Conformer(len(positions))
    conformer.SetPositions(np.ascontiguousarray(positions, dtype=float))
    fresh.AddConformer(conformer)
    Chem.RemoveStereochemistry(fresh)
    Chem.AssignStereochemistryFrom3D(fresh)
    query = Chem.Mol(given)
    for atom in query.GetAtoms():
        if atom.GetChiralTag() not in TAGS:
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return fresh.HasSubstructMatch(query, useChirality=True)
