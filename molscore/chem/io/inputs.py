"""What users bring: a SMILES, a list of SMILES, a table or an SDF file, read record by record.

Nothing is held but the record at hand, so a file may be of any length. A record that cannot be read is an `Entry` with
a reason, one of `REASONS`, and the reading goes on.
"""

import csv
import gzip
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from typing import IO

from rdkit import Chem

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.smiles import parse_smiles, split_smiles

FORMS = {"smi": (".smi", ".smiles", ".txt"), "csv": (".csv",), "sdf": (".sdf", ".mol")}
"""Forms of a file, and the endings that tell them; each may be followed by .gz."""

REASONS = {
    "smiles": "RDKit cannot parse the SMILES",
    "valence": "RDKit cannot sanitise the molecule: mostly an atom with too many bonds",
    "empty": "there are no atoms",
    "unreadable": "the record is malformed, or the file damaged",
    "encoding": "the record holds bytes that are not UTF-8",
}
"""Why a record has no molecule, by token."""

NAME_COLUMNS = ("name", "title", "id", "compound_id")
"""Columns of a table that may hold the name, the first that is there."""

_HEADERS = ("smiles", "smi", "canonical_smiles", "isomeric_smiles")
_DAMAGE = (EOFError, OSError, zlib.error)
_UNDECODED = re.compile("[\ufffd\ud800-\udfff]")
_NOT_UTF8 = "there are bytes that are not UTF-8; save the file as UTF-8"


@dataclass(frozen=True, eq=False)
class Entry:
    """One record of the input.

    Attributes:
        number: of the record, from 1; bad records count, blank lines, comments and headers do not.
        line: of the decompressed file on which the record begins, from 1.
        name: what the record calls the molecule, "" if it does not say.
        mol: sanitised, stereo assigned, atoms in the order of the record and no hydrogen added or taken off; with
            coordinates where the record has them. None if it cannot be read.
        properties: other columns of a table, or data fields of an SDF record, in their order.
        text: the SMILES as the user wrote it, with its CXSMILES extension; "" for SDF.
        reason: token of `REASONS` if there is no molecule, else None.
        detail: sentence on what is wrong, with RDKit's words where it has any; None if nothing is.
    """

    number: int
    line: int
    name: str
    mol: Chem.Mol | None
    properties: dict[str, str]
    text: str
    reason: str | None = None
    detail: str | None = None


def check_source(source: str, form: str | None = None) -> None:
    """Says now what would go wrong: is there such a file, and is it known what it holds? Nothing is read.

    Arguments as for `read_inputs`.

    Raises:
        ValueError: for an unknown form, a folder, a file of unknown form, or nothing at all.
        FileNotFoundError: if the file does not exist.
    """
    _form(source, form)


def read_inputs(
    source: str,
    *,
    form: str | None = None,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    stream: IO[str] | None = None,
) -> Iterator[Entry]:
    """Reads molecules one by one.

    Args:
        source: a file, ``-`` for standard input, or else a SMILES. What ends in one of the endings of `FORMS`, or
            exists, is a file.
        form: ``smi``: a SMILES on each line, then the name; lines that begin with # are comments. ``csv``: a table
            with a header, separated by commas, semicolons or tabs. ``sdf``: MDL records, 2-D or 3-D. By default the
            ending tells, and standard input is ``smi``.
        smiles_column: of a table, upper or lower case.
        name_column: of a table; by default the first of `NAME_COLUMNS` that is there.
        stream: text to read in place of standard input. It is left open.

    Returns:
        An iterator over the records, none for an empty list or SDF file.

    Raises:
        ValueError: at once, as `check_source`; if the file is a table without the column, or without a header.
        OSError: at once, if the file cannot be opened.
    """
    form = _form(source, form)
    if form == "smiles":
        return _command_line(source)
    with ExitStack() as stack:
        lines = stack.enter_context(_opened(source, stream))
        if form == "sdf":
            return _from_sdf(lines, stack.pop_all())
        try:
            entries = _table(lines, smiles_column, name_column) if form == "csv" else _list(lines)
        except (csv.Error, *_DAMAGE) as error:
            raise ValueError(f"the header of {source} cannot be read: {error}") from error
        return _while_sound(entries, stack.pop_all())


def _form(source: str, form: str | None) -> str:
    """A key of `FORMS`, or ``smiles`` for a source that is one. Errors as `check_source`."""
    if form is not None and form not in FORMS:
        raise ValueError(f"unknown format '{form}'; choose one of {', '.join(FORMS)}")
    if not source.strip():
        raise ValueError("there is no input: give a SMILES, a file, or - for standard input")
    if source == "-":
        return form or "smi"
    name = source.lower().removesuffix(".gz")
    known = next((one for one, endings in FORMS.items() if name.endswith(endings)), None)
    folder = os.path.isdir(source)
    if folder and (form or known or os.path.dirname(source)):
        raise ValueError(f"{source} is a folder; give a file")
    there = os.path.exists(source) and not folder
    if there and not (form or known):
        raise ValueError(f"the name of {source} does not tell what it holds; say it with --format {'|'.join(FORMS)}")
    if (form or known) and not there:
        hint = "" if known else "; leave out --format if this is a SMILES"
        raise FileNotFoundError(f"there is no file {source}{hint}")
    return form or known or "smiles"


