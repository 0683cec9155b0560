"""Proteins from PDB and mmCIF files, read by Bio.PDB (Hamelryck and Manderick, Bioinformatics 19, 2308, 2003)."""

import os
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from io import StringIO
from itertools import chain, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rdkit import Chem

from molscore.chem.io.lines import DamagedFile, read_text, undecoded
from molscore.reprs import short_repr

if TYPE_CHECKING:
    from Bio.PDB.Residue import Residue
    from Bio.PDB.Structure import Structure

_ENDINGS = {".pdb": "PDB", ".ent": "PDB", ".cif": "mmCIF", ".mmcif": "mmCIF"}
_WATERS = {"HOH", "WAT", "DOD", "H2O", "SOL", "TIP", "TIP3", "TP3", "T3P", "SPC"}
_TABLE = Chem.GetPeriodicTable()
_NUMBERS = {_TABLE.GetElementSymbol(z).upper(): z for z in range(1, 119)} | {"D": 1}
_NO_METALS = [_NUMBERS[s] for s in "H B C N O F SI P S CL AS SE BR TE I HE NE AR KR XE".split()]
METALS = sorted(set(_NUMBERS.values()) - set(_NO_METALS))
"""Atomic numbers."""


@dataclass(frozen=True, eq=False)
class Protein:
    """The P heavy atoms of a structure, without water.

    Attributes:
        positions: (P, 3) float64, Å.
        atomic_numbers: (P,) int64.
        residues: (P,) str, such as ``A/ASP 189``, with the insertion code if there is one (``A/ASP 189B``), and without
            the chain if that has no name.
        kind: (P,) str, ``protein`` for chains (``ATOM`` records) and ``other`` for the rest (``HETATM``), such as
            metals, cofactors, ligands and modified residues.
        names: (P,) str, such as ``CA`` and ``OD1``.
        waters: molecules of water that were left out.
    """

    positions: np.ndarray
    atomic_numbers: np.ndarray
    residues: np.ndarray
    kind: np.ndarray
    names: np.ndarray
    waters: int = 0

    @cached_property
    def inorganic(self) -> np.ndarray:
        """(P,) bool: metals, and all of a residue without carbon."""
        carbon = np.unique(self.residues[self.atomic_numbers == 6])
        return np.isin(self.atomic_numbers, METALS) | ~np.isin(self.residues, carbon)

    def chosen(self, atoms: np.ndarray) -> "Protein":
        """The same with some of its atoms, ``(P,)`` bool."""
        names = ("positions", "atomic_numbers", "residues", "kind", "names")
        return replace(self, **{name: getattr(self, name)[atoms] for name in names})

    def text(self) -> str:
        """A line on the contents, so that a user sees whether something ought not to be there."""
        chains, others = (dict.fromkeys(self.residues[self.kind == kind].tolist()) for kind in ("protein", "other"))
        shown = ", ".join([*list(others)[:8], *(["..."] if len(others) > 8 else [])])
        return f"protein: {len(chains)} residues" + (f", and {len(others)} others: {shown}" if others else "")

    __repr__ = short_repr


def read_protein(path: str | os.PathLike[str]) -> Protein:
    """Reads the first model of a structure: heavy atoms, without water.

    Of alternate locations of an atom, or of a residue, that of the highest occupancy is taken, the first of equals.

    Args:
        path: file in PDB (.pdb, .ent) or mmCIF format (.cif, .mmcif), .gz may follow.

    Raises:
        OSError: if there is no such file, or it cannot be opened.
        ValueError: if it is no structure, has no protein in it, or holds atoms that cannot be distinguished.
    """
    path = Path(path)
    form = _ENDINGS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    if form is None:
        raise ValueError(f"{path}: a protein's file must end in {', '.join(_ENDINGS)}, or one of them and .gz")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        text = read_text(path)
    except DamagedFile as error:
        raise ValueError(f"{path}: {error}; download or pack it again") from error
    try:
        structure, waters = _parse(text, form)
    except Exception as error:  # Bio.PDB raises errors of all kinds
        reasons: dict[type[Exception], str] = {KeyError: f"{error} is missing", IndexError: "a line is too short"}
        what = reasons.get(type(error), str(error))
        raise ValueError(f"{path} cannot be read in {form} format: {what}; repair it, or export it again") from error
    return _collect(structure, waters, path)


def _parse(text: str, form: str) -> "tuple[Structure, int]":
    """Bio.PDB's structure, and how many waters were kept from it.

    It leaves out atoms that it cannot distinguish, with a warning; here that is an error, but for waters, which some
    programs number alike.
    """
    from Bio.PDB.MMCIFParser import MMCIFParser
    from Bio.PDB.PDBParser import PDBParser

    waters = 0
    if form == "PDB":
        lines = takewhile(lambda line: line[:6].strip() not in ("ENDMDL", "END"), text.splitlines(keepends=True))
        wet: dict[bool, list[str]] = {True: [], False: []}
        for line in lines:
            wet[line[17:20] in _WATERS].append(line)
        text = "".join(wet[False])
        oxygens = (line for line in wet[True] if line.startswith(("ATOM", "HETATM")) and line[12:16].strip()[:1] == "O")
        waters = sum(line[16] in " A1" for line in oxygens)  # one of alternate locations
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        structure = (PDBParser if form == "PDB" else MMCIFParser)().get_structure("protein", StringIO(text))
    for message in (str(record.message) for record in records):
        if "may be missing" in message and "Invalid or missing" not in message:  # the latter: no occupancy, no B factor
            raise ValueError(message.splitlines()[0].removeprefix("PDBConstructionException: ").rstrip("."))
    return structure, waters


def _collect(structure: "Structure", waters: int, path: Path) -> Protein:
    rows, backbone = [], False
    for residue in chain.from_iterable(next(iter(structure), ())):
        if residue.is_disordered() == 2:  # a point mutation
            residue = max(residue.disordered_get_list(), key=_occupancy)
        if residue.resname.strip() in _WATERS:
            waters += 1
            continue
        hetero, number, insertion = residue.id
        name = f"{residue.resname.strip()} {number}{insertion.strip()}"
        label = "/".join(filter(None, (residue.parent.id.strip(), name)))
        kind = "other" if hetero.strip() else "protein"
        backbone |= kind == "protein" and all(name in residue for name in ("N", "CA", "C"))
        for atom in residue:
            if (atomic_number := _NUMBERS.get(atom.element)) is None:
                raise ValueError(
                    f"{path}: the element of atom {atom.name} of {label} is not known; "
                    "write it in columns 77 and 78 (PDB) or as type_symbol (mmCIF)"
                )
            if atomic_number > 1:
                rows.append((atom.coord, atomic_number, label, kind, atom.name))
    if not backbone:
        raise ValueError(f"{path} holds no protein: no residue in ATOM records has the atoms N, CA and C")
    coordinates, atomic_numbers, residues, kinds, names = zip(*rows, strict=True)
    if fault := undecoded("".join(residues)):
        raise ValueError(f"{path}: in names of residues {fault}")
    positions = np.array(coordinates, dtype=np.float64)
    if not np.isfinite(positions).all():
        raise ValueError(f"{path}: a coordinate is not a finite number; export it again")
    return Protein(positions, np.array(atomic_numbers), np.array(residues), np.array(kinds), np.array(names), waters)


def _occupancy(residue: "Residue") -> float:
    return max(atom.get_occupancy() or 0.0 for atom in residue)
