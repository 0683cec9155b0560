"""The optimisers: Muon for the matrices inside the layers, AdamW for everything else.

Muon (Jordan et al., kellerjordan.github.io/posts/muon, 2024; scaled as in Liu et al., "Muon is scalable for LLM
training", arXiv:2502.16982, so that its steps are as large as AdamW's at the same rate) replaces the momentum of a
weight matrix by the nearest orthogonal one: every direction of a layer learns at the same pace. AdamW keeps what is no
map between hidden features: biases, norms and their modulation, embeddings and heads.
"""

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer


def make_optimisers(model: nn.Module, learning_rate: float, matrix_rate: float, weight_decay: float) -> list[Optimizer]:
    """One or two optimisers that share the model's parameters; the groups remember their peak rate as ``peak``.

    Args:
        model: a `MoleculeDiffusion`.
        learning_rate: AdamW's peak.
        matrix_rate: Muon's peak; 0 leaves the matrices to AdamW as well.
        weight_decay: decoupled, for both.
    """
    matrices = hidden_matrices(model) if matrix_rate else []
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    optimisers: list[Optimizer] = [AdamW(rest, lr=learning_rate, weight_decay=weight_decay, fused=True)]
    if matrices:
        optimisers.append(Muon(matrices, lr=matrix_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
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
