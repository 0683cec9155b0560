"""The columns of the property table: which properties a record is shown with, and what each of them means."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

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


KNOWN = {
    "title": ("Title", "of the record"),
    "verdict": ("Checks", "valences and geometry: sound, or the first check that fails"),
    "conformers": ("Conformers", "records of this molecule"),
    "rank": ("Rank", "place in its ensemble, 1 is the lowest in energy"),
    "energy_kcal_per_mol": ("Energy", "kcal/mol; of which method, `ranked_by` says"),
    "relative_energy_kcal_per_mol": ("Relative energy", "kcal/mol above the lowest of its ensemble"),
    "energy_span_kcal_per_mol": ("Energy span", "kcal/mol, highest less lowest of the ensemble"),
    "rmsd_to_best_angstrom": ("RMSD to best", "Å, heavy atoms, symmetric"),
    "largest_rmsd_angstrom": ("Largest RMSD", "Å, heavy atoms, of a conformer to the best of its ensemble"),
    "method": ("Method", "what made the geometry"),
    "fallback_reason": ("Fallback", "why ETKDGv3 made it"),
    "relaxation": ("Relaxation", "how the geometry was settled"),
    "strain_kcal_per_mol": ("Strain", "kcal/mol, MMFF94s relaxation energy"),
    "qed": ("QED", "quantitative estimate of drug-likeness, 0 to 1"),
    "sa": ("SA", "synthetic accessibility, 1 easy to 10 hard"),
    "unusual": ("Unusual", "rare or unstable patterns, high strain, hard synthesis"),
    "alerts": ("Alerts", "PAINS and Brenk"),
    "mw": ("Molar mass", "g/mol"),
    "logp": ("logP", "Crippen"),
    "tpsa": ("TPSA", "topological polar surface area, Å²"),
    "hbd": ("HBD", "hydrogen-bond donors"),
    "hba": ("HBA", "hydrogen-bond acceptors"),
    "rotatable": ("Rotatable", "rotatable bonds"),
    "rings": ("Rings", "in the smallest set of smallest rings"),
    "heavy": ("Heavy atoms", "atoms other than hydrogen"),
    "charge": ("Charge", "net formal charge"),
    "formula": ("Formula", "molecular"),
    "SMILES": ("SMILES", "isomeric, from the positions"),
    "molscore_index": ("Attempt", "molscore_index: with model and seed it makes the molecule again"),
}
"""Property -> its heading and its meaning, in the order of the table. Further ones of the records follow."""

DESCRIBED = ("mw", "logp", "tpsa", "hbd", "hba", "rotatable", "rings", "heavy", "charge", "qed", "sa")
"""Descriptors of `molscore.chem.checks.descriptors` that are computed where a record lacks them."""

PROVENANCE = ("molscore_version", "molscore_model", "molscore_seed", "molscore_weights", "molscore_options")
"""Properties that tell the run, not the molecule: they stay in the exported records, and out of the table."""

MOST = 40
"""Columns of a table, at most: the first ones."""


def number(text: str) -> Value:
    """A finite number if the text is one, else the text."""
    try:
        value = float(text)
    except ValueError:
        return text
    if value != value or abs(value) == float("inf"):
        return text
    return int(text) if text.strip().lstrip("+-").isdecimal() and len(text) < 16 else value


def columns_of(rows: Iterable[Mapping[str, Value]]) -> list[Column]:
    """The columns that rows need: every property that one of them has, those of `KNOWN` first.

    A column is one of numbers if no row has a text there.
    """
    numbers: dict[str, bool] = {}
    for row in rows:
        for key, value in row.items():
            if value is not None:
                numbers[key] = numbers.get(key, True) and not isinstance(value, str)
    keys = [key for key in KNOWN if key in numbers] + sorted(key for key in numbers if key not in KNOWN)
    return [
        Column(key, *KNOWN.get(key, (key.replace("_", " "), "property of the records")), numbers[key])
        for key in keys[:MOST]
    ]
