"""Parquet tables as rows, batch by batch: pyarrow, extra ``tables``."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from molscore.chem.io.columns import columns_of
from molscore.chem.io.rows import Row, row_of
from molscore.extras import need

BATCH = 1024
"""Rows in memory."""


def parquet_rows(
    path: str | os.PathLike[str],
    *,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    filtered: Sequence[str] = (),
) -> Iterator[Row]:
    """The rows of a Parquet file; `Row.line` is the number of the row.

    Args:
        path, smiles_column, name_column, filtered: as for `molscore.chem.io.rows.read_rows`. Numbers of other columns
            are written as Python writes them, nulls are "".

    Raises:
        ValueError: at once, if this is no Parquet file, or it has not the column.
        OSError: at once, if the file cannot be opened.
        ImportError: if pyarrow is missing.
    """
    file = parquet_file(path)
    header = file.schema_arrow.names
    return _rows(file, header, *columns_of(header, smiles_column, name_column, filtered))


def parquet_file(path: str | os.PathLike[str]) -> Any:
    """An open `pyarrow.parquet.ParquetFile`, of which the footer alone has been read. Errors as `parquet_rows`."""
    parquet = need("pyarrow.parquet", "tables", "Parquet")
    with open(path, "rb"):  # errors of the operating system
        pass
    try:
        return parquet.ParquetFile(path)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} is no Parquet file, or damaged: {str(error).partition('.')[0]}") from error


def _rows(file: Any, header: list[str], smiles_at: int, name_at: int | None) -> Iterator[Row]:
    number = 0
    with file:
        try:
            for batch in file.iter_batches(BATCH):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    cells = ["" if value is None else str(value) for value in values]
                    yield row_of(number, number, cells, header, smiles_at, name_at)
        except (ValueError, OSError) as error:
            detail = f"the file is damaged: {str(error).partition('.')[0]}"
            yield Row(number + 1, number + 1, "", reason="unreadable", detail=detail)
