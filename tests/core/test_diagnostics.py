"""The detectors on densities that are known: they keep silent for fair samples and speak up for copies."""

import math

import numpy as np
import pytest
import torch

from molscore.core.diagnostics import (
    copying,
    coverage,
    density,
    effective_number,
    expected_coverage,
    memorisation,
    nearest,
    neighbour_radii,
    votes,
)

SEEDS = 60
POINTS = 150


def normal(seed, n, mean=0.0, deviation=1.0):
    return np.random.default_rng(seed).normal(mean, deviation, size=(n, 2))


def mixture(seed, n):
    """Two equal modes, ten deviations apart."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) + 10.0 * rng.integers(2, size=(n, 1))


def distances(a, b):
    return np.linalg.norm(a[:, None] - b[None], axis=-1)


def memorised(samples, training, heldout):
    """z of the permutation test."""
    pool = np.concatenate([training, heldout])
    return memorisation(votes(distances(samples, pool)), np.arange(len(pool)) < len(training)).z


def copied(samples, training, heldout):
    """C_T."""
    return copying(nearest(distances(samples, training)), nearest(distances(heldout, training)))


def z_values(test, draw):
    return np.array([test(draw(s), normal(1000 + s, POINTS), normal(2000 + s, POINTS)) for s in range(SEEDS)])


def is_standard(z):
    """Mean and spread of S values that should be standard normal: within four standard errors."""
    return abs(z.mean()) < 4 / math.sqrt(len(z)) and abs(z.std() - 1) < 4 / math.sqrt(2 * len(z))


def test_memorisation_is_standard_normal_for_independent_samples_however_many_or_poor():
    for n, mean, deviation in ((POINTS, 0.0, 1.0), (4 * POINTS, 0.0, 1.0), (POINTS, 0.5, 0.3)):
        z = z_values(memorised, lambda s, n=n, m=mean, d=deviation: normal(s, n, m, d))
        assert is_standard(z)
        assert (abs(z) > 3).mean() <= 1 / SEEDS + 3 * math.sqrt(0.0027 / SEEDS)  # nominal rate 0.27 %


def test_memorisation_does_not_take_repetition_for_copying():
    assert is_standard(z_values(memorised, lambda s: np.repeat(normal(s, 10), 50, axis=0)))


def test_memorisation_holds_for_sets_of_unequal_size():
    z = [memorised(normal(s, 200), normal(500 + s, 300), normal(900 + s, 40)) for s in range(SEEDS)]
    assert is_standard(np.array(z))


@pytest.mark.parametrize("test, sign", [(memorised, 1), (copied, -1)])
def test_noisy_copies_fire(test, sign):
    for seed in range(10):
        training, heldout = normal(seed, POINTS), normal(100 + seed, POINTS)
        copies = training[np.random.default_rng(seed).integers(POINTS, size=POINTS)]
        assert sign * test(copies + normal(200 + seed, POINTS, deviation=0.01), training, heldout) > 5
        some = np.where(np.arange(POINTS)[:, None] < POINTS // 2, copies, normal(300 + seed, POINTS))
        assert sign * test(some, training, heldout) > 3


def test_copying_is_standard_normal_for_independent_samples():
    # Both sets of distances refer to one training set; given it, they are independent and alike.
    assert is_standard(z_values(copied, lambda s: normal(s, POINTS)))


def test_copying_is_positive_for_an_underfitted_generator():
    assert copied(normal(0, POINTS, deviation=3.0), normal(1, POINTS), normal(2, POINTS)) > 5


def test_copying_agrees_with_the_mann_whitney_test_with_ties():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    a, b = rng.integers(6, size=40).astype(float), rng.integers(1, 7, size=55).astype(float)
    p = stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic", alternative="less").pvalue
    assert copying(a, b) == pytest.approx(stats.norm.ppf(p))


def test_memorisation_by_hand():
    d = np.array([[0.0, 1.0, 1.0, 2.0], [3.0, 1.0, 1.0, 2.0]])
    assert votes(d).tolist() == [1.0, 0.5, 0.5, 0.0]
    result = memorisation(votes(d), np.array([True, True, False, False]))
    assert (result.share, result.expected) == (0.75, 0.5)
    # The six divisions of the pool give 1.5, 1.5, 1, 1, 0.5, 0.5 votes: variance 1/6.
    assert result.z == pytest.approx(0.5 * math.sqrt(6))


def coverage_of(samples, real):
    return coverage(distances(samples, real), neighbour_radii(distances(real, real)))


def test_coverage_and_density_of_a_fair_sample_are_as_expected():
    measured = [
        (coverage_of(mixture(s, 300), mixture(100 + s, 200)), density_of(mixture(s, 300), mixture(100 + s, 200)))
        for s in range(30)
    ]
    for values, expected in zip(np.array(measured).T, (expected_coverage(300, 200), 1.0), strict=True):
        assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(len(values))


def density_of(samples, real):
    return density(distances(samples, real), neighbour_radii(distances(real, real)))


def test_expected_coverage_of_many_is_that_of_the_paper():
    assert expected_coverage(10**6, 10**6, k=5) == pytest.approx(1 - 2**-5, abs=1e-4)


def test_one_mode_of_two_covers_half():
    for seed in range(5):
        covered = coverage_of(normal(seed, 300), mixture(50 + seed, 200))
        assert covered < 0.65 < expected_coverage(300, 200) - 0.3
        assert coverage_of(np.repeat(mixture(seed, 3), 100, axis=0), mixture(70 + seed, 200)) < 0.2


def test_torch_tensors_give_the_same():
    real, samples = mixture(0, 40), mixture(1, 30)
    d, own = distances(samples, real), distances(real, real)
    t_d, t_own, training = torch.tensor(d), torch.tensor(own), np.arange(40) < 25
    t_training = torch.tensor(training)
    assert nearest(t_d).tolist() == nearest(d).tolist()
    assert neighbour_radii(t_own).tolist() == neighbour_radii(own).tolist()
    assert coverage(t_d, neighbour_radii(t_own)) == coverage(d, neighbour_radii(own))
    assert density(t_d, neighbour_radii(t_own)) == density(d, neighbour_radii(own))
    assert memorisation(votes(t_d), t_training) == pytest.approx(memorisation(votes(d), training))
    assert copying(nearest(t_d), nearest(t_own[1:])) == copying(nearest(d), nearest(own[1:]))


def test_effective_number():
    assert effective_number("abcd") == pytest.approx(4)
    assert effective_number("aaaa") == pytest.approx(1)
    assert effective_number("aab") == pytest.approx(3 / 2 ** (2 / 3))


def test_nothing_to_judge_is_an_error():
    none = np.zeros(0)
    with pytest.raises(ValueError, match="no 5-th neighbour"):
        neighbour_radii(np.zeros((5, 5)))
    with pytest.raises(ValueError, match="not 0 and 3"):
        copying(none, np.ones(3))
    with pytest.raises(ValueError, match="held-out points"):
        memorisation(np.ones(4), np.ones(4) > 0)
    with pytest.raises(ValueError, match="no labels"):
        effective_number([])
