"""Input molecules: a SMILES or InChI, a list of them, a table, an SDF or a mol2 file, read record by record.

Only the current record is in memory, so a file may be of any length. A record that cannot be read is an `Entry` with
a reason, one of `INPUT_REASONS`, and the reading goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import IO

from rdkit import Chem

from molscore.chem.io.columns import NAME_COLUMNS
from molscore.chem.io.lines import opened, printable
from molscore.chem.io.mol2 import read_mol2
from molscore.chem.io.rows import Row, read_rows, split_smiles
from molscore.chem.io.sdf_reader import Record, read_sdf
from molscore.chem.io.sdf_text import DataItem, data_items
from molscore.chem.io.smiles import parse_smiles
from molscore.chem.io.source import FORMS, STRUCTURES, check_source
from molscore.chem.properties import set_properties

__all__ = ["FORMS", "NAME_COLUMNS", "INPUT_REASONS", "Entry", "check_source", "read_inputs"]

INPUT_REASONS = {
    "smiles": "RDKit cannot parse the SMILES",
    "inchi": "RDKit cannot parse the InChI",
    "valence": "RDKit cannot sanitise the molecule: mostly an atom with too many bonds",
    "empty": "there are no atoms",
    "unreadable": "the record is malformed, or the file damaged",
    "encoding": "the record holds bytes that are not of the encoding of the file",
}
"""Why a record has no molecule, by token."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One record of the input.

    Attributes:
        number: of the record, from 1; bad records count, blank lines, comments and headers do not.
        line: of the decompressed file on which the record begins, from 1.
        name: of the molecule, "" if the record has none; of an SDF record the first line as it stands.

        mol: sanitised, stereo assigned, atoms in the order of the record and no hydrogen added or taken off; with
            coordinates where the record has them. None if it cannot be read.
        items: other columns of a table, or data items of an SDF record, in their order; names may repeat.
        text: the SMILES or InChI as the user wrote it, with its CXSMILES extension; "" for SDF and mol2.
        reason: token of `INPUT_REASONS` if there is no molecule, else None.
        detail: sentence on what is wrong, with RDKit's words where it has any; None if nothing is.
    """

    number: int
    line: int
    name: str
    mol: Chem.Mol | None
    items: tuple[DataItem, ...]
    text: str
    reason: str | None = None
    detail: str | None = None

    @property
    def properties(self) -> dict[str, str]:
        """Names and values of the items; of several values of a name the last."""
        return {item.name: item.value for item in self.items if item.name}


def read_inputs(
    source: str,
    *,
    form: str | None = None,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    filtered: Sequence[str] = (),
    stream: IO[str] | None = None,
    encoding: str | None = None,
    wanted: Callable[[int], bool] | None = None,
) -> Iterator[Entry]:
    """Reads molecules one by one.

    Args:
        source: a file, ``-`` for standard input, or else a SMILES or an InChI. What ends in one of the endings of
            `FORMS`, or exists, is a file.
        form: by default the ending decides, and standard input is ``smi``:

            * ``smi``: a SMILES or an InChI on each line, then the name; lines that begin with # are comments.
            * ``csv``: a table with a header, separated by commas, semicolons or tabs, or by the character that a line
              ``sep=`` before the header gives; ``tsv``: by tabs; ``parquet`` (extra ``tables``).
            * ``sdf``: MDL records, 2-D or 3-D; ``mol2``: Tripos molecules.

        smiles_column: of a table, upper or lower case.
        name_column: of a table; by default the first of `NAME_COLUMNS` that is there.
        filtered: other columns that a table must have, because a filter asks for them.
        stream: text to read in place of standard input. It is left open.
        encoding: of the file, such as ``cp1252``; by default UTF-8. A byte order mark overrides it.
        wanted: whether the record of a number is to be parsed; the entries of others have neither molecule nor reason.

    Returns:
        An iterator over the records, none for an empty list or SDF file.

    Raises:
        ValueError: at once, as `check_source`; for an unknown encoding; if the file is a table without the column, or
            without a header.
        OSError: at once, if the file cannot be opened.
    """
    form = check_source(source, form)
    if form == "smiles":
        return _command_line(source)
    if form in STRUCTURES:
        at = None if wanted is None else lambda index: wanted(index + 1)
        with ExitStack() as stack:
            lines = stack.enter_context(opened(source, stream, encoding, carriage_returns=form == "mol2"))
            read = read_mol2 if form == "mol2" else read_sdf
            return _structures(read(lines, wanted=at), stack.pop_all())
    rows = read_rows(
        source,
        form,
        smiles_column=smiles_column,
        name_column=name_column,
        filtered=filtered,
        stream=stream,
        encoding=encoding,
    )
    entry = _listed if form == "smi" else _entry
    return (entry(row, wanted is None or wanted(row.number)) for row in rows)


def _structures(records: Iterable[Record], closing: AbstractContextManager[object]) -> Iterator[Entry]:
    with closing:
        for record in records:
            reason, _, detail = (record.reason or "").partition(": ")
            name = printable(record.text.partition("\n")[0].rstrip("\r"))
            items = () if record.mol is None else data_items(record.text)
            yield Entry(record.index + 1, record.line, name, record.mol, items, "", reason or None, detail or None)


def _entry(row: Row, wanted: bool = True) -> Entry:
    """The entry of a SMILES, which is not parsed if something else is wrong already."""
    if not wanted:
        return Entry(row.number, row.line, row.name, None, (), row.text)
    mol, reason, detail = (None, row.reason, row.detail) if row.reason else parse_smiles(row.text)
    items = tuple(DataItem(name, value) for name, value in row.properties)
    if mol is not None:
        set_properties(mol, {name: value for name, value in row.properties if not name.startswith("_")})
    return Entry(row.number, row.line, row.name, mol, items, row.text, reason, detail)


def _listed(row: Row, wanted: bool = True) -> Entry:
    """The entry of a line of a list, which may be that of a table: no SMILES has commas or semicolons."""
    entry = _entry(row, wanted)
    if entry.reason == "smiles" and {",", ";"} & set(row.text):
        entry = replace(entry, detail=f"{entry.detail}; is it a table? --format csv says so")
    return entry


def _command_line(source: str) -> Iterator[Entry]:
    entry = _entry(Row(1, 1, *split_smiles(printable(source))))
    if entry.mol is None:
        entry = replace(entry, detail=f"{entry.detail}; nor is there a file of this name")
    yield entry
