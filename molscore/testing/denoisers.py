"""Checks of denoisers: the same question, the same answer; what is given stays; nobody's answer is another's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior


def check_denoiser(denoiser: Denoiser, z: Tensor, t: Tensor, carry: Any = None) -> None:
    """`check_purity` and `check_given`."""
    check_purity(denoiser, z, t, carry)
    check_given(denoiser, z, t, carry)


def check_purity(denoiser: Denoiser, z: Tensor, t: Tensor, carry: Any = None, threads: int = 4) -> None:
    """The same arguments give the same answer, bit for bit: again, after other questions, from several threads, and
    the arguments are left as they are.

    Args:
        denoiser: to ask.
        z, t, carry: what it is asked.
        threads: that ask at a time.
    """
    before = z.clone(), t.clone()
    first = denoiser(z, t, carry)
    _assert_same(denoiser(z, t, carry), first, "asked again, the denoiser says something else")
    denoiser(z + 1, t, first.carry)
    denoiser(-z, t)
    _assert_same(denoiser(z, t, carry), first, "after other questions the denoiser says something else")
    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(lambda k: denoiser(z if k % 2 else z + k, t, carry), range(2 * threads)))
    for k, answer in enumerate(answers):
        if k % 2:
            _assert_same(answer, first, "among other threads the denoiser says something else")
    if not (torch.equal(z, before[0]) and torch.equal(t, before[1])):
        raise AssertionError("the denoiser changes what it is given")


def check_given(denoiser: Denoiser, z: Tensor, t: Tensor, carry: Any = None) -> None:
    """Where the time is 0 the mean is the state itself, and the score is 0; all numbers are finite.

    Args:
        denoiser: to ask.
        z, carry: what it is asked.
        t: some times that are not 0; a part of them is asked at 0 too.
    """
    for held in (torch.zeros_like(t), torch.where(torch.rand_like(t) < 0.5, 0, t)):
        mean, score = denoiser(z, held, carry).mean, denoiser.score(z, held)
        given = (held == 0).expand(z.shape)
        if not torch.equal(mean[given], z[given]):
            raise AssertionError("what is given, at time 0, is not its own mean")
        if score[given].any():
            raise AssertionError("what is given, at time 0, has a score that is not 0")
        if not (mean.isfinite().all() and score.isfinite().all()):
            raise AssertionError("with some elements given, mean or score are not finite")


def check_batch_independence(make: Callable[[slice], Denoiser], z: Tensor, t: Tensor, tolerance: float = 1e-5) -> None:
    """A row's answer is the same alone and among others.

    Args:
        make: a denoiser for some rows of the batch.
        z: states of all rows.
        t: times, a row for each or one for all.
        tolerance: of the largest number in the mean, for the rounding of sums in another order.
    """
    whole = make(slice(0, len(z))).mean(z, t)
    largest = float(whole.abs().max())
    for row in range(len(z)):
        rows = slice(row, row + 1)
        own = t[rows] if t.ndim == z.ndim and len(t) == len(z) else t
        off = float((make(rows).mean(z[rows], own) - whole[rows]).abs().max())
        if off > tolerance * largest:
            raise AssertionError(f"row {row} alone is {off:.3g} away from what it is among others")


def _assert_same(answer: Posterior, first: Posterior, text: str) -> None:
    if not torch.equal(answer.mean, first.mean):
        off = float((answer.mean - first.mean).abs().max())
        raise AssertionError(f"{text}, by up to {off:.3g}")
