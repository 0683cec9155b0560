"""Geometry of padded point clouds: centring, soft distances, radial basis, soft directions.

``positions`` have shape ``(B, N, 3)``, ``mask (B, N)`` is True for atoms and False for padding. Directions have the
neighbour last, so that sums over neighbours run along contiguous memory.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from molscore.network import o3

SOFTENING = 0.01
"""Added to squared distances, in squared length units: keeps distance and direction smooth where two atoms meet."""
LOG2E = math.log2(math.e)
"""``exp(x)`` is ``exp2(LOG2E x)``, which PyTorch computes four times as fast on CPUs."""


def centre(x: Tensor, mask: Tensor) -> Tensor:
    """Removes the mean over the atoms of each molecule and sets padding to zero; ``x (B, N, 3)``."""
    m = mask[..., None].to(x.dtype)
    return (x - (x * m).sum(1, keepdim=True) / m.sum(1, keepdim=True)) * m


def pair_vectors(x: Tensor) -> Tensor:
    """``r_ij = x_i - x_j``: ``(B, N, 3)`` to ``(B, N, 3, N)``."""
    return x[..., None] - x.transpose(1, 2)[:, None]


def soft_lengths(r: Tensor) -> Tensor:
    """Soft distances ``d_ij = sqrt(|r_ij|^2 + SOFTENING)``: ``(B, N, 3, N)`` to ``(B, N, N)``."""
    return torch.sqrt(r.square().sum(2) + SOFTENING)


def radial_basis(d: Tensor, number: int, length: float = 1.5) -> Tensor:
    """Gaussians evenly spaced in ``exp(-d / length)``: fine where bonds are, coarse far away.

    Args:
        d: distances, any shape ``(...)``.
        number: basis functions.
        length: decay length in the units of ``d``.

    Returns:
        ``(number, ...)``. Unke & Meuwly, PhysNet, arXiv:1902.08408, eq. 7, without cutoff.
    """
    u = torch.exp2(d * (-LOG2E / length))
    ends = 1 / (number + 1), number / (number + 1)
    centres = torch.linspace(*ends, number, device=d.device, dtype=d.dtype).view(-1, *[1] * d.ndim)
    return torch.exp2(((u - centres).square() * (-LOG2E * (number + 1) ** 2)).clamp(min=-30.0 * LOG2E))


class Neighbours(NamedTuple):
    """Weights of the atoms of a molecule in sums over them; zero for padding. Each is ``(B, 1, 1, N)``.

    Attributes:
        mean: one over their number n, for a sum that is a mean.
        root: 1 / sqrt(n), for a sum of terms of random signs, whose size then does not depend on n.
    """

    mean: Tensor
    root: Tensor

    @classmethod
    def of(cls, mask: Tensor, dtype: torch.dtype) -> Self:
        """Those of a mask ``(B, N)``."""
        real = mask[:, None, None].to(dtype)
        count = real.sum(-1, keepdim=True)
        return cls(real / count, real / count.sqrt())


def neighbour_basis(r: Tensor, d: Tensor, neighbours: Neighbours, degrees: Sequence[int]) -> Tensor:
    """For each neighbour 1, and the spherical harmonics ``Y_l(r_ij / d_ij)`` of its direction, both weighted.

    Args:
        r, d: `pair_vectors` and `soft_lengths`.
        neighbours: their weights.
        degrees: the l, in e3nn's component normalisation: ``Y_1 = sqrt(3) r_ij / d_ij``.

    Returns:
        ``(B, N, 1 + sum of 2l + 1, N)``.
    """
    parts, d = [neighbours.mean.expand(-1, r.shape[1], -1, -1)], d[:, :, None]
    for ell in degrees:
        if ell == 1:
            parts.append(r * (neighbours.root * 3**0.5 / d))
        else:
            y = o3.spherical_harmonics(ell, (r / d).movedim(2, -1))
            parts.append(y.movedim(-1, 2) * neighbours.root)
    return torch.cat(parts, dim=2)
