"""Distances between two distributions of one internal coordinate, both given as counts on the same fine grid.

*Wasserstein-1*: how far, on average, values must be moved to turn one distribution into the other; Å or degrees. With F
and G the cumulative distributions, ``W1 = ∫ |F - G|``. On a circle, for dihedrals, ``W1 = min_c ∫ |F - G - c|``, whose
minimiser c is the median of F - G (Rabin, Delon and Gousseau, J. Math. Imaging Vis. 41, 147, 2011): 179° and -179° are
2° apart.

*MMD*: the squared maximum mean discrepancy as JODO reports it (Huang, Sun, Du and Lv, Learning Joint 2D & 3D Diffusion
Models for Complete Molecule Generation, arXiv:2305.12347), so that numbers can be laid beside the published ones: the
biased estimate

    MMD² = Σ_ij k(x_i, x_j) / n² + Σ_ij k(y_i, y_j) / m² - 2 Σ_ij k(x_i, y_j) / nm

under the sum of five Gaussian kernels ``k(x, y) = Σ_s exp(-(x - y)² / 2^s b)``, s = -2 ... 2, with b the mean squared
difference over all pairs of the pooled sample; at most 20,000 values a side, sampled at random; dihedrals as signed
degrees, not as a circle. On a grid it is the quadratic form ``dᵀ K d`` of the difference d of the two relative
frequencies, and K depends on the lag alone: an autocorrelation.
"""

from dataclasses import dataclass

import numpy as np

MMD_SAMPLE = 20_000
"""Values of a type that enter an MMD, at most."""


@dataclass(frozen=True)
class Grid:
    """Equal bins for one kind of internal coordinate.

    Attributes:
        unit: unit of the values.
        start: value of bin 0.
        step: width of a bin.
        bins: how many.
        periodic: the last bin is the neighbour of the first; otherwise, values outside count in the end bins.
    """

    unit: str
    start: float
    step: float
    bins: int
    periodic: bool = False

    def bin(self, values: np.ndarray) -> np.ndarray:
        """The nearest bin of each value: (V,) to (V,) int64."""
        nearest = np.rint((np.asarray(values) - self.start) / self.step).astype(np.int64)
        return nearest % self.bins if self.periodic else np.clip(nearest, 0, self.bins - 1)


GRIDS = {
    "bond": Grid("Å", start=0.0, step=1e-4, bins=50_001),
    "angle": Grid("°", start=0.0, step=0.02, bins=9_001),
    "dihedral": Grid("°", start=-180.0, step=0.1, bins=3_600, periodic=True),
}


def wasserstein(a: np.ndarray, b: np.ndarray, grid: Grid) -> float:
    """Wasserstein-1 distance of two distributions, around the circle if the grid is periodic.

    Args:
        a, b: (bins,) counts, neither empty.
        grid: their grid.

    Returns:
        Distance in the unit of the grid.
    """
    gap = np.cumsum(a / a.sum() - b / b.sum())
    if grid.periodic:
        gap = gap - np.median(gap)
    return float(np.abs(gap).sum() * grid.step)


def mmd(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> float:
    """Squared MMD by JODO's protocol.

    Args:
        a, b: (bins,) integer counts, neither empty.
        rng: samples the values where there are more than `MMD_SAMPLE`.

    Returns:
        A number without unit, 0 for equal distributions.
    """
    occupied = np.flatnonzero(a + b)
    span = slice(occupied[0], occupied[-1] + 1)
    a, b = _subsample(a[span], rng), _subsample(b[span], rng)
    pooled = a + b
    n, places = pooled.sum(), np.arange(len(pooled), dtype=np.float64)
    pairs = n * (n - 1)
    centred = places - (pooled @ places) / n
    bandwidth = 2 * n * (pooled @ centred**2) / pairs if pairs else 0.0
    if bandwidth == 0:
        return 0.0
    difference = a / a.sum() - b / b.sum()
    spectrum = np.fft.rfft(difference, 2 * len(difference))
    autocorrelation = np.fft.irfft(np.abs(spectrum) ** 2, 2 * len(difference))[: len(difference)]
    kernel = np.asarray(sum(np.exp(-(places**2) / (bandwidth * 2.0**s)) for s in range(-2, 3)))
    kernel[1:] *= 2
    return max(0.0, float(autocorrelation @ kernel))


def _subsample(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At most `MMD_SAMPLE` of the counted values, without replacement."""
    counts = counts.astype(np.int64)
    if counts.sum() <= MMD_SAMPLE:
        return counts
    return rng.multivariate_hypergeometric(counts, MMD_SAMPLE, method="marginals")
