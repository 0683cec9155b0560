"""Strain of the molecules: the median relaxation energy (`molscore.chem.forcefield.strain`), beside the reference's.

The interval of a median needs no distribution: between the l-th smallest and the l-th largest of n values it lies with
probability ``1 - 2 P(X < l)``, X binomial with n and 1/2 (David and Nagaraja, Order Statistics, section 7.1).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from molscore.chem.forcefield.strain import Strain


def summary(outcomes: Iterable[Strain]) -> dict[str, Any]:
    """Summarises relaxation energies.

    Args:
        outcomes: of `molscore.chem.forcefield.strain.relaxation_energy`.

    Returns:
        ``median`` in kcal/mol with its 95 % interval ``low``, ``high``; quartiles ``lower_quartile``,
        ``upper_quartile``; ``n`` energies; ``without`` reason -> molecules that have none. Figures that so few energies
        do not give are None.
    """
    outcomes = list(outcomes)
    values = sorted(x.energy for x in outcomes if x.energy is not None)
    ends = median_ranks(len(values))
    return {
        "median": _quantile(values, 0.5),
        "low": values[ends[0] - 1] if ends else None,
        "high": values[ends[1] - 1] if ends else None,
        "lower_quartile": _quantile(values, 0.25),
        "upper_quartile": _quantile(values, 0.75),
        "n": len(values),
        "without": dict(Counter(x.reason for x in outcomes if x.energy is None)),
    }


def median_ranks(n: int) -> tuple[int, int] | None:
    """Ranks, from 1, of the values between which the median lies with at least 95 %; None below six values."""
    below, term, rank = 0, 1, 0  # P(X < rank) and P(X = rank), times 2 ** n
    while 40 * (below + term) <= 2**n:
        below, term, rank = below + term, term * (n - rank) // (rank + 1), rank + 1
    return (rank, n + 1 - rank) if rank else None


def _quantile(values: Sequence[float], q: float) -> float | None:
    """Linear between order statistics."""
    if not values:
        return None
    place = q * (len(values) - 1)
    k = min(int(place), len(values) - 1)
    above = values[min(k + 1, len(values) - 1)]
    return values[k] + (place - k) * (above - values[k])
