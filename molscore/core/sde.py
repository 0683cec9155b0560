"""Linear diffusion SDEs: how data become noise, and the equation of the way back.

Forward, from data (t = 0) to noise (t = 1), every process here is linear in the state,

    dz = f(z, t) dt + g(t) dw,        z_t = alpha_t z_0 + sigma_t eps,   eps ~ N(0, I),

so that d(alpha)/dt = f' alpha and d(sigma²)/dt = 2 f' sigma² + g². Backward (Anderson 1982), with the score
s = grad log p_t(z),

    dz = [f - g² s] dt + g dw,        or, with the same marginals,    dz = [f - g² s / 2] dt.

`z_0` is clean data. `CosineVP` and `VE` have a noise floor: at t = 0 the state already carries sigma(0) = sigma_min.

Source: Song et al., "Score-based generative modeling through stochastic differential equations", ICLR 2021;
Nichol and Dhariwal, "Improved denoising diffusion probabilistic models", ICML 2021 (cosine).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Score = Callable[[Tensor, Tensor], Tensor]
"""`score(z, t)`: the gradient of log p_t at `z`, of the shape of `z`; `t` broadcasts against `z`."""


class SDE(ABC):
    """A linear diffusion, dz = f(z, t) dt + g(t) dw.

    Times are tensors in [0, 1] that broadcast against the state; each element of the state may have a time of its own.
    Results have the dtype and device of the arguments.
    """

    @abstractmethod
    def drift(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        """The forward drift f(z, t), of the shape of `z`."""

    @abstractmethod
    def diffusion(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        """The noise amplitude g(t)."""

    @abstractmethod
    def marginal(self, t: Float[Tensor, "*t"]) -> tuple[Float[Tensor, "*t"], Float[Tensor, "*t"]]:
        """(alpha, sigma) such that z_t = alpha z_0 + sigma eps."""

    def log_snr(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        """log(alpha² / sigma²), which falls from data to noise."""
        alpha, sigma = self.marginal(t)
        return 2 * (alpha.log() - sigma.log())

    def prior(self, noise: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The state at t = 1: standard normal `noise` scaled by sigma(1), the standard deviation of the prior."""
        _, sigma = self.marginal(noise.new_ones(()))
        return sigma * noise

    def reverse(self, score: Score) -> "ReverseSDE":
        """The process run backward, given its score."""
        return ReverseSDE(self, score)


