"""Pair features: linear maps, normalisation and hidden layers of tensors ``(B, N, N, C)``.

Pairs outnumber atoms twentyfold, so each function here passes over them as few times as it can, and sums up its terms
in one tensor.

They are read through layer normalisation alone, so that the mean of their channels never counts. It is taken off where
they are made, in the weights: then no pass over the pairs need look for it.
"""

import torch
from torch import Tensor, nn

from molscore.network.linear import linear

EPS = 1e-5


class CentredLinear(nn.Linear):
    """Linear map of the channels to channels whose mean is zero."""

    def centred(self) -> tuple[Tensor, Tensor]:
        """Weight and bias."""
        return self.weight - self.weight.mean(0), self.bias - self.bias.mean()


def embedded_pairs(layer: CentredLinear, pairs: Tensor, others: Tensor) -> Tensor:
    """``layer([pairs, others])``: pair features ``(B, N, N, P)``.

    Args:
        layer: from the channels of both together.
        pairs: ``(B, N, N, C)``.
        others: further features, channels first, ``(C', B, N, N)``.
    """
    weight, bias = layer.centred()
    own, rest = weight.split([pairs.shape[-1], len(others)], dim=1)
    return add_product(linear(pairs, own, bias), others, rest)


def updated_pairs(layer: CentredLinear, e: Tensor, m: Tensor) -> Tensor:
    """``e + layer(m)`` of pair features ``(B, N, N, P)`` and messages ``(B, N, N, C)``."""
    weight, bias = layer.centred()
    return linear(m, weight, bias).to(e.dtype).add_(e)


class PairNorm(nn.Module):
    """Layer normalisation of channels whose mean is zero, with its scale and shift folded into the map that follows."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, e: Tensor) -> Tensor:
        """``e (B, N, N, C)`` over its deviation."""
        return e * torch.rsqrt(e.square().mean(-1, keepdim=True) + EPS).to(e.dtype)

    def folded(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """What ``weight (D, C)`` becomes, ``(D, C)``, and what is added to its bias ``(D,)``."""
        return weight * self.weight, weight @ self.bias


def hidden_pairs(norm: PairNorm, layer: nn.Linear, e: Tensor, others: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """``silu(layer([norm(e), others]) + left_i + right_j)``.

    Args:
        norm: of ``e``.
        layer: from the channels of ``e`` and ``others`` together to D.
        e: ``(B, N, N, C)``, of zero mean.
        others: further features, channels first, ``(C', B, N, N)``.
        left, right: what the two atoms of a pair add, ``(B, N, D)``.

    Returns:
        ``(B, N, N, D)``.
    """
    own, rest = layer.weight.split([e.shape[-1], len(others)], dim=1)
    own, shift = norm.folded(own)
    m = (left + (layer.bias + shift).to(left.dtype))[:, :, None] + right[:, None]
    m += linear(norm(e), own).to(m.dtype)
    return nn.functional.silu(add_product(m, others, rest), inplace=True)


def add_product(y: Tensor, others: Tensor, weight: Tensor) -> Tensor:
    """Adds ``weight others`` to ``y (B, N, N, D)``, in place; ``others (C', B, N, N)`` have their channels first."""
    y.view(-1, y.shape[-1]).addmm_(others.flatten(1).T.to(y.dtype), weight.T.to(y.dtype))
    return y
