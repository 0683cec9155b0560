"""The state of padded molecules, a diffusion time for every atom, and noise that respects the symmetries.

For the samplers of the core, which know nothing of molecules, a `Layout` lays coordinates, atom classes and bond
classes end to end. Padding is zero and stays zero.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from molscore.reprs import short_repr


class MoleculeState(NamedTuple):
    """Padded molecules, clean or noised.

    Attributes:
        x: coordinates ``(B, N, 3)``, in units of the model's ``position_scale``.
        a: atom classes ``(B, N, K)``.
        e: bond classes ``(B, N, N, L)``, symmetric, nothing on the diagonal.
    """

    x: Tensor
    a: Tensor
    e: Tensor

    def __repr__(self) -> str:
        return short_repr(self)


class Times(NamedTuple):
    """Diffusion times in [0, 1], two for every atom and one for every pair; 0 means given, see
    `molscore.core.denoiser`.

    Attributes:
        x: of an atom's position, ``(..., N)``.
        graph: of its class, ``(..., N)``.
        pairs: of a bond's class, ``(..., N, N)``.
    """

    x: Tensor
    graph: Tensor
    pairs: Tensor

    @classmethod
    def of_atoms(cls, x: Tensor, graph: Tensor) -> Self:
        """A bond has the larger of its two atoms' times, ``(..., N)`` each."""
        return cls(x, graph, torch.maximum(graph[..., :, None], graph[..., None, :]))

    @classmethod
    def uniform(cls, x: Tensor, graph: Tensor, n: int) -> Self:
        """The same for all N atoms of a molecule: ``(...)`` and ``(...)`` to ``(..., N)``."""
        wide, pairs = graph[..., None].expand(*graph.shape, n), graph[..., None, None].expand(*graph.shape, n, n)
        return cls(x[..., None].expand(*x.shape, n), wide, pairs)

    def __repr__(self) -> str:
        return short_repr(self)


class Parts(NamedTuple):
    """What is given of molecules.

    Attributes:
        positions: ``(B, N)`` bool, atoms whose positions are given.
        graph: ``(B, N)`` bool, atoms whose classes are given, and with them the bonds between any two of them.
        apart: ``(B, N, N)`` bool, further pairs of which it is given that they have no bond.
    """

    positions: Tensor
    graph: Tensor
    apart: Tensor

    @property
    def pairs(self) -> Tensor:
        """``(B, N, N)`` bool: bonds, or none, that are given."""
        return self.graph[:, :, None] & self.graph[:, None] | self.apart

    def times(self, times: Times) -> Times:
        """0 where something is given, and else what ``times`` say, ``(..., B, N)``."""
        masks = self.positions, self.graph, self.pairs
        return Times(*(torch.where(mask, 0, t) for mask, t in zip(masks, times, strict=True)))

    def __repr__(self) -> str:
        return short_repr(self)


def closed_pairs(graph: Tensor, closed: Tensor) -> Tensor:
    """Pairs ``(B, N, N)`` that have no bond since one atom is given and closed, and the other is not given.

    Args:
        graph: ``(B, N)`` bool, atoms whose classes are given.
        closed: ``(B, N)`` bool, those of them that take no further bond.
    """
    return closed[:, :, None] & ~graph[:, None] | closed[:, None] & ~graph[:, :, None]


class Layout(NamedTuple):
    """Where the parts of a state lie in a flat tensor ``(B, D)``, as samplers take it.

    Attributes:
        atoms: padded atoms N.
        atom_classes: K.
        bond_classes: L.
    """

    atoms: int
    atom_classes: int
    bond_classes: int

    @property
    def parts(self) -> list[int]:
        """Numbers in each part."""
        n, k, c = self
        return [3 * n, k * n, c * n**2]

    @property
    def independent(self) -> int:
        """Numbers that no symmetry fixes: a bond has one of each class, not one in either direction."""
        n, k, c = self
        return (3 + k) * n + c * n * (n - 1) // 2

    def pack(self, state: MoleculeState) -> Tensor:
        """To ``(B, D)``."""
        return torch.cat([part.flatten(1) for part in state], dim=1)

    def unpack(self, z: Tensor) -> MoleculeState:
        """Inverse of `pack`."""
        n, k, c = self
        x, a, e = z.split(self.parts, dim=1)
        return MoleculeState(x.unflatten(1, (n, 3)), a.unflatten(1, (n, k)), e.unflatten(1, (n, n, c)))

    def pack_times(self, times: Times) -> Tensor:
        """A time for every number of the state, ``(..., D)``."""
        n, k, c = self
        x, graph, pairs = (t[..., None] for t in times)
        head = times.x.shape[:-1]
        wide = x.expand(*head, n, 3), graph.expand(*head, n, k), pairs.expand(*head, n, n, c).flatten(-2)
        return torch.cat([part.flatten(-2) for part in wide], dim=-1)

    def unpack_times(self, t: Tensor) -> Times:
        """Inverse of `pack_times`."""
        n, k, c = self
        x, graph, pairs = t.split(self.parts, dim=-1)
        return Times(x[..., ::3], graph[..., ::k], pairs[..., ::c].unflatten(-1, (n, n)))


