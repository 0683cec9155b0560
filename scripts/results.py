"""Result files that grow cell by cell, so that a long measurement can stop and go on.

A file is ``{"header": {...}, "rows": [...]}``. The header says what all rows have in common; rows measured under
another header are not comparable and are dropped.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from molscore.files.output import write_text


def read_rows(path: Path, header: dict) -> list[dict]:
    """The rows of an earlier run under the same header; none if there are none, or the header was another."""
    if not path.is_file():
        return []
    saved = json.loads(path.read_text())
    if saved["header"] == header:
        return saved["rows"]
    changed = sorted(key for key in header | saved["header"] if header.get(key) != saved["header"].get(key))
    print(f"{path} was measured with another {', '.join(changed)}: starting anew", file=sys.stderr)
    return []


def write_rows(path: Path, header: dict, rows: list[dict]) -> None:
    """Writes the file as a whole; it is never half there."""
    write_json(path, {"header": header, "rows": rows})


def write_json(path: Path, value: dict) -> None:
    """Writes JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    heads = list(heads)
    lines = ["| " + " | ".join(cells) + " |" for cells in [heads, *rows]]
    return "\n".join([lines[0], "|---" * len(heads) + "|", *lines[1:]])


def percent(rate: dict | None) -> str:
    """A rate with its 95 % interval, as in a table."""
    if rate is None or not rate["total"]:
        return "–"
    return "{value:.1%} ({low:.1%} to {high:.1%})".format(**rate).replace("%", " %")


def interval(entry: dict, form: str = ".3f") -> str:
    """A figure with its 95 % interval."""
    value, low, high = (number(entry[key], form) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def number(value: float | None, form: str = ".3f") -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None else format(value, form).replace("%", " %")
