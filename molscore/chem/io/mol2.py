"""Tripos mol2 files read block by block: https://zhanggroup.org/DockRMSD/mol2.pdf. RDKit reads Corina's atom types."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import assign_stereo_in_place
from molscore.chem.io.lines import DamagedFile, opened, printable, undecoded
from molscore.chem.io.sdf_reader import Record, read_sdf
from molscore.chem.io.source import form_of
from molscore.chem.rdkit_errors import parsed

MARK = "@<TRIPOS>MOLECULE"
"""Line that begins a molecule."""


def read_structures(
    path: str | os.PathLike[str], sanitize: bool = True, encoding: str | None = None
) -> Iterator[Record]:
    """Reads SDF or mol2, by the ending of the name. Arguments and errors as `read_sdf`."""
    return (read_mol2 if form_of(path) == "mol2" else read_sdf)(path, sanitize, encoding)


def read_mol2(
    source: str | os.PathLike[str] | Iterable[str],
    sanitize: bool = True,
    encoding: str | None = None,
    wanted: Callable[[int], bool] | None = None,
) -> Iterator[Record]:
    """Reads the molecules of a mol2 file one by one. A bad one is reported and does not end the reading.

    Args:
        source, sanitize, encoding, wanted: as for `molscore.chem.io.sdf_reader.read_sdf`.

    Returns:
        An iterator over the records, none for a file without molecules. Their `text` is a V2000 mol block; of one that
        cannot be read it has no atoms, and says why in its comment line.

    Raises:
        ValueError, OSError: at once, as `read_sdf`.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _records(source, nullcontext(), sanitize, wanted)
    with ExitStack() as stack:
        lines = stack.enter_context(opened(os.fspath(source), None, encoding))
        return _records(lines, stack.pop_all(), sanitize, wanted)


def _records(
    source: Iterable[str],
    closing: AbstractContextManager[object],
    sanitize: bool,
    wanted: Callable[[int], bool] | None,
) -> Iterator[Record]:
    index, start = 0, 0
    lines: list[str] = []

    def record() -> Record:
        if wanted is None or wanted(index):
            return _record(index, start, lines, sanitize)
        return Record(index, start, None, None)

    with closing:
        try:
            for number, line in enumerate(source, start=1):
                if line.startswith(MARK):
                    if start:
                        yield record()
                        index += 1
                    start, lines = number, []
                if start:
                    lines.append(line)
        except DamagedFile as error:
            yield _bad(index, start or 1, lines, f"unreadable: {error}")
            return
        if start:
            yield record()


def _record(index: int, line: int, lines: list[str], sanitize: bool) -> Record:
    block = "".join(lines)
    if fault := undecoded(block):
        return _bad(index, line, lines, f"encoding: {fault}")
    mol, words = _molecule(block, sanitize)
    if mol is None:
        readable = sanitize and _molecule(block, False)[0] is not None
        return _bad(index, line, lines, f"valence: {words}" if readable else f"unreadable: {words}")
    if not mol.GetNumAtoms():
        return _bad(index, line, lines, "empty: there are no atoms")
    mol.SetProp("_Name", _title(lines))
    conformer = mol.GetConformer()
    conformer.Set3D(bool(np.ptp(conformer.GetPositions()[:, 2]) > 0) or mol.GetNumAtoms() == 1)
    if conformer.Is3D() and not sanitize:
        assign_stereo_in_place(mol)
    with rdBase.BlockLogs():
        text = Chem.MolToMolBlock(mol, kekulize=sanitize)
    return Record(index, line, mol, None, text)


def _molecule(block: str, sanitize: bool) -> tuple[Chem.Mol | None, str]:
    """The molecule, or None and what RDKit says."""
    mol, words = parsed(lambda: Chem.MolFromMol2Block(block, sanitize=sanitize, removeHs=False))
    return mol, words or "RDKit cannot read it"


def _bad(index: int, line: int, lines: list[str], reason: str) -> Record:
    comment = printable(reason).partition("\n")[0]
    text = f"{_title(lines)}\n\n{comment}\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"
    return Record(index, line, None, reason, text)


def _title(lines: list[str]) -> str:
    """The line after the mark; asterisks stand for none."""
    title = printable(lines[1].strip()) if len(lines) > 1 else ""
    return title if title.strip("*") else ""
