"""The best conformer of a molecule, laid over a query: what worker processes do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from rdkit import Chem

from molscore.chem.arrays import MoleculeError, isomeric_smiles
from molscore.chem.shape import Overlap, ShapeQuery
from molscore.chem.whole import sanitised
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.conformers.given import molecule_of, unpacked_item
from molscore.conformers.reasons import RDKIT, reason_of

Item = TypeVar("Item")

TOGETHER = 32
"""Molecules with conformers of their own in a task: an alignment takes a millisecond."""


@dataclass(frozen=True)
class Fit:
    """How well one item of a library fits.

    Attributes:
        mol: its best conformer, laid over the query, every hydrogen an atom; None if there is none.
        overlap: of that conformer with the query.
        value: by which it is ranked.
        smiles: isomeric.
        conformers: how many were tried.
        reason, detail: token and sentence, if there is no conformer.
    """

    mol: Chem.Mol | None = None
    overlap: Overlap = Overlap(0.0, 0.0)
    value: float = 0.0
    smiles: str = ""
    conformers: int = 0
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Ranker:
    """Fits molecules to a query.

    Attributes:
        query: see `ShapeQuery`.
        generator: makes their conformers; None takes those that they have.
        n, seed, options: as for `ConformerGenerator.generate`.
    """

    query: ShapeQuery
    generator: ConformerGenerator | None = None
    n: int = 10
    seed: int = 0
    options: ConformerOptions = ConformerOptions()

    def groups(self, items: Iterable[Item]) -> Iterator[list[Item]]:
        """Items that are a task together."""
        if self.generator is not None:
            yield from self.generator.groups(items, self.options)
            return
        source = iter(items)
        while group := list(islice(source, TOGETHER)):
            yield group

    def __call__(self, group: Sequence[tuple[int, object]]) -> list[Fit]:
        """A fit for each item.

        Args:
            group: numbers from 1 on, and items as `molscore.conformers.given.packed_items` gives them.
        """
        if self.generator is None:
            return [self._given(unpacked_item(item)) for _, item in group]
        made = self.generator.served(group, n=self.n, seed=self.seed, options=self.options)
        fits = []
        for ensembles in made:
            found = [self._fit(ensemble.mol) for ensemble in ensembles if ensemble.mol.GetNumConformers()]
            if found:
                fits.append(max(found, key=lambda fit: fit.value))
            else:
                reason, detail = ensembles[0].reason or ("", "")
                fits.append(Fit(reason=reason, detail=detail))
        return fits

    def _given(self, item: object) -> Fit:
        try:
            mol = sanitised(molecule_of(item))
        except RDKIT as error:
            reason, detail = reason_of(error)
            return Fit(reason=reason, detail=detail)
        return self._fit(mol)

    def _fit(self, mol: Chem.Mol) -> Fit:
        try:
            best, overlap = self.query.aligned(mol)
        except MoleculeError as error:
            return Fit(reason=error.reason, detail=error.detail)
        whole = Chem.AddHs(best, addCoords=True)
        return Fit(whole, overlap, self.query.value(overlap), isomeric_smiles(whole), mol.GetNumConformers())
