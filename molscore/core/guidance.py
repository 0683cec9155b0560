"""Guidance: other densities from the same denoiser, by what is added to its score.

    Guided      p(z) exp(-scale E(z)):  - scale grad_z E(D(z, t), t) is added, with D the posterior mean
    Replaced    what is known stays known: its posterior mean is itself
    Sum         a sum of scores on one schedule, such as products of densities, or classifier-free guidance
    RePaint     a sampler that goes each step several times, so that what is free agrees with what is known
    resample    particles in proportion to weights; `Steered` weighs them by a potential as they go along

`Guided` and `Replaced` are approximations for all but Gaussian data: the energy of the mean is not the mean energy.
`Steered` is exact as the number of particles grows, for any data; its particles may be guided by nothing else.

Source: Song et al., ICLR 2021, appendix I (conditioning); Chung et al., "Diffusion posterior sampling", ICLR 2023;
Lugmayr et al., "RePaint", CVPR 2022; Ho and Salimans, "Classifier-free diffusion guidance", 2022; Singhal et al., "A
general framework for inference-time scaling and steering of diffusion models" (Feynman-Kac steering), 2025; Douc and
Cappé, "Comparison of resampling schemes for particle filtering", 2005 (systematic resampling).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior, mean_from_score, score_from_mean
from molscore.core.samplers import Noise, Sampler, SamplerState
from molscore.reprs import short

Energy = Callable[[Tensor, Tensor], Tensor]
"""`energy(mean, t)`: one number for each sample, `(N,)`, differentiable in the mean; lower is better."""

Potential = Callable[[Tensor, Tensor], Tensor]
"""`potential(mean, t)`: the logarithm of a weight for each sample, `(N,)`; higher is better."""


class Guided(Denoiser):
    """Adds `-scale grad_z energy(mean(z, t), t)` to the score.

    Args:
        denoiser: to guide; it must be differentiable in the state.
        energy: see `Energy`.
        scale: strength of the guidance, dimensionless; a tensor broadcasts against the state.
    """

    def __init__(self, denoiser: Denoiser, energy: Energy, scale: float | Tensor = 1.0):
        self.denoiser, self.energy, self.scale, self.sde = denoiser, energy, scale, denoiser.sde

    def __repr__(self) -> str:
        return f"Guided({self.denoiser!r}, {self.energy!r}, scale={short(self.scale)})"

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        with torch.enable_grad():
            moving = z.detach().requires_grad_()
            mean, carry = self.denoiser(moving, t, carry)
            (slope,) = torch.autograd.grad(self.energy(mean, t).sum(), moving)
        mean = mean.detach()
        score = score_from_mean(self.sde, z, t, mean) - self.scale * slope
        return Posterior(mean_from_score(self.sde, z, t, score), detached(carry))


class Replaced(Denoiser):
    """Some elements are known: their posterior mean is what is known, so that they go to it on their own.

    Their noisy states on the way are draws given the clean ones, as if known elements had been noised and put back
    after each step. The others only see these noisy states: for what they know of one another at other noise levels,
    see `RePaint`. Elements that are given, at time 0, need no replacement.

    Args:
        denoiser: of all elements.
        known: clean values; it broadcasts against the state.
        mask: bool, where they hold; it broadcasts too.
        release: time below which nothing is replaced any more; a tensor broadcasts against the state.
    """

    def __init__(self, denoiser: Denoiser, known: Tensor, mask: Tensor, release: float | Tensor = 0.0):
        self.denoiser, self.known, self.mask, self.release = denoiser, known, mask, release
        self.sde = denoiser.sde

    def __repr__(self) -> str:
        return f"Replaced({self.denoiser!r}, {int(self.mask.sum())} elements known, release={short(self.release)})"

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        mean, carry = self.denoiser(z, t, carry)
        release = self.release.to(z) if isinstance(self.release, Tensor) else self.release
        held = self.mask.to(z.device) & (t > release)
        return Posterior(torch.where(held, self.known.to(z), mean), carry)


class Sum(Denoiser):
    """The weighted sum of scores: of the density prod_k p_k(z)^weight_k at each noise level.

    Args:
        denoisers: of one schedule, that of the first.
        weights: of each; all 1 by default. ``[1 + w, -w]`` of a conditioned and an unconditioned denoiser is
            classifier-free guidance.

    Raises:
        ValueError: without denoisers, or for another number of weights, or for other schedules.
    """

    def __init__(self, denoisers: Sequence[Denoiser], weights: Sequence[float] | None = None):
        self.denoisers = list(denoisers)
        self.weights = [1.0] * len(self.denoisers) if weights is None else list(weights)
        if not self.denoisers or len(self.weights) != len(self.denoisers):
            raise ValueError(f"{len(self.denoisers)} denoisers need as many weights, not {len(self.weights)}")
        self.sde = self.denoisers[0].sde
        if any(other.sde != self.sde for other in self.denoisers):
            raise ValueError("scores can only be added on one schedule; these denoisers have several")

    def __repr__(self) -> str:
        return f"Sum({self.denoisers!r}, weights={self.weights})"

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        carries = carry or [None] * len(self.denoisers)
        parts = [denoiser(z, t, own) for denoiser, own in zip(self.denoisers, carries, strict=True)]
        scores = (
            weight * score_from_mean(self.sde, z, t, part.mean)
            for weight, part in zip(self.weights, parts, strict=True)
        )
        score = torch.stack(list(scores)).sum(0)
        return Posterior(mean_from_score(self.sde, z, t, score), [part.carry for part in parts])


@dataclass(frozen=True)
class RePaint(Sampler):
    """Goes each step of a sampler several times: to s, back to t by the forward process, and to s again.

    With `Replaced`, what is free gets to agree with what is known. A sampler that remembers the step before remembers
    the same one each time.

    Attributes:
        sampler: whose steps are taken.
        times: how often each.
    """

    sampler: Sampler
    times: int = 10

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.sde.marginal(t), denoiser.sde.marginal(s)
        shrunk = alpha_t / alpha_s
        spread = (sigma_t**2 - (shrunk * sigma_s) ** 2).clamp(min=0).sqrt()
        memory = state.memory
        for k in range(self.times):
            if k:
                back = shrunk * state.z + spread * noise(state.z)
                state = state._replace(z=torch.where(t > s, back, state.z), memory=memory)
            ahead = self.sampler.step(denoiser, state, t, s, noise)
            state = ahead._replace(z=torch.where(t > s, ahead.z, state.z))
        return state


class _Weights(NamedTuple):
    """The memory of `Steered`."""

    inner: Any
    log_weights: Tensor
    potential: Tensor


@dataclass(frozen=True, eq=False)
class Steered(Sampler):
    """Feynman-Kac steering: sequential Monte Carlo over the particles of a sampler.

    After each step the weight of a particle grows by the change of its potential; where the effective sample size of a
    group falls below `threshold`, its particles are resampled. In the end, after `settled`, they are draws of
    p(z) exp(potential(z)), exactly so as their number grows, if the last potential is that of the clean state; the
    earlier ones are free.

    Attributes:
        sampler: whose steps are taken; it must be stochastic, lest copies stay copies.
        potential: see `Potential`.
        uniform: draws uniform numbers in [0, 1) like its argument, one for each group.
        particles: in a group; the batch is whole groups, side by side.
        threshold: share of the group below which the effective sample size may not fall.
    """

    sampler: Sampler
    potential: Potential
    uniform: Callable[[Tensor], Tensor]
    particles: int
    threshold: float = 0.5

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        state, posterior = self._weighed(denoiser, state, t)
        asked = _Asked(denoiser, state.z, t, posterior)
        ahead = self.sampler.step(asked, state._replace(memory=state.memory.inner), t, s, noise)
        return ahead._replace(memory=state.memory._replace(inner=ahead.memory))

    def settled(self, denoiser: Denoiser, state: SamplerState, t: Tensor) -> SamplerState:
        """The particles at the last time `t`, weighed there, and resampled a last time."""
        state, _ = self._weighed(denoiser, state, t.to(state.z), last=True)
        return state._replace(memory=None)

    def _weighed(
        self, denoiser: Denoiser, state: SamplerState, t: Tensor, last: bool = False
    ) -> tuple[SamplerState, Posterior]:
        posterior = denoiser(state.z, t, state.carry)
        potential = self.potential(posterior.mean, t).to(state.z)
        zeros = torch.zeros_like(potential)
        memory = state.memory or _Weights(None, zeros, zeros)
        log_weights = (memory.log_weights + potential - memory.potential).view(-1, self.particles)
        scarce = effective_sample_size(log_weights) < self.threshold * self.particles
        scarce = torch.ones_like(scarce) if last else scarce
        if scarce.any():
            kept = torch.arange(self.particles, device=potential.device).expand_as(log_weights)
            chosen = torch.where(scarce[:, None], resample(log_weights, self.uniform(log_weights[:, 0])), kept)
            first = torch.arange(0, len(potential), self.particles, device=potential.device)
            index = (chosen + first[:, None]).flatten()
            inner = chosen_rows(memory.inner, index, state.z.ndim)  # what broadcasts against the state has no rows
            state = SamplerState(state.z[index], chosen_rows(state.carry, index))
            posterior, potential = chosen_rows(posterior, index), potential[index]
            memory = memory._replace(inner=inner)
            log_weights = torch.where(scarce[:, None], 0, log_weights)
        return state._replace(memory=_Weights(memory.inner, log_weights.flatten(), potential)), posterior


class _Asked(Denoiser):
    """A denoiser whose answer to one question is known already."""

    def __init__(self, denoiser: Denoiser, z: Tensor, t: Tensor, answer: Posterior):
        self.denoiser, self.sde, self.question, self.answer = denoiser, denoiser.sde, (z, t), answer

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        known = z is self.question[0] and t is self.question[1]
        return self.answer if known else self.denoiser(z, t, carry)


def effective_sample_size(log_weights: Float[Tensor, "groups n"]) -> Float[Tensor, " groups"]:
    """(sum w)² / sum w² of each group: n if all weights are the same, 1 if only one counts."""
    return torch.exp(2 * log_weights.logsumexp(1) - (2 * log_weights).logsumexp(1))


def resample(log_weights: Float[Tensor, "groups n"], uniform: Float[Tensor, " groups"]) -> Int[Tensor, "groups n"]:
    """Systematic resampling: which particle takes each of the n places of its group.

    A particle of the share w of its group's weight gets floor(n w) or ceil(n w) places.

    Args:
        log_weights: up to a constant for each group.
        uniform: a uniform number in [0, 1) for each group.
    """
    n = log_weights.shape[1]
    points = (torch.arange(n).to(log_weights) + uniform[:, None]) / n
    edges = log_weights.softmax(1).cumsum(1)
    edges = edges / edges[:, -1:]
    return torch.searchsorted(edges.contiguous(), points.contiguous(), right=True).clamp(max=n - 1)


def chosen_rows(value: Any, index: Tensor, ndim: int | None = None) -> Any:
    """Rows of every tensor in a nest of tuples, lists and dictionaries; only of those of `ndim` axes, if that is given.

    A tensor of a single row, where there are several, is that of all and stays as it is.
    """

    def rows(x: Tensor) -> Tensor:
        return x if len(x.shape) != (ndim or x.ndim) or x.ndim == 0 or len(x) != len(index) else x[index]

    return _each(value, rows)


def detached(value: Any) -> Any:
    """Every tensor in a nest, without its history."""
    return _each(value, Tensor.detach)


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(item, change) for item in value))
    if isinstance(value, tuple | list):
        return type(value)(_each(item, change) for item in value)
    return value
