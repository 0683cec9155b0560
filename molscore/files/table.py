"""CSV text that spreadsheet programs do not run as formulas.

A text that begins with ``=``, ``+``, ``-`` or ``@`` (their full-width forms too, and after blanks), or with a tab or a
line break, gets an apostrophe in front, so that no program runs it as a formula; so does one that begins with
apostrophes and then that. `plain` takes it off again: nothing is lost. Numbers stay as they are, as texts too.

Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence

from molscore.files.output import written

_FORMULA = re.compile("'*(?:[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV, no cell of it a formula."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(map(guarded, rows))
    return stream.getvalue()


def write_csv(path: str | os.PathLike[str], rows: Iterable[Sequence[object]], lock: bool = True) -> None:
    """Writes rows as CSV, one by one; errors as `molscore.files.output.written`."""
    with written(path, lock) as file:
        for row in rows:
            file.write(csv_text([row]).encode("utf-8"))


def guarded(cells: Iterable[object]) -> list[object]:
    """A row, texts that would be formulas with an apostrophe in front."""
    return [f"'{cell}" if isinstance(cell, str) and _is_formula(cell) else cell for cell in cells]


def plain(cells: Iterable[str]) -> list[str]:
    """A row that was written by `guarded`, as it was before."""
    return [cell[1:] if cell.startswith("'") and _is_formula(cell) else cell for cell in cells]


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
