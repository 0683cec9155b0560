"""Does a generator copy its training data, or leave out parts of the distribution?

All detectors look at distances alone, so that any metric can be fed: one minus a similarity of graphs, an RMSD, a
Euclidean distance of features. They use only what NumPy arrays and torch tensors have in common, and the standard
library; this file imports neither, and serves callers of both.

*Memorisation.* With d(x, S) the distance of x to the nearest point of a set S:

* `memorisation`: pool the training set with held-out points. If samples know nothing of which points were trained on,
  the points nearest to them are training points as often as chance has it. The z value is that of a random division of
  the pool (a permutation test, with its exact variance). It holds for a poor generator too, for repeated samples, for
  sets of any size, and for sets drawn without replacement from a finite population.
* `copying`: Meehan, Chaudhuri and Dasgupta, "A non-parametric test to detect data-copying in generative models",
  arXiv:2004.05675: are samples closer to T than held-out points are? Their C_T, on one cell: the z value of the
  Mann-Whitney U. Below -3 the generator copies, above 3 it underfits.

*Mode collapse.* Around each real point a ball that reaches to its k-th nearest real neighbour (Naeem et al., "Reliable
fidelity and diversity metrics for generative models", arXiv:2002.09797):

    coverage = share of balls with a sample in them,     density = balls around a sample, in the mean, over k.

If the samples are as the real points, coverage is `expected_coverage` and density is 1.

*Repetition.* `effective_number`: the exponential of the entropy of labels, the number of equally frequent labels that
would be as diverse (Hill, "Diversity and evenness", Ecology 54, 427, 1973).
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import groupby
from math import exp, log, prod, sqrt
from typing import Any, NamedTuple

from jaxtyping import Bool, Num

Array = Any
"""A NumPy array or a torch tensor."""


class Memorisation(NamedTuple):
    """How often a sample's nearest point is a training point.

    Attributes:
        share: of samples whose nearest point of the pool is a training point.
        expected: the share that chance has: that of training points in the pool.
        z: standard normal if nothing was memorised; above 3 means memorisation.
    """

    share: float
    expected: float
    z: float


def nearest(distances: Num[Array, "n m"]) -> Num[Array, " n"]:
    """Distance of each of n points to the nearest of m others."""
    return distances[list(range(len(distances))), distances.argmin(1)]


def votes(distances: Num[Array, "n p"]) -> Num[Array, " p"]:
    """How many of n samples have each of p points as their nearest one; points that tie share the sample.

    Votes of several lots of samples add up.
    """
    chosen = distances <= nearest(distances)[:, None]
    return (chosen / chosen.sum(1)[:, None]).sum(0)


def memorisation(votes: Num[Array, " p"], training: Bool[Array, " p"]) -> Memorisation:
    """Are the points nearest to the samples training points more often than chance has it?

    With c the votes, n their sum and f the share of training points in the pool, the votes for training points have
    mean n f and variance f (1 - f) p / (p - 1) Σ (c - n / p)² over all divisions of the pool.

    Args:
        votes: of the samples for the pool of training and held-out points, as `votes` counts them.
        training: True for a training point, False for a held-out one.

    Raises:
        ValueError: if there are no samples, or the pool has no training or no held-out points.
    """
    p, n, f = len(votes), float(votes.sum()), float(training.sum()) / max(len(votes), 1)
    if n <= 0 or not 0 < f < 1:
        raise ValueError("needs samples, training points and held-out points")
    variance = f * (1 - f) * p / (p - 1) * float(((votes - n / p) ** 2).sum())
    won = float((votes * training).sum())
    return Memorisation(won / n, f, (won - n * f) / sqrt(variance) if variance > 0 else 0.0)


def copying(samples: Num[Array, " n"], heldout: Num[Array, " m"]) -> float:
    """C_T of Meehan, Chaudhuri and Dasgupta (2020), on a single cell.

    Args:
        samples: distance of each sample to the nearest training point.
        heldout: distance of each held-out point to the nearest training point.

    Returns:
        z of the Mann-Whitney U, with the variance corrected for ties. Standard normal if both are drawn alike; below -3
        the samples lie closer to the training set. Samples and held-out points must have been drawn in the same way: a
        held-out set that was made disjoint from the training set never lies at distance 0.

    Raises:
        ValueError: if either is empty.
    """
    n, m = len(samples), len(heldout)
    if n == 0 or m == 0:
        raise ValueError(f"needs samples and held-out points, not {n} and {m}")
    pooled = sorted([(float(d), 1) for d in samples.tolist()] + [(float(d), 0) for d in heldout.tolist()])
    below, ranks, ties = 0, 0.0, 0
    for _, group in groupby(pooled, key=lambda pair: pair[0]):
        labels = [label for _, label in group]
        ranks += sum(labels) * (below + (len(labels) + 1) / 2)
        ties += len(labels) ** 3 - len(labels)
        below += len(labels)
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    u = ranks - n * (n + 1) / 2
    return (u - n * m / 2) / sqrt(variance) if variance > 0 else 0.0


def neighbour_radii(distances: Num[Array, "m m"], k: int = 5) -> Num[Array, " m"]:
    """Distance of each of m real points to its k-th nearest neighbour among them.

    Args:
        distances: of the points to one another, 0 on the diagonal.
        k: which neighbour, 1 to m - 1.

    Raises:
        ValueError: if there is no such neighbour.
    """
    if not 1 <= k < len(distances):
        raise ValueError(f"{len(distances)} points have no {k}-th neighbour; k must be 1 to {len(distances) - 1}")
    return distances[list(range(len(distances))), distances.argsort(1)[:, k]]


def coverage(distances: Num[Array, "n m"], radii: Num[Array, " m"]) -> float:
    """Share of the real points' balls in which a sample lies.

    Args:
        distances: of n samples to m real points.
        radii: of the balls, as `neighbour_radii` gives them.
    """
    return int(((distances <= radii).sum(0) > 0).sum()) / len(radii)


def density(distances: Num[Array, "n m"], radii: Num[Array, " m"], k: int = 5) -> float:
    """Number of the real points' balls in which a sample lies, in the mean, over k. See `coverage`."""
    return int((distances <= radii).sum()) / (k * len(distances))


def expected_coverage(n: int, m: int, k: int = 5) -> float:
    """Coverage of m real points by n samples of the same continuous distribution.

    A ball stays empty if the k nearest of the other m - 1 + n points are all real (Naeem et al., Lemma 2).
    """
    return 1 - prod((m - j) / (m + n - j) for j in range(1, k + 1))


def effective_number(labels: Iterable[Hashable]) -> float:
    """exp(-Σ p log p) over the relative frequencies p of the labels: n if all n differ, 1 if all are the same.

    Raises:
        ValueError: if there are no labels.
    """
    counts = Counter(labels)
    n = counts.total()
    if n == 0:
        raise ValueError("there are no labels to count")
    return exp(-sum(c / n * log(c / n) for c in counts.values()))
