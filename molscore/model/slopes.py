"""How far a posterior mean follows the slopes of an energy."""

import torch
from torch import Tensor


def tilted(p: Tensor, slope: Tensor) -> Tensor:
    """Class probabilities ``(..., K)`` of any sum, tilted to p exp(-slope) of the same sum; of none there are none."""
    return p.sum(-1, keepdim=True) * (p.clamp(min=torch.finfo(p.dtype).tiny).log() - slope).softmax(-1)


def shortened(vectors: Tensor, most: float) -> Tensor:
    """Vectors ``(..., 3)`` of a norm of at most ``most``, in their directions."""
    return vectors * (most / vectors.norm(dim=-1, keepdim=True).clamp(min=most))
