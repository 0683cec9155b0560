"""Sterics: atoms do not overlap; softly while the molecule is blurred, then hard.

    E = Σ_ip k(t) max(0, c(t) d_ip⁰ - d_ip)²                    kcal/mol
    d⁰ = r_i + r_p + 0.15 Å, and 0.5 Å less between two atoms that are both polar
    k(t) = 1 + 9 (1 - t)² kcal/mol/Å²,     c(t) = 1 - 0.4 t

with van der Waals radii r (of metals covalent), r_i the mean over the classes of atom i, and t the graph's diffusion
time: carbon has hydrogens, which are not there, and a hydrogen bond is shorter than the sum of the radii. The stiffness
is of the order of a van der Waals wall's in a force field where its energy crosses zero; the form is chosen.
"""

import torch
from torch import Tensor

from molscore.guidance.pocket.surroundings import RADII, Surroundings
from molscore.guidance.soft import SoftMolecules

ROOM, POLAR_SLACK = 0.15, 0.5
"""Å that atoms keep apart, since their hydrogens are not there, and by which two polar ones may come closer."""

STIFFNESS, SOFT_STIFFNESS, SHRINKING = 9.0, 1.0, 0.4


def sterics(molecules: SoftMolecules, pocket: Surroundings, t: Tensor) -> Tensor:
    """Energy ``(B,)`` in kcal/mol of molecules that overlap with a pocket.

    Args:
        molecules: B of them.
        pocket: of the same dtype.
        t: ``(B,)`` diffusion time of the graph.
    """
    pairs = molecules.vocabulary
    radii = molecules.atoms @ molecules.atoms.new_tensor([RADII[z] for z, _ in pairs])
    polar = molecules.atoms @ molecules.atoms.new_tensor([float(z in (7, 8)) for z, _ in pairs])
    closest = radii[..., None] + pocket.radii + ROOM - POLAR_SLACK * polar[..., None] * pocket.polar
    t = t[:, None, None]
    overlap = ((1 - SHRINKING * t) * closest - torch.cdist(molecules.positions, pocket.positions)).clamp(min=0)
    energy = (SOFT_STIFFNESS + STIFFNESS * (1 - t) ** 2) * overlap**2 * molecules.mask[..., None]
    return energy.sum((1, 2))
