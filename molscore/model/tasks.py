"""What training molecules are given, so that one network learns to make molecules, to complete them, and to place them.

Every molecule has a task, chosen at random by its share; what is not given is noised. Given parts are one to four
connected pieces of the molecule, or all but one connected piece: cores to grow from, fragments to join, what is left of
a lead when a part of it is replaced. Three pieces in four have whole rings.

=========  =====================  ===========================================================================
share      positions given        classes of atoms and bonds given
=========  =====================  ===========================================================================
pieces     of the pieces          of the pieces: complete a molecule
scaffolds  none                   of the pieces: complete a molecule whose pose is free
cores      of the pieces          of all: conformers with a core held
shapes     of all                 none: which atoms lie there?
=========  =====================  ===========================================================================

and ``graph_conditioned``: of all classes and no position, conformers. Of half the molecules that are completed it is
given too which atoms of the pieces have no bond to the rest, as a chemist gives the atoms at which to grow.

A piece grows from its first atoms along bonds of random lengths, exponentially distributed (first-passage percolation;
Hammersley & Welsh 1965), up to a random share of the atoms; bonds of rings have no length where rings stay whole. A
bond is in a ring exactly if its effective resistance is below 1, every bond being a resistance of 1 (Klein & Randic,
J. Math. Chem. 12, 81, 1993).
"""

from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from molscore.model.config import TaskShares
from molscore.model.state import Parts, closed_pairs

MOST_PIECES = 4
HOPS = 24
"""Bonds that a piece grows along at most."""
WHOLE_RINGS = 0.75
"""Share of the molecules whose rings are given whole or not at all."""
CLOSED = 0.5
"""Share of the molecules of which it is given where the pieces have no bond to the rest."""


def task_parts(
    shares: TaskShares, graph_conditioned: float, bonds: Tensor, mask: Tensor, rows: slice, **random: Any
) -> Parts:
    """Chooses tasks and pieces at random.

    Args:
        shares, graph_conditioned: probabilities of tasks.
        bonds, mask: of B molecules, as in `molscore.datasets.batch.MoleculeBatch`.
        rows: the molecules that are wanted. Random numbers are made for all.
        random: generator, device and dtype of the random numbers.

    Returns:
        What is given of the molecules in ``rows``.
    """
    b, n = mask.shape
    draw = torch.rand(b, **random)[rows]
    each = graph_conditioned, shares.pieces, shares.scaffolds, shares.cores, shares.shapes
    conformers, pieces, scaffolds, cores, shapes = (
        ((draw >= low) & (draw < high))[:, None] for low, high in pairwise(accumulate((0.0, *each)))
    )
    mask, bonds = mask[rows], bonds[rows]
    none = torch.zeros_like(mask)
    if not shares.total:
        return Parts(none, conformers & mask, torch.zeros_like(bonds, dtype=torch.bool))
    atoms, edges, choices = torch.rand(b, n, **random), torch.rand(b, n, n, **random), torch.rand(b, 5, **random)
    part = random_pieces(bonds, mask, atoms[rows], edges[rows], choices[rows][:, :4])
    graph = ((pieces | scaffolds) & part) | ((conformers | cores) & mask)
    positions = ((pieces | cores) & part) | (shapes & mask)
    inside = part & ~((bonds > 0) & ~part[:, None]).any(2)  # their neighbours are given
    closed = inside & (pieces | scaffolds) & (choices[rows][:, 4:] < CLOSED)
    return Parts(positions, graph, closed_pairs(graph, closed))


def known_tags(stereo: Tensor, graph: Tensor) -> Tensor:
    """Tags ``(B, S, 5)`` whose four atoms are among those whose classes are given, ``(B, N)``; the rest are zero."""
    known = graph.gather(1, stereo[..., :4].flatten(1)).view_as(stereo[..., :4]).all(-1, keepdim=True)
    return stereo * known


def random_pieces(bonds: Tensor, mask: Tensor, atoms: Tensor, edges: Tensor, choices: Tensor) -> Tensor:
    """Connected pieces of molecules, or all but one.

    Args:
        bonds, mask: of B molecules, ``(B, N, N)`` and ``(B, N)``.
        atoms, edges: uniform numbers, of atoms ``(B, N)`` and pairs ``(B, N, N)``.
        choices: uniform numbers ``(B, 4)``, of the number of pieces, their share of the atoms, whether rings stay
            whole, and whether the pieces are given or the rest.

    Returns:
        ``(B, N)`` bool; nowhere a whole molecule.
    """
    count, share, whole, rest = choices.unbind(1)
    rest = rest < 0.5
    inf = torch.inf
    bonded = bonds > 0
    lengths = -torch.log1p(-torch.minimum(edges, edges.mT))
    lengths = torch.where(ring_bonds(bonded, mask) & (whole < WHOLE_RINGS)[:, None, None], 0, lengths)
    lengths = torch.where(bonded, lengths, inf)
    rank = torch.where(mask, atoms, inf).argsort(1).argsort(1)
    first = torch.where(rest, 1, 1 + (MOST_PIECES * count).long())
    distance = torch.where((rank < first[:, None]) & mask, 0, inf).to(lengths)
    for _ in range(min(mask.shape[1], HOPS)):
        distance = torch.minimum(distance, (lengths + distance[:, None]).amin(2))
    size = mask.sum(1)
    last = (share * size).long().clamp(max=mask.shape[1] - 1)
    reach = distance.sort(1).values.gather(1, last[:, None])
    inside = (distance <= reach) & mask
    inside = torch.where((inside | ~mask).all(1, keepdim=True), (distance < reach) & mask, inside)
    part = torch.where(rest[:, None], ~inside, inside) & mask
    return part & (~part & mask).any(1, keepdim=True)


def ring_bonds(bonded: Tensor, mask: Tensor) -> Tensor:
    """``(B, N, N)`` bool: bonds of rings, of ``bonded (B, N, N)`` and ``mask (B, N)``; molecules are connected."""
    a = bonded.double()
    own = mask.double()
    # The pseudo-inverse of the Laplacian but for a constant; the padding is a block of its own.
    laplacian = torch.diag_embed(a.sum(2) + 1 - own) - a + own[:, :, None] * own[:, None] / own.sum(1)[:, None, None]
    green = torch.linalg.inv_ex(laplacian).inverse
    diagonal = green.diagonal(dim1=1, dim2=2)
    resistance = diagonal[:, :, None] + diagonal[:, None] - 2 * green
    return bonded & (resistance < 1 - 1e-3)
