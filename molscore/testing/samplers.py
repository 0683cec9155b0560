"""Checks of samplers against targets that are known.

Two tools. *Draws* start from the prior and are compared with the exact noised target at the last time. *Affine probes*
need no random numbers: for a Gaussian target every sampler without norms maps a state and its normal draws e_1 ... e_K
affinely, z -> a z + b + sum_k c_k e_k. K + 2 rows with unit inputs read off a, b and every c_k, and with them mean and
variance of the result, to rounding.
"""

import math

import torch
from torch import Tensor

from molscore.core.denoiser import ScoreDenoiser
from molscore.core.mixture import Mixture
from molscore.core.samplers import Sampler
from molscore.core.sde import SDE, CosineVP, Score
from molscore.core.times import time_grid

GAUSSIAN = Mixture([1.0], [[0.7]], [[[0.25]]])
MODES = Mixture([0.3, 0.7], [[-1.2], [1.0]], [[[0.09]], [[0.16]]])
ROWS, COLUMNS, STEPS = 4, 6, 12
T_MIN = 1e-3


def check_sampler(sampler: Sampler, order: float, *, steps: int = 100, sde: SDE | None = None) -> None:
    """All that a sampler promises: its contract, the moments of what it samples, its order of convergence.

    Args:
        sampler: affine for Gaussian targets: without norms of the score, as the default of `Langevin` has.
        order: of the (weak) error of the variance in the step length.
        steps: with which moments are right within Monte-Carlo error.
        sde: the noising process; the cosine schedule by default.
    """
    check_contract(sampler, sde)
    check_moments(sampler, steps, sde)
    check_order(sampler, order, sde)


def check_contract(sampler: Sampler, sde: SDE | None = None) -> None:
    """Elements with times of their own run as if alone; those whose time stands still are left exactly as they are,
    even where the denoiser says nothing; samples do not depend on their batch mates; the state keeps its dtype."""
    sde = sde or CosineVP()
    exact, times = MODES.elementwise_score(sde), time_grid(STEPS, 0.01)
    start = torch.randn(ROWS, COLUMNS, dtype=torch.float64, generator=torch.Generator().manual_seed(9))

    def run(
        score: Score,
        rows: slice = slice(None),
        columns: slice = slice(None),
        knots: Tensor = times,
        dtype: torch.dtype = torch.float64,
    ) -> Tensor:
        denoiser, noise = ScoreDenoiser(sde, score), Tape(rows, columns)
        return sampler.sample(denoiser, start[rows, columns].to(dtype), knots, noise).z

    left, half = slice(0, 3), torch.arange(COLUMNS) < 3
    for held in (0.0, 0.3):
        own = times[:, None, None].repeat(1, 1, COLUMNS)
        own[..., 3:] = held
        z = run(lambda x, t: torch.where(half, exact(x, t), torch.nan), knots=own)
        _assert(torch.equal(z[:, 3:], start[:, 3:]), f"{sampler!r} changes elements whose time stands still at {held}")
        _close(z[:, left], run(exact, columns=left), f"{sampler!r}: elements do not run as if alone")
    whole = run(exact)
    for row in range(ROWS):
        rows = slice(row, row + 1)
        _close(run(exact, rows=rows), whole[rows], f"{sampler!r}: a sample depends on its batch mates")
    single = run(exact, dtype=torch.float32)
    _assert(single.dtype == torch.float32, f"{sampler!r} changes the dtype of the state to {single.dtype}")


def check_moments(sampler: Sampler, steps: int, sde: SDE | None = None, samples: int = 3200) -> None:
    """Mean, variance and weight of the modes of a mixture within four standard errors."""
    sde, generator = sde or CosineVP(), torch.Generator().manual_seed(0)

    def noise(z: Tensor) -> Tensor:
        return torch.randn(z.shape, dtype=z.dtype, generator=generator)

    z = sde.prior(noise(torch.empty(samples // 64, 64, dtype=torch.float64)))
    denoiser = ScoreDenoiser(sde, MODES.elementwise_score(sde))
    z = sampler.sample(denoiser, z, time_grid(steps, T_MIN, power=2.0), noise).z
    mean, variance = (x.item() for x in MODES.moments(sde, T_MIN))
    fourth, zero = MODES.fourth_moment(sde, T_MIN), torch.zeros((), dtype=torch.float64)
    above = MODES.probability_above(sde, T_MIN, zero).item()
    for name, value, expected, error in (
        ("mean", z.mean().item(), mean, (variance / z.numel()) ** 0.5),
        ("variance", z.var().item(), variance, ((fourth - variance**2) / z.numel()) ** 0.5),
        ("weight of the upper mode", (z > 0).double().mean().item(), above, (above * (1 - above) / z.numel()) ** 0.5),
    ):
        text = f"{sampler!r}: the {name} is {value:.4f}, not {expected:.4f} within 4 x {error:.4f}, after {steps} steps"
        _assert(abs(value - expected) < 4 * error, text)


def check_order(sampler: Sampler, order: float, sde: SDE | None = None, tolerance: float = 0.15) -> float:
    """The order of convergence within a share of what it ought to be; returns the measured one."""
    measured = measured_order(sampler, sde)
    _assert(abs(measured - order) < tolerance * order, f"{sampler!r} converges with order {measured:.2f}, not {order}")
    return measured


def measured_order(sampler: Sampler, sde: SDE | None = None, steps: int = 50) -> float:
    """log2 of the ratio of errors of a Gaussian's variance with so many steps and twice as many, from time 0.8 to 0.4,
    where every process is well away from its ends."""
    sde, errors = sde or CosineVP(), []
    for count in (steps, 2 * steps):
        times = time_grid(count, 0.4, 0.8)
        exact = GAUSSIAN.moments(sde, times[-1].item())[1].item()
        errors.append(abs(affine_moments(sampler, sde, GAUSSIAN, times)[1] / exact - 1))
    return math.log2(errors[0] / errors[1])


def affine_moments(sampler: Sampler, sde: SDE, target: Mixture, times: Tensor) -> tuple[float, float]:
    """Exact mean and variance of what a sampler makes of a 1-D Gaussian, from its exact marginal at `times[0]`."""
    calls = iter(range(10**6))
    count = 2 + len(times) - 1

    def noise(z: Tensor) -> Tensor:
        unit = torch.zeros_like(z)
        unit[2 + next(calls)] = 1
        return unit

    z = torch.zeros(count, 1, dtype=torch.float64)
    z[1] = 1
    z = sampler.sample(ScoreDenoiser(sde, target.elementwise_score(sde)), z, times, noise).z[:, 0]
    offset, slope, responses = z[0], z[1] - z[0], z[2:] - z[0]
    mean, variance = target.moments(sde, times[0].item())
    return (slope * mean + offset).item(), (slope**2 * variance + (responses**2).sum()).item()


class Tape:
    """A noise function that plays the same draws at every run, one a call, restricted to some rows and columns."""

    def __init__(self, rows: slice = slice(None), columns: slice = slice(None), seed: int = 0):
        self.generator, self.rows, self.columns = torch.Generator().manual_seed(seed), rows, columns

    def __call__(self, z: Tensor) -> Tensor:
        draw = torch.randn(ROWS, COLUMNS, dtype=torch.float64, generator=self.generator)
        return draw[self.rows, self.columns].to(z)


def _assert(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def _close(value: Tensor, expected: Tensor, text: str) -> None:
    torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-9, msg=lambda detail: f"{text}: {detail}")
