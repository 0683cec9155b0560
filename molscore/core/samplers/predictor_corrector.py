"""Predictor–corrector: a step of one sampler, then steps of another at the new time.

Source: Song et al., ICLR 2021, algorithms 2 to 5.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser
from molscore.core.samplers.euler_maruyama import EulerMaruyama
from molscore.core.samplers.langevin import Langevin
from molscore.core.samplers.sampler import Noise, Sampler, SamplerState


@dataclass(frozen=True)
class PredictorCorrector(Sampler):
    """See the module. The denoiser is asked at the last time too.

    Attributes:
        predictor: goes from one time to the next.
        corrector: stays there.
    """

    predictor: Sampler = field(default_factory=EulerMaruyama)
    corrector: Sampler = field(default_factory=Langevin)

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        first, second = state.memory or (None, None)
        ahead = self.predictor.step(denoiser, state._replace(memory=first), t, s, noise)
        there = SamplerState(torch.where(t > s, ahead.z, state.z), ahead.carry, second)
        there = self.corrector.step(denoiser, there, t, s, noise)
        return there._replace(memory=(ahead.memory, there.memory))
