"""The SDEs and the targets that the tests of the core share."""

import pytest
import torch
from torch import Tensor

from molscore.core.denoiser import ScoreDenoiser
from molscore.core.mixture import Mixture
from molscore.core.samplers import Sampler
from molscore.core.sde import VE, CosineVP, LinearVP, SubVP
from molscore.core.times import time_grid

SDES = {"linear": LinearVP(), "cosine": CosineVP(), "subvp": SubVP(), "ve": VE()}


T_MIN = 1e-3
DOUBLE = torch.float64

processes = pytest.mark.parametrize("name", ["cosine", "ve", "linear"])


def normal(seed: int):
    """Standard normal noise of a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    return lambda z: torch.randn(z.shape, dtype=z.dtype, generator=generator)


def uniform(seed: int):
    """The same of uniform numbers."""
    generator = torch.Generator().manual_seed(seed)
    return lambda z: torch.rand(z.shape, dtype=z.dtype, generator=generator)


def grid(name: str, steps: int = 100) -> Tensor:
    """Times that suit the SDE of this name."""
    return time_grid(steps, T_MIN, power=1.0 if name == "ve" else 2.0)


def gaussian(mean: float, deviation: float) -> Mixture:
    """A 1-D Gaussian."""
    return Mixture([1.0], [[mean]], [[[deviation**2]]])


TWO_MODES = Mixture([0.3, 0.7], [[-1.2], [1.0]], [[[0.09]], [[0.16]]])
"""A 1-D mixture whose modes part at 0."""

PLANE = Mixture([1.0], [[0.5, -1.0]], [[[0.8, 0.5], [0.5, 0.6]]])
"""A correlated Gaussian in the plane."""

PLANE_MODES = Mixture(
    [0.4, 0.6], [[-1.0, 0.5], [1.2, -0.4]], [[[0.20, 0.12], [0.12, 0.10]], [[0.10, -0.06], [-0.06, 0.25]]]
)
"""A mixture of two correlated Gaussians in the plane."""


def run(sampler: Sampler, sde, score, z, times, noise, **options) -> Tensor:
    """The state at the last time, by a score that is known."""
    return sampler.sample(ScoreDenoiser(sde, score), z, times, noise, **options).z
