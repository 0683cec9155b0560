"""Molecules in memory, ranked by how well they fit a query."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, ClassVar, Literal, NamedTuple

from rdkit import Chem

from molscore.chem.io.sdf_text import DataItem, carried, format_mol, tagged
from molscore.chem.properties import set_properties, title_of
from molscore.chem.shape import Overlap, ShapeQuery
from molscore.chem.wishes import Source
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.conformers.given import item_title, packed_items, unpacked_item
from molscore.files.summary import listed
from molscore.limits import check
from molscore.randomness import checked_seed
from molscore.results import Molecules, Reject, Result, items_of
from molscore.screening.ranker import Fit, Ranker
from molscore.versions import version
from molscore.workers import Workers, count, ready


class Hit(NamedTuple):
    """A molecule that was ranked.

    Attributes:
        item: its place in the input, from 0.
        mol: its best conformer, laid over the query, with title, properties of the input and of the overlap.
        overlap: of that conformer with the query.
        conformers: how many were tried.
    """

    item: int
    mol: Chem.Mol
    overlap: Overlap
    conformers: int


@dataclass(repr=False, eq=False)
class Ranking(Result):
    """What `molscore.rank` returns. It can be iterated over: its hits, best first.

    Attributes:
        hits: best first; of equals that which came first.
        rejects: items that could not be fitted.
        ranked: how many could; there are fewer hits if only the best were wanted.
        manifest: provenance: version, query, model, seed.
    """

    hits: list[Hit]
    rejects: list[Reject]
    ranked: int
    manifest: dict[str, Any]
    _columns: ClassVar[Mapping[str, type]] = {
        "item": int,
        "title": str,
        "SMILES": str,
        "mol": object,
        "shape_tanimoto": float,
        "color_tanimoto": float,
        "combo": float,
        "conformers": int,
    }

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @property
    def mols(self) -> list[Chem.Mol]:
        """The molecules of the hits."""
        return [hit.mol for hit in self.hits]

    def summary(self) -> str:
        """Counts: hits, and what could not be fitted, by reason."""
        line = f"{len(self.hits):,} best of {self.ranked:,} molecules"
        reasons = self.reasons()
        return line + (f"\nnot ranked: {listed(reasons)}" if reasons else "")

    def reasons(self) -> Counter[str]:
        """How many items could not be fitted, by reason."""
        return Counter(reject.reason for reject in self.rejects)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"item": hit.item, "title": title_of(hit.mol), "SMILES": hit.mol.GetProp("SMILES"), "mol": hit.mol}
            | hit.overlap.properties()
            | {"conformers": hit.conformers}
            for hit in self.hits
        ]

    def records(self) -> Iterator[str]:
        """A record for each hit, best first, in the frame of the query."""
        for hit in self.hits:
            given = hit.mol.GetPropsAsDict(autoConvertStrings=False)
            ours = {"SMILES": given.pop("SMILES")} | hit.overlap.properties()
            items = [DataItem(name, str(value)) for name, value in given.items() if name not in ours]
            yield tagged(format_mol(hit.mol, title_of(hit.mol)) + carried(items, ours), ours)


def rank(
    molecules: Molecules,
    like: Source,
    *,
    top: int | None = None,
    features: bool = False,
    conformers: int = 10,
    given: bool = False,
    model: str | None = None,
    device: str = "auto",
    seed: int = 0,
    smiles: str | None = None,
    options: ConformerOptions | None = None,
    workers: int | Literal["auto"] = 1,
) -> Ranking:
    """Ranks molecules by the shape of their conformers, see `molscore.chem.shape`.

    Args:
        molecules: as for `molscore.ConformerGenerator.generate`.
        like: the query, a molecule in 3-D or an SDF file of one.
        top: keep so many of the best; None keeps all.
        features: let features count, as much as shape.
        conformers: to make of each molecule.
        given: make none, take those that the molecules have.
        model, device: that make conformers, as for `molscore.ConformerGenerator.from_pretrained`.
        seed, smiles, options: as for `molscore.ConformerGenerator.generate`.
        workers: processes that share the work, see `molscore.workers`.

    Raises:
        ValueError: for a query without a shape, a number out of bounds, or bad options.
    """
    ranker = ranker_of(like, features, conformers, given, model, device, seed, options)
    if top is not None:
        check("top", top)
    items = items_of(molecules, smiles)
    hits: list[Hit] = []
    rejects: list[Reject] = []
    number = 1 if ranker.generator is None and workers == 1 else count(workers, device_of(ranker))
    with Workers(ready(partial(_fits, ranker)), number) as pool:
        numbered = enumerate(packed_items(items), start=1)
        for place, (mol, fit) in enumerate(chain.from_iterable(pool.map(ranker.groups(numbered)))):
            if mol is None:
                rejects.append(Reject(place, fit.reason, fit.detail))
            else:
                hits.append(Hit(place, mol, fit.overlap, fit.conformers))
    hits.sort(key=lambda hit: -ranker.query.value(hit.overlap))
    return Ranking(hits[:top], rejects, len(hits), manifest_of(ranker))


def ranker_of(
    like: Source,
    features: bool = False,
    conformers: int = 10,
    given: bool = False,
    model: str | None = None,
    device: str = "auto",
    seed: int = 0,
    options: ConformerOptions | None = None,
) -> Ranker:
    """What fits one molecule; arguments and errors as for `rank`. No model is loaded where none is needed."""
    check("kept_conformers", conformers, "conformers")
    query = ShapeQuery(like, features)
    options = options or ConformerOptions()
    generator = None if given else ConformerGenerator.from_pretrained(model, device).serving(options)
    return Ranker(query, generator, conformers, checked_seed(seed), options)


def device_of(ranker: Ranker) -> str:
    """Type of the device that makes the conformers."""
    return "cpu" if ranker.generator is None else ranker.generator.model.device.type


def manifest_of(ranker: Ranker) -> dict[str, Any]:
    """Provenance: version, query, and what made the conformers."""
    title = title_of(ranker.query.mol)
    manifest: dict[str, Any] = {"molscore_version": version(), "like": title, "features": ranker.query.features}
    if ranker.generator is not None:
        manifest |= ranker.generator.manifest(ranker.n, ranker.seed, ranker.options)
    return manifest


def _fits(ranker: Ranker, group: list[tuple[int, object]]) -> list[tuple[Chem.Mol | None, Fit]]:
    """For each item its molecule with title and properties, and its fit."""
    results: list[tuple[Chem.Mol | None, Fit]] = []
    for (number, item), fit in zip(group, ranker(group), strict=True):
        if fit.mol is not None:
            title = item_title(unpacked_item(item), number)
            set_properties(fit.mol, {"_Name": title, "SMILES": fit.smiles, **fit.overlap.properties()})
        results.append((fit.mol, fit))
    return results