@dataclass(frozen=True)
class ReverseSDE:
    """The time reversal of a diffusion (Anderson 1982). Time still falls from 1 to 0: its steps have dt < 0.

    Attributes:
        sde: the forward process.
        score: its score, `score(z, t)`.
    """

    sde: SDE
    score: Score

    def drift(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        """f - g² s, the drift of the stochastic reversal."""
        return self.sde.drift(z, t) - self.sde.diffusion(t) ** 2 * self.score(z, t).to(z)

    def diffusion(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        """g(t), that of the forward process."""
        return self.sde.diffusion(t)

    def flow(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        """f - g² s / 2, the drift of the probability-flow ODE (Song et al. 2021, eq. 13)."""
        return self.sde.drift(z, t) - self.sde.diffusion(t) ** 2 * self.score(z, t).to(z) / 2


@dataclass(frozen=True)
class LinearVP(SDE):
    """Variance preserving, beta linear in t: f = -beta z / 2, g² = beta, alpha² = exp(-B), sigma² = 1 - alpha².

    B(t) is the integral of beta. Song et al. 2021, eq. 11; Ho et al. 2020 in continuous time. sigma(0) = 0, so the
    score is singular at t = 0: stop a little above.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        if not 0 < self.beta_min <= self.beta_max:
            raise ValueError(f"need 0 < beta_min <= beta_max, got beta_min={self.beta_min}, beta_max={self.beta_max}")

    def beta(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        """The rate of noising, per unit of time."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def integral(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        """B(t), the integral of beta from 0 to t."""
        return t * (self.beta_min + t * (self.beta_max - self.beta_min) / 2)

    def drift(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        return -self.beta(t) / 2 * z

    def diffusion(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        return self.beta(t).sqrt()

    def marginal(self, t: Float[Tensor, "*t"]) -> tuple[Float[Tensor, "*t"], Float[Tensor, "*t"]]:
        integral = self.integral(t)
        return torch.exp(-integral / 2), torch.sqrt(-torch.expm1(-integral))

    def log_snr(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        return -torch.log(torch.expm1(self.integral(t)))


@dataclass(frozen=True)
class SubVP(LinearVP):
    """Sub-variance-preserving: the drift of `LinearVP`, g² = beta (1 - exp(-2B)), sigma = 1 - exp(-B).

    Song et al. 2021, eq. 12. The variance stays below that of the VP process at every time. sigma(0) = 0.
    """

    def diffusion(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        return torch.sqrt(-self.beta(t) * torch.expm1(-2 * self.integral(t)))

    def marginal(self, t: Float[Tensor, "*t"]) -> tuple[Float[Tensor, "*t"], Float[Tensor, "*t"]]:
        integral = self.integral(t)
        return torch.exp(-integral / 2), -torch.expm1(-integral)

    def log_snr(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        integral = self.integral(t)
        return -integral - 2 * torch.log(-torch.expm1(-integral))


@dataclass(frozen=True)
class CosineVP(SDE):
    """Variance preserving on a quarter circle: alpha = cos(theta), sigma = sin(theta), theta linear in t.

    theta runs from asin(sigma_min) to acos(alpha_min); f = -beta z / 2 and g² = beta = 2 theta' tan(theta).
    The cosine schedule of Nichol and Dhariwal 2021, with its ends kept off 0 and pi/2.
    """

    sigma_min: float = 0.005
    alpha_min: float = 1e-3

    def __post_init__(self) -> None:
        if not (0 < self.sigma_min < 1 and 0 < self.alpha_min < 1 and self.speed > 0):
            raise ValueError(
                "need sigma_min and alpha_min in (0, 1) with sigma_min² + alpha_min² < 1, "
                f"got sigma_min={self.sigma_min}, alpha_min={self.alpha_min}"
            )

    @property
    def speed(self) -> float:
        """theta', radians per unit of time."""
        return math.acos(self.alpha_min) - math.asin(self.sigma_min)

    def drift(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        alpha, sigma = self.marginal(t)
        return -self.speed * (sigma / alpha) * z

    def diffusion(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        alpha, sigma = self.marginal(t)
        return torch.sqrt(2 * self.speed * sigma / alpha)

    def marginal(self, t: Float[Tensor, "*t"]) -> tuple[Float[Tensor, "*t"], Float[Tensor, "*t"]]:
        # Two sines of small angles: cos(theta) near pi/2 would lose digits in float32.
        sigma = torch.sin(math.asin(self.sigma_min) + t * self.speed)
        alpha = torch.sin(math.asin(self.alpha_min) + (1 - t) * self.speed)
        return alpha, sigma


@dataclass(frozen=True)
class VE(SDE):
    """Variance exploding, geometric: alpha = 1, sigma = sigma_min (sigma_max / sigma_min)^t, f = 0, g² = d(sigma²)/dt.

    Song et al. 2021, eq. 9. sigma² counts the noise from *clean* data, floor included: sigma(0) = sigma_min, and
    sigma(t)² = sigma_min² + the integral of g². Units of sigma: those of the data. Choose sigma_max large against
    the spread of the data.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"need 0 < sigma_min < sigma_max, got {self.sigma_min} and {self.sigma_max}")

    @property
    def log_ratio(self) -> float:
        """log(sigma_max / sigma_min), the growth rate of sigma."""
        return math.log(self.sigma_max / self.sigma_min)

    def drift(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        return torch.zeros_like(z)

    def diffusion(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        _, sigma = self.marginal(t)
        return math.sqrt(2 * self.log_ratio) * sigma

    def marginal(self, t: Float[Tensor, "*t"]) -> tuple[Float[Tensor, "*t"], Float[Tensor, "*t"]]:
        return torch.ones_like(t), self.sigma_min * torch.exp(self.log_ratio * t)

    def log_snr(self, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
        return -2 * (math.log(self.sigma_min) + self.log_ratio * t)


def perturb(
    sde: SDE, z0: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"], noise: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """Draw z_t = alpha z_0 + sigma noise.

    Args:
        sde: the noising process.
        z0: clean data, `(N, ...)`.
        t: times in [0, 1] that broadcast against `z0`.
        noise: standard normal, like `z0`.
    """
    alpha, sigma = sde.marginal(t)
    return alpha * z0 + sigma * noise
