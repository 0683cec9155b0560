"""Pair features: linear maps, normalisation and hidden layers of tensors ``(C, B, N, N)``, channels first.

Pairs outnumber atoms twentyfold, so this is where the time goes, and it goes into reading and writing memory more than
into arithmetic. With channels first, a linear map of all pairs is one matrix product, and sums over neighbours run
along contiguous memory; each function here passes over the pairs as few times as it can.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

EPS = 1e-5


class PairLinear(nn.Linear):
    """Linear map of the channels."""

    def forward(self, e: Tensor) -> Tensor:
        """``(C_in, B, N, N)`` to ``(C_out, B, N, N)``."""
        return torch.addmm(self.bias[:, None], self.weight, e.flatten(1)).unflatten(1, e.shape[1:])


class PairNorm(nn.Module):
    """Layer normalisation over the channels, folded into the linear map ``W`` that follows it.

    ``W (scale (e - mean) / deviation + shift) = (W' e) / deviation + W shift``: the rows of ``W'``, which are those of
    ``W scale`` less their mean, take the mean of ``e`` away.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, e: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``W' e (D, B, N, N)``, 1 / deviation ``(B, N, N)`` and shift ``(D,)``, from ``e (C, B, N, N)`` and ``W``.

        ``W`` is the first C columns of ``weight (D, C or more)``.
        """
        weight = weight[:, : len(e)]
        scaled = weight * self.weight
        y = (scaled - scaled.mean(1, keepdim=True)) @ e.flatten(1)
        variance = e.square().mean(0) - e.mean(0).square()
        return y.unflatten(1, e.shape[1:]), torch.rsqrt(variance.clamp(min=0) + EPS), weight @ self.bias


def hidden_pairs(
    norm: PairNorm, linear: PairLinear, e: Tensor, others: Sequence[Tensor], left: Tensor, right: Tensor
) -> Tensor:
    """``silu(linear([norm(e), *others]) + left_i + right_j)``.

    Args:
        norm: of ``e``.
        linear: from the channels of ``e`` and ``others`` together to D.
        e: ``(C, B, N, N)``.
        others: further pair features ``(C', B, N, N)``.
        left, right: what the two atoms of a pair add, ``(D, B, N)``.

    Returns:
        ``(D, B, N, N)``.
    """
    y, inverse, shift = norm(e, linear.weight)
    rest = linear.weight[:, len(e) :] @ torch.cat([x.flatten(1).to(e.dtype) for x in others])
    m = torch.addcmul(rest.view_as(y), y, inverse.to(y.dtype))
    left = left + (linear.bias + shift)[:, None, None]
    return nn.functional.silu(m.add_(left[..., None]).add_(right[..., None, :]))
