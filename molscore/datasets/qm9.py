"""QM9 as a tensor file.

QM9: equilibrium structures of 133,885 small organic molecules (C, H, N, O, F; up to nine heavy atoms) at
B3LYP/6-31G(2df,p) (Ramakrishnan, Dral, Rupp and von Lilienfeld, Sci. Data 1, 140022, 2014). The package qm9pack holds
130,831 of them in three CSV files: all but the 3,054 that changed into something else while they were relaxed.

QM9 has positions and SMILES but no bonds between the positions: `molscore.chem.perceive` finds them.

The split is the customary one (Anderson, Hy and Kondor, NeurIPS 2019; Hoogeboom et al., ICML 2022): 100,000 molecules
to train, 17,748 to validate, 13,083 to test, chosen at random with NumPy's seed 0.
"""

import csv
import importlib.metadata
import importlib.util
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from rdkit import Chem, rdBase

from molscore import extras
from molscore.chem.arrays import MoleculeArrays, MoleculeError
from molscore.chem.perceive import perceive
from molscore.datasets.build import check_out
from molscore.datasets.layout import SPLITS
from molscore.datasets.tensorfile import pack, write_tensorfile
from molscore.limits import check
from molscore.workers import Workers, ready
from molscore.workers import count as count_workers

FILES = ("qm9_part1.csv", "qm9_part2.csv", "qm9_part3.csv")
N_MOLECULES = 130_831
N_TRAIN, N_VALID = 100_000, 17_748
"""The rest, 13,083, is for tests."""

COLUMNS = ("Index", "SMILES", "N_atoms", "Elements", "XYZ_Ang")
BATCH = 500
"""Molecules between two reports of progress, and per message to a worker."""

_NUMBERS = {Chem.GetPeriodicTable().GetElementSymbol(z): z for z in range(1, 119)}


class SourceError(ValueError):
    """The CSV files are not those of QM9, or are damaged. The message names file and line."""


@dataclass(frozen=True, eq=False)
class Row:
    """One molecule of the source.

    Attributes:
        index: QM9's own number, from 1.
        smiles: SMILES of the relaxed structure.
        atomic_numbers: (N,) uint8.
        positions: (N, 3) float64, Å.
    """

    index: int
    smiles: str
    atomic_numbers: np.ndarray
    positions: np.ndarray


class QM9Counts(TypedDict):
    """What the tensor file holds and what was left out, ready for JSON.

    Attributes:
        molecules: all that were kept.
        dropped: reason to count.
        bond_origin: ``smiles`` (matched) and ``perceived`` (from distances alone) to counts.
        splits: split to count.
        n_atoms: smallest and largest number.
        vocabulary: atomic number, formal charge, count.
    """

    molecules: int
    dropped: dict[str, int]
    bond_origin: dict[str, int]
    splits: dict[str, int]
    n_atoms: list[int]
    vocabulary: list[list[int]]


def build_qm9(
    out: str | os.PathLike[str],
    source: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    workers: int | Literal["auto"] = "auto",
    on_progress: Callable[[str, int, int], None] | None = None,
) -> QM9Counts:
    """Makes the QM9 tensor file.

    The source is read and checked as a whole before the work begins, and the file appears only when it is complete.

    Args:
        out: where to write; see `molscore.datasets.layout` for the format.
        source: folder with the three CSV files of qm9pack. Default: those of the installed package.
        limit: take the first molecules only. They are in the same split as in the whole set.
        workers: processes; ``auto`` for as many as there are cores to use.
        on_progress: called with the stage ("reading", "bonds"), the number of finished molecules, and their total.

    Raises:
        MissingExtraError: qm9pack is not installed and no source is given.
        FileNotFoundError: a CSV file is missing.
        SourceError: a CSV file is cut short or damaged, or the number of molecules is not QM9's.
    """
    out = Path(out)
    if limit is not None:
        check("items", limit, "limit")
    if source is None:
        folder, origin = find_qm9pack()
    else:
        folder, origin = Path(source), "CSV files in the layout of qm9pack"
    check_out(out, *(folder / name for name in FILES))
    report = on_progress or (lambda stage, completed, total: None)

    rows = _read_all(folder, limit, report)
    results = _perceive_all(rows, count_workers(workers), report)

    kept = [k for k, (molecule, _) in enumerate(results) if molecule is not None]
    dropped = Counter(reason for molecule, reason in results if molecule is None)
    bond_origin = Counter(results[k][1] for k in kept)
    if not kept:
        raise SourceError(f"{folder}: no molecule is left, dropped: {dict(dropped)}")
    molecules = [molecule for molecule, _ in results if molecule is not None]
    arrays = pack(molecules, split=customary_split()[kept], index=np.array([rows[k].index for k in kept]))
    splits = {name: int((arrays["split"] == k).sum()) for k, name in enumerate(SPLITS)}
    metadata = {
        "source": f"QM9 from {origin}",
        "split_rule": f"numpy RandomState(0).permutation({N_MOLECULES}) of all rows, before any was dropped: first "
        f"{N_TRAIN} train, next {N_VALID} valid, rest test",
        "rdkit": rdBase.rdkitVersion,
        "dropped": json.dumps(dropped),
        "bond_origin": json.dumps(bond_origin),
        "splits": json.dumps(splits),
    }
    write_tensorfile(out, arrays, metadata)
    atoms = Counter(zip(arrays["atomic_numbers"].tolist(), arrays["formal_charges"].tolist(), strict=True))
    return {
        "molecules": len(kept),
        "dropped": dict(dropped),
        "bond_origin": dict(bond_origin),
        "splits": splits,
        "n_atoms": [int(arrays["n_atoms"].min()), int(arrays["n_atoms"].max())],
        "vocabulary": [[number, charge, count] for (number, charge), count in sorted(atoms.items())],
    }


