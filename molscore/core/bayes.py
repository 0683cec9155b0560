"""An honest model: a posterior over the last, linear layer of a score network, and what it says of scores and samples.

A network is linear in its last layer: y = W phi(z, t). For squared errors, with data i seen in several noised views r,

    H = sum_i sum_r phi_ir phi_ir',      g_i = sum_r phi_ir (W phi_ir - y_ir),      G = sum_i g_i g_i'.

* Laplace: the covariance s² (H + s² / v)^-1, with s² the variance of the residuals and v that of the prior: exact for
  linear regression. But views of one datum are no new data, and the noise of denoising targets is no model of anything:
  as a posterior of the data it is too narrow or too wide.
* Sandwich: (H + lambda)^-1 G (H + lambda)^-1, where each datum counts once, however many its views: it has the spread
  that W would have over data sets like this one.

The variance of an output is phi' C phi, large where phi lies outside the features that training has seen. Through the
reverse SDE it is carried by draws of W: each draws a sample with the same noise, and their spread is the uncertainty of
the sample (`spread`).

Source: MacKay, "Bayesian interpolation", Neural Computation 4, 415 (1992); Daxberger et al., "Laplace redux", NeurIPS
2021; Müller, "Risk of Bayesian inference in misspecified models, and the sandwich covariance matrix", Econometrica 81,
1805 (2013); Kou et al., "BayesDiff", ICLR 2024.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.denoiser import Denoiser
from molscore.reprs import short_repr


@dataclass
class LastLayer:
    """Moments of a last layer of D features and K outputs, gathered batch by batch.

    Attributes:
        curvature: (D, D), H.
        gradients: (K, D, D), G of each output.
        squares: (K,) sums of squared residuals.
        data, views: how many.
    """

    curvature: Tensor
    gradients: Tensor
    squares: Tensor
    data: int = 0
    views: int = 0

    @classmethod
    def empty(cls, features: int, outputs: int = 1, like: Tensor | None = None) -> "LastLayer":
        """Nothing gathered yet; of the dtype and device of `like`."""
        like = torch.empty(0) if like is None else like
        zeros = like.new_zeros
        return cls(zeros(features, features), zeros(outputs, features, features), zeros(outputs))

    def add(self, features: Float[Tensor, "n r d"], residuals: Float[Tensor, "n r k"]) -> None:
        """Gathers n data, each in r views.

        Args:
            features: what the layer maps; 1 among them for a bias. Rows of zeros, with residuals of zero, do nothing.
            residuals: output minus target.
        """
        gradients = torch.einsum("nrd,nrk->knd", features, residuals)
        self.curvature += torch.einsum("nrd,nre->de", features, features)
        self.gradients += gradients.transpose(1, 2) @ gradients
        self.squares += residuals.square().sum((0, 1))
        self.data += len(features)
        self.views += features.shape[0] * features.shape[1]

    def laplace(self, prior_variance: float = 1.0) -> Float[Tensor, "k d d"]:
        """Covariances of the weights of each output, every view an observation with independent noise."""
        noise = self.squares / max(self.views, 1)
        eye = torch.eye(len(self.curvature)).to(self.curvature)
        return torch.stack([s * torch.linalg.inv(self.curvature + s / prior_variance * eye) for s in noise])

    def sandwich(self, ridge: float = 1e-6) -> Float[Tensor, "k d d"]:
        """Covariances of the weights of each output, every datum an observation.

        Args:
            ridge: lambda, in units of the mean of H's diagonal.
        """
        eye = torch.eye(len(self.curvature)).to(self.curvature)
        inverse = torch.linalg.inv(self.curvature + ridge * self.curvature.diag().mean() * eye)
        return inverse @ self.gradients @ inverse

    __repr__ = short_repr


def variance(features: Float[Tensor, "*n d"], covariance: Float[Tensor, "k d d"]) -> Float[Tensor, "*n k"]:
    """phi' C phi: the variance of each output."""
    return torch.einsum("...d,kde,...e->...k", features, covariance, features)


def draws(covariance: Float[Tensor, "k d d"], noise: Float[Tensor, "n k d"]) -> Float[Tensor, "n k d"]:
    """Standard normal noise to draws of what to add to the weights, (outputs, features) as in `torch.nn.Linear`."""
    values, vectors = torch.linalg.eigh(covariance)  # a sandwich may be of less than full rank
    root = vectors * values.clamp(min=0).sqrt()[:, None]
    return torch.einsum("kde,nke->nkd", root, noise.to(covariance))


def spread(sample: Callable[[Denoiser], Tensor], denoisers: Iterable[Denoiser]) -> tuple[Tensor, Tensor]:
    """Uncertainty of samples: every denoiser of a posterior makes them, from the same noise.

    Args:
        sample: from a denoiser to samples, (N, ...); it must use the same noise at every call.
        denoisers: with draws of the weights, two or more.

    Returns:
        Mean and variance over the denoisers, of the shape of the samples.

    Raises:
        ValueError: for fewer than two.
    """
    samples = torch.stack([sample(denoiser) for denoiser in denoisers])
    if len(samples) < 2:
        raise ValueError("a spread takes two denoisers or more")
    return samples.mean(0), samples.var(0)
