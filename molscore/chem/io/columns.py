"""Which columns of a table are what. Imports nothing but the standard library."""

import difflib
from collections.abc import Sequence

NAME_COLUMNS = ("name", "title", "id", "compound_id")
"""Columns of a table that may hold the name, the first that is there."""


class ColumnError(ValueError):
    """A table has not the column that was asked for."""


def columns_of(
    header: list[str], smiles_column: str, name_column: str | None, filtered: Sequence[str] = ()
) -> tuple[int, int | None]:
    """Where the SMILES and the names stand in a table.

    Raises:
        ValueError: if there is no such column, or none of `filtered` beside them.
    """
    smiles_at, name_at = _column(header, smiles_column, "--smiles-column"), name_column_of(header)
    if name_column is not None:
        name_at = _column(header, name_column, "--name-column")
    check_filtered(filtered, [name for k, name in enumerate(header) if k not in (smiles_at, name_at)])
    return smiles_at, name_at


def name_column_of(header: Sequence[str]) -> int | None:
    """Where a table has the first of `NAME_COLUMNS`."""
    lowered = [name.lower() for name in header]
    return next((lowered.index(name) for name in NAME_COLUMNS if name in lowered), None)


def check_filtered(names: Sequence[str], columns: Sequence[str]) -> None:
    """Raises ColumnError if a filter asks for a property ``input.NAME`` that no record of a table can have.

    Args:
        names: what it asks for.
        columns: of the table, those of the SMILES and of the names left out.
    """
    known = [name for name in columns if name and not name.startswith("_")]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), [other.lower() for other in known], 1)
            likely = "".join(f" (did you mean '{other}'?)" for other in known if other.lower() in near)
            there = f"only {', '.join(known)}" if known else "none but the molecules"
            raise ColumnError(f"there is no column '{name}' for input.{name} of the filter{likely}, {there}")


def _column(header: list[str], wanted: str, option: str) -> int:
    """Where a column is, spelled just so or else in upper or lower case."""
    for names, name in ((header, wanted.strip()), ([name.lower() for name in header], wanted.strip().lower())):
        if name in names:
            return names.index(name)
    raise ColumnError(f"there is no column '{wanted}', only {', '.join(header)}; say which with {option}")
