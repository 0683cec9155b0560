"""Formats out: the ending of an output says how finished SDF records are written.

Records are streamed: memory does not grow with their number, and the file appears under its name when it is complete.
Imports nothing heavy; what a format needs is imported when a file of it is begun.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from molscore.extras import check
from molscore.files.output import written
from molscore.files.paths import check_writable
from molscore.files.standard_output import standard_output

if TYPE_CHECKING:
    from molscore.chem.io.writers.base import RecordWriter

SDF = (".sdf", ".sdf.gz")
TABLES = (".csv", ".csv.gz", ".parquet")
STRUCTURES = (".xyz", ".xyz.gz", ".pdb", ".pdb.gz", ".pdbqt", ".pdbqt.zip")
ENDINGS = SDF + TABLES + STRUCTURES
"""Endings of outputs, in upper or lower case."""

SHARDS = ("sdf", "csv", "parquet")
"""Formats of shards of new molecules: those from which the molecules of earlier shards can be read."""

MOST = 100_000
"""Shards of new molecules. The manifest, which lists them, is written after each."""

EXTRAS = {"parquet": ("pyarrow", "tables"), "pdbqt": ("meeko", "docking")}
"""The package that a format needs beyond the installation, and the extra that installs it."""


def format_of(path: str | os.PathLike[str]) -> str:
    """``sdf``, ``csv``, ``parquet``, ``xyz``, ``pdb`` or ``pdbqt``, by the ending of a name.

    Raises:
        ValueError: if it has none of `ENDINGS`.
    """
    name = os.fspath(path).lower()
    if not name.endswith(ENDINGS):
        raise ValueError(f"{path}: the name of this file must end in {' or '.join(ENDINGS)}")
    return name.removesuffix(".gz").removesuffix(".zip").rpartition(".")[2]


def check_output(path: str | os.PathLike[str], endings: tuple[str, ...] = ENDINGS) -> Path:
    """As `molscore.files.paths.check_writable`, and checks that the package which the format needs is there.

    Standard output, ``-``, is always writable.

    Raises:
        ValueError, OSError: as there.
        ImportError: if a package is missing; the message says how to install it.
    """
    if str(path) == "-":
        return Path(path)
    path = check_writable(path, endings)
    if (form := format_of(path)) in EXTRAS:
        check(*EXTRAS[form], f"writing {path.name}")
    return path


def check_molecule_shards(pattern: Path, n: int, size: int) -> None:
    """Checks shards of new molecules.

    Args:
        pattern: their names.
        n: molecules.
        size: molecules of a shard.

    Raises:
        ValueError: if they are too many, or the molecules of earlier ones cannot be read from them.
    """
    if format_of(pattern) not in SHARDS:
        raise ValueError(f"{pattern}: shards of new molecules are {', '.join(SHARDS)}, which hold their SMILES")
    if (number := -(-n // size)) > MOST:
        raise ValueError(f"{n:,} molecules in shards of {size:,} are {number:,} files; make the shards larger")


@contextmanager
def record_writer(
    path: str | os.PathLike[str], v3000: bool | None = None, *, lock: bool = True
) -> Iterator["RecordWriter"]:
    """Opens an output for finished SDF records, written whole or not at all.

    * ``.sdf``: the records as they are; ``.v3000.sdf``: their mol blocks in V3000. (What V2000 cannot hold, more than
      999 atoms, comes in V3000 already.)
    * ``.csv``: ``SMILES``, ``title``, then a column for each property that any record has.
    * ``.parquet``: the same and ``molblock``; columns of numbers are numbers. Extra ``tables``.
    * ``.xyz``: extended XYZ; title and properties in the comment line.
    * ``.pdb``: residue ``LIG``, a model for each record; after the conformers of a molecule its bonds (``CONECT``,
      repeated for double and triple ones). A single record has no ``MODEL`` lines. Properties are left out.
    * ``.pdbqt``, by meeko (extra ``docking``): a model for each record, a single one without ``MODEL`` lines. Vina and
      AutoDock-GPU read one ligand from a file: ``.pdbqt.zip`` holds a file for each record, for a folder.

    Endings in ``.gz`` are compressed. ``-`` is standard output, where SDF records go at once.

    Args:
        path: the file to be, see `check_output`.
        v3000: whether mol blocks, those of Parquet too, are in V3000; by default if the name says so before its ending.
        lock: keep other runs away while it is written; without it, whoever calls holds the lock already.

    Yields:
        Its ``add(text)`` takes records, ``$$$$`` included. What the format cannot hold is counted in its ``refused``,
        and named in a warning at the end.

    Raises:
        ValueError, OSError, ImportError: as `check_output`, at once; OSError if the file cannot be written.
    """
    path = check_output(path)
    stream = str(path) == "-"
    kind = _writer("sdf" if stream else format_of(path))
    v3000 = ".v3000." in path.name.lower() if v3000 is None else v3000
    with standard_output() if stream else written(path, lock) as file, kind(file, path, v3000) as writer:
        yield writer


def _writer(form: str) -> "type[RecordWriter]":
    if form in ("csv", "parquet"):
        from molscore.chem.io.writers import parquet, table

        return table.CSVRecords if form == "csv" else parquet.ParquetRecords
    from molscore.chem.io.writers import pdb, pdbqt, sdf, xyz

    writers: dict[str, type[RecordWriter]] = {
        "sdf": sdf.SDFRecords,
        "xyz": xyz.XYZRecords,
        "pdb": pdb.PDBRecords,
        "pdbqt": pdbqt.PDBQTRecords,
    }
    return writers[form]
