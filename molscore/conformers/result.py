"""The conformers of one molecule or many: a row for each item, bad ones too."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.sdf_text import DataItem
from molscore.chem.properties import title_of
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.records import sdf_records
from molscore.files.summary import listed
from molscore.results import Reject, Result
from molscore.results.result import frame

if TYPE_CHECKING:
    from pandas import DataFrame

CONFORMER_COLUMNS: dict[str, type] = {
    "item": int,
    "title": str,
    "SMILES": str,
    "mol": object,
    "rank": int,
    "method": str,
    "ranked_by": str,
    "energy_kcal_per_mol": float,
    "relative_energy_kcal_per_mol": float,
    "rmsd_to_best_angstrom": float,
    "relaxation": str,
}
"""Of the table with a row for each conformer; energy and ranking in that with a row for each item are of the best."""


@dataclass(repr=False, eq=False)
class Conformers(Result):
    """What `molscore.ConformerGenerator.generate` returns. It can be iterated over: its ensembles.

    Attributes:
        ensembles: one for each item, in order; with ``stereo="enumerate"`` one for each isomer of an item. An item
            without conformers has one too, with a reason.
        manifest: provenance: version, model, weights, seed, options.
        index: labels of the ensembles, if the items came in a pandas Series or DataFrame.
    """

    ensembles: list[Ensemble]
    manifest: dict[str, Any]
    index: Any = None
    _columns: ClassVar[Mapping[str, type]] = {
        "item": int,
        "title": str,
        "SMILES": str,
        "mol": object,
        "conformers": int,
        "method": str,
        "ranked_by": str,
        "energy_kcal_per_mol": float,
        "relaxation": str,
        "isomer": int,
        "isomers": int,
        "removed_fragments": str,
        "stereo_not_held": str,
        "fallback_reason": str,
        "reason": str,
        "detail": str,
    }

    def __len__(self) -> int:
        return len(self.ensembles)

    def __iter__(self) -> Iterator[Ensemble]:
        return iter(self.ensembles)

    @cached_property
    def mols(self) -> list[Chem.Mol | None]:
        """A molecule with its conformers, best first, for each ensemble; None where there are none."""
        return [ensemble.mol if ensemble.mol.GetNumConformers() else None for ensemble in self.ensembles]

    @property
    def rejects(self) -> list[Reject]:
        """The items, or isomers, without conformers."""
        return [
            Reject(ensemble.item, *(ensemble.reason or ("", "")))
            for ensemble in self.ensembles
            if not ensemble.mol.GetNumConformers()
        ]

    def summary(self) -> str:
        """Counts: conformers, methods, rejected items by reason, ensembles that are smaller than asked for."""
        made = [ensemble for ensemble in self.ensembles if ensemble.mol.GetNumConformers()]
        methods = sum((ensemble.methods for ensemble in made), Counter[str]())
        lines = [f"{methods.total():,} conformers of {len(made):,} of {len(self.ensembles):,} molecules"]
        if methods:
            lines.append(f"made by: {listed(methods)}")
        fallbacks = [ensemble.reason[0] for ensemble in made if ensemble.reason]
        if fallbacks:
            lines.append(f"ETKDGv3 in place of the model: {listed(fallbacks)}")
        if exhausted := sum(ensemble.exhausted for ensemble in made):
            lines.append(f"without further distinct conformers: {exhausted:,}")
        if short := sum(ensemble.short for ensemble in made):
            lines.append(f"with fewer conformers than asked for: {short:,}")
        if reasons := self.reasons():
            lines.append(f"without a conformer: {listed(reasons)}")
        return "\n".join(lines)

    def reasons(self) -> Counter[str]:
        """How many items, or isomers, have no conformer, by reason."""
        return Counter(reject.reason for reject in self.rejects)

    def to_frame(self, conformers: bool = False) -> "DataFrame":
        """A pandas table, numbers as numbers, with the index of a Series or DataFrame. Needs the extra ``tables``.

        Args:
            conformers: a row for each conformer in place of each item: those without conformers have none.
        """
        if not conformers:
            return super().to_frame()
        rows, places = [], []
        for place, ensemble in enumerate(self.ensembles):
            for mol, properties in ensemble.single():
                given = {"item": ensemble.item, "title": title_of(mol), "SMILES": _smiles(ensemble), "mol": mol}
                rows.append(given | properties)
                places.append(place)
        return frame(rows, None if self.index is None else self.index.take(places), CONFORMER_COLUMNS)

    def _rows(self) -> list[dict[str, Any]]:
        return [_row(ensemble) for ensemble in self.ensembles]

    def records(self) -> Iterator[str]:
        """A record for each conformer, with the properties of the input, and those that say how it was made."""
        made_with = {name: self.manifest[name] for name in ("model", "seed", "options")}
        for ensemble in self.ensembles:
            given = ensemble.mol.GetPropsAsDict(autoConvertStrings=False).items()
            items = [DataItem(name, str(value)) for name, value in given]
            yield from sdf_records(ensemble, items, title=title_of(ensemble.mol), number=ensemble.item + 1, **made_with)


def _row(ensemble: Ensemble) -> dict[str, Any]:
    count = ensemble.mol.GetNumConformers()
    row: dict[str, Any] = {
        "item": ensemble.item,
        "title": title_of(ensemble.mol),
        "SMILES": _smiles(ensemble),
        "mol": ensemble.mol if count else None,
        "conformers": count,
        "method": ", ".join(ensemble.methods) or None,
        "isomer": ensemble.isomer,
        "isomers": ensemble.isomers,
        "removed_fragments": ensemble.removed or None,
        "stereo_not_held": "; ".join(ensemble.not_held) or None,
    }
    if count:
        best = ensemble.mol.GetConformer().GetPropsAsDict(autoConvertStrings=False)
        row |= {name: best.get(name) for name in ("ranked_by", "energy_kcal_per_mol", "relaxation")}
        row["fallback_reason"] = ensemble.reason[0] if ensemble.reason else None
    elif ensemble.reason:
        row["reason"], row["detail"] = ensemble.reason
    return row


def _smiles(ensemble: Ensemble) -> str | None:
    return isomeric_smiles(ensemble.mol) if ensemble.mol.GetNumAtoms() else None
