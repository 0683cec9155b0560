"""The energy of a molecule in a pocket: the sum of its parts, in kcal/mol, over kT = 0.593 kcal/mol (298 K).

It is meant to guide, not to rank: nothing of it was fitted to affinities. Judge by something else.
"""

import torch
from torch import Tensor

from molscore.chem.pocket.receptor import Pocket
from molscore.guidance.pocket.burial import burial
from molscore.guidance.pocket.electrostatics import electrostatics
from molscore.guidance.pocket.hydrogen_bonds import hydrogen_bonds
from molscore.guidance.pocket.hydrophobic import hydrophobic
from molscore.guidance.pocket.sterics import sterics
from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.roles import soft_roles
from molscore.guidance.soft import SoftMolecules

KT = 0.593
"""kcal/mol."""

CLASS_SHARE = 0.5
"""Share of the slope in the elements that samples are shown; with all of it they fit better, and are less often sound.
Bonds are shown none: they follow the elements."""


class PocketWish:
    """A wish: to lie in a pocket, without overlap and in good contact.

    Args:
        pocket: in whose frame the molecules are.
        share: of the energy that is shown.
    """

    def __init__(self, pocket: Pocket, share: float = 1.0):
        self.pocket, self.share, self.surroundings = pocket, share, Surroundings.of(pocket)

    def __repr__(self) -> str:
        return f"PocketWish({self.pocket.site.text})"

    def __call__(self, molecules: SoftMolecules, t: Tensor) -> Tensor:
        """Energy ``(B,)`` in kT at diffusion times ``t (B,)`` of the graph, see `molscore.guidance.soft.Wish`."""
        fixed = molecules.atoms.detach()
        atoms = fixed + CLASS_SHARE * (molecules.atoms - fixed)
        molecules = molecules._replace(atoms=atoms, bonds=molecules.bonds.detach())
        return torch.stack(list(self.parts(molecules, t).values())).sum(0) * self.share / KT

    def parts(self, molecules: SoftMolecules, t: Tensor) -> dict[str, Tensor]:
        """The energies by name, ``(B,)`` each, in kcal/mol."""
        pocket, roles = self.surroundings.to(molecules.positions), soft_roles(molecules)
        return {
            "sterics": sterics(molecules, pocket, t),
            "hydrogen_bonds": hydrogen_bonds(molecules, pocket, t, roles),
            "hydrophobic": hydrophobic(molecules, pocket, t, roles),
            "electrostatics": electrostatics(molecules, pocket, t, roles),
            "burial": burial(molecules, pocket, t),
        }
