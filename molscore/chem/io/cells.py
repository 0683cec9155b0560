"""Cells of the CSV files that are written: no spreadsheet may take a user's text for a formula.

A text that begins with ``=``, ``+``, ``-`` or ``@`` (their full-width forms too, and after blanks), or with a tab or a
line break, gets an apostrophe in front; so does one that begins with apostrophes and then that. `plain` takes it off
again, so nothing is lost. Numbers are left alone.

Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
"""

import re
from collections.abc import Iterable

_FORMULA = re.compile("'*(?:[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")


def guarded(cells: Iterable[object]) -> list[object]:
    """A row to be written, texts that would be formulas with an apostrophe in front."""
    return [f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell for cell in cells]


def plain(cells: Iterable[str]) -> list[str]:
    """A row that was written by `guarded`, as it was before."""
    return [cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in cells]
