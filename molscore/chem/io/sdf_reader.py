"""SDF files read record by record, whatever the records are like."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass

from rdkit import Chem, rdBase

from molscore.chem.arrays import assign_stereo_in_place
from molscore.chem.io.lines import DamagedFile, opened, undecoded
from molscore.chem.io.sdf_text import split_record


@dataclass(frozen=True)
class Record:
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


def read_sdf(
    source: str | os.PathLike[str] | Iterable[str],
    sanitize: bool = True,
    encoding: str | None = None,
    wanted: Callable[[int], bool] | None = None,
) -> Iterator[Record]:
    """Reads the records of an SDF file one by one. A bad record is reported and does not end the reading.

    Args:
        source: SDF file, compressed or not, or lines of one, such as a text stream, which is left open.
        sanitize: let RDKit sanitise the molecules; what it refuses is a bad record. Without it they come as written, to
            be judged by ``molscore.chem.checks.validity.check``. Stereo is assigned in either case.
        encoding: of the file, by default UTF-8; see `molscore.chem.io.lines.read_lines`.
        wanted: whether the record at a position is to be parsed; others have neither molecule nor reason nor text.

    Returns:
        An iterator over the records, none for an empty file. Any line ends will do; the last ``$$$$`` may be missing.

    Raises:
        ValueError: at once, for an unknown encoding.
        OSError: at once, if the file cannot be opened.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _records(source, nullcontext(), sanitize, wanted)
    with ExitStack() as stack:
        lines = stack.enter_context(opened(os.fspath(source), None, encoding, carriage_returns=False))
        return _records(lines, stack.pop_all(), sanitize, wanted)


def _records(
    source: Iterable[str],
    closing: AbstractContextManager[object],
    sanitize: bool,
    wanted: Callable[[int], bool] | None,
) -> Iterator[Record]:
    index, start = 0, 1
    lines: list[str] = []

    def record() -> Record:
        if wanted is None or wanted(index):
            return _record(index, start, "".join(lines), sanitize)
        return Record(index, start, None, None)

    with closing:
        try:
            for number, line in enumerate(source, start=1):
                if not line.startswith("$$$$"):
                    lines.append(line)
                    continue
                yield record()
                index, start, lines = index + 1, number + 1, []
        except DamagedFile as error:
            yield Record(index, start, None, f"unreadable: {error}", "".join(lines))
            return
        if any(line.strip() for line in lines):
            yield record()


def _record(index: int, line: int, text: str, sanitize: bool) -> Record:
    if fault := undecoded(text):
        return Record(index, line, None, f"encoding: {fault}", text)
    block, items = split_record(text)
    with rdBase.BlockLogs():
        mol = _supply(block, sanitize)
        if mol is None:
            return Record(index, line, None, _refusal(block), text)
        if mol.GetNumAtoms() == 0:
            return Record(index, line, None, "empty: there are no atoms", text)
        if not sanitize and mol.GetConformer().Is3D():
            assign_stereo_in_place(mol)
    for item in items:
        if item.name and not item.name.startswith("_"):  # RDKit keeps its own notes under such names
            mol.SetProp(item.name, item.value)
    return Record(index, line, mol, None, text)


def _supply(block: str, sanitize: bool) -> Chem.Mol | None:
    supplier = Chem.SDMolSupplier()
    supplier.SetData(f"{block}\n$$$$\n", sanitize=sanitize, removeHs=False)
    return next(iter(supplier), None)


def _refusal(block: str) -> str:
    """Why RDKit refuses a mol block."""
    mol = _supply(block, sanitize=False)
    if mol is None:
        lines = block.split("\n")
        counts = lines[3].rstrip("\r") if len(lines) > 3 else ""
        if not (counts[:3].strip().isdigit() and counts[3:6].strip().isdigit()):
            return f"unreadable: line 4 of the record ought to count atoms and bonds, but reads {counts[:60]!r}"
        return "unreadable: atom or bond lines are malformed, fewer than line 4 says, or M  END is missing"
    try:
        Chem.SanitizeMol(mol)
    except (ValueError, RuntimeError) as error:
        return f"valence: {str(error).strip()}"
    return "unreadable: RDKit gives no reason"
