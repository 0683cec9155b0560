"""Files of conformers, judged per molecule: how many, how far apart, how high in energy, made by what.

Records that follow one another with one title and one isomeric SMILES are conformers of a molecule. A set is one of
ensembles if its records have a rank, as `molscore conformers` writes it, or if half of them or more share their
molecule with the one before.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.superposition import best_fit
from molscore.evaluate.molecules.records import Judgement


@dataclass(frozen=True, eq=False)
class Conformer:
    """One record as a conformer.

    Attributes:
        molecule: title and isomeric SMILES.
        ranked: whether it has a rank.
        valid: whether it is a valid molecule.
        energy: kcal/mol, by the method that the record names; None if it has none.
        rmsd: Å to the best of its ensemble, as the record has it; None if it has none.
        method: what made it; None if the record does not say.
        fallback: why ETKDGv3 made it.
        heavy: (n, 3) Å, positions of the heavy atoms.
    """

    molecule: tuple[str, str]
    ranked: bool
    valid: bool
    energy: float | None
    rmsd: float | None
    method: str | None
    fallback: str | None
    heavy: np.ndarray


def conformer_of(given: Chem.Mol, judgement: Judgement) -> Conformer | None:
    """The record as a conformer; None if it cannot be read as a 3-D molecule."""
    if judgement.arrays is None:
        return None
    title = given.GetProp("_Name").strip() if given.HasProp("_Name") else ""
    smiles = isomeric_smiles(judgement.mol) if judgement.mol is not None else _text(given, "SMILES") or ""
    return Conformer(
        (title, smiles),
        given.HasProp("rank") == 1,
        judgement.valid,
        _number(given, "energy_kcal_per_mol"),
        _number(given, "rmsd_to_best_angstrom"),
        _text(given, "method"),
        _text(given, "fallback_reason"),
        judgement.arrays.positions[judgement.arrays.atomic_numbers != 1].astype(np.float64),
    )


class Ensembles:
    """Counts conformers, one after another; only the ensemble that is open is kept."""

    def __init__(self) -> None:
        self.records = self.molecules = self.valid = self.wholly_valid = 0
        self.ranked = False
        self._open: list[Conformer] = []
        self._sizes: list[int] = []
        self._spans: list[float] = []
        self._widths: list[float] = []
        self._without_energy = 0
        self._methods, self._fallbacks = Counter[str](), Counter[str]()

    def add(self, conformer: Conformer) -> None:
        """Adds the next one."""
        if self._open and self._open[0].molecule != conformer.molecule:
            self._close()
        self._open.append(conformer)
        self.records += 1
        self.ranked |= conformer.ranked
        self.valid += conformer.valid

    def _close(self) -> None:
        group, self._open = self._open, []
        if not group:
            return
        self.molecules += 1
        self.wholly_valid += all(one.valid for one in group)
        self._sizes.append(len(group))
        self._methods.update(one.method for one in group if one.method is not None)
        if reasons := {one.fallback for one in group if one.fallback is not None}:
            self._fallbacks.update(reasons)
        energies = [one.energy for one in group if one.energy is not None]
        self._without_energy += len(group) - len(energies)
        if len(energies) > 1:
            self._spans.append(max(energies) - min(energies))
        if len(group) > 1:
            self._widths.append(max(_distance(one, group[0]) for one in group[1:]))

    def summary(self) -> dict[str, Any] | None:
        """The figures, None if this is no set of ensembles.

        Returns:
            ``molecules``; ``conformers``; ``per_molecule``, ``energy_span_kcal_per_mol`` (highest less lowest) and
            ``rmsd_spread_angstrom`` (heavy atoms, largest of an ensemble to its best one, or where records do not say
            to its first one), each with ``median``, ``least``, ``most`` and ``n`` ensembles; ``single`` molecules with
            one conformer; ``valid`` conformers; ``wholly_valid`` molecules; ``without_energy`` conformers; ``methods``
            conformers by what made them; ``fallbacks`` ensembles by reason.
        """
        self._close()
        if not self.records or not (self.ranked or 2 * self.molecules <= self.records):
            return None
        return {
            "molecules": self.molecules,
            "conformers": self.records,
            "per_molecule": _spread([float(n) for n in self._sizes]),
            "energy_span_kcal_per_mol": _spread(self._spans),
            "rmsd_spread_angstrom": _spread(self._widths),
            "single": self._sizes.count(1),
            "valid": self.valid,
            "wholly_valid": self.wholly_valid,
            "without_energy": self._without_energy,
            "methods": dict(self._methods.most_common()),
            "fallbacks": dict(self._fallbacks.most_common()),
        }


def _distance(one: Conformer, first: Conformer) -> float:
    if one.rmsd is not None:
        return one.rmsd
    return best_fit(one.heavy, first.heavy)[1] if one.heavy.shape == first.heavy.shape and len(one.heavy) else 0.0


def _spread(values: list[float]) -> dict[str, float | int | None]:
    if not values:
        return {"median": None, "least": None, "most": None, "n": 0}
    return {"median": float(np.median(values)), "least": min(values), "most": max(values), "n": len(values)}


def _text(mol: Chem.Mol, name: str) -> str | None:
    return mol.GetProp(name).strip() or None if mol.HasProp(name) else None


def _number(mol: Chem.Mol, name: str) -> float | None:
    try:
        value = float(_text(mol, name) or "nan")
    except ValueError:
        return None
    return value if np.isfinite(value) else None
