"""The columns of the property table: which properties a record is shown with, in which order, under which heading."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from molscore.chem.checks.catalogue import PROPERTIES
from molscore.chem.io.writers.values import kind
from molscore.chem.io.writers.values import number as parsed

Value = float | int | str | None


class Column(NamedTuple):
    """A column.

    Attributes:
        key: name of the property.
        label: its heading.
        meaning: unit, and what it is.
        number: whether it can be filtered by range; else by text.
    """

    key: str
    label: str
    meaning: str
    number: bool


LABELS = {
    "title": "Title",
    "verdict": "Checks",
    "conformers": "Conformers",
    "rank": "Rank",
    "energy_kcal_per_mol": "Energy",
    "relative_energy_kcal_per_mol": "Relative energy",
    "energy_span_kcal_per_mol": "Energy span",
    "rmsd_to_best_angstrom": "RMSD to best",
    "largest_rmsd_angstrom": "Largest RMSD",
    "method": "Method",
    "fallback_reason": "Fallback",
    "relaxation": "Relaxation",
    "strain_kcal_per_mol": "Strain",
    "qed": "QED",
    "sa": "SA",
    "unusual": "Unusual",
    "alerts": "Alerts",
    "mw": "Molar mass",
    "logp": "logP",
    "tpsa": "TPSA",
    "hbd": "HBD",
    "hba": "HBA",
    "rotatable": "Rotatable",
    "rings": "Rings",
    "heavy": "Heavy atoms",
    "charge": "Charge",
    "formula": "Formula",
    "SMILES": "SMILES",
    "molscore_index": "Attempt",
}
"""Property -> its heading, in the order of the table. Further ones of the records follow."""

OF_THE_TABLE = {
    "title": "of the record",
    "verdict": "valences and geometry: sound, or the first check that fails",
    "conformers": "records of this molecule",
    "energy_span_kcal_per_mol": "kcal/mol, highest less lowest of the ensemble",
    "largest_rmsd_angstrom": "Å, heavy atoms, of a conformer to the best of its ensemble",
    "formula": "molecular",
}
"""Meanings of what only the table has; those of all else are in `molscore.chem.checks.catalogue`."""

DESCRIBED = ("mw", "logp", "tpsa", "hbd", "hba", "rotatable", "rings", "heavy", "charge", "qed", "sa")
"""Descriptors of `molscore.chem.checks.descriptors` that are computed where a record lacks them."""

PROVENANCE = ("molscore_version", "molscore_model", "molscore_seed", "molscore_weights", "molscore_options")
"""Properties that tell the run, not the molecule: they stay in the exported records, and out of the table."""

MOST = 40
"""Columns of a table, at most: the first ones."""


def value_of(text: str) -> Value:
    """A finite number if the text is one, as in tables (`molscore.chem.io.writers.values`), else the text."""
    number = parsed(text.strip())
    held = number is not None and math.isfinite(number) and kind(text.strip()) is not str
    return number if held else text


def columns_of(rows: Iterable[Mapping[str, Value]]) -> list[Column]:
    """The columns that rows need: every property that one of them has, those of `LABELS` first.

    A column is one of numbers if no row has a text there.
    """
    numbers: dict[str, bool] = {}
    for row in rows:
        for key, value in row.items():
            if value is not None:
                numbers[key] = numbers.get(key, True) and not isinstance(value, str)
    keys = [key for key in LABELS if key in numbers] + sorted(key for key in numbers if key not in LABELS)
    return [Column(key, LABELS.get(key, key.replace("_", " ")), meaning_of(key), numbers[key]) for key in keys[:MOST]]


def meaning_of(key: str) -> str:
    """What a property means, its unit before it."""
    if (known := PROPERTIES.get(key)) is None:
        return OF_THE_TABLE.get(key, "property of the records")
    return f"{known.unit}, {known.meaning}" if known.unit else known.meaning
