"""SDE-DPM-Solver++(2M): few steps, stochastic or not; one evaluation a step.

In l = log(alpha / sigma), with h = l_s - l_t, H = (1 + eta) h and D the posterior mean E[z_0 | z_t], a step is

    z_s = sigma_s / sigma_t e^(-eta h) z_t + alpha_s (1 - e^-H) D
          + alpha_s (1 - e^-H) / 2 (D - D_last) h / h_last + sigma_s sqrt(1 - e^(-2 eta h)) eps.

All but D is exact; the second line is its linear extrapolation. The first step of an element has no second line; nor
has a step to sigma = 0.

Source: Lu et al., "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models", 2022.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser
from molscore.core.samplers.sampler import Noise, Sampler, SamplerState
from molscore.core.sde import SDE
from molscore.reprs import short_repr


class _Last(NamedTuple):
    """The mean and the step length of the step before."""

    mean: Tensor
    h: Tensor


@dataclass(frozen=True, eq=False)
class DPMSolver(Sampler):
    """See the module.

    Attributes:
        eta: share of the reverse SDE's noise: 1 is the reverse SDE, 0 the probability-flow ODE (DPM-Solver++(2M)); any
            other, also above 1, the SDE of the same marginals whose noise is sqrt(eta) g. A tensor broadcasts against
            the state: elements may differ.
        order: 1 leaves out the second line: `ancestral` steps, as models distilled to few steps take them.
    """

    eta: float | Tensor = 1.0
    order: int = 2

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        z, sde, last = state.z, denoiser.sde, state.memory
        eta = self.eta.to(z) if isinstance(self.eta, Tensor) else self.eta
        mean, carry = denoiser(z, t, state.carry)
        moved = ancestral(sde, z, mean, t, s, eta, noise(z) if self._noisy else None)
        if self.order == 1:
            return SamplerState(moved, carry)
        h, (alpha_s, sigma_s) = _length(sde, t, s), sde.marginal(s)
        if last is not None:
            usable = (last.h > 0) & (sigma_s > 0)
            weight = alpha_s * -torch.expm1(-(1 + eta) * h)
            moved = moved + torch.where(usable, weight * h / 2 * (mean - last.mean) / last.h, 0)
        return SamplerState(moved, carry, _Last(mean, h))

    @cached_property
    def _noisy(self) -> bool:
        """Whether there is any noise. Asked of a device, this waits for it: once, not in every step."""
        return bool((torch.as_tensor(self.eta) > 0).any())

    __repr__ = short_repr


def ancestral(
    sde: SDE, z: Tensor, mean: Tensor, t: Tensor, s: Tensor, eta: float | Tensor, noise: Tensor | None
) -> Tensor:
    """The step without its second line, from the posterior mean at time t.

    Given the clean state in place of its mean, it leads from the law of z_t to that of z_s, whatever eta: 0 is DDIM
    (Song et al. 2021), 1 the posterior of DDPM (Ho et al. 2020), and a large one forgets z_t and noises the mean anew.

    Args:
        sde: the noising process.
        z: state at time t.
        mean: its posterior mean, like z.
        t, s: times with s <= t, which broadcast against z.
        eta: share of the reverse SDE's noise.
        noise: standard normal, like z; None is none.
    """
    _, sigma_t = sde.marginal(t)
    alpha_s, sigma_s = sde.marginal(s)
    h = _length(sde, t, s)
    moved = sigma_s / sigma_t * torch.exp(-eta * h) * z + alpha_s * -torch.expm1(-(1 + eta) * h) * mean
    return moved if noise is None else moved + sigma_s * torch.sqrt(-torch.expm1(-2 * eta * h)) * noise


def _length(sde: SDE, t: Tensor, s: Tensor) -> Tensor:
    """Of a step, in log(alpha / sigma); it would be infinite on the way to sigma = 0."""
    return ((sde.log_snr(s) - sde.log_snr(t)) / 2).clamp(max=50)
