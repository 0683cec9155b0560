"""Hydrophobic contact: bare carbon lies beside bare carbon, and polar atoms do not.

    E = - ε Σ_i (H_i - P_i / 2) (1 - exp(- n_i / 3)),      n_i = Σ_p H_p f(d_ip)      kcal/mol

H is 1 of a hydrophobe (`molscore.guidance.roles`), P of nitrogen and oxygen, f falls smoothly from 1 at 4.2 Å to 0 at
6 Å, and ε = 0.8 kcal/mol: burying a methyl group gains about 0.8 kcal/mol (25 cal/mol/Å² of 30 Å²;
Chothia, Nature 248, 338, 1974).
"""

import torch
from torch import Tensor

from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.roles import SoftRoles, soft_roles
from molscore.guidance.soft import SoftMolecules

DEPTH, ENOUGH = 0.8, 3.0
"""kcal/mol; neighbours."""

NEAR, FAR = 4.2, 6.0
"""Å."""


def hydrophobic(molecules: SoftMolecules, pocket: Surroundings, t: Tensor, roles: SoftRoles | None = None) -> Tensor:
    """Energy ``(B,)`` in kcal/mol of hydrophobic contact between molecules and a pocket.

    Args:
        molecules: B of them.
        pocket: of the same dtype.
        t: not looked at.
        roles: of the molecules, if they are known.
    """
    roles = soft_roles(molecules) if roles is None else roles
    polar = molecules.atoms @ molecules.atoms.new_tensor([float(z in (7, 8)) for z, _ in molecules.vocabulary])
    greasy = pocket.positions[pocket.hydrophobe > 0]
    contacts = falling(torch.cdist(molecules.positions, greasy), NEAR, FAR).sum(-1)
    value = (roles.hydrophobe - polar / 2) * molecules.mask
    return -DEPTH * (value * -torch.expm1(-contacts / ENOUGH)).sum(1)


def falling(distance: Tensor, near: float, far: float) -> Tensor:
    """1 up to ``near``, 0 from ``far`` on, and smooth between."""
    step = ((far - distance) / (far - near)).clamp(0, 1)
    return step**2 * (3 - 2 * step)
