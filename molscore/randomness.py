"""Random numbers fixed by a seed: one independent stream for each purpose and number.

A stream is NumPy's Philox generator, keyed by `SeedSequence` with purpose and numbers as spawn key: no bit of them is
lost on the way, and streams of different keys do not overlap. PyTorch's generator on a CPU keeps 32 bits of its seed,
RDKit 31: of a million such seeds, chosen at random, a hundred pairs and more are equal. Where one is needed all the
same, `torch_seed` and `rdkit_seed` permute the numbers, so that within a run no two seeds are equal.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; Black and Rogaway,
"Ciphers with arbitrary finite domains", CT-RSA 2002.
"""

from enum import IntEnum

import numpy as np

from molscore.limits import check

_WORD = 2**32 - 1
_ROUNDS = 6


class Purpose(IntEnum):
    """What a stream is for. Results depend on these values: a new purpose gets a new value."""

    MOLECULE = 1
    PROPOSAL = 2
    ETKDG = 3
    ISOMERS = 4
    RING_STEREO = 5
    EMBEDDING = 6
    LIKELIHOOD = 7
    LOCAL_SCORE = 8
    UNCERTAINTY = 9
    WEIGHT_SAMPLES = 10
    POSTERIOR = 11
    INITIAL_WEIGHTS = 12
    ORDER = 13
    TRAINING_NOISE = 14
    SELF_CONDITIONING = 15
    VALIDATION_NOISE = 16
    POSE = 17


def checked_seed(seed: int) -> int:
    """The seed as a Python integer.

    Raises:
        ValueError: if it is no whole number from 0 to 2^128 - 1.
    """
    check("seed", seed)
    return int(seed)


def stream(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The stream of a seed, for a purpose.

    Args:
        seed: 0 to 2^128 - 1.
        purpose: what it is for.
        numbers: which of many, each from 0 to 2^64 - 1.

    Raises:
        ValueError: for a seed out of range.
    """
    seed = checked_seed(seed)
    entropy = [seed >> shift & _WORD for shift in (0, 32, 64, 96)]
    key = [int(word) >> shift & _WORD for word in (purpose, *numbers) for shift in (0, 32)]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy, spawn_key=key)))


def rdkit_seed(seed: int, purpose: Purpose, number: int = 0) -> int:
    """A seed for RDKit, 1 to 2^31 - 2 (it takes 0 and 2^31 - 1 for 1); as many numbers in a row have different ones."""
    return 1 + _permuted(2**31 - 2, seed, purpose, number)


def torch_seed(seed: int, purpose: Purpose, number: int = 0) -> int:
    """A seed of 63 bits for PyTorch. Of its low 32, all that a generator on a CPU keeps, 2^32 numbers in a row have
    different ones."""
    high = int(stream(seed, purpose, number).integers(2**31))
    return high << 32 | _permuted(2**32, seed, purpose, number)


def _permuted(size: int, seed: int, purpose: Purpose, number: int) -> int:
    """Where a permutation of 0 ... ``size - 1`` that seed and purpose choose sends the number: a Feistel network on 32
    bits, passed until the result is below ``size``. Each further ``size`` numbers have a permutation of their own."""
    block, place = divmod(int(number), size)
    keys = stream(seed, purpose, block).integers(2**32, size=(_ROUNDS, 2)).tolist()
    while True:
        left, right = place >> 16, place & 0xFFFF
        for shift, factor in keys:
            left, right = right, left ^ ((right + shift) * (factor | 1) >> 16 & 0xFFFF)
        place = left << 16 | right
        if place < size:
            return place
