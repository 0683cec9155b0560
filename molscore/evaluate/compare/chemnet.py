"""Fréchet ChemNet distance: are ChemNet's activations of the molecules distributed as those of the reference?

With m and C the mean and covariance of ChemNet's 512 last activations over canonical SMILES without stereo:

    FCD = |m - m'|² + tr(C + C' - 2 (C^½ C' C^½)^½)

(Preuer et al., J. Chem. Inf. Model. 58, 1736, 2018). It grows as a sample gets smaller, whatever is sampled; so it is
given with the sample's size and with its floor, the FCD of as many molecules of the training split.

ChemNet comes with the package ``fcd`` (``pip install 'molscore3d[fcd]'``). That package needs torch; this one does not:
``fcd`` is imported where it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from types import ModuleType
from typing import IO, Any

import numpy as np

from molscore import extras
from molscore.references import check_statistics

FLOOR_SIZES = (100, 300, 1000, 2000, 5000, 10_000)
"""Sizes for which a floor is kept."""

FEWEST = 2
"""A covariance takes two molecules."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics of ChemNet's activations of a reference.

    Attributes:
        mean: (512,).
        covariance: (512, 512).
        n: molecules.
        floor_sizes, floors: (S,) what so many training molecules score.
    """

    mean: np.ndarray
    covariance: np.ndarray
    n: int
    floor_sizes: np.ndarray
    floors: np.ndarray


def package() -> ModuleType:
    """The package ``fcd``.

    Raises:
        MissingExtraError: if it is not installed.
    """
    return extras.need("fcd", "fcd", "the Fréchet ChemNet distance")


def activations(smiles: Sequence[str]) -> np.ndarray:
    """ChemNet's last activations.

    Args:
        smiles: (M,) at least one.

    Returns:
        (M, 512) float64.

    Raises:
        MissingExtraError: without the package ``fcd``.
    """
    fcd = package()
    return np.asarray(fcd.get_predictions(fcd.load_ref_model(), list(smiles), n_jobs=0), dtype=np.float64)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of M rows, M at least 2."""
    return values.mean(axis=0), np.cov(values, rowvar=False)


def frechet(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """Squared Fréchet distance of two Gaussians, each a mean (D,) and a covariance (D, D); not below 0."""
    (m, c), (n, d) = a, b
    values, vectors = np.linalg.eigh(c)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ d @ root).clip(min=0)).sum()
    return max(0.0, float((m - n) @ (m - n) + np.trace(c) + np.trace(d) - 2 * cross))


def build_statistics(heldout: np.ndarray, training: np.ndarray, seed: int = 0) -> Statistics:
    """Statistics of a reference.

    Args:
        heldout: (M, 512) activations of the molecules to compare with.
        training: (K, 512) activations of others of the same distribution, for the floors.
        seed: of the choice among them.
    """
    mean, covariance = moments(heldout)
    order = np.random.default_rng(seed).permutation(len(training))
    sizes = [size for size in FLOOR_SIZES if size <= len(training)]
    floors = []
    for size in sizes:
        parts = [order[k * size : (k + 1) * size] for k in range(min(5, len(training) // size))]
        floors.append(np.mean([frechet(moments(training[part]), (mean, covariance)) for part in parts]))
    return Statistics(mean, covariance, len(heldout), np.array(sizes), np.array(floors))


def save_statistics(statistics: Statistics, stream: IO[bytes]) -> None:
    """Writes statistics as ``.npz``, the lower triangle of the covariance alone, in float32."""
    lower = statistics.covariance[np.tril_indices(len(statistics.mean))]
    np.savez_compressed(
        stream,
        mean=statistics.mean.astype(np.float32),
        covariance=lower.astype(np.float32),
        n=statistics.n,
        floor_sizes=statistics.floor_sizes,
        floors=statistics.floors,
    )


def load_statistics(name: str) -> Statistics:
    """The statistics of a bundled reference.

    Raises:
        ValueError: if it has none.
        MissingExtraError: without the package ``fcd``, which computes what is compared with them.
    """
    package()
    check_statistics(name)
    with as_file(files("molscore.evaluate").joinpath("references", f"{name}_fcd.npz")) as path, np.load(path) as file:
        mean = file["mean"].astype(np.float64)
        covariance = np.zeros((len(mean), len(mean)))
        covariance[np.tril_indices(len(mean))] = file["covariance"]
        covariance = covariance + np.tril(covariance, -1).T
        return Statistics(mean, covariance, int(file["n"]), file["floor_sizes"], file["floors"])


def chemnet_distance(smiles: Sequence[str], statistics: Statistics) -> dict[str, Any]:
    """FCD of molecules to a reference.

    Args:
        smiles: canonical SMILES without stereo of the valid molecules, repetitions and all.
        statistics: of the reference.

    Returns:
        ``value``, ``floor``, ``n`` molecules, ``reference_n``; value and floor are None below two molecules.
    """
    n = len(smiles)
    result: dict[str, Any] = {"value": None, "floor": None, "n": n, "reference_n": statistics.n}
    if n >= FEWEST:
        result["value"] = frechet(moments(activations(smiles)), (statistics.mean, statistics.covariance))
        sizes, floors = np.log(statistics.floor_sizes), np.log(statistics.floors)
        result["floor"] = float(np.exp(np.interp(np.log(n), sizes, floors)))
    return result
