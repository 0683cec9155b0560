"""What all results can do: a table, an SDF file, a summary, a repr, and a page for notebooks."""

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rdkit import Chem

from molscore.chem.io.formats import SDF, check_output, record_writer
from molscore.chem.io.lines import ERRORS
from molscore.chem.settings import configured
from molscore.extras import need

if TYPE_CHECKING:
    from pandas import DataFrame

DEPICTED, ROWS = 4, 10
"""Molecules and rows that a notebook shows."""


class Reject(NamedTuple):
    """An item without a result.

    Attributes:
        item: its place in the input, from 0.
        reason: token.
        detail: sentence for a person.
    """

    item: int
    reason: str
    detail: str


class Result(ABC):
    """The result of a call: molecules with what is known of each, in order."""

    manifest: dict[str, Any]
    index: Any = None
    _columns: ClassVar[Mapping[str, type]] = {}

    @abstractmethod
    def summary(self) -> str:
        """What came out, in a few lines."""

    @abstractmethod
    def __len__(self) -> int:
        """Molecules, or items."""

    @abstractmethod
    def reasons(self) -> Counter[str]:
        """How many attempts or items were rejected, by reason."""

    @abstractmethod
    def _rows(self) -> list[dict[str, Any]]:
        """Typed values by column for each molecule; ``mol`` is one of the columns."""

    @abstractmethod
    def records(self) -> Iterator[str]:
        """The text of the records of an SDF file, ``$$$$`` included."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary().partition(chr(10))[0]})"

    def to_frame(self) -> "DataFrame":
        """A pandas table, a row for each molecule or item, numbers as numbers, with the index of a Series or DataFrame.

        Raises:
            ImportError: without pandas, the extra ``tables``.
        """
        return frame(self._rows(), self.index, self._columns)

    def to_sdf(self, path: str | os.PathLike[str]) -> int:
        """Writes an SDF file, whole or not at all.

        Args:
            path: ends in .sdf or .sdf.gz; a file that is there is replaced.

        Returns:
            The number of records.

        Raises:
            ValueError, OSError: if it cannot be written.
        """
        number = 0
        with record_writer(check_output(path, SDF)) as writer:
            for text in self.records():
                writer.add(text.encode("utf-8", ERRORS))
                number += 1
        return number

    def _repr_html_(self) -> str:
        """For notebooks: the summary, a few depictions, the first rows without provenance."""
        rows = self._rows()
        shown = [row for row in rows if row.get("mol") is not None][:DEPICTED]
        figures = "".join(
            f"<figure style='display:inline-block;margin:0'>{depiction(row['mol'])}"
            f"<figcaption>{escape(str(row.get('title') or ''))}</figcaption></figure>"
            for row in shown
        )
        filled = dict.fromkeys(name for row in rows[:ROWS] for name, value in row.items() if value is not None)
        names = [name for name in filled if name != "mol" and not name.startswith("molscore_")]
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_cell(row.get(name)))}</td>' for name in names)}</tr>" for row in rows[:ROWS]
        )
        more = f"<p>and {len(rows) - ROWS:,} more rows</p>" if len(rows) > ROWS else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
        return f"<div><pre>{escape(self.summary())}</pre>{figures}{table}{more}</div>"


def frame(rows: list[dict[str, Any]], index: Any = None, types: Mapping[str, type] | None = None) -> "DataFrame":
    """A table of rows.

    Args:
        rows: values by column.
        index: labels of the rows.
        types: columns that are there in any case, in their order; those of type float are numbers, nan where a value is
            missing, and those of type object are left as they are.

    Raises:
        ImportError: without pandas.
    """
    pandas: Any = need("pandas", "tables")
    types = types or {}
    names = dict.fromkeys([*types, *(name for row in rows for name in row)])
    kinds = {name: object if name == "mol" else types.get(name) for name in names}
    columns = {}
    for name, kind in kinds.items():
        values = [row.get(name) for row in rows]
        columns[name] = pandas.Series(values, dtype=kind if kind in (float, int, bool, object) else None, index=index)
    return pandas.DataFrame(columns, columns=list(names), index=index)


def depiction(mol: Chem.Mol, width: int = 200, height: int = 150) -> str:
    """The graph of a molecule, hydrogens left out where that is possible, as SVG."""
    from rdkit.Chem.Draw import rdMolDraw2D  # loads Pillow, which nothing else needs

    from molscore.chem.depiction import laid_out

    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    configured(drawer.drawOptions(), prepareMolsBeforeDrawing=False)
    drawer.DrawMolecule(laid_out(mol))
    drawer.FinishDrawing()
    return drawer.GetDrawingText().partition("?>")[2].strip()


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
