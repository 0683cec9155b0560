"""The scores of one molecule or many: a row for each item, bad ones too."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.rows import split_smiles
from molscore.chem.io.sdf_text import DataItem, carried, format_mol, tagged
from molscore.chem.properties import set_properties, title_of
from molscore.files.summary import listed
from molscore.results import Reject, Result
from molscore.score.score import ATOM_TAG, TAGS, MoleculeScore


@dataclass(repr=False, eq=False)
class Scores(Result, Sequence[MoleculeScore]):
    """What `molscore.MoleculeScorer.score` returns: a sequence of `MoleculeScore`, one for each item.

    Attributes:
        scores: one for each item, in order; without numbers but with a reason where the item cannot be scored.
        mols: copies of the molecules, with their scores as properties; None where there is no score.
        manifest: provenance: version, model, weights, seed.
        index: labels of the items, if they came in a pandas Series or DataFrame.
        labels: title and SMILES of each item, scored or not; None where it has none.
    """

    scores: list[MoleculeScore]
    mols: list[Chem.Mol | None]
    manifest: dict[str, Any]
    index: Any = None
    labels: Sequence[tuple[str | None, str | None]] = ()
    _columns: ClassVar[Mapping[str, type]] = {
        "title": str,
        "SMILES": str,
        "mol": object,
        **dict.fromkeys(TAGS, float),
        "reason": str,
        "detail": str,
    }

    @overload
    def __getitem__(self, place: int) -> MoleculeScore: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[MoleculeScore]: ...
    def __getitem__(self, place: int | slice) -> MoleculeScore | Sequence[MoleculeScore]:
        return self.scores[place]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def rejects(self) -> list[Reject]:
        """The items without a score."""
        return [Reject(item, *_words(score)) for item, score in enumerate(self.scores) if score.reason is not None]

    def summary(self) -> str:
        """Counts: scored molecules, and the others by reason."""
        reasons = self.reasons()
        line = f"{len(self.scores) - reasons.total():,} of {len(self.scores):,} molecules scored"
        return line + (f"\nnot scored: {listed(reasons)}" if reasons else "")

    def reasons(self) -> Counter[str]:
        """How many items have no score, by reason."""
        return Counter(reject.reason for reject in self.rejects)

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        labels = self.labels or [label(mol) for mol in self.mols]
        for mol, score, (title, smiles) in zip(self.mols, self.scores, labels, strict=True):
            row: dict[str, Any] = {tag: getattr(score, name) for tag, name in TAGS.items()}
            row |= dict(zip(("reason", "detail"), _words(score), strict=True)) if score.reason is not None else {}
            row |= {"title": title, "SMILES": smiles, "mol": mol}
            rows.append({name: row[name] for name in self._columns if name in row})
        return rows

    def records(self) -> Iterator[str]:
        """A record for each molecule that was scored; hydrogens that were left out are added."""
        for mol, score in zip(self.mols, self.scores, strict=True):
            if mol is None:
                continue
            properties, ours = mol.GetPropsAsDict(autoConvertStrings=False), score.properties()
            whole = Chem.AddHs(mol, addCoords=True)
            if ATOM_TAG in ours:
                ours[ATOM_TAG] = f"{ours[ATOM_TAG]}{' n/a' * (whole.GetNumAtoms() - mol.GetNumAtoms())}"
            items = [DataItem(name, str(value)) for name, value in properties.items() if name not in ours]
            yield tagged(format_mol(whole, title_of(mol)) + carried(items, ours), ours)


def scored(item: object, score: MoleculeScore) -> Chem.Mol | None:
    """A copy of a molecule with its scores as properties; None if it has none."""
    if not isinstance(item, Chem.Mol) or score.reason is not None:
        return None
    mol = Chem.Mol(item)
    set_properties(mol, score.properties())
    return mol


def label(item: object) -> tuple[str | None, str | None]:
    """Title and SMILES of an item; None where it is no molecule."""
    if isinstance(item, str):
        smiles, title = split_smiles(item)
        return title, smiles
    return (title_of(item), isomeric_smiles(item)) if isinstance(item, Chem.Mol) else (None, None)


def _words(score: MoleculeScore) -> tuple[str, str]:
    reason, _, detail = (score.reason or "").partition(": ")
    return reason, detail
