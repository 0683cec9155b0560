"""Langevin dynamics on one density, which climbs it and wanders over its top. It needs no diffusion.

    z <- z + h s(z) + sqrt(2 h) eps,        s = grad log p,   eps ~ N(0, I)

* `langevin_dynamics`: unadjusted. It needs the score alone; its stationary density is p but for an error of order h.
* `metropolis_langevin`: each step is a proposal, accepted with the probability of Metropolis and Hastings. It needs the
  density too, up to a constant, and leaves exactly p stationary: the reference for the others.

Along the noise levels of a diffusion: `molscore.core.samplers.Langevin`.

Source: Roberts and Tweedie, "Exponential convergence of Langevin distributions and their discrete approximations",
Bernoulli 2, 341 (1996).
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.samplers import Noise


def langevin_dynamics(
    score: Callable[[Tensor], Tensor], z: Float[Tensor, "n *shape"], step: float, noise: Noise, steps: int
) -> Float[Tensor, "n *shape"]:
    """Unadjusted Langevin dynamics.

    Args:
        score: `score(z)`.
        z: where to begin, `(N, ...)`.
        step: h, in squared units of `z`; stable below 2 / (largest curvature of -log p).
        noise: draws a standard normal like its argument.
        steps: how many.

    Returns:
        The states after the last step, like `z`.
    """
    for _ in range(steps):
        z = z + step * score(z) + (2 * step) ** 0.5 * noise(z)
    return z


def metropolis_langevin(
    score: Callable[[Tensor], Tensor],
    log_density: Callable[[Tensor], Tensor],
    z: Float[Tensor, "n *shape"],
    step: float,
    noise: Noise,
    uniform: Callable[[Tensor], Tensor],
    steps: int,
) -> tuple[Float[Tensor, "n *shape"], float]:
    """Metropolis-adjusted Langevin dynamics (MALA).

    Args:
        score: `score(z)`, the gradient of `log_density`. Any other field gives worse proposals, not another density.
        log_density: log p(z) up to a constant, `(N,)`.
        z: where to begin, `(N, ...)`.
        step: h, in squared units of `z`.
        noise: draws a standard normal like its argument.
        uniform: draws uniform numbers in [0, 1) like its argument.
        steps: how many.

    Returns:
        The states after the last step, and the share of proposals that were accepted.
    """
    accepted, slope, log = 0.0, score(z), log_density(z)
    for _ in range(steps):
        proposal = z + step * slope + (2 * step) ** 0.5 * noise(z)
        slope_there, log_there = score(proposal), log_density(proposal)
        there = (proposal - z - step * slope).flatten(1).square().sum(1)
        back = (z - proposal - step * slope_there).flatten(1).square().sum(1)
        taken = uniform(log).log() < log_there - log + (there - back) / (4 * step)
        wide = taken.view(-1, *[1] * (z.ndim - 1))
        z, slope = torch.where(wide, proposal, z), torch.where(wide, slope_there, slope)
        log = torch.where(taken, log_there, log)
        accepted += taken.double().mean().item() / steps
    return z, accepted
