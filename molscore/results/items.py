"""One molecule or many, however they are held, as one stream of items.

Nothing is judged here: an item that is no molecule (None, nan, a number) is passed on, to become a row with a reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from os import PathLike
from typing import Any, NamedTuple, Protocol, TypeAlias

from rdkit import Chem

from molscore.chem.io.columns import name_column_of
from molscore.limits import shown

READ_FILES = "read the file with RDKit or pandas, or give it to the command `molscore`"
"""What to do with a file."""

COLUMNS = ("mol", "smiles", "SMILES")
"""Columns of a table that may hold the molecules; the first that is there, if none is named."""


class Column(Protocol):
    """A pandas Series, or what is like it."""

    @property
    def dtype(self) -> Any:
        """Type of its values."""

    def __iter__(self) -> Iterator[Any]: ...


class Table(Protocol):
    """A pandas DataFrame, or what is like it."""

    @property
    def columns(self) -> Any:
        """Names of its columns."""

    def __getitem__(self, key: Any, /) -> Any: ...


class HasMols(Protocol):
    """The result of another call."""

    @property
    def mols(self) -> Sequence[Chem.Mol | None]:
        """Its molecules."""


Molecules: TypeAlias = str | Chem.Mol | Iterable[str | Chem.Mol | None] | Column | Table | HasMols | None
"""What may be given: a SMILES, an RDKit molecule, or a list, a generator, a column, a table or a result of them."""


class Cells(NamedTuple):
    """What the row of a table says of its molecule.

    Attributes:
        name: of the molecule, "" if there is no column of names.
        properties: values of the other columns: numbers as numbers, other things as texts; missing ones left out.
    """

    name: str
    properties: dict[str, object]


class Items(NamedTuple):
    """The items in their order.

    Attributes:
        values: SMILES, molecules, or anything else; to be gone through once.
        index: labels of the items, if they came in a pandas Series or DataFrame; else None.
        columns: of a table of SMILES, those of the SMILES and of the names left out; None of anything else.
        cells: of each item of a table; to be gone through once.
    """

    values: Iterator[object]
    index: Any = None
    columns: Sequence[str] | None = None
    cells: Iterator[Cells] | None = None


def items_of(source: object, column: str | None = None) -> Items:
    """One item or many as a stream.

    Args:
        source: `Molecules`. A string, bytes, a molecule, None and what cannot be iterated over are one item.
        column: of a table; None takes the first of `COLUMNS`.

    Raises:
        ValueError: for a column that is not there, or is there twice.
        TypeError: for a column where there is no table, for a mapping and for a path.
    """
    if (columns := getattr(source, "columns", None)) is not None and not callable(columns):
        return _rows(source, list(columns), column)
    if isinstance(mols := getattr(source, "mols", None), Sequence):
        return Items(iter(mols), _index(source))
    if column is not None:
        raise TypeError(f"'{column}' names a column of a DataFrame, but {shown(source)} is none")
    if isinstance(source, Mapping):
        raise TypeError("a dictionary was given where molecules are expected; put its values in a list")
    if isinstance(source, PathLike):
        raise TypeError(f"a path was given where molecules are expected; {READ_FILES}")
    if source is None or isinstance(source, (str, bytes, Chem.Mol)) or not isinstance(source, Iterable):
        return Items(iter([source]))
    if getattr(source, "ndim", 1) == 2 and source.shape[1] == 1:  # type: ignore[attr-defined]
        return Items(iter(source[:, 0]))  # type: ignore[index]
    try:
        return Items(iter(source), _index(source))
    except TypeError:  # an array without a dimension
        return Items(iter([source]))


def _rows(table: Any, columns: list[Any], wanted: str | None) -> Items:
    """The items of a table. Of columns of one name, which nothing tells apart, none is looked into."""
    molecules = _column([str(name) for name in columns], wanted)
    others = [name for name in columns if str(name) != molecules and columns.count(name) == 1]
    at = name_column_of([str(name) for name in others])
    names: Iterable[object] = repeat("") if at is None else table[others.pop(at)]
    rows = zip(*(table[name] for name in others), strict=True) if others else repeat(())
    labels = [str(name) for name in others]

    def cells() -> Iterator[Cells]:
        for _, name, row in zip(table[molecules], names, rows, strict=False):  # the first ends, others may not
            pairs = zip(labels, row, strict=True)
            yield Cells(_name(name), {label: _plain(value) for label, value in pairs if not _missing(value)})

    bare = not isinstance(next(iter(table[molecules]), None), Chem.Mol)  # molecules have properties of their own
    return Items(iter(table[molecules]), _index(table), labels if bare else None, cells())


def _name(value: object) -> str:
    return "" if _missing(value) else " ".join(str(value).split())


def _missing(value: object) -> bool:
    """Whether a cell holds nothing that a property could be: None, nan, NA, a molecule, an array."""
    if value is None or isinstance(value, Chem.Mol):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # NA; an array
        return True


def _plain(value: Any) -> object:
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    return value if isinstance(value, (bool, int, float)) else str(value)


def _column(columns: list[str], wanted: str | None) -> str:
    """The name of the column of the molecules."""
    name = wanted if wanted is not None else next((name for name in COLUMNS if name in columns), None)
    if name is None or name not in columns:
        looked_for = f"no column '{name}'" if name is not None else f"none of the columns {', '.join(COLUMNS)}"
        raise ValueError(
            f"there is {looked_for}, only {', '.join(columns)}; name the one of the molecules with smiles="
        )
    if columns.count(name) > 1:
        raise ValueError(f"there are {columns.count(name)} columns '{name}'")
    return name


def _index(source: object) -> Any:
    index = getattr(source, "index", None)
    return None if callable(index) else index  # that of a list is a method
