"""From field to flow: the probability-flow ODE as a map between data and noise, and the likelihood along it.

    dz/dt = u(z, t) = f(z, t) - g² s(z, t) / 2,         log p_t0(z_t0) = log p_1(z_1) + integral of div u from t0 to 1.

The flow is deterministic and can be run both ways: what is near stays near, a line between two latents is a path
between two data. The divergence of the drift, f = f' z, is known; that of the score is exact (one backward pass for
each dimension) or Hutchinson's estimate along fixed probes, whose spread gives a standard error.

The density is that of the noised data at t0, noise floor included. Source: Song et al., ICLR 2021, section 4.3 and
appendix D.2; Grathwohl et al., FFJORD, ICLR 2019. Solvers: torchdiffeq (Chen et al., NeurIPS 2018), which
loads all of SciPy's integrators: only who integrates waits for them.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from molscore.core.divergence import estimated_divergence, exact_divergence
from molscore.core.sde import SDE, Score
from molscore.reprs import short_repr

ADAPTIVE = ("dopri8", "dopri5", "bosh3", "fehlberg2", "adaptive_heun")
"""Solvers of torchdiffeq that choose their steps. They look beyond the last time unless told to stop there."""


class Likelihood(NamedTuple):
    """Log-likelihood of each sample.

    Attributes:
        log_prob: `(N,)`, nats, of the density at t0.
        standard_error: `(N,)`, nats, from the spread between probes; zero for exact divergences, nan for one probe.
        latent: `(N, ...)`, the state at t1.
    """

    log_prob: Tensor
    standard_error: Tensor
    latent: Tensor

    def __repr__(self) -> str:
        return short_repr(self)


def flow(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "n *shape"],
    t_from: float,
    t_to: float,
    *,
    method: str = "dopri5",
    rtol: float = 1e-6,
    atol: float = 1e-6,
    options: dict[str, Any] | None = None,
) -> Float[Tensor, "n *shape"]:
    """Carries states along the probability-flow ODE, in either direction.

    Args:
        sde: the noising process.
        score: `score(z, t)`; t is a scalar tensor.
        z: states at `t_from`, `(N, ...)`.
        t_from, t_to: times in [0, 1]; keep off 0 where sigma(0) = 0.
        method: a solver of torchdiffeq; `dopri5` adapts its steps, and is as exact as `rtol` and `atol` say.
        rtol, atol: tolerances of an adaptive solver.
        options: of the solver, such as ``{"step_size": 0.02}`` for one of fixed steps.

    Returns:
        The states at `t_to`, like `z`.
    """
    from torchdiffeq import odeint

    reverse = sde.reverse(score)
    times = torch.tensor([t_from, t_to], dtype=z.dtype, device=z.device)
    solver = {"method": method, "rtol": rtol, "atol": atol, "options": _stopping(method, times, options)}
    with torch.no_grad():
        return odeint(lambda t, x: reverse.flow(x, t), z, times, **solver)[-1]


def log_likelihood(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "n *shape"],
    t0: float,
    *,
    t1: float = 1.0,
    probes: Float[Tensor, "p n *shape"] | None = None,
    log_prior: Callable[[Tensor], Tensor] | None = None,
    dimensions: Float[Tensor, " n"] | None = None,
    method: str = "dopri5",
    rtol: float = 1e-5,
    atol: float = 1e-5,
    options: dict[str, Any] | None = None,
) -> Likelihood:
    """Log-likelihood by the change of variables along the flow.

    Args:
        sde: the noising process.
        score: `score(z, t)`; t is a scalar tensor. For probes, or exact divergences, it must be differentiable in z.
        z: states at `t0`, `(N, ...)`.
        t0: the time of the data, in [0, 1); above 0 where sigma(0) = 0.
        t1: the time at which the prior is taken for the density.
        probes: `(P, N, ...)`, E[v v'] = I on the space that the states live in; None for exact divergences.
        log_prior: log-density of the state at t1, `(N,)`; default: the Gaussian of deviation sigma(1) over all
            elements. States on a subspace need their own.
        dimensions: `(N,)` dimensions of the space, for the divergence of the drift; default: the number of elements.
        method, rtol, atol, options: of the solver, see `flow`.

    Returns:
        Log-likelihoods in nats, their standard errors, the latents.
    """
    from torchdiffeq import odeint

    dimensions = z.new_full((len(z),), z[0].numel()) if dimensions is None else dimensions.to(z)
    columns = 1 if probes is None else len(probes)

    def slope(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x = state[0]
        if probes is None:
            value, traced = exact_divergence(lambda y: score(y, t).to(y), x)
            traced = traced[None]
        else:
            value, traced = estimated_divergence(lambda y: score(y, t).to(y), x, probes)
        weight = sde.diffusion(t) ** 2 / 2
        rate = sde.drift(torch.ones_like(t), t)  # the drift is linear: f(z, t) = rate z
        return sde.drift(x, t) - weight * value, rate * dimensions - weight * traced

    times = torch.tensor([t0, t1], dtype=z.dtype, device=z.device)
    start = (z, z.new_zeros(columns, len(z)))
    solver = {"method": method, "rtol": rtol, "atol": atol, "options": _stopping(method, times, options)}
    with torch.no_grad():
        latents, gains = odeint(slope, start, times, **solver)
        latent, gain = latents[-1], gains[-1]
        prior = (log_prior or _gaussian(sde, t1))(latent)
    error = torch.full_like(prior, 0.0 if probes is None else math.nan)
    if columns > 1:
        error = gain.std(0) / math.sqrt(columns)
    return Likelihood(prior + gain.mean(0), error, latent)


def log_likelihood_on_grid(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "n *shape"],
    times: Float[Tensor, " knots"],
    probes: Callable[[], Float[Tensor, "p n *shape"]],
    *,
    log_prior: Callable[[Tensor], Tensor] | None = None,
    dimensions: Float[Tensor, " n"] | None = None,
) -> Likelihood:
    """The same for large networks: one evaluation of score and divergence at each of some times.

    With y = z / alpha and l = log(sigma / alpha) the flow is dy/dl = y - D, D being the posterior mean. A step takes
    the linear part exactly and D by its linear extrapolation from two knots (DPM-Solver++(2M), Lu et al. 2022, run
    towards the noise); the integral of the divergence, (d - div_y D) dl = -sigma² div s dl, is taken by the trapezoidal
    rule. Probes are fresh at every knot: that leaves less noise in the sum than fixed ones would, and their spread,
    knot by knot, tells how much.

    Args:
        sde, score, z, log_prior, dimensions: as for `log_likelihood`; `times` hold its t0 and t1 at their ends.
        times: rising, `(K + 1,)`.
        probes: draws new ones at every call, two or more; E[v v'] = I on the space that the states live in.

    Returns:
        Log-likelihoods in nats, their standard errors (nan for one probe), the latents.
    """
    dimensions = z.new_full((len(z),), z[0].numel()) if dimensions is None else dimensions.to(z)
    knots = times.to(z)
    alphas, sigmas = sde.marginal(knots)
    level = -sde.log_snr(knots) / 2
    steps = level.diff()
    widths = (nn.functional.pad(steps, (0, 1)) + nn.functional.pad(steps, (1, 0))) / 2  # of the trapezoidal rule
    y, gain, noise = z / alphas[0], z.new_zeros(()), z.new_zeros(())
    mean_last: Tensor | None = None
    for k, t in enumerate(knots):
        value, traced = estimated_divergence(partial(_scored, score, t), alphas[k] * y, probes())
        rates = -widths[k] * sigmas[k] ** 2 * traced
        gain = gain + rates.mean(0)
        noise = noise + (rates.var(0) / len(rates) if len(rates) > 1 else math.nan * gain)
        if k < len(steps):
            mean = y + sigmas[k] ** 2 / alphas[k] * value
            ahead = mean if mean_last is None else mean + (mean - mean_last) * steps[k] / (2 * steps[k - 1])
            y = y * torch.exp(steps[k]) - torch.expm1(steps[k]) * ahead
            mean_last = mean
    latent = alphas[-1] * y
    shrunk = dimensions * (alphas[-1].log() - alphas[0].log())
    prior = (log_prior or _gaussian(sde, float(knots[-1])))(latent)
    return Likelihood(prior + shrunk + gain, noise.sqrt(), latent)


def _scored(score: Score, t: Tensor, z: Tensor) -> Tensor:
    """The score as a field at one time, of the dtype of the state."""
    return score(z, t).to(z)


def _stopping(method: str, times: Tensor, options: dict[str, Any] | None) -> dict[str, Any]:
    """Options with which a solver never asks for a score beyond the last time, where there is none."""
    return ({"step_t": times[-1:]} if method in ADAPTIVE else {}) | (options or {})


def _gaussian(sde: SDE, t: float = 1.0) -> Callable[[Tensor], Tensor]:
    """Log-density of the Gaussian of deviation sigma(t), over all elements."""

    def log_prior(latent: Tensor) -> Tensor:
        _, sigma = sde.marginal(latent.new_full((), t))
        flat = latent.flatten(1) / sigma
        return -(flat**2 + 2 * sigma.log() + math.log(2 * math.pi)).sum(1) / 2

    return log_prior
