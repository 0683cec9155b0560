"""Molecules as a posterior mean knows them: expected positions, and probabilities in place of elements and bonds."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from molscore.reprs import short_repr


class SoftMolecules(NamedTuple):
    """B molecules padded to N atoms.

    Attributes:
        positions: ``(B, N, 3)`` Å, in the frame of whoever has the wish; padding lies anywhere.
        atoms: ``(B, N, K)`` probabilities of the classes; zero in the padding.
        bonds: ``(B, N, N, 4)`` probabilities of no, single, double and triple bond, Kekulé; symmetric, zero in the
            padding and on the diagonal.
        mask: ``(B, N)`` bool, the atoms.
        vocabulary: atomic number and formal charge of each class, K of them.
    """

    positions: Tensor
    atoms: Tensor
    bonds: Tensor
    mask: Tensor
    vocabulary: Sequence[tuple[int, int]]

    def __repr__(self) -> str:
        return short_repr(self)

    def share(self, numbers: Sequence[int]) -> Tensor:
        """``(B, N)``: the probability of being one of the elements with these atomic numbers."""
        chosen = self.atoms.new_tensor([float(number in numbers) for number, _ in self.vocabulary])
        return self.atoms @ chosen

    @property
    def charges(self) -> Tensor:
        """``(B, N)``: expected formal charges."""
        return self.atoms @ self.atoms.new_tensor([float(charge) for _, charge in self.vocabulary])


Wish = Callable[[SoftMolecules, Tensor], Tensor]
"""``wish(molecules, t)``: an energy for each molecule ``(B,)`` in kT, at graph times ``t (B,)``; lower is better."""


def normalised(mean: Tensor, there: Tensor) -> Tensor:
    """Probabilities from mean one-hot vectors ``(..., K)`` of any scale; zero where nothing is ``there (...)``.

    Small negative parts, which guidance may leave, are taken as zero.
    """
    mean = mean.clamp(min=0) * there[..., None]
    return mean / mean.sum(-1, keepdim=True).clamp(min=torch.finfo(mean.dtype).eps)
