"""SDF files read record by record, whatever the records are like."""

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from rdkit import Chem, rdBase

from molscore.chem.arrays import assign_stereo_in_place


class Record(NamedTuple):
    """One record of an SDF file.

    Attributes:
        index: position in the file, from 0.
        line: number of its first line, from 1.
        mol: the molecule with its hydrogens, title (``_Name``) and properties; None if it cannot be read.
        reason: why it cannot; None if it can.
        text: its lines as they stand in the file, without ``$$$$``.
    """

    index: int
    line: int
    mol: Chem.Mol | None
    reason: str | None
    text: str = ""


def read_sdf(source: str | os.PathLike | Iterable[str], sanitize: bool = True) -> Iterator[Record]:
    """Reads the records of an SDF file one by one. A bad record is reported and does not end the reading.

    Args:
        source: .sdf or .sdf.gz file, or lines of one, such as a text stream, which is left open.
        sanitize: let RDKit sanitise the molecules; what it refuses is a bad record. Without it they come as written, to
            be judged by ``molscore.chem.validity.check``. Stereo is assigned in either case.

    Returns:
        An iterator over the records, none for an empty file. Any line ends will do; the last ``$$$$`` may be missing.

    Raises:
        OSError: at once, if the file cannot be opened.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _records(nullcontext(source), sanitize)
    opener = gzip.open if str(source).endswith(".gz") else open
    return _records(opener(source, "rt", encoding="utf-8-sig", errors="replace"), sanitize)


def _records(opened: AbstractContextManager[Iterable[str]], sanitize: bool) -> Iterator[Record]:
    index, start, lines = 0, 1, []
    with opened as file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.startswith("$$$$"):
                    lines.append(line)
                    continue
                yield Record(index, start, *_parse(lines, sanitize), "".join(lines))
                index, start, lines = index + 1, number + 1, []
        except (EOFError, OSError, zlib.error) as error:  # a truncated or damaged .gz
            yield Record(index, start, None, f"unreadable: {error}", "".join(lines))
            return
        if any(line.strip() for line in lines):
            yield Record(index, start, *_parse(lines, sanitize), "".join(lines))


def _parse(lines: list[str], sanitize: bool) -> tuple[Chem.Mol | None, str | None]:
    text = "".join(lines) + "\n$$$$\n"
    with rdBase.BlockLogs():
        mol = _supply(text, sanitize)
        if mol is None:
            return None, _refusal(text, lines)
        if mol.GetNumAtoms() == 0:
            return None, "empty: there are no atoms"
        if not sanitize and mol.GetConformer().Is3D():
            assign_stereo_in_place(mol)
    return mol, None


def _supply(text: str, sanitize: bool) -> Chem.Mol | None:
    supplier = Chem.SDMolSupplier()
    supplier.SetData(text, sanitize=sanitize, removeHs=False)
    return next(iter(supplier), None)


def _refusal(text: str, lines: list[str]) -> str:
    """Why RDKit refuses a record."""
    mol = _supply(text, sanitize=False)
    if mol is None:
        counts = lines[3].rstrip("\n") if len(lines) > 3 else ""
        if not (counts[:3].strip().isdigit() and counts[3:6].strip().isdigit()):
            return f"unreadable: the fourth line of the record ought to count atoms and bonds, but reads {counts!r}"
        return "unreadable: the lines of atoms and bonds are malformed, or fewer than the fourth line says"
    try:
        Chem.SanitizeMol(mol)
    except (ValueError, RuntimeError) as error:
        return f"valence: {str(error).strip()}"
    return "unreadable: RDKit gives no reason"
