"""Lists and tables of SMILES, row by row; nothing is parsed. Imports nothing but the standard library."""

import csv
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import IO, NamedTuple

from molscore.chem.io.columns import ColumnError, columns_of
from molscore.chem.io.lines import MAX_LINE, DamagedFile, opened, printable, undecoded

SMILES_COLUMN = "smiles"
"""The column of a table that holds the SMILES, unless the user says otherwise."""

TABLES = ("csv", "tsv", "parquet")
"""Forms of a file that have columns."""

LONGEST_ROW = 2**20
"""Characters of a row that spans several lines. Beyond that, a quotation mark was left open."""

_HEADERS = ("smiles", "smi", "canonical_smiles", "isomeric_smiles")
_SEPARATOR = re.compile(r'"?sep=([^"\w\r\n ])"?\s*', re.IGNORECASE)


class Row(NamedTuple):
    """One record of a list or a table.

    Attributes:
        number: of the record, from 1; bad records count, blank lines, comments and headers do not.
        line: of the decompressed file on which the record begins, from 1.
        text: the SMILES as the user wrote it, with its CXSMILES extension.
        name: of the molecule, "" if the record has none.

        properties: names and values of the other columns, in their order.
        reason: ``unreadable`` or ``encoding`` if the record is not to be used, else None.
        detail: sentence on what is wrong.
    """

    number: int
    line: int
    text: str
    name: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    detail: str | None = None


def read_rows(
    source: str,
    form: str,
    *,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    filtered: Sequence[str] = (),
    stream: IO[str] | None = None,
    encoding: str | None = None,
) -> Iterator[Row]:
    """Rows of a file or of standard input, one by one. Damage to the file is the last of them.

    Args:
        source: the file, or ``-`` for standard input.
        form: ``smi``, ``csv``, ``tsv`` or ``parquet``. The other arguments as for
            `molscore.chem.io.inputs.read_inputs`.

    Raises:
        ValueError: at once, if a table has no header, or not the column; for another form.
        OSError: at once, if the file cannot be opened.
    """
    if form == "parquet":
        from molscore.chem.io.parquet_rows import parquet_rows

        return parquet_rows(source, smiles_column=smiles_column, name_column=name_column, filtered=filtered)
    if form not in ("smi", "csv", "tsv"):
        raise ValueError(f"{source} holds no list or table of SMILES")
    with ExitStack() as stack:
        lines = stack.enter_context(opened(source, stream, encoding))
        try:
            asked = (smiles_column, name_column, filtered)
            rows = _list(lines) if form == "smi" else _table(lines, *asked, "\t" * (form == "tsv"))
        except DamagedFile as error:
            raise ValueError(f"the header of {source} cannot be read: {error}") from error
        return _checked(rows, stack.pop_all())


def check_columns(
    source: str,
    form: str,
    smiles_column: str = SMILES_COLUMN,
    name_column: str | None = None,
    encoding: str | None = None,
    filtered: Sequence[str] = (),
) -> None:
    """Checks, before the work begins, that a table has the columns that are asked for. A pipe is not looked into.

    Raises:
        ValueError, OSError: as `read_rows`; also if columns are asked for of what is no table.
    """
    if form not in TABLES and (smiles_column != SMILES_COLUMN or name_column is not None):
        option = "--name-column" if name_column is not None else "--smiles-column"
        raise ColumnError(f"{option} is of a table, and {source} is none; --format csv says that it is one")
    if form in TABLES and os.path.isfile(source):
        asked = {"smiles_column": smiles_column, "name_column": name_column, "filtered": filtered}
        rows = read_rows(source, form, **asked, encoding=encoding)  # type: ignore[arg-type]
        for _ in rows:  # opens what closing it closes
            break
        rows.close()  # type: ignore[attr-defined]  # a generator


def _checked(rows: Iterator[Row], closing: AbstractContextManager[object]) -> Iterator[Row]:
    """The rows, and where the file is damaged a last one with that reason. A row with undecoded bytes is refused."""
    number = line = 0
    with closing:
        try:
            for row in rows:
                number, line = row.number, row.line
                cells = (cell for pair in row.properties for cell in pair)
                if fault := undecoded("".join((row.text, row.name, *cells))):
                    row = Row(number, line, printable(row.text), printable(row.name), (), "encoding", fault)
                yield row
        except DamagedFile as error:
            yield Row(number + 1, line + 1, "", reason="unreadable", detail=str(error))


