import numpy as np
import pytest

from molscore.evaluate.compare.distances import GRIDS, MMD_SAMPLE, mmd, wasserstein

RNG = np.random.default_rng


def histogram(values, kind):
    grid = GRIDS[kind]
    return np.bincount(grid.bin(np.asarray(values)), minlength=grid.bins)


@pytest.mark.parametrize("kind", GRIDS)
def test_equal_samples_are_at_distance_zero(kind):
    counts = histogram(RNG(0).uniform(1, 4, size=500), kind)
    assert wasserstein(counts, 3 * counts, GRIDS[kind]) == pytest.approx(0, abs=1e-12)
    assert mmd(counts, counts, RNG(0)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("kind", "shift"), [("bond", 0.1), ("angle", 3.0), ("dihedral", 7.0)])
def test_a_shift_is_its_own_wasserstein_distance(kind, shift):
    values = RNG(0).normal(1.5, 0.05, size=1000)
    distance = wasserstein(histogram(values, kind), histogram(values + shift, kind), GRIDS[kind])
    assert distance == pytest.approx(shift, abs=GRIDS[kind].step)


def test_wasserstein_of_two_point_masses_and_unequal_sizes():
    a, b = histogram([1.0, 1.0, 2.0, 2.0], "bond"), histogram([1.0, 2.0, 2.0], "bond")
    assert wasserstein(a, b, GRIDS["bond"]) == pytest.approx(1 / 2 - 1 / 3)


def test_dihedrals_are_measured_around_the_circle():
    def distance(a, b):
        return wasserstein(histogram(a, "dihedral"), histogram(b, "dihedral"), GRIDS["dihedral"])

    assert distance([179.0], [-179.0]) == pytest.approx(2.0)
    assert distance([-90.0], [90.0]) == pytest.approx(180.0)
    assert distance([180.0], [-180.0]) == pytest.approx(0.0, abs=1e-12)
    near_the_seam = RNG(1).normal(170, 5, size=400)
    beyond = (near_the_seam + 20 + 180) % 360 - 180
    assert distance((near_the_seam + 180) % 360 - 180, beyond) == pytest.approx(20, abs=0.1)


def test_values_beyond_the_grid_count_at_its_end():
    assert GRIDS["bond"].bin(np.array([-1.0, 99.0])).tolist() == [0, GRIDS["bond"].bins - 1]


def test_mmd_is_the_double_sum_over_pairs():
    grid = GRIDS["bond"]
    bins = [grid.bin(RNG(k).normal(1.5, 0.02 + 0.01 * k, size=60 + 10 * k)) for k in range(2)]
    x, y = (b * grid.step for b in bins)
    pooled = np.concatenate([x, y])
    squares = (pooled[:, None] - pooled[None]) ** 2
    base = squares.sum() / (len(pooled) ** 2 - len(pooled))

    def kernel(a, b):
        return sum(np.exp(-((a[:, None] - b[None]) ** 2) / (base * 2.0**s)) for s in range(-2, 3)).mean()

    expected = kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)
    counts = [np.bincount(b, minlength=grid.bins) for b in bins]
    assert mmd(*counts, RNG(0)) == pytest.approx(expected, rel=1e-9)


def test_mmd_of_single_values():
    assert mmd(histogram([1.5], "bond"), histogram([1.5], "bond"), RNG(0)) == 0
    far = 2 * sum(1 - np.exp(-(2.0**-s)) for s in range(-2, 3))
    assert mmd(histogram([1.0], "bond"), histogram([2.0], "bond"), RNG(0)) == pytest.approx(far)


def test_mmd_draws_no_more_than_its_sample():
    values = RNG(0).normal(1.5, 0.05, size=4 * MMD_SAMPLE)
    counts = histogram(values, "bond")
    # two draws of n from one distribution: the biased estimate exceeds 0 by at most the five kernels' diagonals
    assert 0 < mmd(counts, counts, RNG(0)) < 2 * 5 / MMD_SAMPLE
