"""Rates: a count, its denominator, and how sure one can be of their ratio.

The interval is Wilson's score interval. With p = count / total and z the normal quantile,

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)

It stays inside [0, 1] and is sound for p near 0 or 1, where most of these rates lie (E. B. Wilson, J. Am. Stat. Assoc.
22, 209, 1927). It takes the counted things as independent; atoms of one molecule are not, so the intervals of
atom rates are somewhat too narrow.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

Z_95 = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""


def wilson(count: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a proportion.

    Args:
        count: successes, 0 to `total`.
        total: trials, at least 1.
        z: normal quantile; the default gives 95 %.

    Returns:
        Lower and upper end, both in [0, 1].

    Raises:
        ValueError: if there are no trials or more successes than trials.
    """
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"a proportion needs 0 <= count <= total and total >= 1, not {count} of {total}")
    p, n = count / total, total
    centre = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (centre - half) / scale, (centre + half) / scale
    return 0.0 if count == 0 else low, 1.0 if count == total else high


@dataclass(frozen=True)
class Rate:
    """`count` of `total`.

    Attributes:
        count: how many have the property.
        total: how many were looked at: the denominator.
        of: what the denominator counts, a plural noun.
    """

    count: int
    total: int
    of: str

    @property
    def value(self) -> float | None:
        """count / total; None of nothing."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval; None of nothing."""
        return wilson(self.count, self.total) if self.total else None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON: value, count, total, of, low, high."""
        low, high = self.interval or (None, None)
        return {
            "value": self.value,
            "count": self.count,
            "total": self.total,
            "of": self.of,
            "low": low,
            "high": high,
        }
