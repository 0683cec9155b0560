"""Irreps of O(3), in e3nn's notation and with its names, without its import, which takes a second.

e3nn, and torch, are loaded where a network asks for numbers: Wigner symbols and spherical harmonics. Scalars and
vectors, such as ``128x0e + 16x1o``, need neither: the scalar product of two vectors and the direction of one are plain.

Source: Geiger & Smidt, "e3nn: Euclidean Neural Networks", arXiv:2207.09453.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_WORD = re.compile(r"\s*(?:(\d+)x)?(\d+)([eo])\s*", re.ASCII)


class Irrep(NamedTuple):
    """One irrep: degree ``l``, and parity ``p``: 1, written ``e``, or -1, written ``o``."""

    l: int  # noqa: E741
    p: int

    @property
    def dim(self) -> int:
        """Number of components."""
        return 2 * self.l + 1

    def products(self, other: "Irrep") -> Iterator["Irrep"]:
        """The irreps in the tensor product with another."""
        return (Irrep(ell, self.p * other.p) for ell in range(abs(self.l - other.l), self.l + other.l + 1))

    def __str__(self) -> str:
        return f"{self.l}{'e' if self.p == 1 else 'o'}"


class Block(NamedTuple):
    """Copies of one irrep."""

    mul: int
    ir: Irrep


class Irreps(tuple[Block, ...]):
    """Blocks in a row.

    Args:
        blocks: pairs of a multiplicity and an irrep, or a text such as ``128x0e + 16x1o``, where ``1o`` is ``1x1o``.

    Raises:
        ValueError: if the text is none.
    """

    def __new__(cls, blocks: str | Iterable[tuple[int, tuple[int, int]]]) -> "Irreps":
        """See the class."""
        if isinstance(blocks, str):
            words = [_WORD.fullmatch(word) for word in blocks.split("+")] if blocks.strip() else []
            if None in words:
                raise ValueError(f"'{blocks}' is not the notation of irreps, such as '128x0e + 32x1o'")
            blocks = [(int(word[1] or 1), (int(word[2]), 1 if word[3] == "e" else -1)) for word in words if word]
        return super().__new__(cls, [Block(mul, Irrep(ell, p)) for mul, (ell, p) in blocks])

    @property
    def num_irreps(self) -> int:
        """Number of irreps, copies counted."""
        return sum(block.mul for block in self)

    def __str__(self) -> str:
        return "+".join(f"{block.mul}x{block.ir}" for block in self)


def wigner_3j(l1: int, l2: int, l3: int, dtype: "torch.dtype") -> "Tensor":
    """e3nn's Wigner 3j symbols, ``(2 l1 + 1, 2 l2 + 1, 2 l3 + 1)``."""
    from e3nn import o3

    return o3.wigner_3j(l1, l2, l3, dtype=dtype)


def spherical_harmonics(ell: int, x: "Tensor") -> "Tensor":
    """e3nn's spherical harmonics of vectors ``(..., 3)`` as they are, component normalisation: ``(..., 2 ell + 1)``."""
    from e3nn import o3

    return o3.spherical_harmonics(ell, x, normalize=False, normalization="component")
