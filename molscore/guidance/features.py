"""Pharmacophores: features that molecules have in common with a query where it lies, as a wish.

Kinds and what makes an atom one, in probabilities of its class and of its bonds, so that all are differentiable:

    donor        N or O, not negative, with a hydrogen: a valence that the expected bonds leave open
    acceptor     O, not positive; N, not positive, without a hydrogen and without three bonds to others
    aromatic     C or N with a double bond to C or N
    hydrophobe   C, S or halogen, not charged, without a bond to N, O or P
    cation       charged positive, and bonded to nothing negative (so no nitro group)
    anion        charged negative, and bonded to nothing positive

A feature is a Gaussian exp(-a r²) of the probability's height; two of a kind overlap as atoms do
(`molscore.guidance.shape`). For each kind that the query has, the Tanimoto coefficient of these overlaps counts; their
mean is 1 for a copy.

Source: kinds as Mills and Dean, J. Comput.-Aided Mol. Des. 10, 607 (1996), and ROCS's colour force field; overlaps as
Grant, Gallardo and Pickup, J. Comput. Chem. 17, 1653 (1996).
"""

import torch
from torch import Tensor

from molscore.guidance.shape import LONGEST_MOVE, Gaussians, tanimoto
from molscore.guidance.soft import SoftMolecules

KINDS = ("donor", "acceptor", "aromatic", "hydrophobe", "cation", "anion")

DECAY = 1.0
"""1/Å²: half as wide as RDKit's, so that features feel one another over the width of a ring."""

STRENGTH = 100.0
"""kT for all of a query's features."""

VALENCE = {7: 3.0, 8: 2.0}
"""Bonds of neutral donors; one more for a positive charge."""


def features_of(molecules: SoftMolecules) -> Tensor:
    """``(B, N, 6)``: the probability that an atom is a feature of each of `KINDS`."""
    vocabulary = molecules.vocabulary

    def is_a(chosen: list[bool]) -> Tensor:
        return molecules.atoms @ molecules.atoms.new_tensor(chosen)

    def of(numbers: tuple[int, ...], charges: tuple[int, ...] = (0,)) -> Tensor:
        return is_a([number in numbers and charge in charges for number, charge in vocabulary])

    bonded = molecules.bonds[..., 1:].sum(-1)
    order = (molecules.bonds[..., 1:] @ molecules.bonds.new_tensor([1.0, 2.0, 3.0])).sum(-1)
    neighbours = bonded.sum(-1)
    hydrogen = molecules.share((1,))

    def without(share: Tensor) -> Tensor:
        """That no neighbour is of a kind."""
        return (1 - bonded * share[:, None]).prod(-1)

    own = 1 - without(hydrogen)  # a hydrogen that is an atom
    hydrogens = {
        (number, charge): torch.maximum((valence + charge - order).clamp(0, 1), own)
        for number, valence in VALENCE.items()
        for charge in (0, 1)
    }
    donor = sum((of((number,), (charge,)) * h for (number, charge), h in hydrogens.items()), torch.zeros_like(own))
    crowded = (neighbours - 2).clamp(0, 1)
    acceptor = of((8,), (-1, 0)) + of((7,), (-1, 0)) * (1 - hydrogens[7, 0]) * (1 - crowded)
    flat = of((6, 7), (-1, 0, 1))
    aromatic = flat * (1 - (1 - molecules.bonds[..., 2] * flat[:, None]).prod(-1))
    hydrophobe = of((6, 9, 16, 17, 35, 53)) * without(molecules.share((7, 8, 15)))
    positive, negative = (is_a([sign * charge > 0 for _, charge in vocabulary]) for sign in (1, -1))
    charged = positive * without(negative), negative * without(positive)
    return torch.stack([donor, acceptor, aromatic, hydrophobe, *charged], -1) * molecules.mask[..., None]


class FeatureWish:
    """The energy -strength times the likeness of features to those of a query, kT.

    Args:
        query: one molecule, in the frame of the wish, see `molscore.guidance.query.certain`.
        strength: kT, for a copy of the query.

    Raises:
        ValueError: if the query has no feature.
    """

    longest_move = LONGEST_MOVE

    def __init__(self, query: SoftMolecules, strength: float = STRENGTH):
        features = features_of(query)[0]
        kinds = (features > 0.5).any(0)
        if not kinds.any():
            raise ValueError(f"the query has no feature: none of {', '.join(KINDS)}")
        self.kinds, self.strength = kinds, strength
        self.query = _gaussians(query.positions[0], features[:, kinds])

    def __repr__(self) -> str:
        named = ", ".join(kind for kind, there in zip(KINDS, self.kinds, strict=True) if there)
        return f"FeatureWish({named}, strength={self.strength:g})"

    def __call__(self, molecules: SoftMolecules, t: Tensor) -> Tensor:
        """See `molscore.guidance.soft.Wish`."""
        features = features_of(molecules)[..., self.kinds.to(molecules.mask.device)]
        own = _gaussians(molecules.positions, features)
        query = Gaussians(*(part.to(molecules.positions) for part in self.query))
        return -self.strength * tanimoto(own, query).mean(-1)


def _gaussians(positions: Tensor, weights: Tensor) -> Gaussians:
    """Features of F kinds ``(..., n, F)`` as Gaussians ``(..., F, n)``."""
    weights = weights.movedim(-1, -2)
    centres = positions[..., None, :, :].expand(*weights.shape, 3)
    return Gaussians(centres, torch.full_like(weights, DECAY), weights)
