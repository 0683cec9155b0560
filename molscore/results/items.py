"""One molecule or many, however they are held, as one stream of items.

Nothing is judged here: an item that is no molecule (None, nan, a number) is passed on, to become a row with a reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from rdkit import Chem

from molscore.limits import shown

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


class Items(NamedTuple):
    """The items in their order.

    Attributes:
        values: SMILES, molecules, or anything else; to be gone through once.
        index: labels of the items, if they came in a pandas Series or DataFrame; else None.
    """

    values: Iterator[object]
    index: Any = None


def items_of(source: object, column: str | None = None) -> Items:
    """One item or many as a stream.

    Args:
        source: `Molecules`. A string, bytes, a molecule, None and what cannot be iterated over are one item.
        column: of a table; None takes the first of `COLUMNS`.

    Raises:
        ValueError: for a column that is not there, or is there twice.
        TypeError: for a column where there is no table, and for a mapping.
    """
    if (columns := getattr(source, "columns", None)) is not None and not callable(columns):
        return Items(_column(source, [str(name) for name in columns], column), _index(source))
    if isinstance(mols := getattr(source, "mols", None), Sequence):
        return Items(iter(mols), _index(source))
    if column is not None:
        raise TypeError(f"'{column}' names a column of a DataFrame, but {shown(source)} is none")
    if isinstance(source, Mapping):
        raise TypeError("a dictionary was given where molecules are expected; put its values in a list")
    if source is None or isinstance(source, (str, bytes, Chem.Mol)) or not isinstance(source, Iterable):
        return Items(iter([source]))
    if getattr(source, "ndim", 1) == 2 and source.shape[1] == 1:  # type: ignore[attr-defined]
        return Items(iter(source[:, 0]))  # type: ignore[index]
    try:
        return Items(iter(source), _index(source))
    except TypeError:  # an array without a dimension
        return Items(iter([source]))


def _column(table: Any, columns: list[str], wanted: str | None) -> Iterator[object]:
    name = wanted if wanted is not None else next((name for name in COLUMNS if name in columns), None)
    if name is None or name not in columns:
        looked_for = f"no column '{name}'" if name is not None else f"none of the columns {', '.join(COLUMNS)}"
        raise ValueError(
            f"there is {looked_for}, only {', '.join(columns)}; name the one of the molecules with smiles="
        )
    if columns.count(name) > 1:
        raise ValueError(f"there are {columns.count(name)} columns '{name}'")
    return iter(table[name])


def _index(source: object) -> Any:
    index = getattr(source, "index", None)
    return None if callable(index) else index  # that of a list is a method
