"""Checks of what depends on positions: it turns with them, whatever the frame, and its atoms have no order.

A field takes positions ``(..., N, 3)`` and returns tensors: vectors of the atoms, ``(..., N, 3)``, invariants of the
atoms, ``(..., N, K)``, or of pairs of them, ``(..., N, N, K)``.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Field = Callable[[Tensor], Sequence[Tensor]]


def orthogonal(determinant: int = 1, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """A random rotation, or with the determinant -1 a rotated reflection, ``(3, 3)``."""
    generator = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=generator))
    q = q * r.diagonal().sign()
    return (q * torch.linalg.det(q).sign() * determinant).to(dtype)


def check_equivariance(field: Field, x: Tensor, vectors: Sequence[bool], tolerance: float = 1e-4) -> None:
    """Under rotations and translations vectors turn and invariants stay.

    Args:
        field: of positions.
        x: positions ``(..., N, 3)``.
        vectors: for each of its tensors, whether it is one of vectors.
        tolerance: of the largest number in a tensor.
    """
    plain, turn = field(x), orthogonal(1, dtype=x.dtype)
    moved = x @ turn.T + torch.tensor([1.0, -2.0, 0.5]).to(x)
    _assert_turned(field(moved), plain, turn, vectors, tolerance, "a rotation and a translation")


def check_reflection(field: Field, x: Tensor, vectors: Sequence[bool], tolerance: float = 1e-4) -> None:
    """The same in a mirror; with pseudoscalars among a field's other inputs, hand in the mirrored field's answer too.

    Args:
        field, x, vectors, tolerance: as for `check_equivariance`.
    """
    mirror = orthogonal(-1, dtype=x.dtype)
    _assert_turned(field(x @ mirror.T), field(x), mirror, vectors, tolerance, "a reflection")


def check_permutation(
    field: Callable[[Tensor], Sequence[Tensor]],
    make: Callable[[Tensor], Field],
    x: Tensor,
    pairs: Sequence[bool],
    tolerance: float = 1e-4,
) -> None:
    """With its atoms in another order, a molecule's answers come in that order.

    Args:
        field: of positions.
        make: the field of the molecule with its atoms in a given order ``(N,)``.
        x: positions ``(..., N, 3)``.
        pairs: for each of its tensors, whether it is one of pairs.
        tolerance: of the largest number in a tensor.
    """
    order = torch.randperm(x.shape[-2], generator=torch.Generator().manual_seed(1))
    for k, (value, plain, of_pairs) in enumerate(zip(make(order)(x[..., order, :]), field(x), pairs, strict=True)):
        expected = plain[..., order, :, :][..., order, :] if of_pairs else plain[..., order, :]
        _assert_near(value, expected, tolerance, f"tensor {k}, in another order of the atoms")


def _assert_turned(
    values: Sequence[Tensor],
    plains: Sequence[Tensor],
    turn: Tensor,
    vectors: Sequence[bool],
    tolerance: float,
    what: str,
) -> None:
    for k, (value, plain, turns) in enumerate(zip(values, plains, vectors, strict=True)):
        _assert_near(value, plain @ turn.T if turns else plain, tolerance, f"tensor {k}, under {what}")


def _assert_near(value: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    off, largest = float((value - expected).abs().max()), float(expected.abs().max())
    if not off <= tolerance * largest:
        raise AssertionError(f"{what}, is off by {off:.3g}, where its largest number is {largest:.3g}")
    if float(expected.std()) == 0:
        raise AssertionError(f"{what}, is constant: the check would pass whatever it is")
