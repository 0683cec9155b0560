"""The optimisers: Muon for the matrices inside the layers, AdamW for everything else.

Muon (Jordan et al., kellerjordan.github.io/posts/muon, 2024; scaled as in Liu et al., "Muon is scalable for LLM
training", arXiv:2502.16982, so that its steps are as large as AdamW's at the same rate) replaces the momentum of a
weight matrix by the nearest orthogonal one: every direction of a layer learns at the same pace. AdamW keeps what is no
map between hidden features: biases, norms and their modulation, embeddings and heads.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.optim import AdamW, Optimizer


class Muon(optim.Muon):
    """PyTorch's Muon, with the matrices of a shape orthogonalised together.

    A network of this size has many small matrices: one by one, their calls take longer than their products.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; gradients as for PyTorch's, which takes a closure as well.

        Raises:
            ValueError: for a closure.
        """
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            stacks: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    stacks[min(p.shape), max(p.shape)].append(p)
            for shape, parameters in stacks.items():
                self._step(parameters, group, 0.2 * shape[1] ** 0.5)  # "match_rms_adamw"

    def _step(self, parameters: list[Tensor], group: dict[str, Any], scale: float) -> None:
        """Steps matrices of one shape, transposed or not."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        momenta = [self.state[p].setdefault("momentum_buffer", torch.zeros_like(p)) for p in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        wide = [p.shape[0] <= p.shape[1] for p in parameters]
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"]) if group["nesterov"] else momenta
        stack = torch.stack([y if w else y.mT for y, w in zip(ahead, wide, strict=True)])
        stack = orthogonal(stack, group["ns_coefficients"], group["ns_steps"], group["eps"])
        updates = [y if w else y.mT for y, w in zip(stack.to(ahead[0].dtype), wide, strict=True)]
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, updates, alpha=-group["lr"] * scale)


def orthogonal(stack: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """About the nearest orthogonal matrices, by Newton-Schulz iterations, in bfloat16.

    Args:
        stack: ``(K, n, m)``, n at most m.
        coefficients: of the polynomial of the singular values, ``a x + b x^3 + c x^5``.
        steps: iterations.
        eps: the least norm of a matrix.
    """
    a, b, c = coefficients
    x = stack.bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def make_optimisers(
    model: nn.Module,
    learning_rate: float,
    matrix_rate: float,
    weight_decay: float,
    critic: tuple[nn.Module, float] | None = None,
) -> list[Optimizer]:
    """One or two optimisers that share the parameters; the groups remember their peak rate as ``peak``.

    Args:
        model: a `MoleculeDiffusion`.
        learning_rate: AdamW's peak.
        matrix_rate: Muon's peak; 0 leaves the matrices to AdamW as well.
        weight_decay: decoupled, for both.
        critic: of a distillation, and how many times these rates it is trained at.
    """
    rest: list[dict[str, Any]] = []
    matrices: list[dict[str, Any]] = []
    for each, factor in [(model, 1.0), *([critic] if critic else [])]:
        own = hidden_matrices(each) if matrix_rate else []
        chosen = {id(p) for p in own}
        others = [p for p in each.parameters() if id(p) not in chosen]
        rest.append({"params": others, "lr": factor * learning_rate})
        matrices += [{"params": own, "lr": factor * matrix_rate}] if own else []
    optimisers: list[Optimizer] = [AdamW(rest, weight_decay=weight_decay, fused=True)]
    if matrices:
        optimisers.append(Muon(matrices, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def hidden_matrices(model: nn.Module) -> list[torch.Tensor]:
    """The matrices of the network's layers that map features to features."""
    return [
        p
        for name, p in model.named_parameters()
        if ".layers." in name and "norm" not in name and p.ndim == 2 and min(p.shape) > 1
    ]
