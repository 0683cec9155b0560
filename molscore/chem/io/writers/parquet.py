"""Parquet by pyarrow: the columns of a table by type, and the mol block of each record."""

import io
from pathlib import Path
from typing import Any

from molscore.chem.io.lines import printable
from molscore.chem.io.writers.sdf import in_v3000
from molscore.chem.io.writers.table import TableRecords
from molscore.extras import need

GROUP = 2**22
"""Characters after which a row group ends."""


class ParquetRecords(TableRecords):
    """Writes Parquet, row group by row group. Columns of numbers are of type int64 or double; elsewhere text."""

    fixed = ("SMILES", "title", "molblock")

    def __init__(self, file: io.BufferedIOBase, path: Path, v3000: bool = False):
        self._arrow = need("pyarrow", "tables", "Parquet")
        self._parquet = need("pyarrow.parquet", "tables", "Parquet")
        super().__init__(file, path, v3000)

    def more(self, block: str) -> dict[str, str]:
        """As `TableRecords.more`."""
        return {"molblock": in_v3000(block) if self.v3000 else block}

    def finish(self) -> None:
        """As `RecordWriter.finish`."""
        types: dict[type | None, Any] = {int: self._arrow.int64(), float: self._arrow.float64()}
        fields = [(printable(name), types.get(kind, self._arrow.string())) for name, kind in self.columns.items()]
        schema = self._arrow.schema(fields)
        with self._parquet.ParquetWriter(self.file, schema) as writer:
            group: list[dict[str, Any]] = []
            size = 0
            for row in self.rows():
                group.append(dict(zip(schema.names, map(_value, row, self.columns.values()), strict=True)))
                size += sum(len(cell or "") for cell in row)
                if size >= GROUP:
                    writer.write_table(self._arrow.Table.from_pylist(group, schema))
                    group, size = [], 0
            if group:
                writer.write_table(self._arrow.Table.from_pylist(group, schema))


def _value(cell: str | None, kind: type | None) -> int | float | str | None:
    if cell is None or kind in (int, float) and not cell.strip():
        return None
    return printable(cell) if kind not in (int, float) else kind(cell)
