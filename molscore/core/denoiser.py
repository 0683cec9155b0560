"""Denoisers: what is known of the clean state, given the noisy one.

    denoiser(z_t, t, carry) -> Posterior(mean = E[z_0 | z_t], carry)

Mean and score are two views of one thing (Tweedie's formula; Robbins 1956, Efron 2011):

    s(z, t) = (alpha E[z_0 | z_t] - z_t) / sigma²,        E[z_0 | z_t] = (z_t + sigma² s) / alpha.

Both are elementwise, and each element of a state may have a time of its own. **Time 0 means given**: an element at time
0 is its own mean, and its score is 0; so nothing is ever divided by sigma(0).

A denoiser is a pure function: the same arguments give the same answer, in any thread. What one call hands to the next,
such as the previous prediction of a self-conditioned network (Chen et al. 2022), travels in `carry`.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.sde import SDE, Score
from molscore.reprs import short_repr


class Posterior(NamedTuple):
    """What a denoiser returns.

    Attributes:
        mean: E[z_0 | z_t], of the shape of the state.
        carry: for the next call; None if the denoiser has nothing to hand on.
    """

    mean: Tensor
    carry: Any = None

    def __repr__(self) -> str:
        return short_repr(self)


class Denoiser(ABC):
    """A posterior mean under a noising process. Those who add one override `denoise`; callers use `__call__`.

    Attributes:
        sde: the noising process.
    """

    sde: SDE

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.sde!r})"

    @abstractmethod
    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        """The posterior of the clean state.

        Args:
            z: noisy state, `(N, ...)`.
            t: times in [0, 1] that broadcast against `z`; elements at time 0 may get any finite mean.
            carry: that of the previous call; None at the first.
        """

    def __call__(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"], carry: Any = None) -> Posterior:
        """`denoise`, with given elements as their own mean; times and mean get the dtype of `z`."""
        t = t.to(z)
        mean, carry = self.denoise(z, t, carry)
        return Posterior(torch.where(t > 0, mean.to(z), z), carry)

    def mean(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        """E[z_0 | z_t], without a carry."""
        return self(z, t).mean

    def score(self, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
        """grad log p_t(z), without a carry."""
        return score_from_mean(self.sde, z, t.to(z), self(z, t).mean)


class ScoreDenoiser(Denoiser):
    """The denoiser of a score that is known.

    Args:
        sde: the noising process.
        score: `score(z, t)`.
    """

    def __init__(self, sde: SDE, score: Score):
        self.sde, self.known = sde, score

    def __repr__(self) -> str:
        return f"ScoreDenoiser({self.sde!r}, {self.known!r})"

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        return Posterior(mean_from_score(self.sde, z, t, self.known(z, t).to(z)))


def score_from_mean(
    sde: SDE, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"], mean: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """The score, (alpha E[z_0 | z_t] - z_t) / sigma², from the posterior mean; 0 at time 0."""
    alpha, sigma = sde.marginal(t)
    return torch.where(t > 0, (alpha * mean - z) / torch.where(t > 0, sigma, 1) ** 2, 0)


def mean_from_score(
    sde: SDE, z: Float[Tensor, "*shape"], t: Float[Tensor, "*#shape"], score: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """The posterior mean E[z_0 | z_t] = (z_t + sigma² s) / alpha, from the value of the score; z_t at time 0."""
    alpha, sigma = sde.marginal(t)
    return torch.where(t > 0, (z + sigma**2 * score) / alpha, z)