def find_qm9pack() -> tuple[Path, str]:
    """Finds the data of the installed qm9pack without importing it: that needs pkg_resources, which is gone.

    Returns:
        The folder with the CSV files, and name and version of the package.

    Raises:
        MissingExtraError: if qm9pack is not installed; the message says how to install it.
    """
    extras.check("qm9pack", "qm9", "QM9")
    spec = importlib.util.find_spec("qm9pack")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "data", f"qm9pack {importlib.metadata.version('qm9pack')}"


def customary_split() -> np.ndarray:
    """The split of all of QM9's characterised molecules, by their order.

    Returns:
        (130831,) uint8, indices into `molscore.datasets.layout.SPLITS`.
    """
    order = np.random.RandomState(0).permutation(N_MOLECULES)
    split = np.full(N_MOLECULES, SPLITS.index("test"), dtype=np.uint8)
    split[order[:N_TRAIN]] = SPLITS.index("train")
    split[order[N_TRAIN : N_TRAIN + N_VALID]] = SPLITS.index("valid")
    return split


def read_rows(file: Path) -> Iterator[Row]:
    """Reads one CSV file.

    Raises:
        FileNotFoundError: if there is none.
        SourceError: if it is cut short or damaged; the message names file and line.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; the source must be a folder with {', '.join(FILES)}.")
    if not _ends_a_line(file):
        raise SourceError(f"{file}: the last line has no end; the file is empty or cut short. Get it anew.")
    line = 1
    with file.open(newline="", encoding="ascii", errors="replace") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                raise ValueError(f"no column {', '.join(sorted(missing))}")
            line += 1
            for fields in reader:
                yield _parse(fields)
                line += 1
        except (csv.Error, ValueError) as error:
            raise SourceError(f"{file}, line {line}: {error}. Cut short or damaged? Get it anew.") from error


def _ends_a_line(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 1))
        return stream.read() == b"\n"


def _parse(fields: dict[str, str]) -> Row:
    """One row. Raises ValueError with a phrase that says what is wrong."""
    if None in fields or None in fields.values():
        raise ValueError("not as many fields as there are columns")
    numbers = []
    for symbol in fields["Elements"].strip("[]").replace("'", "").replace(" ", "").split(","):
        if symbol not in _NUMBERS:
            raise ValueError(f"{symbol!r} in Elements is no element")
        numbers.append(_NUMBERS[symbol])
    text = fields["XYZ_Ang"]
    if not (text.startswith("[[") and text.endswith("]]")):
        raise ValueError("XYZ_Ang is not of the form [[x,y,z],...]")
    points = [[float(value) for value in point.split(",")] for point in text[2:-2].split("],[")]
    if any(len(point) != 3 for point in points):
        raise ValueError("a point in XYZ_Ang has not three coordinates")
    positions = np.array(points)
    if not np.isfinite(positions).all():
        raise ValueError("XYZ_Ang holds a coordinate that is not finite")
    if not len(numbers) == len(positions) == int(fields["N_atoms"]):
        raise ValueError(
            f"{len(numbers)} elements and {len(positions)} points for N_atoms = {fields['N_atoms']}; they must agree"
        )
    return Row(int(fields["Index"]), fields["SMILES"], np.array(numbers, dtype=np.uint8), positions)


def _read_all(folder: Path, limit: int | None, report: Callable[[str, int, int], None]) -> list[Row]:
    total = N_MOLECULES if limit is None else min(limit, N_MOLECULES)
    rows: list[Row] = []
    for name in FILES:
        if limit is not None and len(rows) >= limit:
            break
        for row in read_rows(folder / name):
            if rows and row.index <= rows[-1].index:
                raise SourceError(f"{folder / name}: Index {row.index} after {rows[-1].index}; it must ascend.")
            rows.append(row)
            if len(rows) % BATCH == 0:
                report("reading", len(rows), total)
            if len(rows) == limit:
                break
    if len(rows) > N_MOLECULES or (limit is None and len(rows) < N_MOLECULES):
        raise SourceError(
            f"{folder}: {len(rows):,} molecules where QM9 has {N_MOLECULES:,}. The files are incomplete or others; "
            "get them anew, or set a limit to take what there is."
        )
    report("reading", len(rows), len(rows))
    return rows


def _perceive_all(
    rows: list[Row], workers: int, report: Callable[[str, int, int], None]
) -> list[tuple[MoleculeArrays | None, str]]:
    """For each row the molecule and the origin of its bonds, or None and the reason why it is dropped."""
    batches = [rows[k : k + BATCH] for k in range(0, len(rows), BATCH)]
    results: list[tuple[MoleculeArrays | None, str]] = []
    with Workers(ready(_perceive_batch), min(workers, len(batches)) or 1) as pool:
        for part in pool.map(batches):
            results += part
            report("bonds", len(results), len(rows))
    return results


def _perceive_batch(rows: list[Row]) -> list[tuple[MoleculeArrays | None, str]]:
    results: list[tuple[MoleculeArrays | None, str]] = []
    for row in rows:
        try:
            results.append(perceive(row.atomic_numbers, row.positions, row.smiles))
        except MoleculeError as error:
            results.append((None, error.reason))
    return results
