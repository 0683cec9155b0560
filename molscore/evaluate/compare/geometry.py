"""Are the bonds, angles and dihedrals distributed as in the reference?

For each kind of coordinate two figures: Wasserstein-1, per type, averaged with the reference's frequencies over its
frequent types; and JODO's MMD, per type, averaged over the eight types that JODO lists for QM9 (`JODO_TYPES`). Types
that the input lacks drop out of both averages, and `Distance.coverage` is the share that is left.

A finite sample has a distance even to its own distribution. The *floor* is that distance: two samples of whole
molecules taken from the reference with replacement, one as large as the input, one as large as the reference. A perfect
generator scores the floor, not 0.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from molscore.evaluate.compare.distances import GRIDS, mmd, wasserstein
from molscore.evaluate.compare.internal_coordinates import Coordinates, type_code, type_name

FREQUENT = 0.01
"""A type with at least this share of the reference's values counts in the Wasserstein distances."""

JODO_TYPES = {
    "bond": ("C-H", "C-C", "C-O", "C-N", "N-H", "C=O", "O-H", "C=C"),
    "angle": ("C-C-H", "C-C-C", "C-C-O", "C-C-N", "C-N-C", "C-O-C", "O-C-H", "C=C-C"),
    "dihedral": ("H-C-C-C", "C-C-C-C", "H-C-C-H", "H-C-C-O", "C-C-C-O", "C-N-C-C", "H-C-N-C", "H-C-C-N"),
}
MEASURES = ("wasserstein", "mmd")


@dataclass(frozen=True, eq=False)
class Distributions:
    """The reference's values of one kind.

    Attributes:
        codes: (T,) int64, sorted, the types that are kept.
        counts: (T, bins) uint32 on the kind's grid.
        total: values of every type, kept or not.
    """

    codes: np.ndarray
    counts: np.ndarray
    total: int

    @property
    def shares(self) -> np.ndarray:
        """(T,) share of each type among all values."""
        return self.counts.sum(axis=1) / max(self.total, 1)


@dataclass(frozen=True)
class Distance:
    """Distance to the reference.

    Attributes:
        value: the distance; None if the input has none of the types.
        floor: what a sample of the reference itself scores; None if unknown.
        unit: unit of both, '' for none.
        n_values: how many of the input's values were compared.
        coverage: share of the reference's values that belong to the compared types.
        types: distance per type.
    """

    value: float | None
    floor: float | None
    unit: str
    n_values: int
    coverage: float
    types: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def keep_types(coordinates: Coordinates, kind: str) -> np.ndarray:
    """The types of a reference that are worth keeping: the frequent ones and JODO's; (T,) int64, sorted."""
    codes, counts = np.unique(coordinates.code, return_counts=True)
    jodo = [type_code(name) for name in JODO_TYPES[kind]]
    return codes[(counts >= FREQUENT * counts.sum()) | np.isin(codes, jodo)]


def count(coordinates: Coordinates, codes: np.ndarray, kind: str, weights: np.ndarray | None = None) -> np.ndarray:
    """Counts the values of some types on the grid.

    Args:
        coordinates: V values.
        codes: (T,) int64, sorted: the types wanted.
        kind: 'bond', 'angle' or 'dihedral'.
        weights: (molecules,) how often each molecule counts; once, if None.

    Returns:
        (T, bins) int64.
    """
    grid = GRIDS[kind]
    wanted = np.isin(coordinates.code, codes)
    places = np.searchsorted(codes, coordinates.code[wanted]) * grid.bins + grid.bin(coordinates.value[wanted])
    each = None if weights is None else weights[coordinates.molecule[wanted]]
    counts = np.bincount(places, weights=each, minlength=len(codes) * grid.bins)
    return np.rint(counts).astype(np.int64).reshape(len(codes), grid.bins)


def compare(counts: np.ndarray, reference: Distributions, kind: str, measure: str, floor: float | None) -> Distance:
    """Distance of one kind by one measure.

    Args:
        counts: (T, bins) of the input, for the types of the reference.
        reference: what to compare with.
        kind: 'bond', 'angle' or 'dihedral'.
        measure: 'wasserstein' or 'mmd'.
        floor: the floor to report.
    """
    rng = np.random.default_rng(0)
    shares, grid = reference.shares, GRIDS[kind]
    if measure == "wasserstein":
        chosen, weights = shares >= FREQUENT, shares
    else:
        chosen = np.isin(reference.codes, [type_code(name) for name in JODO_TYPES[kind]])
        weights = np.ones(len(shares))
    compared = np.flatnonzero(chosen & (counts.sum(axis=1) > 0) & (reference.counts.sum(axis=1) > 0))
    types = {}
    for k in compared:
        pair = counts[k], reference.counts[k].astype(np.int64)
        distance = wasserstein(*pair, grid) if measure == "wasserstein" else mmd(*pair, rng)
        types[type_name(int(reference.codes[k]))] = distance
    return Distance(
        value=float(np.average(list(types.values()), weights=weights[compared])) if types else None,
        floor=floor,
        unit=grid.unit if measure == "wasserstein" else "",
        n_values=int(counts[compared].sum()),
        coverage=float(shares[compared].sum()),
        types=types,
    )


def floors(
    coordinates: dict[str, Coordinates], n_molecules: int, sizes: Sequence[int], repeats: int
) -> dict[str, np.ndarray]:
    """What samples of the reference score against the reference, by number of molecules.

    Whole molecules are sampled, since the values of one molecule are not independent.

    Args:
        coordinates: the reference's values by kind.
        n_molecules: how many molecules they come from.
        sizes: sample sizes.
        repeats: pairs of samples to average over.

    Returns:
        'bond_wasserstein', 'bond_mmd', ... -> (S,) mean distance; NaN where nothing compares.
    """
    rng = np.random.default_rng(0)
    names = [f"{kind}_{measure}" for kind in GRIDS for measure in MEASURES]
    distances = {name: np.full((len(sizes), repeats), np.nan) for name in names}
    kept = {kind: keep_types(values, kind) for kind, values in coordinates.items()}
    for s, size in enumerate(sizes):
        for r in range(repeats):
            sample = np.bincount(rng.integers(n_molecules, size=size), minlength=n_molecules)
            weights = np.bincount(rng.integers(n_molecules, size=n_molecules), minlength=n_molecules)
            for kind, values in coordinates.items():
                total = int(weights[values.molecule].sum())
                reference = Distributions(kept[kind], count(values, kept[kind], kind, weights), total)
                counts = count(values, kept[kind], kind, sample)
                for measure in MEASURES:
                    distance = compare(counts, reference, kind, measure, None)
                    if distance.value is not None:
                        distances[f"{kind}_{measure}"][s, r] = distance.value
    return {name: np.array([_mean(row) for row in rows]) for name, rows in distances.items()}


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def interpolate_floor(sizes: np.ndarray, values: np.ndarray, n: int) -> float | None:
    """The floor at n molecules: linear between the logarithms, constant beyond the ends; None if unknown."""
    known = np.isfinite(values) & (values > 0)
    if n < 1 or not known.any():
        return None
    return float(np.exp(np.interp(np.log(n), np.log(sizes[known]), np.log(values[known]))))
