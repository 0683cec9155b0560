"""Electrostatics of what is charged.

    E = 332 Σ_ip q_i q_p / (ε(d) d),      ε(d) = 8 d / Å,      d no shorter than 2.5 Å      kcal/mol

for mean charges q of the atoms. A dielectric that grows with distance stands for the screening by water (Mehler and
Solmajer, Protein Eng. 4, 903, 1991); in a salt bridge of 2.8 Å it leaves 5 kcal/mol, of which half lies in hydrogen
bonds.
"""

import torch
from torch import Tensor

from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.roles import SoftRoles, soft_roles
from molscore.guidance.soft import SoftMolecules

COULOMB, DIELECTRIC, CLOSEST = 332.06, 8.0, 2.5
"""kcal/mol Å, 1/Å and Å."""


def electrostatics(molecules: SoftMolecules, pocket: Surroundings, t: Tensor, roles: SoftRoles | None = None) -> Tensor:
    """Energy ``(B,)`` in kcal/mol of charges of molecules among those of a pocket.

    Args:
        molecules: B of them.
        pocket: of the same dtype.
        t: not looked at.
        roles: of the molecules, if they are known.
    """
    roles = soft_roles(molecules) if roles is None else roles
    charged = pocket.charge != 0
    squared = torch.cdist(molecules.positions, pocket.positions[charged]).clamp(min=CLOSEST) ** 2
    potential = (COULOMB / DIELECTRIC * pocket.charge[charged] / squared).sum(-1)
    return (roles.charge * potential).sum(1)
