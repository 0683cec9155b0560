"""Geometry of padded point clouds: centring, soft distances, radial basis, soft directions.

``positions`` have shape ``(B, N, 3)``, ``mask (B, N)`` is True for atoms and False for padding.
"""

import torch
from torch import Tensor

SOFTENING = 0.01
"""Added to squared distances, in squared length units: keeps distance and direction smooth where two atoms meet."""


def centre(x: Tensor, mask: Tensor) -> Tensor:
    """Removes the mean over the atoms of each molecule and sets padding to zero; ``x (B, N, 3)``."""
    m = mask[..., None].to(x.dtype)
    return (x - (x * m).sum(1, keepdim=True) / m.sum(1, keepdim=True)) * m


def distances_and_directions(x: Tensor) -> tuple[Tensor, Tensor]:
    """Soft distances ``(B, N, N)`` and vectors ``(x_i - x_j) / d_ij`` of length below one, ``(B, N, N, 3)``."""
    r = x[:, :, None] - x[:, None, :]
    d = torch.sqrt(r.square().sum(-1) + SOFTENING)
    return d, r / d[..., None]


def radial_basis(d: Tensor, number: int, length: float = 1.5) -> Tensor:
    """Gaussians evenly spaced in ``exp(-d / length)``: fine where bonds are, coarse far away.

    Args:
        d: distances, any shape ``(...)``.
        number: basis functions.
        length: decay length in the units of ``d``.

    Returns:
        ``(..., number)``. Unke & Meuwly, PhysNet, arXiv:1902.08408, eq. 7, without cutoff.
    """
    u = torch.exp(d / -length)[..., None] * (number + 1)
    return torch.exp(-(u - torch.arange(1, number + 1, device=d.device, dtype=d.dtype)).square().clamp(max=30.0))
