"""Conformers and scores as steps of a scikit-learn pipeline. Needs the extra ``sklearn``.

They take and give molecules as scikit-mol does: a list, a Series, or a table of one column; an array ``(n, 1)``::

    make_pipeline(SmilesToMolTransformer(), ConformerTransformer(), ScoreTransformer())

Nothing is fitted. A molecule that has no conformers becomes None, and one that has no score a row of nan, so that rows
stay in line with the targets; an imputer, or scikit-mol's handling of errors, may follow.
"""

from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
from rdkit import Chem

from molscore import pretrained
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.extras import check
from molscore.score import MoleculeScorer
from molscore.score.score import TAGS

check("sklearn", "sklearn", "molscore.sklearn")

from sklearn.base import BaseEstimator, TransformerMixin  # noqa: E402 (after a check that says what to install)

_generator = lru_cache(maxsize=2)(ConformerGenerator.from_pretrained)
_scorer = lru_cache(maxsize=2)(MoleculeScorer.from_pretrained)


class _Stateless(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer that learns nothing."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Does nothing."""
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return True


class ConformerTransformer(_Stateless):
    """SMILES or molecules to molecules with conformers, best first.

    Args:
        n: conformers of each.
        seed: of the run.
        model, device: as for `molscore.ConformerGenerator.from_pretrained`.
        options: further choices.
        workers: processes that share the work.
    """

    def __init__(
        self,
        n: int = 1,
        seed: int = 0,
        model: str = pretrained.GRAPH_CONDITIONED,
        device: str = "auto",
        options: ConformerOptions | None = None,
        workers: int | Literal["auto"] = 1,
    ):
        self.n, self.seed, self.model, self.device = n, seed, model, device
        self.options, self.workers = options, workers

    def transform(self, X: Any) -> np.ndarray:
        """Molecules ``(n, 1)``, None where there is no conformer.

        Raises:
            ValueError: for settings out of range, ``stereo="enumerate"``, which would give more rows, or more than one
                column.
        """
        if self.options is not None and self.options.stereo == "enumerate":
            raise ValueError('stereo="enumerate" gives several rows for one; a transformer keeps their number')
        generator = _generator(self.model, self.device)
        made = generator.generate(_one_column(X), self.n, self.seed, options=self.options, workers=self.workers)
        mols = np.empty((len(made), 1), dtype=object)
        mols[:, 0] = made.mols
        return mols

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The name of the column: ``mol``."""
        return np.array(["mol"], dtype=object)


class ScoreTransformer(_Stateless):
    """Molecules with conformers to numbers: those of `molscore.MoleculeScore`, of the first conformer.

    Args:
        seed: of the run.
        model, device: as for `molscore.MoleculeScorer.from_pretrained`.
        workers: processes that share the work.
    """

    def __init__(
        self,
        seed: int = 0,
        model: str = pretrained.GRAPH_CONDITIONED,
        device: str = "auto",
        workers: int | Literal["auto"] = 1,
    ):
        self.seed, self.model, self.device, self.workers = seed, model, device, workers

    def transform(self, X: Any) -> np.ndarray:
        """Numbers ``(n, k)``, float; nan where there is none. Columns: `get_feature_names_out`.

        Raises:
            ValueError: for settings out of range, or more than one column.
        """
        scores = _scorer(self.model, self.device).stream(
            [_first(item) for item in _one_column(X)], self.seed, workers=self.workers
        )
        rows = [[getattr(score, name) for name in TAGS.values()] for score in scores]
        return np.array(rows, dtype=float).reshape(-1, len(TAGS))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns, with their units."""
        return np.array(list(TAGS), dtype=object)


def _one_column(X: Any) -> list[Any]:
    """The items of a list, a Series, or a table or array of one column."""
    if isinstance(X, (str, Chem.Mol)):
        raise ValueError("one molecule was given where several are expected; put it in a list")
    if (shape := getattr(X, "shape", (0,)))[1:] not in ((), (1,)):
        raise ValueError(f"one column of molecules is wanted, not an array of shape {shape}")
    if len(shape) == 2:
        X = np.asarray(X, dtype=object)[:, 0]
    return list(X)


def _first(item: Any) -> Any:
    """A molecule with its first conformer alone."""
    if isinstance(item, Chem.Mol) and item.GetNumConformers() > 1:
        return Chem.Mol(item, False, item.GetConformer().GetId())
    return item
