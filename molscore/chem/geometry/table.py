"""The table of bond lengths and angles that experiment and quantum chemistry know, by type.

``table.json`` holds, for each level of keys (see `molscore.chem.geometry.types`), rows of lowest, usual and highest
value and a count: in Å for bonds, in degrees for angles. ``scripts/build_geometry_table.py`` makes it. Types that it
does not know have a length from covalent radii, and an angle from hybridisation, with more tolerance.
"""

import json
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("table.json")


@dataclass(frozen=True)
class Row:
    """What is known of a type: lowest, usual and highest value, and of how many bonds or angles."""

    low: float
    usual: float
    high: float
    count: int


@dataclass(frozen=True)
class Table:
    """Rows by key; one dictionary for each level, finest first.

    Attributes:
        bonds: in Å.
        angles: in degrees.
    """

    bonds: tuple[dict[str, Row], ...]
    angles: tuple[dict[str, Row], ...]


def look_up(levels: tuple[dict[str, Row], ...], keys: tuple[str, ...]) -> tuple[int, Row] | None:
    """The finest row that a table has for a bond or an angle, and its level; None if it has none."""
    for level, (rows, key) in enumerate(zip(levels, keys, strict=True)):
        if row := rows.get(key):
            return level, row
    return None


@cache
def table() -> Table:
    """The table that the package carries."""
    return parse(PATH.read_text(encoding="utf-8"))


def parse(text: str) -> Table:
    """The table of a text that `to_text` wrote."""
    data = json.loads(text)
    read = {
        kind: tuple({key: Row(*row) for key, row in level.items()} for level in data[kind])
        for kind in ("bonds", "angles")
    }
    return Table(**read)


def to_text(table: Table, about: str) -> str:
    """JSON, a row in a line."""
    parts = []
    for kind, levels in (("bonds", table.bonds), ("angles", table.angles)):
        blocks = []
        for rows in levels:
            lines = [f"   {json.dumps(key)}: {json.dumps(astuple(row))}" for key, row in sorted(rows.items())]
            blocks.append("  {\n" + ",\n".join(lines) + "\n  }")
        parts.append(f' "{kind}": [\n' + ",\n".join(blocks) + "\n ]")
    return f'{{\n "about": {json.dumps(about, ensure_ascii=False)},\n' + ",\n".join(parts) + "\n}\n"
