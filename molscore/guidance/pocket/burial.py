"""Burial: atoms lie in the free volume of the pocket, and touch its walls.

    E = Σ_i ( k max(0, g_i - 1 Å)² - ε (1 - exp(- n_i / 10)) ),      n_i = Σ_p f(d_ip)      kcal/mol

with g_i the distance of atom i from the nearest point of the free volume (`molscore.chem.pocket.volume`), k = 1
kcal/mol/Å², f as for hydrophobic contact from 4.5 to 6.5 Å, and ε = 0.8 kcal/mol: the best
ligands gain 1.5 kcal/mol for each heavy atom (Kuntz et al., PNAS 96, 9997, 1999), by all energies together.
"""

import torch
from torch import Tensor

from molscore.guidance.pocket.hydrophobic import falling
from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.soft import SoftMolecules

STIFFNESS, MARGIN = 1.0, 1.0
"""kcal/mol/Å², Å."""

DEPTH, ENOUGH, NEAR, FAR = 0.8, 10.0, 4.5, 6.5
"""kcal/mol, neighbours, Å, Å."""


def burial(molecules: SoftMolecules, pocket: Surroundings, t: Tensor) -> Tensor:
    """Energy ``(B,)`` in kcal/mol of molecules outside or inside of a pocket.

    Args:
        molecules: B of them.
        pocket: of the same dtype.
        t: not looked at.
    """
    gap = (torch.cdist(molecules.positions, pocket.volume).amin(-1) - MARGIN).clamp(min=0)
    contacts = falling(torch.cdist(molecules.positions, pocket.positions), NEAR, FAR).sum(-1)
    energy = STIFFNESS * gap**2 - DEPTH * -torch.expm1(-contacts / ENOUGH)
    return (energy * molecules.mask).sum(1)
