"""CSV text that spreadsheet programs take for what it is."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV.

    A text that a spreadsheet program would run as a formula gets an apostrophe before it, which such programs take for
    "this is text" (OWASP, CSV injection). Numbers stay as they are.
    """
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([[_plain(cell) for cell in row] for row in rows])
    return stream.getvalue()


def _plain(cell: object) -> object:
    if not isinstance(cell, str) or not cell.lstrip(" ").startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
