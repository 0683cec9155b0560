"""Langevin steps at one time of a diffusion, z <- z + step s + sqrt(2 step) eps.

As a sampler of its own it is annealed Langevin dynamics: the scores of noised densities, from much noise to little, so
that modes far apart, between which a plain chain never finds, are settled while they are still one. After another
sampler's step it is a corrector.

Source: Song and Ermon, "Generative modeling by estimating gradients of the data distribution", NeurIPS 2019; Song et
al., ICLR 2021, algorithms 4 and 5.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, score_from_mean
from molscore.core.samplers.sampler import Noise, Sampler, SamplerState


@dataclass(frozen=True)
class Langevin(Sampler):
    """A step from t to s takes the state for one at s, and stays there: `steps` Langevin steps.

    By `snr` a step is 2 (snr |eps| / |s|)², norms taken per sample, so that a sample does not depend on its batch
    mates. Two refinements. The norms are of sigma s, and the step is multiplied by sigma²: for a shared time nothing
    changes, and elements with times of their own get the step of their own noise level. And step <= sigma², which
    Langevin bears for every data distribution (the Hessian of -log p_t is at most 1 / sigma²). The norms presume
    samples of many dimensions: in two or three they are too noisy; choose `size` there.

    Attributes:
        steps: at each time.
        snr: signal-to-noise ratio of a step, dimensionless.
        size: of each step, in units of sigma², in place of `snr`; below 2 it is stable for every data distribution.
    """

    steps: int = 1
    snr: float = 0.16
    size: float | None = None

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        (z, carry, _), moves, sde = state, t > s, denoiser.sde
        _, sigma = sde.marginal(s)
        for _ in range(self.steps):
            eps = torch.where(moves, noise(z), 0)
            mean, carry = denoiser(z, s, carry)
            scaled = torch.where(moves, sigma * score_from_mean(sde, z, s, mean), 0)
            if self.size is None:
                step = (2 * self.snr**2 * _square_norm(eps) / _square_norm(scaled)).clamp(max=1)
            else:
                step = torch.as_tensor(self.size).to(z)
            z = torch.where(moves, z + step * sigma * scaled + (2 * step).sqrt() * sigma * eps, z)
        return SamplerState(z, carry)


def _square_norm(z: Tensor) -> Tensor:
    """Squared norm of each sample, `(N, 1, ...)`; never 0, so that it can divide."""
    return z.flatten(1).square().sum(1).clamp(min=torch.finfo(z.dtype).tiny).view(-1, *[1] * (z.ndim - 1))
