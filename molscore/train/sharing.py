"""Muon's work, shared by the processes that train together.

Every process holds all gradients. Each orthogonalises the momenta of some of the matrices, about as much as any other,
and gets the rest from those that did: the steps are those of one process. Momenta are put together where they are
saved. Rajbhandari et al., "ZeRO", arXiv:1910.02054, share the state of optimisers so.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed
from torch.optim import Optimizer

MOMENTUM = "momentum_buffer"
"""What Muon keeps of a matrix."""


class SharedSteps:
    """Steps of an optimiser that computes each parameter by itself, in several processes.

    Args:
        optimiser: of this process; it holds all the parameters.
        rank: number of this process.
        world: how many there are.
    """

    def __init__(self, optimiser: Optimizer, rank: int, world: int):
        self.optimiser, self.rank = optimiser, rank
        self.parameters: list[Tensor] = [p for group in optimiser.param_groups for p in group["params"]]
        self.owners = owners([tuple(p.shape) for p in self.parameters], world)
        self.others = [p for p, owner in zip(self.parameters, self.owners, strict=True) if owner != rank]

    @torch.no_grad()
    def step(self) -> None:
        """Steps this process's parameters, and takes those of the others. Their gradients are gone then."""
        for parameter in self.others:
            parameter.grad = None  # the optimiser passes over it
        self.optimiser.step()
        self._exchange(self.parameters)

    @torch.no_grad()
    def gather(self) -> None:
        """Puts the momenta of all processes together in each; all call it at the same step."""
        state = self.optimiser.state
        for parameter in self.parameters:
            state[parameter].setdefault(MOMENTUM, torch.zeros_like(parameter))
        self._exchange([state[parameter][MOMENTUM] for parameter in self.parameters])

    def _exchange(self, tensors: Sequence[Tensor]) -> None:
        """Gives every tensor the value that it has where it belongs: a sum in which all other terms are zero."""
        parts = [
            x.flatten() if owner == self.rank else torch.zeros_like(x).flatten()
            for x, owner in zip(tensors, self.owners, strict=True)
        ]
        flat = torch.cat(parts)
        distributed.all_reduce(flat)
        for x, value in zip(tensors, flat.split([len(part) for part in parts]), strict=True):
            x.copy_(value.view_as(x))


CALLS = 3 * 10**6
"""Multiplications that take about as long as the calls around them."""


def owners(shapes: Sequence[tuple[int, ...]], world: int) -> list[int]:
    """The process of each matrix: the costliest first, each to the process that has the least to do."""
    costs = [cost(shape) for shape in shapes]
    load, owner = [0] * world, [0] * len(shapes)
    for k in sorted(range(len(shapes)), key=lambda k: -costs[k]):
        owner[k] = min(range(world), key=load.__getitem__)
        load[owner[k]] += costs[k]
    return owner


def cost(shape: tuple[int, ...]) -> int:
    """Multiplications of a Newton-Schulz step, and what calling them is worth."""
    return min(shape) ** 2 * (2 * max(shape) + min(shape)) + CALLS
