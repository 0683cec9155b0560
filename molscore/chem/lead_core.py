"""The core of a lead at its pose, to be held there in conformers of other molecules.

A SMARTS pattern names the core: it matches the lead in one place, and a molecule in one way or several. Each way to
lay the core into the molecule, symmetries of the molecule aside, is a placement: heavy atoms, and where they lie.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.geometry import Expected
from molscore.chem.geometry.types import lengths_and_angles
from molscore.chem.part_checks import check_pose
from molscore.chem.stereo.tags import tags, wrong
from molscore.chem.superposition import best_fit
from molscore.chem.wishes import pattern
from molscore.limits import shown
from molscore.reprs import short_repr

MATCHES = 1000
"""Of a pattern, and symmetries of a molecule, that are looked at."""

MOST = 48
"""Placements of a core in a molecule, at most: three phenyl groups, each in its 12 ways, have 36 without symmetry."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a core lies in a molecule.

    Attributes:
        atoms: ``(m,)`` heavy atoms of the molecule, in the order of the pattern.
        positions: ``(m, 3)`` float64, Å, of each in the lead.
    """

    atoms: np.ndarray
    positions: np.ndarray

    __repr__ = short_repr

    def lay_in_place(self, mol: Chem.Mol) -> None:
        """Lays the only conformer of the molecule over the core, and moves the atoms of the core to their places."""
        x = mol.GetConformer().GetPositions()
        own = x[self.atoms]
        turn, _ = best_fit(own, self.positions)
        x = (x - own.mean(0)) @ turn.T + self.positions.mean(0)
        x[self.atoms] = self.positions
        mol.GetConformer().SetPositions(x)

    def displacement(self, positions: np.ndarray) -> float:
        """Å by which the farthest atom lies from its place, at positions ``(N, 3)`` of the molecule."""
        return float(np.linalg.norm(positions[self.atoms] - self.positions, axis=1).max())


@dataclass(frozen=True, eq=False)
class LeadCore:
    """What a pattern matches of a lead.

    Attributes:
        smarts: the pattern.
        lead: in 3-D, without hydrogens.
        match: its atom for each heavy atom of the pattern.
        places: which atoms of the pattern these are.
    """

    smarts: str
    lead: Chem.Mol
    match: tuple[int, ...]
    places: tuple[int, ...]

    __repr__ = short_repr

    @cached_property
    def query(self) -> Chem.Mol:
        """The pattern."""
        return pattern(self.smarts)

    @cached_property
    def positions(self) -> np.ndarray:
        """``(m, 3)`` Å."""
        return np.array(self.lead.GetConformer().GetPositions()[list(self.match)])

    def __str__(self) -> str:
        """The lead, and a digest of all that decides on placements."""
        atoms = [self.lead.GetAtomWithIdx(k) for k in self.match]
        words = [
            self.places,
            self.positions.tolist(),
            [a.GetAtomicNum() for a in atoms],
            sorted(self._bonds(self.lead).items()),
        ]
        digest = hashlib.sha256(repr(words).encode()).hexdigest()[:16]
        return f"{Chem.MolToSmiles(self.lead)} ({digest})"

    def placements(self, mol: Chem.Mol, wanted: Expected) -> tuple[Placement, ...]:
        """All ways to lay the core into a molecule, but for those that differ by a symmetry of it.

        Args:
            mol: sanitised, every hydrogen an atom, stereo decided; coordinates are not looked at.
            wanted: `molscore.chem.geometry.expected` of it.

        Returns:
            One at least, in the order of the pattern's matches.

        Raises:
            MoleculeError: ``no_match`` if the pattern does not match, ``matches`` if there are too many placements,
                ``pose`` if the core cannot lie in the molecule as it does in the lead.
        """
        bare, heavy = _without_hydrogens(mol)
        matches = bare.GetSubstructMatches(self.query, uniquify=False, maxMatches=MATCHES)
        rows = [tuple(match[k] for k in self.places) for match in matches]
        rows = [row for row in dict.fromkeys(rows) if all(bare.GetAtomWithIdx(k).GetAtomicNum() > 1 for k in row)]
        if not rows:
            raise MoleculeError("no_match", f"'{self.smarts}' matches nothing of the molecule")
        symmetries = bare.GetSubstructMatches(bare, uniquify=False, useChirality=True, maxMatches=MATCHES)
        distinct: list[tuple[int, ...]] = []
        seen: set[tuple[int, ...]] = set()
        for row in rows:
            if row not in seen:
                distinct.append(row)
                seen.update(tuple(symmetry[k] for k in row) for symmetry in symmetries)
        placements, faults = [], []
        for row in distinct:
            placement = Placement(np.array([heavy[k] for k in row]), self.positions)
            if fault := self._fault(mol, placement, wanted):
                faults.append(fault)
            else:
                placements.append(placement)
        if not placements:
            raise MoleculeError("pose", f"the core cannot lie as it does in the lead: {faults[0]}")
        if len(placements) > MOST:
            ways = f"{len(placements)} ways" if len(matches) < MATCHES else f"{len(placements)} ways or more"
            raise MoleculeError("matches", f"'{self.smarts}' fits in {ways}; extend the SMARTS to at most {MOST}")
        return tuple(placements)

    def _fault(self, mol: Chem.Mol, placement: Placement, wanted: Expected) -> str | None:
        """Why the core cannot lie there; a sentence."""
        own, theirs = self._bonds(mol, placement.atoms.tolist()), self._bonds(self.lead)
        for i, j in sorted(own | theirs):
            if own.get((i, j)) != theirs.get((i, j)):
                a, b = (mol.GetAtomWithIdx(int(placement.atoms[k])) for k in (i, j))
                name = f"{a.GetSymbol()}{a.GetIdx()}-{b.GetSymbol()}{b.GetIdx()}"
                here, there = (str(bonds.get((i, j), "none")).lower() for bonds in (own, theirs))
                return f"the bond {name} is {here}, and {there} in the lead"
        x = np.zeros((mol.GetNumAtoms(), 3))
        x[placement.atoms] = placement.positions
        asked = tags(mol, redundant=True)
        asked = asked[np.isin(asked[:, :4], placement.atoms).all(1)]
        for row in asked[wrong(x[None], asked)[0]].tolist():
            atom = mol.GetAtomWithIdx(row[0 if abs(row[4]) == 1 else 1])
            return f"the stereo at {atom.GetSymbol()}{atom.GetIdx()} is another in the lead"
        return self._misfit(mol, placement, wanted, x)

    def _misfit(self, mol: Chem.Mol, placement: Placement, wanted: Expected, x: np.ndarray) -> str | None:
        """A bond at an atom of another element that is of another length."""
        numbers = [self.lead.GetAtomWithIdx(k).GetAtomicNum() for k in self.match]
        others = {k for k, z in zip(placement.atoms.tolist(), numbers, strict=True) if _number(mol, k) != z}
        inside = np.isin(wanted.bonds, placement.atoms).all(1) & np.isin(wanted.bonds, list(others)).any(1)
        lengths = lengths_and_angles(x, wanted.bonds[inside], wanted.angles[:0])[0]
        rows = zip(wanted.bonds[inside].tolist(), lengths, wanted.shortest[inside], wanted.longest[inside], strict=True)
        for (i, j), length, low, high in rows:
            if not low <= length <= high:
                name = "-".join(f"{mol.GetAtomWithIdx(k).GetSymbol()}{k}" for k in (i, j))
                return f"the bond {name} would be {length:.2f} Å; it ought to be {low:.2f} to {high:.2f} Å"
        return None

    def _bonds(self, mol: Chem.Mol, atoms: list[int] | None = None) -> dict[tuple[int, int], str]:
        """Kinds of the bonds among atoms of the core, by their numbers within it; those of the lead by default."""
        place = {k: n for n, k in enumerate(self.match if atoms is None else atoms)}
        ends = ((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), str(bond.GetBondType())) for bond in mol.GetBonds())
        inside = ((place[i], place[j], kind) for i, j, kind in ends if i in place and j in place)
        return {(min(i, j), max(i, j)): kind for i, j, kind in sorted(inside)}


def lead_core(smarts: str, lead: Chem.Mol) -> LeadCore:
    """The core that a pattern names.

    Args:
        smarts: it matches the lead in one place; hydrogens of it do not count.
        lead: sanitised, with 3-D positions.

    Raises:
        ValueError: for what is no SMARTS, has no heavy atom, or matches nowhere or in several places, or a lead without
            3-D positions, or with such as cannot be its own; the message says what to do.
    """
    query = pattern(smarts)
    if lead.GetNumConformers() == 0 or not lead.GetConformer().Is3D():
        raise ValueError("the lead (--from) has no 3-D positions: give an SDF file with coordinates")
    bare, heavy = _without_hydrogens(lead)
    matches = bare.GetSubstructMatches(query, maxMatches=MATCHES)
    text = shown(smarts)
    if not matches:
        raise ValueError(f"keep {text} matches nothing of the lead; check the SMARTS against its SMILES")
    if len(matches) > 1:
        raise ValueError(f"keep {text} matches the lead in {len(matches)} places; extend the SMARTS until it is one")
    places = tuple(k for k, index in enumerate(matches[0]) if _number(bare, index) > 1)
    if not places:
        raise ValueError(f"keep {text} names no heavy atom of the lead")
    match = tuple(matches[0][k] for k in places)
    check_pose(lead, [heavy[k] for k in match])
    return LeadCore(smarts, bare, match, places)


def _number(mol: Chem.Mol, index: int) -> int:
    return int(mol.GetAtomWithIdx(index).GetAtomicNum())


def _without_hydrogens(mol: Chem.Mol) -> tuple[Chem.Mol, list[int]]:
    """The molecule as its SMILES is written, and the atom of the given one that each of its atoms is."""
    copy = Chem.Mol(mol)
    for atom in copy.GetAtoms():
        atom.SetIntProp("_index", atom.GetIdx())
    bare = Chem.RemoveHs(copy)
    indices = [atom.GetIntProp("_index") for atom in bare.GetAtoms()]
    for atom in bare.GetAtoms():
        atom.ClearProp("_index")
    return bare, indices
