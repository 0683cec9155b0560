"""Heun steps of the probability-flow ODE, dz = [f - g² s / 2] dt: order 2, deterministic, two evaluations a step.

Source: Song et al., ICLR 2021, section 4.3; Heun's method as in Karras et al. 2022, algorithm 1.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, score_from_mean
from molscore.core.samplers.sampler import Noise, Sampler, SamplerState


@dataclass(frozen=True)
class Heun(Sampler):
    """See the module. It asks the denoiser at the last time too, and draws no noise."""

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        z, dt = state.z, t - s
        slope, carry = _slope(denoiser, z, t, state.carry)
        ahead = torch.where(t > s, z - dt * slope, z)
        there, carry = _slope(denoiser, ahead, s, carry)
        return SamplerState(z - dt * (slope + there) / 2, carry)


def _slope(denoiser: Denoiser, z: Tensor, t: Tensor, carry: Any) -> tuple[Tensor, Any]:
    sde = denoiser.sde
    mean, carry = denoiser(z, t, carry)
    return sde.drift(z, t) - sde.diffusion(t) ** 2 * score_from_mean(sde, z, t, mean) / 2, carry
