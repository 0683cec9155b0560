"""What is taken from the literature alone, and the table that the package carries."""

import csv
from pathlib import Path

from build_geometry_table import known, level

from molscore.chem.geometry.table import table

VALUES = Path(__file__).parents[2] / "scripts" / "known_values.csv"


def test_the_table_carries_each_value():
    values = known(VALUES)
    carried = {key: (table().angles if " " in key else table().bonds)[level(key)][key].usual for key in values}
    assert carried == values


def test_each_value_names_one_of_the_sources():
    with VALUES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} <= set("HAOCX")
    assert len({row["term"] for row in rows}) == len(rows) == len(known(VALUES))
