"""Records as rows of a table, whose columns are known only once the last record has been seen: CSV.

The rows wait in a nameless file on the disk of the output.
"""

import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.lines import ERRORS
from molscore.chem.io.sdf_text import split_record
from molscore.chem.io.writers.base import RecordWriter, first_line, only_record
from molscore.chem.io.writers.values import common, declared, kind
from molscore.files.output import naming
from molscore.files.paths import resolved
from molscore.files.table import csv_text


class TableRecords(RecordWriter):
    """Collects records as rows: ``SMILES`` and ``title``, then a column for each property that any record has.

    Attributes:
        columns: type of each column, in order; None for one without values.
    """

    fixed: tuple[str, ...] = ("SMILES", "title")

    def __init__(self, file: io.BufferedIOBase, path: Path, v3000: bool = False):
        super().__init__(file, path, v3000)
        self.columns: dict[str, type | None] = dict.fromkeys(self.fixed, str)
        with naming(path):
            self._rows = self.open.enter_context(tempfile.TemporaryFile(dir=resolved(path).parent))

    def write(self, text: str) -> None:
        """As `RecordWriter.write`; a record that cannot be read is a row without SMILES."""
        block, items = split_record(text)
        row = {self._name(item.name): item.value for item in items}
        row |= {"SMILES": row.get("SMILES") or _smiles(block), "title": first_line(text), **self.more(block)}
        for name, value in row.items():
            if name not in self.fixed:
                self.columns[name] = common(self.columns.get(name, declared(name)), kind(value))
        with naming(self.path):
            self._rows.write(json.dumps([row.get(name) for name in self.columns]).encode() + b"\n")

    def more(self, block: str) -> dict[str, str]:
        """Further fixed columns."""
        return {}

    def rows(self) -> Iterator[list[str | None]]:
        """The cells of each record, a cell for every column."""
        self._rows.seek(0)
        for line in self._rows:
            cells = json.loads(line)
            yield cells + [None] * (len(self.columns) - len(cells))

    def _name(self, name: str) -> str:
        return f"input_{name}" if name in self.fixed[1:] else name or "unnamed"


class CSVRecords(TableRecords):
    """Writes CSV, no cell of it a formula (`molscore.files.table`)."""

    def finish(self) -> None:
        """As `RecordWriter.finish`."""
        self._line(list(self.columns))
        for row in self.rows():
            self._line(row)

    def _line(self, cells: list[str] | list[str | None]) -> None:
        self.file.write(csv_text([cells]).encode("utf-8", ERRORS))


def _smiles(block: str) -> str:
    mol = only_record(block, sanitize=True).mol
    return "" if mol is None else isomeric_smiles(mol)
