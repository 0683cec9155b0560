"""Linear maps, on CPUs by the faster of PyTorch's two libraries.

PyTorch's own products in float32 are those of MKL, which leaves half of the vector units of AMD's processors unused.
oneDNN, which PyTorch brings too and calls for convolutions and in compiled graphs, does not: a large product takes half
the time there, on Intel's it takes the same. Its operator knows no gradients.
"""

import torch
from torch import Tensor, nn

ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
"""None where PyTorch comes without it."""
LARGE = 1_000_000
"""Multiplications from which the call, which costs some 10 µs more, pays."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`torch.nn.functional.linear`: ``(..., C_in)`` to ``(..., C_out)``."""
    if ONEDNN is None or torch.is_grad_enabled() or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return nn.functional.linear(x, weight, bias)
    if x.numel() * weight.shape[0] < LARGE or x.device.type != "cpu" or not x.dtype == weight.dtype == torch.float32:
        return nn.functional.linear(x, weight, bias)
    y: Tensor = ONEDNN(x.contiguous(), weight.contiguous(), bias, "none", [], "")
    return y


class Linear(nn.Linear):
    """`torch.nn.Linear` by `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """``(..., C_in)`` to ``(..., C_out)``."""
        return linear(x, self.weight, self.bias)
