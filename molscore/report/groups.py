"""Records as the items of the property table: molecules, or ensembles of conformers laid over one another.

Records that follow one another with one title and one isomeric SMILES are conformers of a molecule. A set is one of
ensembles if its records have a rank, as `molscore conformers` writes it, or if half of them or more share their
molecule with the one before.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from molscore.chem.superposition import best_fit
from molscore.report.columns import Value
from molscore.report.rows import Row

OF_RECORDS = (
    "rank",
    "relative_energy_kcal_per_mol",
    "energy_kcal_per_mol",
    "rmsd_to_best_angstrom",
    "method",
    "relaxation",
    "fallback_reason",
    "verdict",
)
"""What the page knows of each conformer."""

COUNTED = ("method", "fallback_reason", "relaxation")
"""Words of the conformers that are counted for the molecule."""


@dataclass
class Item:
    """A line of the table.

    Attributes:
        values: its properties.
        records: numbers of its records, from 0.
        conformers: values of `OF_RECORDS`, a list for each record; empty for a molecule.
    """

    values: dict[str, Value]
    records: list[int]
    conformers: list[list[Value]]


def together(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows that follow one another and have one title and one SMILES; each laid over the first of them."""
    group: list[Row] = []
    for row in rows:
        if group and _name(group[0]) != _name(row):
            yield _finished(group)
            group = []
        group.append(row)
    if group:
        yield _finished(group)


def are_ensembles(groups: Sequence[Sequence[Row]]) -> bool:
    """Whether this is a set of conformers."""
    return any("rank" in group[0].values for group in groups) or 2 * len(groups) <= sum(map(len, groups))


def items_of(groups: Sequence[Sequence[Row]]) -> list[Item]:
    """The lines of the table: one a molecule."""
    ensembles, items, number = are_ensembles(groups), list[Item](), 0
    for group in groups:
        numbers = list(range(number, number + len(group)))
        number += len(group)
        if ensembles:
            conformers = [[row.values.get(name) for name in OF_RECORDS] for row in group]
            items.append(Item(_ensemble(group), numbers, conformers))
        else:
            items += [Item(row.values, [k], []) for row, k in zip(group, numbers, strict=True)]
    return items


def _name(row: Row) -> tuple[Value, Value]:
    return row.values.get("title"), row.values.get("SMILES")


def _ensemble(group: Sequence[Row]) -> dict[str, Value]:
    """Properties of a molecule from those of its conformers: what all share, counts, and extremes."""
    first = group[0].values
    same = {
        name: value
        for name, value in first.items()
        if name not in OF_RECORDS and all(row.values.get(name) == value for row in group)
    }
    same.pop("strain_kcal_per_mol", None)
    faulty = Counter(row.fault for row in group if row.fault is not None)
    words = ", ".join(f"{reason} {n}" for reason, n in faulty.most_common())
    values: dict[str, Value] = {**same, "conformers": len(group)}
    values["verdict"] = f"not sound: {words}" if faulty else "sound"
    energies = _numbers(group, "energy_kcal_per_mol")
    values["energy_kcal_per_mol"] = min(energies, default=None)
    if len(energies) > 1:
        values["energy_span_kcal_per_mol"] = round(max(energies) - min(energies), 2)
    if len(group) > 1 and (distances := _numbers(group, "rmsd_to_best_angstrom")):
        values["largest_rmsd_angstrom"] = round(max(distances), 3)
    for name in COUNTED:
        counts = Counter(str(row.values[name]) for row in group if row.values.get(name) is not None)
        if counts:
            values[name] = ", ".join(f"{word} {n}" if len(counts) > 1 else word for word, n in counts.most_common())
    return values


def _numbers(group: Sequence[Row], name: str) -> list[float]:
    return [float(x) for row in group if isinstance(x := row.values.get(name), int | float)]


def _finished(group: list[Row]) -> list[Row]:
    """Gives all rows the first view of the first one, best fit of the heavy atoms; positions are let go."""
    first = group[0].heavy
    energies = _numbers(group, "energy_kcal_per_mol")
    for row in group:
        if len(group) > 1 and first is not None and row.heavy is not None and row.heavy.shape == first.shape:
            turn, rmsd = best_fit(row.heavy, first)
            view = np.array(group[0].drawing["view"])
            rotation, shift = view[:9].reshape(3, 3), view[9:]
            moved = first.mean(axis=0) - turn @ row.heavy.mean(axis=0)
            row.drawing["view"] = [*(rotation @ turn).ravel().round(5), *(rotation @ moved + shift).round(4)]
            row.values.setdefault("rmsd_to_best_angstrom", round(rmsd, 3))
        energy = row.values.get("energy_kcal_per_mol")
        if isinstance(energy, int | float) and len(group) > 1:
            row.values.setdefault("relative_energy_kcal_per_mol", round(energy - min(energies), 3))
    for row in group:
        row.heavy = None
    return group
