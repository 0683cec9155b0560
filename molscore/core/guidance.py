"""Guidance: other densities from the same denoiser, by what is added to its score.

    Guided      p(z) exp(-scale E(z)):  - scale grad_z E(D(z, t), t) is added, with D the posterior mean
    Replaced    what is known stays known: its posterior mean is itself
    Sum         a sum of scores on one schedule, such as products of densities, or classifier-free guidance
    RePaint     a sampler that goes each step several times, so that what is free agrees with what is known

`Guided` and `Replaced` are approximations for all but Gaussian data: the energy of the mean is not the mean energy.
`molscore.core.steering.Steered` is exact as the number of its particles grows, and these may be guided.

Source: Song et al., ICLR 2021, appendix I (conditioning); Chung et al., "Diffusion posterior sampling", ICLR 2023;
Song et al., "Pseudoinverse-guided diffusion models", ICLR 2023 (a Gaussian posterior of known covariance); Lugmayr et
al., "RePaint", CVPR 2022; Ho and Salimans, "Classifier-free diffusion guidance", 2022.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior, mean_from_score, score_from_mean
from molscore.core.nest import detached
from molscore.core.samplers import Noise, Sampler, SamplerState
from molscore.reprs import short

Energy = Callable[[Tensor, Tensor], Tensor]
"""`energy(mean, t)`: one number for each sample, `(N,)`, differentiable in the mean; lower is better."""


class Guided(Denoiser):
    """Adds `-scale grad_z energy(mean(z, t), t)` to the score.

    With a `variance` the network is not differentiated: the posterior is taken as a Gaussian of the covariance
    `c = variance sigma² / (sigma² + variance alpha²)`, as if data were normal with this variance in all directions, and
    the mean moves by `-scale c grad_mean energy(mean, t)`. That costs next to nothing beside the network.

    Args:
        denoiser: to guide; without a variance it must be differentiable in the state.
        energy: see `Energy`.
        scale: strength of the guidance, dimensionless; a tensor broadcasts against the state.
        variance: of the clean data, in the state's units squared; a tensor broadcasts against the state.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        energy: Energy,
        scale: float | Tensor = 1.0,
        variance: float | Tensor | None = None,
    ):
        self.denoiser, self.energy, self.scale, self.variance = denoiser, energy, scale, variance
        self.sde = denoiser.sde

    def __repr__(self) -> str:
        variance = "" if self.variance is None else f", variance={short(self.variance)}"
        return f"Guided({self.denoiser!r}, {self.energy!r}, scale={short(self.scale)}{variance})"

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        if self.variance is not None:
            mean, carry = self.denoiser(z, t, carry)
            return Posterior(self.moved(mean, t, self._slope(mean, t)), detached(carry))
        with torch.enable_grad():
            moving = z.detach().requires_grad_()
            mean, carry = self.denoiser(moving, t, carry)
            (slope,) = torch.autograd.grad(self.energy(mean, t).sum(), moving)
        mean = mean.detach()
        score = score_from_mean(self.sde, z, t, mean) - self.scale * slope
        return Posterior(mean_from_score(self.sde, z, t, score), detached(carry))

    def moved(self, mean: Tensor, t: Tensor, slope: Tensor) -> Tensor:
        """The mean of the guided posterior, if there is a variance; those who know the posterior better override it.

        Args:
            mean: of the posterior that is guided.
            t: times that broadcast against it.
            slope: of the energy in the mean.
        """
        assert self.variance is not None
        alpha, sigma = self.sde.marginal(t)
        return mean - self.scale * self.variance * sigma**2 / (sigma**2 + self.variance * alpha**2) * slope

    def _slope(self, mean: Tensor, t: Tensor) -> Tensor:
        with torch.enable_grad():
            moving = mean.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.energy(moving, t).sum(), moving)
        return slope


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
