"""Hydrogen bonds with their geometry, and the coordination of metals.

    E = - 2 ε Σ_i tanh(s_i / 2),    s_i = Σ_h (D_h A_i + A_h D_i) exp(-((d_ih - 2.9) / w(t))²) g(cos θ_ih)     kcal/mol

with D and A the shares of donor and acceptor (`molscore.guidance.roles`), θ the angle between the direction in which
atom h has its bond and that to atom i, g a smooth step between the cosines at which it is none and full
(`molscore.chem.pocket.roles`), w(t) = 0.4 + 0.8 t Å, and ε = 1.5 kcal/mol. Metals take acceptors at 2.2 Å with twice
the weight, from any direction. Lengths, of heavy atoms: Taylor and Kennard, Acc. Chem. Res. 17, 320 (1984); the depth
is that of a neutral hydrogen bond in water (Fersht et al., Nature 314, 235, 1985: 0.5 to 1.5 kcal/mol).
"""

import torch
from torch import Tensor

from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.roles import SoftRoles, soft_roles
from molscore.guidance.soft import SoftMolecules

LENGTH, METAL_LENGTH, WIDTH, BLUR = 2.9, 2.2, 0.4, 0.8
"""Å."""

DEPTH, METAL_WEIGHT = 1.5, 2.0
"""kcal/mol; a factor."""


def hydrogen_bonds(molecules: SoftMolecules, pocket: Surroundings, t: Tensor, roles: SoftRoles | None = None) -> Tensor:
    """Energy ``(B,)`` in kcal/mol of hydrogen bonds between molecules and a pocket.

    Args:
        molecules: B of them.
        pocket: of the same dtype.
        t: ``(B,)`` diffusion time of the graph.
        roles: of the molecules, if they are known.
    """
    roles = soft_roles(molecules) if roles is None else roles
    away = molecules.positions[:, :, None] - pocket.partners
    distance = (away**2).sum(-1).clamp(min=1e-6).sqrt()
    cosine = (away * pocket.directions).sum(-1) / distance
    step = ((cosine - pocket.none) / (pocket.full - pocket.none)).clamp(0, 1)
    length = LENGTH + (METAL_LENGTH - LENGTH) * pocket.metal
    near = torch.exp(-(((distance - length) / (WIDTH + BLUR * t)[:, None, None]) ** 2))
    donor, acceptor = roles.donor[..., None], roles.acceptor[..., None]
    taken = (pocket.donor + METAL_WEIGHT * pocket.metal) * acceptor + pocket.acceptor * donor
    strength = (taken * near * step**2 * (3 - 2 * step)).sum(-1)
    return -2 * DEPTH * torch.tanh(strength / 2).sum(1)