def _list(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a list of SMILES."""
    number, first = 0, True
    for line, content in enumerate(lines, start=1):
        if content.strip() and not content.startswith("#"):
            text, name = split_smiles(content)
            if not (first and text.lower() in _HEADERS):
                number += 1
                yield Row(number, line, text, name)
            first = False


def split_smiles(content: str) -> tuple[str, str]:
    """A SMILES with its CXSMILES extension, and the name that follows, blanks inside it kept."""
    text, rest = (content.split(None, 1) + ["", ""])[:2]
    if rest.startswith("|"):
        extension, bar, rest = rest[1:].partition("|")
        text = f"{text} |{extension}{bar}"
    return text, rest.strip()


def _table(
    lines: Iterable[str], smiles_column: str, name_column: str | None, filtered: Sequence[str], separator: str | None
) -> Iterator[Row]:
    """The rows of a table, whose header is read at once. Without a separator it is the one that serves the header best.

    Raises:
        ValueError: if there is no header, or no such column.
    """
    lines, first = _Lines(lines), ""
    while not first.strip():
        lines.begin()
        if (line := next(lines, None)) is None:
            raise ValueError("the table is empty; its first line must name the columns")
        first = line
        if not separator and (match := _SEPARATOR.fullmatch(first)):
            separator, first = match[1], ""  # as Excel writes and reads it
    lines.back(0)
    delimiter = separator or _delimiter(first, smiles_column)
    _, cells, fault = next(_split_rows(lines, delimiter))
    if fault is not None:
        raise ValueError(f"the header of the table cannot be read: {fault}")
    header = [printable(cell.strip()) for cell in cells]
    return _rows(_split_rows(lines, delimiter), header, *columns_of(header, smiles_column, name_column, filtered))


def _rows(
    rows: Iterator[tuple[int, list[str], str | None]], header: list[str], smiles_at: int, name_at: int | None
) -> Iterator[Row]:
    number = 0
    for line, cells, fault in rows:
        if len(cells) < 2 and not "".join(cells).strip():
            continue
        if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
            fault = fault or f"there are {len(cells)} fields, but {len(header)} columns; is a quotation mark missing?"
        number += 1
        cells += [""] * (len(header) - len(cells))
        row = row_of(number, line, cells, header, smiles_at, name_at)
        yield row._replace(reason="unreadable", detail=fault) if fault else row


def row_of(number: int, line: int, cells: list[str], header: list[str], smiles_at: int, name_at: int | None) -> Row:
    """A row of a table, whose cells without a name of their column are left out."""
    name = "" if name_at is None else " ".join(cells[name_at].strip().splitlines())
    others = [k for k, name in enumerate(header) if name and k not in (smiles_at, name_at)]
    return Row(number, line, cells[smiles_at].strip(), name, tuple((header[k], cells[k]) for k in others))


class _LeftOpen(csv.Error):
    pass


class _Lines:
    """Lines, those of the current row remembered so that they can be given back."""

    def __init__(self, lines: Iterable[str]):
        self._lines, self._again = iter(lines), deque[str]()
        self.number = 0
        self.row: list[str] = []
        self._size = 0

    def begin(self) -> None:
        """The next line begins a row."""
        self.row, self._size = [], 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None and not self.row:
            raise StopIteration
        self._size += len(line or "")
        if line is None or self.row and self._size > LONGEST_ROW:
            self._again.extend([] if line is None else [line])
            raise _LeftOpen("it does not end")
        self.number += 1
        self.row.append(line)
        return line

    def back(self, kept: int) -> None:
        """Gives back the lines of the row, but for the first few."""
        again = self.row[kept:]
        self.number -= len(again)
        self._again.extendleft(reversed(again))


def _split_rows(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Line, cells and fault of each row. Of a row that goes wrong over several lines the first line alone is lost."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))  # of all that this process reads; never lowered
    while True:
        lines.begin()
        line, fault = lines.number + 1, None
        try:
            cells = next(csv.reader(lines, delimiter=delimiter, strict=True), None)
        except csv.Error as error:
            if isinstance(error, _LeftOpen) or len(lines.row) > 1:
                fault = f"this is no row: {error}; is a quotation mark left open?"
            lines.back(1)
            try:
                cells = next(csv.reader(lines.row[:1], delimiter=delimiter), [])
            except csv.Error as worse:
                cells, fault = ["", ""], f"this is no row: {worse}"
        if cells is None:
            return
        yield line, cells, fault


def _delimiter(line: str, smiles_column: str) -> str:
    """The delimiter with which the header has the column, or failing that, the one with which it has most columns."""

    def score(delimiter: str) -> tuple[bool, int]:
        names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter))]
        return smiles_column.strip().lower() in names, len(names)

    return max(",;\t", key=score)
