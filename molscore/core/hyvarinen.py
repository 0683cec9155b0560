"""Hyvärinen's score matching: learn grad log p from samples of p, with nothing noised and no normalising constant.

    E_p |s - grad log p|² / 2  =  E_p [ |s|² / 2 + div s ]  +  a constant of p           (integration by parts)

The divergence is exact, or sliced: Hutchinson's estimate along random directions. Denoising score matching is this
objective on the noised density, up to a constant; and on clean data it adds a penalty that grows with sigma²: for a
linear score W z of unscaled data, z_t = z_0 + sigma eps,

    E [ |s(z_t)|² / 2 + div s ]  =  E [ |s(z_0)|² / 2 + div s ]  +  sigma² |W|² / 2.

Source: Hyvärinen, "Estimation of non-normalized statistical models by score matching", JMLR 2005; Vincent, Neural
Computation 2011; Song et al., "Sliced score matching", UAI 2019.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.divergence import Field, estimated_divergence, exact_divergence


def hyvarinen_loss(
    score: Field, z: Float[Tensor, "n *shape"], probes: Float[Tensor, "p n *shape"] | None = None
) -> Float[Tensor, " n"]:
    """|s|² / 2 + div s of each sample; the mean over samples is the objective. Differentiable in the score.

    Args:
        score: `score(z)`, differentiable twice.
        z: samples of the density, `(N, ...)`; noised ones for the score of a noised density.
        probes: directions, `(P, N, ...)`, for the sliced objective; None for the exact divergence.

    Returns:
        `(N,)`.
    """
    if probes is None:
        value, divergence = exact_divergence(score, z, create_graph=True)
    else:
        value, estimates = estimated_divergence(score, z, probes, create_graph=True)
        divergence = estimates.mean(0)
    return value.flatten(1).square().sum(1) / 2 + divergence


def smoothing_penalty(score: Field, z: Float[Tensor, "n *shape"], sigma: float | Tensor) -> Float[Tensor, " n"]:
    """sigma² |J|² / 2: what noise of deviation sigma adds to Hyvärinen's objective, to leading order in sigma.

    |J|² is the squared Frobenius norm of the score's Jacobian. For a linear score the term is exact; in general the
    Laplacians of s and div s join it at the same order, and vanish for linear ones.

    Args:
        score: `score(z)`.
        z: samples, `(N, ...)`.
        sigma: standard deviation of the noise.

    Returns:
        `(N,)`.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        flat = score(z).flatten(1)
        total = z.new_zeros(len(z))
        for k in range(flat.shape[1]):
            (row,) = torch.autograd.grad(flat[:, k].sum(), z, retain_graph=True, create_graph=True)
            total = total + row.flatten(1).square().sum(1)
    return sigma**2 * total / 2
