"""Streams: one for each seed, purpose and number, none like another; seeds for others that do not repeat."""

from itertools import product

import numpy as np
import pytest
import torch

from molscore.randomness import Purpose, checked_seed, rdkit_seed, stream, torch_seed

SEEDS = (0, 1, 2, 2**31, 2**32, 2**32 + 1, 2**63, 2**64, 2**64 + 1, 2**96, 2**128 - 1)


def first(*words: int) -> tuple[int, int]:
    return tuple(stream(*words).bit_generator.random_raw(2).tolist())


def test_the_same_words_give_the_same_numbers():
    assert first(7, Purpose.MOLECULE, 3) == first(7, Purpose.MOLECULE, 3) == first(np.int64(7), 1, np.uint8(3))


def test_attempts_that_a_32_bit_seed_takes_for_one_differ():
    """Seeds of 63 bits hashed from (0, 50699) and (0, 55170) have the same low 32 bits."""
    hashed = [int(np.random.SeedSequence([0, i]).generate_state(1, np.uint64)[0] >> 1) for i in (50_699, 55_170)]
    a, b = (torch.Generator().manual_seed(seed).initial_seed() & 0xFFFFFFFF for seed in hashed)
    assert a == b
    assert first(0, Purpose.MOLECULE, 50_699) != first(0, Purpose.MOLECULE, 55_170)
    x, y = (stream(0, Purpose.MOLECULE, i).standard_normal(300) for i in (50_699, 55_170))
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.25


def test_every_bit_of_seed_purpose_and_numbers_counts():
    numbers = [(), (0,), (1,), (2**32,), (2**32 + 1,), (2**63,), (0, 0), (0, 1), (1, 0), (1, 2**32), (2**32, 1)]
    values = [first(seed, purpose, *words) for seed, purpose, words in product(SEEDS, Purpose, numbers)]
    assert len(set(values)) == len(values) == len(SEEDS) * len(Purpose) * len(numbers)


def test_streams_are_not_correlated():
    """Neighbours in seed, purpose and number: correlations have the spread of independent ones, 1 / sqrt(n)."""
    n, of_seed, of_number = 2000, range(20), range(20)
    for keys in (
        [(seed, Purpose.MOLECULE, 0) for seed in of_seed],
        [(seed << 32, Purpose.MOLECULE, 0) for seed in of_seed],
        [(0, Purpose.PROPOSAL, number) for number in of_number],
        [(0, purpose) for purpose in Purpose],
    ):
        correlations = np.corrcoef([stream(*key).standard_normal(n, dtype=np.float32) for key in keys])
        between = correlations[np.triu_indices(len(keys), 1)]
        assert np.abs(between).max() < 5 / n**0.5 and 0.8 < between.std() * n**0.5 < 1.2


@pytest.mark.slow
def test_a_million_attempts_and_none_twice():
    assert len({first(0, Purpose.MOLECULE, i) for i in range(10**6)}) == 10**6


@pytest.mark.parametrize(("derived", "low", "high"), [(rdkit_seed, 1, 2**31 - 2), (torch_seed, 0, 2**63 - 1)])
def test_seeds_for_others_do_not_repeat_within_a_run(derived, low, high):
    for seed in (0, 2**32, 2**100):
        seeds = [derived(seed, Purpose.ETKDG, k) for k in range(10_000)]
        assert len({value & 0xFFFFFFFF for value in seeds}) == len(seeds)
        assert low <= min(seeds) and max(seeds) <= high
        bits = np.array(seeds) & 0xFFFFFFFF
        steps = np.diff(bits) % 2**32
        assert len(np.unique(steps)) > 9_990  # not one after the other
        assert abs(np.corrcoef(bits[1:], bits[:-1])[0, 1]) < 0.05
    assert len({derived(seed, purpose) for seed, purpose in product(SEEDS, Purpose)}) == len(SEEDS) * len(Purpose)


@pytest.mark.slow
def test_nor_within_a_million():
    assert len({rdkit_seed(0, Purpose.ETKDG, k) for k in range(10**6)}) == 10**6


def test_numbers_beyond_a_permutation_have_another():
    assert 1 <= rdkit_seed(0, Purpose.ETKDG, 2**40) <= 2**31 - 2
    assert rdkit_seed(0, Purpose.ETKDG, 2**31 - 2) != rdkit_seed(0, Purpose.ETKDG, 0)


@pytest.mark.parametrize("seed", [-1, -(2**70), 2**128, 10**60, 1.5, 1.0, "1", None])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 340"):
        checked_seed(seed)
    with pytest.raises(ValueError, match="not"):
        stream(seed, Purpose.MOLECULE)
