"""The records to evaluate, one by one, with nothing repaired and nothing lost.

A file made with ``generate --raw`` holds samples that are not molecules. They belong in every denominator, so records
are read without sanitisation, and one that cannot be read is a record all the same. No atom may take implied hydrogens:
a carbon with three bonds is a radical, not a methyl group that RDKit fills up.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import (
    MoleculeArrays,
    MoleculeError,
    assign_stereo_in_place,
    from_mol,
    sanitize_in_place,
    to_mol,
)
from molscore.chem.io.count import record_count
from molscore.chem.io.mol2 import read_structures
from molscore.chem.io.sdf_reader import Record
from molscore.chem.io.source import check_sdf, form_of
from molscore.chem.properties import singles
from molscore.limits import shown
from molscore.results import Molecules, items_of

INDEX_PROPERTY = "molscore_index"
"""SDF property: the number of the sampling attempt, from 0, that gave the record."""

DIGITS = 19
"""Of a number that is none of an attempt, at least."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is known of one record.

    Attributes:
        n_atoms: atoms, 0 if the record cannot be read.
        arrays: kekulised bonds, charges, positions; None if the record cannot be read as a 3-D molecule.
        mol: the sanitised molecule with stereo from the positions; None if RDKit refuses its valences.
        closed_shell: sanitised, no unpaired electron. A missing hydrogen leaves one.
        connected: sanitised, a single fragment.
        attempt: the number of the sampling attempt; None if the record has none.
        fault: why there are no `arrays`, and where; None if there are.
    """

    n_atoms: int
    arrays: MoleculeArrays | None = None
    mol: Chem.Mol | None = None
    closed_shell: bool = False
    connected: bool = False
    attempt: int | None = None
    fault: str | None = None

    @property
    def valid(self) -> bool:
        """Sanitised, one fragment, no unpaired electrons."""
        return self.closed_shell and self.connected


Source = str | os.PathLike[str] | Iterable[Record] | Molecules


def stream_records(source: Source, encoding: str | None = None) -> tuple[int | None, Iterator[Record]]:
    """The records of a source, unsanitised, and how many there seem to be, None if that is not known.

    Args:
        source: an SDF or mol2 file, read as records are asked for; or one molecule or many (`molscore.results`), or
            records. What is no molecule is a record that cannot be read, each conformer a record.
        encoding: of the file, by default UTF-8.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for another kind of file, and if there are no molecules.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        check_sdf(path)
        return record_count(path, form_of(path) or "sdf"), read_structures(path, sanitize=False, encoding=encoding)
    mols = list(items_of(source).values)
    records = [mol for mol in mols if isinstance(mol, Record)]
    if mols and len(records) == len(mols):
        return len(records), iter(records)
    molecules: list[tuple[Chem.Mol | None, str | None]] = []
    for mol in mols:
        if not isinstance(mol, Chem.Mol):
            reason = "no molecule" if mol is None else f"an RDKit molecule is wanted, not {shown(mol)}"
            molecules.append((None, reason))
            continue
        molecules += [(single, None) for single in (singles(mol) or [mol])]
    if not mols:
        raise ValueError("no molecules were given; there is nothing to evaluate")
    return len(molecules), (Record(k, 0, mol, reason) for k, (mol, reason) in enumerate(molecules))


def read_records(source: Source, encoding: str | None = None) -> list[Record]:
    """All records of `stream_records`, whose arguments and errors it has.

    Raises:
        ValueError: also if nothing in a file can be read.
    """
    records = list(stream_records(source, encoding)[1])
    if isinstance(source, (str, os.PathLike)) and all(record.mol is None for record in records):
        reason = f"; the first record is {records[0].reason}" if records else ""
        raise ValueError(f"{source} holds no molecule that can be read ({len(records)} records{reason})")
    return records


def judge(record: Record) -> Judgement:
    """Judges one record. Its molecule is left as it is."""
    place = f"record {record.index + 1}" + (f" (line {record.line})" if record.line else "")
    if record.mol is None:
        return Judgement(0, fault=f"{place}: {record.reason}")
    n_atoms, attempt = record.mol.GetNumAtoms(), _attempt(record.mol)
    explicit = Chem.Mol(record.mol)
    for atom in explicit.GetAtoms():
        atom.SetNoImplicit(True)
    try:
        arrays = from_mol(explicit)
        if not n_atoms or not np.isfinite(arrays.positions).all():
            raise MoleculeError("no_3d", "there are no atoms, or a coordinate is not a finite number")
    except MoleculeError as error:
        return Judgement(n_atoms, attempt=attempt, fault=f"{place}: {error}")
    mol, closed_shell = to_mol(arrays, sanitize=False), True
    try:
        sanitize_in_place(mol)
    except MoleculeError as error:
        if error.reason != "radical":
            return Judgement(n_atoms, arrays, attempt=attempt)
        closed_shell = False
    assign_stereo_in_place(mol)
    return Judgement(n_atoms, arrays, mol, closed_shell, len(Chem.GetMolFrags(mol)) == 1, attempt)


def _attempt(mol: Chem.Mol) -> int | None:
    if not mol.HasProp(INDEX_PROPERTY):
        return None
    text = str(mol.GetPropsAsDict(autoConvertStrings=False)[INDEX_PROPERTY])
    return int(text) if text.isdecimal() and len(text) < DIGITS else None
