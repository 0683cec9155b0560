"""Mixtures of Gaussians: densities whose noised scores, likelihoods and moments are known exactly.

If z_0 ~ sum_k w_k N(m_k, C_k), then z_t ~ sum_k w_k N(alpha m_k, alpha² C_k + sigma² I), under every linear SDE. They
are what the theory is checked against, in the tests and in `scripts/theory.py`.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.sde import SDE, Score


class Mixture:
    """A mixture of K Gaussians in d dimensions; float64.

    Args:
        weights: (K,) adding up to 1.
        means: (K, d).
        covariances: (K, d, d), positive definite.
    """

    def __init__(self, weights: Sequence[Any], means: Sequence[Any], covariances: Sequence[Any]):
        self.weights = torch.tensor(weights, dtype=torch.float64)
        self.means = torch.tensor(means, dtype=torch.float64)
        self.covariances = torch.tensor(covariances, dtype=torch.float64)
        self.values, self.vectors = torch.linalg.eigh(self.covariances)

    def __repr__(self) -> str:
        return f"Mixture({len(self.weights)} Gaussians, dimension {self.means.shape[1]})"

    def sample(self, n: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """(n, d) draws of z_0."""
        k = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.means.shape[1], dtype=torch.float64, generator=generator)
        return self.means[k] + torch.einsum("nij,nj->ni", self.vectors[k], self.values[k].sqrt() * noise)

    def _components(self, sde: SDE, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Per component: (z - mean) in its eigenbasis (..., K, d), its variances, and log of weight times density."""
        alpha, sigma = (x.unsqueeze(-1) if x.ndim else x for x in sde.marginal(t))
        offset = torch.einsum("...kj,kji->...ki", z.unsqueeze(-2) - alpha * self.means, self.vectors)
        variance = alpha**2 * self.values + sigma**2
        log = self.weights.log() - (offset**2 / variance + variance.log() + math.log(2 * math.pi)).sum(-1) / 2
        return offset, variance, log

    def log_density(self, sde: SDE, z: Float[Tensor, "*n d"], t: Tensor) -> Float[Tensor, "*n"]:
        """log p_t(z), (...); z is (..., d), t a scalar or (..., 1)."""
        return self._components(sde, z, t)[2].logsumexp(-1)

    def score(self, sde: SDE) -> Score:
        """The exact score of (..., d) states, times scalar or (..., 1)."""

        def score(z: Tensor, t: Tensor) -> Tensor:
            offset, variance, log = self._components(sde, z, t)
            scores = torch.einsum("...ki,kji->...kj", -offset / variance, self.vectors)
            return (log.softmax(-1).unsqueeze(-1) * scores).sum(-2)

        return score

    def elementwise_score(self, sde: SDE) -> Score:
        """For d = 1: the exact score of a state of any shape: independent elements, each with a time of its own."""
        weights, means, variances = self.weights, self.means[:, 0], self.values[:, 0]

        def score(z: Tensor, t: Tensor) -> Tensor:
            alpha, sigma = (x.unsqueeze(-1) for x in sde.marginal(t))
            variance = alpha**2 * variances + sigma**2
            scores = (alpha * means - z.unsqueeze(-1)) / variance
            log = weights.log() - (scores**2 * variance + variance.log()) / 2
            return (log.softmax(-1) * scores).sum(-1)

        return score

    def moments(self, sde: SDE, t: float) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
        """Mean (d,) and covariance (d, d) of z_t."""
        alpha, sigma = sde.marginal(torch.tensor(t, dtype=torch.float64))
        mean = self.weights @ self.means
        centred = self.means - mean
        within = torch.einsum("k,kij->ij", self.weights, self.covariances)
        between = torch.einsum("k,ki,kj->ij", self.weights, centred, centred)
        return alpha * mean, alpha**2 * (within + between) + sigma**2 * torch.eye(len(mean), dtype=torch.float64)

    def fourth_moment(self, sde: SDE, t: float) -> float:
        """For d = 1: the central fourth moment of z_t."""
        alpha, sigma = sde.marginal(torch.tensor(t, dtype=torch.float64))
        shift = (alpha * self.means - self.moments(sde, t)[0])[:, 0]
        variance = alpha**2 * self.values[:, 0] + sigma**2
        return (self.weights @ (shift**4 + 6 * shift**2 * variance + 3 * variance**2)).item()

    def probability_above(self, sde: SDE, t: float, threshold: Tensor) -> Tensor:
        """For d = 1: P(z_t > threshold), of the shape of `threshold`."""
        alpha, sigma = sde.marginal(torch.tensor(t, dtype=torch.float64))
        deviation = (alpha**2 * self.values[:, 0] + sigma**2).sqrt()
        return torch.special.ndtr((alpha * self.means[:, 0] - threshold.unsqueeze(-1)) / deviation) @ self.weights