def _opened(source: str, stream: IO[str] | None) -> AbstractContextManager[Iterable[str]]:
    if source != "-":
        opener = gzip.open if source.lower().endswith(".gz") else open
        return opener(source, "rt", encoding="utf-8-sig", errors="replace")
    if stream is None and hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")
    return nullcontext(sys.stdin if stream is None else stream)


def _from_sdf(lines: Iterable[str], closing: AbstractContextManager) -> Iterator[Entry]:
    with closing:
        for record in read_sdf(lines):
            mol, (reason, _, detail) = record.mol, (record.reason or "").partition(": ")
            if _UNDECODED.search(record.text):
                mol, reason, detail = None, "encoding", _NOT_UTF8
            name = record.text.partition("\n")[0].strip()
            properties = {} if mol is None else {one: mol.GetProp(one) for one in mol.GetPropNames()}
            yield Entry(record.index + 1, record.line, name, mol, properties, "", reason or None, detail or None)


def _while_sound(entries: Iterator[Entry], closing: AbstractContextManager) -> Iterator[Entry]:
    """The entries, and where the file is damaged a last one that says so."""
    number = line = 0
    with closing:
        try:
            for entry in entries:
                number, line = entry.number, entry.line
                yield entry
        except _DAMAGE as error:
            yield Entry(number + 1, line + 1, "", None, {}, "", "unreadable", f"the file is damaged: {error}")


def _entry(
    number: int, line: int, text: str, name: str, properties: dict[str, str] | None = None, fault: str | None = None
) -> Entry:
    """The entry of a SMILES, which is not parsed if there is a `fault` already."""
    properties = properties or {}
    if any(_UNDECODED.search(one) for one in (text, name, *properties.values())):
        told = None, "encoding", _NOT_UTF8
    else:
        told = parse_smiles(text) if fault is None else (None, "unreadable", fault)
    return Entry(number, line, name, told[0], properties, text, *told[1:])


def _command_line(source: str) -> Iterator[Entry]:
    entry = _entry(1, 1, *split_smiles(source))
    if entry.mol is None:
        entry = replace(entry, detail=f"{entry.detail}; nor is there a file of this name")
    yield entry


def _list(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of a list of SMILES."""
    number, first = 0, True
    for line, content in enumerate(lines, start=1):
        if content.strip() and not content.startswith("#"):
            text, name = split_smiles(content)
            if not (first and text.lower() in _HEADERS):
                number += 1
                yield _entry(number, line, text, name)
            first = False


def _table(lines: Iterable[str], smiles_column: str, name_column: str | None) -> Iterator[Entry]:
    """The entries of a table, whose header is read at once.

    Raises:
        ValueError: if there is no header, or no such column.
    """
    lines = iter(lines)
    blank, first = next(((k, line) for k, line in enumerate(lines) if line.strip()), (0, ""))
    if not first:
        raise ValueError("the table is empty; its first line must name the columns")
    reader = csv.reader(chain(["\n"] * blank, [first], lines), delimiter=_delimiter(first, smiles_column))
    header = next(([cell.strip() for cell in cells] for cells in reader if "".join(cells).strip()), [])
    lowered = [name.lower() for name in header]
    smiles_at = _column(header, smiles_column, "--smiles-column")
    if name_column is not None:
        return _rows(reader, header, smiles_at, _column(header, name_column, "--name-column"))
    return _rows(reader, header, smiles_at, next((lowered.index(x) for x in NAME_COLUMNS if x in lowered), None))


def _rows(reader, header: list[str], smiles_at: int, name_at: int | None) -> Iterator[Entry]:
    others = [k for k, name in enumerate(header) if name and k not in (smiles_at, name_at)]
    number = 0
    while True:
        line, fault = reader.line_num + 1, None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells, fault = ["", ""], f"this is no row: {error}; is a quotation mark left open?"
        if len(cells) < 2 and not "".join(cells).strip():
            continue
        if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
            fault = fault or f"there are {len(cells)} fields, but {len(header)} columns; is a quotation mark missing?"
        number += 1
        cells += [""] * (len(header) - len(cells))
        name = "" if name_at is None else " ".join(cells[name_at].split())
        yield _entry(number, line, cells[smiles_at].strip(), name, {header[k]: cells[k] for k in others}, fault)


def _delimiter(line: str, smiles_column: str) -> str:
    """The one that finds the column in a header, or failing that the one that finds most columns."""

    def found(delimiter: str) -> tuple[bool, int]:
        names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter))]
        return smiles_column.strip().lower() in names, len(names)

    return max(",;\t", key=found)


def _column(header: list[str], wanted: str, option: str) -> int:
    """Where a column is, spelled just so or else in upper or lower case."""
    for names, name in ((header, wanted.strip()), ([name.lower() for name in header], wanted.strip().lower())):
        if name in names:
            return names.index(name)
    raise ValueError(f"there is no column '{wanted}', only {', '.join(header)}; say which with {option}")
