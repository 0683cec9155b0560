"""Euler–Maruyama steps of the reverse SDE, dz = [f - g² s] dt + g dw: weak order 1, one evaluation a step.

Source: Song et al., ICLR 2021, section 4.1.
"""

from dataclasses import dataclass

from torch import Tensor

from molscore.core.denoiser import Denoiser, score_from_mean
from molscore.core.samplers.sampler import Noise, Sampler, SamplerState


@dataclass(frozen=True)
class EulerMaruyama(Sampler):
    """See the module."""

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        z, sde, dt = state.z, denoiser.sde, t - s
        mean, carry = denoiser(z, t, state.carry)
        g = sde.diffusion(t)
        drift = sde.drift(z, t) - g**2 * score_from_mean(sde, z, t, mean)
        return SamplerState(z - dt * drift + dt.sqrt() * g * noise(z), carry)
