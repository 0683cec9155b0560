"""Checks for those who add a sampler, a denoiser or a network: what everything of its kind has to fulfil.

Each check raises `AssertionError` with a sentence, and returns nothing or what it measured. They are the checks that
the package is tested with itself; for use in a test of your own, e.g.

    from molscore.testing import check_sampler

    def test_mine():
        check_sampler(MySampler(), order=2)
"""

from molscore.testing.denoisers import check_batch_independence, check_denoiser, check_given, check_purity
from molscore.testing.equivariance import check_equivariance, check_permutation, check_reflection, orthogonal
from molscore.testing.samplers import (
    affine_moments,
    check_contract,
    check_moments,
    check_order,
    check_sampler,
    measured_order,
)

__all__ = [
    "affine_moments",
    "check_batch_independence",
    "check_contract",
    "check_denoiser",
    "check_equivariance",
    "check_given",
    "check_moments",
    "check_order",
    "check_permutation",
    "check_purity",
    "check_reflection",
    "check_sampler",
    "measured_order",
    "orthogonal",
]
