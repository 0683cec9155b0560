"""Steering: sequential Monte Carlo over the particles of a sampler.

    resample    particles in proportion to weights
    Steered     a sampler whose particles are weighed by a potential as they go along

`Steered` is exact as the number of particles grows, for any data and any denoiser whose sampler draws from its density.
With guided particles it samples the guided density times the weights: what guidance leaves undone, the weights do.

Source: Singhal et al., "A general framework for inference-time scaling and steering of diffusion models" (Feynman-Kac
steering), 2025; Wu et al., "Practical and asymptotically exact conditional sampling in diffusion models", NeurIPS 2023;
Douc and Cappé, "Comparison of resampling schemes for particle filtering", 2005 (systematic resampling).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior
from molscore.core.nest import chosen_rows
from molscore.core.samplers import Noise, Sampler, SamplerState

Potential = Callable[[Posterior, Tensor], Tensor]
"""`potential(posterior, t)`: the logarithm of a weight for each sample, `(N,)`; higher is better."""


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
        potential = self.potential(posterior, t).to(state.z)
        zeros = torch.zeros_like(potential)
        memory = state.memory or _Weights(None, zeros, zeros)
        log_weights = (memory.log_weights + potential - memory.potential).view(-1, self.particles)
        scarce = effective_sample_size(log_weights) < self.threshold * self.particles
        scarce = torch.ones_like(scarce) if last else scarce
        uniform = self.uniform(log_weights[:, 0])  # also where nothing is scarce: no group waits upon another
        if scarce.any():
            kept = torch.arange(self.particles, device=potential.device).expand_as(log_weights)
            chosen = torch.where(scarce[:, None], resample(log_weights, uniform), kept)
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
