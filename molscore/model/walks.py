"""Walks on the predicted bond graph: how a network gets to see rings.

With A the probabilities that two atoms are bonded, ``(A^k)_ij`` counts the walks of k bonds from i to j. For two bonded
atoms of a tree there is none of even length, and those of odd length only go to and fro: whatever is beyond tells that
the bond lies in a ring of k + 1 atoms. Message passing can hardly count rings by itself (Chen et al., "Can graph neural
networks count substructures?", NeurIPS 2020); graph diffusion models are given such counts (Vignac et al., DiGress,
arXiv:2209.14734).
"""

import torch
from torch import Tensor

SHORTEST = 2
"""Bonds of the shortest walks that are counted: shorter ones are the bonds themselves."""


def walk_features(bonds: Tensor, mask: Tensor, kinds: int) -> tuple[Tensor, Tensor]:
    """Logarithms of numbers of walks of 2, 3, ... bonds.

    Args:
        bonds: ``(B, N, N, 4)`` probabilities of no, single, double, triple bond.
        mask: ``(B, N, N)`` pairs of two different atoms of a molecule.
        kinds: how many lengths.

    Returns:
        ``(B, N, kinds)`` closed walks of each atom, ``(B, N, N, kinds)`` walks between the atoms of each pair.
    """
    bonded = bonds[..., 1:].sum(-1) * mask
    walks, lengths = bonded, []
    for _ in range(kinds):
        walks = torch.bmm(walks, bonded)
        lengths.append(walks)
    counts = torch.stack(lengths, dim=-1).log1p()
    return counts.diagonal(dim1=1, dim2=2).transpose(1, 2), counts * mask[..., None]
