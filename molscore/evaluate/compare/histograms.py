"""Histograms of properties, small enough to travel with a reference."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.checks.descriptors import describe

STRAIN = "strain_kcal_per_mol"

COUNTED = ("qed", "sa", "logp", "mw", "heavy", "rings", "tpsa", "rotatable")
"""Descriptors of `molscore.chem.checks.descriptors`."""

WHOLE = ("heavy", "rings", "rotatable")
"""Those that are whole numbers: a bin each, as far as `MOST` goes."""

BINS, MOST = 36, 60
"""Bins of numbers with fractions; the most of whole ones."""

MARGIN = 0.25
"""What a grid holds beyond the middle 99 %, on either side, as a share of it: others may lie beyond."""


def edges(name: str, values: np.ndarray) -> np.ndarray:
    """Bin edges for the values of a property, one or more; what lies beyond them belongs to the first and last bin."""
    low, high = np.percentile(values, [0.5, 99.5])
    margin = MARGIN * (high - low)
    low, high = max(low - margin, min(values.min(), 0)), high + margin
    if name not in WHOLE:
        return np.linspace(low, high if high > low else low + 1, BINS + 1)
    low, high = np.floor(low), np.ceil(high)
    return np.arange(low, high + 2, np.ceil((high - low + 1) / MOST)) - 0.5


def counts(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Values in each bin of a grid."""
    return np.histogram(np.clip(values, grid[0], grid[-1]), grid)[0]


def histograms(mols: Iterable[Chem.Mol], strains: Sequence[float] = ()) -> dict[str, Any]:
    """Histograms of molecules.

    Args:
        mols: sanitised.
        strains: kcal/mol, of as many of them as are known.

    Returns:
        Property -> ``edges`` of the bins, ``counts`` in them, ``median``; the descriptors of `COUNTED`, and `STRAIN`.
    """
    rows = [describe(mol, COUNTED) for mol in mols]
    values = {name: [row[name] for row in rows] for name in COUNTED} | {STRAIN: list(strains)}
    return {name: _histogram(name, np.array(column, dtype=float)) for name, column in values.items() if column}


def _histogram(name: str, values: np.ndarray) -> Mapping[str, Any]:
    grid = edges(name, values)
    return {
        "edges": grid.tolist(),
        "counts": counts(values, grid).tolist(),
        "median": round(float(np.median(values)), 4),
    }
