"""The score as a compass: Langevin dynamics, which climbs a density and wanders over its top.

    z <- z + h s(z) + sqrt(2 h) eps,        s = grad log p,   eps ~ N(0, I)

* `langevin_dynamics`: unadjusted. It needs the score alone; its stationary density is p but for an error of order h.
* `metropolis_langevin`: each step is a proposal, accepted with the probability of Metropolis and Hastings. It needs the
  density too, up to a constant, and leaves exactly p stationary: the reference for the others.
* `annealed_langevin`: the scores of noised densities, from much noise to little, with steps in proportion to sigma².
  Modes far apart, between which a plain chain never finds, are settled while they are still one.
* `langevin_corrector`: a few steps at one time of a diffusion, their size from the signal-to-noise ratio.

Source: Roberts and Tweedie, "Exponential convergence of Langevin distributions and their discrete approximations",
Bernoulli 2, 341 (1996); Song and Ermon, "Generative modeling by estimating gradients of the data distribution",
NeurIPS 2019; Song et al., ICLR 2021.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from molscore.core.sde import SDE, Score

Noise = Callable[[Tensor], Tensor]
"""`noise(z)`: a standard normal like `z`."""


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
    accepted, pull, log = 0.0, score(z), log_density(z)
    for _ in range(steps):
        proposal = z + step * pull + (2 * step) ** 0.5 * noise(z)
        pull_there, log_there = score(proposal), log_density(proposal)
        there = (proposal - z - step * pull).flatten(1).square().sum(1)
        back = (z - proposal - step * pull_there).flatten(1).square().sum(1)
        taken = uniform(log).log() < log_there - log + (there - back) / (4 * step)
        wide = taken.view(-1, *[1] * (z.ndim - 1))
        z, pull = torch.where(wide, proposal, z), torch.where(wide, pull_there, pull)
        log = torch.where(taken, log_there, log)
        accepted += taken.double().mean().item() / steps
    return z, accepted


def annealed_langevin(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "n *shape"],
    times: Float[Tensor, " knots"],
    noise: Noise,
    *,
    step: float = 0.1,
    steps: int = 20,
) -> Float[Tensor, "n *shape"]:
    """Langevin dynamics at one noise level after another, from noise to data.

    Args:
        sde: the forward process.
        score: `score(z, t)`.
        z: the state at `times[0]`, `(N, ...)`.
        times: falling, `(K,)`.
        noise: draws a standard normal like its argument.
        step: h at each level, in units of its sigma²; below 2 it is stable for every data distribution.
        steps: at each level.

    Returns:
        The state at `times[-1]`, like `z`.
    """
    for t in times.to(z):
        _, sigma = sde.marginal(t)
        z = langevin_dynamics(lambda x, t=t: score(x, t), z, step * sigma.item() ** 2, noise, steps)
    return z


def langevin_corrector(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "*shape"],
    t: Float[Tensor, "*t"],
    noise: Noise,
    moves: Bool[Tensor, "*t"] | bool = True,
    *,
    steps: int = 1,
    snr: float = 0.16,
) -> Float[Tensor, "*shape"]:
    """Langevin steps at one time: z <- z + step s + sqrt(2 step) eps with step = 2 (snr |eps| / |s|)².

    The norms are taken per sample, so that a sample does not depend on its batch mates. Two refinements. The norms are
    of sigma s, and the step is multiplied by sigma²: for a shared clock nothing changes, and elements with clocks of
    their own get the step of their own noise level. And step <= sigma², which Langevin bears for every data
    distribution (the Hessian of -log p_t is at most 1 / sigma²). The norms presume samples of many dimensions: in two
    or three they are too noisy.

    Args:
        sde: the forward process.
        score: `score(z, t)`.
        z: the state, `(N, ...)`; the first axis counts samples.
        t: the time, broadcasts against `z`.
        noise: draws a standard normal like its argument.
        moves: False for elements to leave as they are.
        steps: how many.
        snr: signal-to-noise ratio of a step, dimensionless.

    Returns:
        The state at the same time, like `z`.

    Source: Song et al. 2021, algorithms 4 and 5.
    """
    t, moves = t.to(z), torch.as_tensor(moves, device=z.device)
    _, sigma = sde.marginal(t)
    for _ in range(steps):
        eps = torch.where(moves, noise(z), 0)
        pull = torch.where(moves, sigma * score(z, t).to(z), 0)
        step = (2 * snr**2 * _square_norm(eps) / _square_norm(pull)).clamp(max=1)
        z = torch.where(moves, z + step * sigma * pull + (2 * step).sqrt() * sigma * eps, z)
    return z


def _square_norm(z: Tensor) -> Tensor:
    """Squared norm of each sample, `(N, 1, ...)`; never 0, so that it can divide."""
    return z.flatten(1).square().sum(1).clamp(min=torch.finfo(z.dtype).tiny).view(-1, *[1] * (z.ndim - 1))
