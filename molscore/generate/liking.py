"""Molecules like a query in shape, and in features if these are asked for: where they start, what guides and judges.

Atoms start where the query's lie, noised to the time that the dial ``noise`` names, and wait there while the graph
comes from pure noise: so the shape is that of the query, and the molecule is not. From then on both go on together. All
the way the overlap with the query guides (`molscore.guidance.shape`, `molscore.guidance.features`). What is delivered
is judged by RDKit's rdShapeAlign, which knows nothing of that.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem

from molscore.chem.shape import ShapeQuery
from molscore.chem.similarity import graph_similarity
from molscore.guidance.features import FeatureWish
from molscore.guidance.query import certain
from molscore.guidance.shape import ShapeWish
from molscore.guidance.soft import Wish
from molscore.reprs import short_repr

NOISE = 0.5
"""Graph time at whose position time atoms start, by default: less is more of the shape, and fewer valid molecules."""

JITTER = 0.3
"""Å, standard deviation of where atoms start about the query's; two that start at one atom part so."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """A query whose likes are made.

    Attributes:
        query: with its positions.

    Raises:
        ValueError: if features are wanted and the query has none, or its structure and positions do not fit.
    """

    query: ShapeQuery

    def __post_init__(self) -> None:
        _ = self.wishes  # what cannot be wished is refused here

    __repr__ = short_repr

    @cached_property
    def wishes(self) -> tuple[Wish, ...]:
        """Energies that guide, in the query's frame."""
        heavy = self.query.heavy
        query = certain(heavy.arrays, heavy.origin)
        return (ShapeWish(query), FeatureWish(query)) if self.query.features else (ShapeWish(query),)

    def start(self, n: int, stream: np.random.Generator) -> np.ndarray:
        """``(n, 3)`` Å, centred: where n atoms start, at different ones of the query as far as there are."""
        positions = self.query.heavy.arrays.positions.astype(np.float64)
        place = stream.permutation(len(positions))[:n]
        place = np.concatenate([place, stream.integers(len(positions), size=n - len(place))])
        x = positions[place] + JITTER * stream.standard_normal((n, 3))
        return x - x.mean(0)

    def laid_over(self, mol: Chem.Mol) -> tuple[Chem.Mol, dict[str, float]]:
        """A molecule laid over the query, and its ``like_shape``, ``like_color`` and ``like_similarity``."""
        aligned, overlap = self.query.aligned(mol)
        values = {"like_shape": overlap.shape, "like_color": overlap.color}
        values["like_similarity"] = graph_similarity(mol, self.query.mol)
        return aligned, {name: round(value, 3) for name, value in values.items()}
