"""The state of padded molecules as one flat tensor per molecule, and noise that respects its symmetries.

``z (B, D)`` holds coordinates ``(N, 3)``, atom classes ``(N, K)`` and bond classes ``(N, N, L)`` end to end, so that
the samplers of the core, which know nothing of molecules, can move it. Padding is zero and stays zero.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Shape(NamedTuple):
    """Sizes of the three parts of a state: padded atoms N, atom classes K, bond classes L."""

    atoms: int
    atom_classes: int
    bond_classes: int

    @property
    def parts(self) -> list[int]:
        """Numbers in each part."""
        n, k, c = self
        return [3 * n, k * n, c * n**2]

    def pack(self, x: Tensor, a: Tensor, e: Tensor) -> Tensor:
        """``(B, N, 3)``, ``(B, N, K)``, ``(B, N, N, L)`` to ``(B, D)``."""
        return torch.cat([x.flatten(1), a.flatten(1), e.flatten(1)], dim=1)

    def unpack(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inverse of `pack`."""
        n, k, c = self
        x, a, e = z.split(self.parts, dim=1)
        return x.unflatten(1, (n, 3)), a.unflatten(1, (n, k)), e.unflatten(1, (n, n, c))

    def clocks(self, t_x: Tensor, t_g: Tensor) -> Tensor:
        """A time for every number of the state from those of coordinates and graph, ``(...)`` to ``(..., D)``."""
        x, a, e = self.parts
        return torch.cat([t_x[..., None].expand(*t_x.shape, x), t_g[..., None].expand(*t_g.shape, a + e)], dim=-1)


def symmetric(e: Tensor) -> Tensor:
    """Mirrors the upper triangle of ``e (B, N, N, L)`` onto the lower and clears the diagonal."""
    upper = torch.triu(torch.ones(e.shape[1:3], dtype=torch.bool, device=e.device), diagonal=1)[..., None]
    e = torch.where(upper, e, 0)
    return e + e.transpose(1, 2)


def pair_mask(mask: Tensor) -> Tensor:
    """``(B, N, N)`` bool: ordered pairs of two different atoms of a molecule."""
    return mask[:, :, None] & mask[:, None] & ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)


def size_mask(n_atoms: Sequence[int], device: torch.device | str = "cpu") -> Tensor:
    """``(B, N)`` bool, True for the first ``n_atoms[b]`` places of each row."""
    sizes = torch.as_tensor(list(n_atoms), device=device)
    return torch.arange(int(sizes.max()), device=device) < sizes[:, None]


def normal(stream: np.random.Generator, *shape: int) -> Tensor:
    """Standard normal numbers of a stream, float32, on the CPU."""
    return torch.from_numpy(stream.standard_normal(shape, dtype=np.float32))


def molecule_noise(shape: Shape, n_atoms: Sequence[int], streams: Sequence[np.random.Generator]) -> Tensor:
    """Standard normal noise for a batch, molecule by molecule.

    Each molecule draws from its own stream as many numbers as it alone needs, so its noise does not depend on batch
    mates or padding. Coordinates have their mean removed (a standard normal on the zero-mean subspace), bond noise is
    symmetric with an empty diagonal.

    Args:
        shape: of the batch.
        n_atoms: atoms of each of B molecules.
        streams: one for each.

    Returns:
        ``(B, D)`` float32, on the CPU.
    """
    b, (padded, k, c) = len(n_atoms), shape
    x, a, e = torch.zeros(b, padded, 3), torch.zeros(b, padded, k), torch.zeros(b, padded, padded, c)
    for row, (n, stream) in enumerate(zip(n_atoms, streams, strict=True)):
        m = n * (n - 1) // 2
        numbers = normal(stream, 3 * n + k * n + c * m)
        own_x, own_a, own_e = numbers.split([3 * n, k * n, c * m])
        own_x = own_x.view(n, 3)
        x[row, :n] = own_x - own_x.mean(0)
        a[row, :n] = own_a.view(n, k)
        i, j = torch.triu_indices(n, n, offset=1)
        e[row, i, j] = e[row, j, i] = own_e.view(m, c)
    return shape.pack(x, a, e)