def symmetric(e: Tensor) -> Tensor:
    """Mirrors the upper triangle of ``e (B, N, N, L)`` onto the lower and clears the diagonal."""
    upper = torch.triu(torch.ones(e.shape[1:3], dtype=torch.bool, device=e.device), diagonal=1)[..., None]
    e = torch.where(upper, e, 0)
    return e + e.transpose(1, 2)


def in_frame(x: Tensor, mask: Tensor, given: Tensor) -> Tensor:
    """Positions ``(B, N, 3)`` from the centre of the given atoms, or of all where none are given; padding is zero."""
    return (x - centres(x, torch.where(given.any(1, keepdim=True), given, mask))) * mask[..., None]


def frame_noise(x: Tensor, mask: Tensor, given: Tensor) -> Tensor:
    """Noise ``(B, N, 3)`` without its mean where no positions are given, and with them no frame; padding is zero."""
    return torch.where(given.any(1)[:, None, None], x, x - centres(x, mask)) * mask[..., None]


def centres(x: Tensor, atoms: Tensor) -> Tensor:
    """``(B, 1, 3)``: means of ``x (B, N, 3)`` over some atoms of each molecule; zero where there are none."""
    weight = atoms[..., None].to(x.dtype)
    return (x * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)


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


def molecule_noise(
    layout: Layout, n_atoms: Sequence[int], streams: Sequence[np.random.Generator], framed: Sequence[bool] | None = None
) -> Tensor:
    """Standard normal noise for a batch, molecule by molecule.

    Each molecule draws from its own stream as many numbers as it alone needs, so its noise does not depend on batch
    mates or padding. Coordinates have their mean removed (a standard normal on the zero-mean subspace), bond noise is
    symmetric with an empty diagonal.

    Args:
        layout: of the batch.
        n_atoms: atoms of each of B molecules.
        streams: one for each.
        framed: which molecules have positions that are given, and with them a frame: their noise keeps its mean.

    Returns:
        ``(B, D)`` float32, on the CPU.
    """
    pieces = [torch.zeros(1)]
    for row, (n, stream) in enumerate(zip(n_atoms, streams, strict=True)):
        numbers = normal(stream, layout._replace(atoms=n).independent)
        if framed is None or not framed[row]:
            x = numbers[: 3 * n].view(n, 3)
            x -= x.mean(0)
        pieces.append(numbers)
    return torch.cat(pieces).take(_places(layout, tuple(n_atoms)))


@lru_cache(maxsize=4)
def _places(layout: Layout, n_atoms: tuple[int, ...]) -> Tensor:
    """``(B, D)``: of each number of a state, the place among 0 and the molecules' own numbers end to end."""
    b, (padded, k, c) = len(n_atoms), layout
    x, a, e = (torch.zeros(b, padded, *shape, dtype=torch.int64) for shape in ((3,), (k,), (padded, c)))
    start = 1
    for row, n in enumerate(n_atoms):
        own = torch.arange(start, start := start + layout._replace(atoms=n).independent)
        own_x, own_a, own_e = own.split([3 * n, k * n, len(own) - (3 + k) * n])
        x[row, :n], a[row, :n] = own_x.view(n, 3), own_a.view(n, k)
        i, j = torch.triu_indices(n, n, offset=1)
        e[row, i, j] = e[row, j, i] = own_e.view(-1, c)
    return layout.pack(MoleculeState(x, a, e))
