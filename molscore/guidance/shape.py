"""Shape: the volume that molecules have in common with a query where it lies, as a wish.

Every heavy atom is a Gaussian p exp(-a r²) of its van der Waals volume: p = 2.7, a = pi (3 p / (4 pi))^(2/3) / R².
Two of them at a distance d overlap in

    V = p² (pi / (a + b))^(3/2) exp(-a b d² / (a + b)),

and the volume O that two molecules have in common is the sum over their pairs of atoms (first order: nothing is taken
off where three overlap). The Tanimoto coefficient O_AB / (O_AA + O_BB - O_AB) is 1 for a copy. It is what RDKit's
rdShapeAlign finds for the pose; that moves molecules as a whole then, this moves their atoms.

Source: Grant and Pickup, J. Phys. Chem. 99, 3503 (1995); Grant, Gallardo and Pickup, J. Comput. Chem. 17, 1653 (1996).
Radii: Bondi, J. Phys. Chem. 68, 441 (1964); Mantina et al., J. Phys. Chem. A 113, 5806 (2009).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from molscore.guidance.soft import SoftMolecules

RADII = {6: 1.70, 7: 1.55, 8: 1.52, 9: 1.47, 15: 1.80, 16: 1.80, 17: 1.75, 34: 1.90, 35: 1.83, 53: 1.98}
RADII |= {5: 1.92, 14: 2.10}
"""Å, by atomic number."""

OTHER = 1.80
"""Å, of elements that are not listed."""

HEIGHT = 2.7
"""p of every atom."""

STRENGTH = 50.0
"""kT for the whole of a query's volume."""

LONGEST_MOVE = 3.0
"""Å, by which the wish may move an atom in one evaluation: it is smooth over the width of an atom, and early on, where
all atoms are expected in the middle, they have far to go."""


class Gaussians(NamedTuple):
    """Atoms as Gaussians.

    Attributes:
        centres: ``(..., n, 3)`` Å.
        decay: ``(..., n)`` 1/Å².
        weights: ``(..., n)``, 1 for an atom and 0 for none.
    """

    centres: Tensor
    decay: Tensor
    weights: Tensor


def decay_of(number: int) -> float:
    """The decay a of an element's Gaussian, 1/Å²."""
    return math.pi * (3 * HEIGHT / (4 * math.pi)) ** (2 / 3) / RADII.get(number, OTHER) ** 2


def atoms_of(molecules: SoftMolecules) -> Gaussians:
    """Heavy atoms of molecules as Gaussians, each of its expected decay; hydrogens weigh nothing."""
    classes = molecules.atoms.new_tensor([decay_of(number) for number, _ in molecules.vocabulary])
    heavy = molecules.atoms.new_tensor([float(number > 1) for number, _ in molecules.vocabulary])
    weights = (molecules.atoms @ heavy) * molecules.mask
    decay = (molecules.atoms @ classes) + (~molecules.mask).to(classes)  # of what weighs nothing: any but 0
    return Gaussians(molecules.positions, decay, weights)


def overlap(first: Gaussians, second: Gaussians) -> Tensor:
    """The volume in common ``(...)`` Å³, to first order."""
    distance = (first.centres[..., :, None, :] - second.centres[..., None, :, :]).square().sum(-1)
    a, b = first.decay[..., :, None], second.decay[..., None, :]
    volume = HEIGHT**2 * (math.pi / (a + b)) ** 1.5 * torch.exp(-a * b / (a + b) * distance)
    return (volume * first.weights[..., :, None] * second.weights[..., None, :]).sum((-2, -1))


def tanimoto(first: Gaussians, second: Gaussians) -> Tensor:
    """Volume in common as a share of the volume of either, ``(...)``, 0 to 1."""
    common = overlap(first, second)
    return common / (overlap(first, first) + overlap(second, second) - common)


class ShapeWish:
    """The energy -strength times the Tanimoto coefficient of shape with a query, kT.

    Its slope is that of positions alone: elements are as large as the model expects them, not pushed to fill a volume.

    Args:
        query: one molecule, in the frame of the wish, see `molscore.guidance.query.certain`.
        strength: kT, for a copy of the query.
    """

    longest_move = LONGEST_MOVE

    def __init__(self, query: SoftMolecules, strength: float = STRENGTH):
        self.query, self.strength = Gaussians(*(part[0] for part in atoms_of(query))), strength

    def __repr__(self) -> str:
        return f"ShapeWish({len(self.query.decay)} atoms, strength={self.strength:g})"

    def __call__(self, molecules: SoftMolecules, t: Tensor) -> Tensor:
        """See `molscore.guidance.soft.Wish`."""
        query = Gaussians(*(part.to(molecules.positions) for part in self.query))
        certain = molecules._replace(atoms=molecules.atoms.detach())
        return -self.strength * tanimoto(atoms_of(certain), query)
