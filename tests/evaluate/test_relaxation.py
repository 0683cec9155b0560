import numpy as np
import pytest

from molscore.chem.forcefield.strain import Strain
from molscore.evaluate.molecules.relaxation import median_ranks, summary


def test_ranks_are_those_of_the_tables():
    # Conover, Practical Nonparametric Statistics: the 95 % confidence limits of a median.
    assert [median_ranks(n) for n in (5, 6, 10, 20, 50)] == [None, (1, 6), (2, 9), (6, 15), (18, 33)]
    low, high = median_ranks(10_000)
    assert low == pytest.approx(5000 - 98, abs=2) and high == 10_001 - low


def test_the_interval_covers_the_median():
    rng = np.random.default_rng(0)
    trials, hits = 400, 0
    for _ in range(trials):
        figures = summary([Strain(x) for x in rng.exponential(size=41)])
        hits += figures["low"] <= np.log(2) <= figures["high"]
    assert hits / trials > 0.95 - 4 * np.sqrt(0.05 * 0.95 / trials)
    assert hits / trials < 0.995


def test_summary_counts_what_has_no_energy():
    values = [3.0, 1.0, 2.0, 10.0, 4.0, 5.0, 6.0]
    figures = summary([*map(Strain, values), Strain(None, "no_parameters"), Strain(None, "no_parameters")])
    assert figures["median"] == 4.0 and figures["n"] == 7
    assert (figures["lower_quartile"], figures["upper_quartile"]) == tuple(np.percentile(values, [25, 75]))
    assert (figures["low"], figures["high"]) == (1.0, 10.0)
    assert figures["without"] == {"no_parameters": 2}


def test_of_nothing_there_is_no_median():
    figures = summary([])
    assert figures["median"] is None and figures["low"] is None and figures["n"] == 0 and figures["without"] == {}
