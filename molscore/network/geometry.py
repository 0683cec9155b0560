"""Geometry of padded point clouds: centring, soft distances, radial basis, soft directions.

``positions`` have shape ``(B, N, 3)``, ``mask (B, N)`` is True for atoms and False for padding.
"""

import torch
from torch import Tensor, nn

from molscore.network import o3

SOFTENING = 0.01
"""Added to squared distances, in squared length units: keeps distance and direction smooth where two atoms meet."""


def centre(x: Tensor, mask: Tensor) -> Tensor:
    """Removes the mean over the atoms of each molecule and sets padding to zero; ``x (B, N, 3)``."""
    m = mask[..., None].to(x.dtype)
    return (x - (x * m).sum(1, keepdim=True) / m.sum(1, keepdim=True)) * m


def pair_distances(x: Tensor) -> Tensor:
    """Soft distances ``sqrt(|x_i - x_j|^2 + SOFTENING)``: ``(B, N, 3)`` to ``(B, N, N)``."""
    r = x[:, :, None] - x[:, None, :]
    return torch.sqrt(r.square().sum(-1) + SOFTENING)


def radial_basis(d: Tensor, number: int, length: float = 1.5) -> Tensor:
    """Gaussians evenly spaced in ``exp(-d / length)``: fine where bonds are, coarse far away.

    Args:
        d: distances, any shape ``(...)``.
        number: basis functions.
        length: decay length in the units of ``d``.

    Returns:
        ``(number, ...)``. Unke & Meuwly, PhysNet, arXiv:1902.08408, eq. 7, without cutoff.
    """
    u = torch.exp(d / -length) * (number + 1)
    centres = torch.arange(1, number + 1, device=d.device, dtype=d.dtype).view(-1, *[1] * d.ndim)
    return torch.exp(-(u - centres).square().clamp(max=30.0))


def harmonic_sum(w: Tensor, x: Tensor, d: Tensor, mask: Tensor, ell: int) -> Tensor:
    """``sum_j w_ij Y_l(r_ij / d_ij)`` with ``r_ij = x_i - x_j``: the directions of neighbours, weighted.

    For ``l = 1``, where ``Y = sqrt(3) r_ij / d_ij``, it is ``x_i sum_j w_ij / d_ij - sum_j w_ij / d_ij x_j``.

    Args:
        w: weights ``(C, B, N, N)``.
        x: positions ``(B, N, 3)``.
        d: their `pair_distances` ``(B, N, N)``.
        mask: ``(B, N)`` bool, the neighbours that count.
        ell: degree of the spherical harmonics, in e3nn's component normalisation.

    Returns:
        ``(B, N, 2 ell + 1, C)``.
    """
    if ell == 1:
        w = w * (3**0.5 * mask[:, None].to(d.dtype) / d).to(w.dtype)
        ends = w @ nn.functional.pad(x, (0, 1), value=1.0).to(w.dtype)
        return (ends[..., 3:] * x.to(w.dtype) - ends[..., :3]).permute(1, 2, 3, 0)
    direction = (x[:, :, None] - x[:, None]) / d[..., None]
    y = o3.spherical_harmonics(ell, direction)
    return torch.einsum("cbij,bijm->bimc", w, (y * mask[:, None, :, None]).to(w.dtype))
