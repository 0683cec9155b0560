"""Chemical roles of atoms that are only known with probabilities.

With p_i(k) the probability that atom i is of class k, b_ij that it is bonded to j, o_ij the mean order of that bond and
v_k the valence of class k (of its element, changed by its charge),

    hydrogens   h_i = Σ_k p_i(k) v_k - Σ_j o_ij (1 - p_j(H)),       no fewer than 0
    donor       (p_i(N) + p_i(O)) min(h_i, 1)
    acceptor    p_i(O) + p_i(N) (1 - min(h_i, 1)) (3 - Σ_j b_ij),   the last between 0 and 1
    hydrophobe  (p_i(C) + p_i(S) + p_i(halogen)) exp(- Σ_j b_ij p_j(N, O))

so that an amide's nitrogen is a donor, pyridine's an acceptor, a tertiary amine's neither. Positive classes are no
acceptors. For graphs that are certain these are 0 or 1, but for the hydrophobe's exponential.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from molscore.guidance.soft import SoftMolecules

_VALENCES = {1: 1, 5: 3, 6: 4, 7: 3, 8: 2, 9: 1, 14: 4, 15: 3, 16: 2, 17: 1, 34: 2, 35: 1, 53: 1}
_GREASY = {6, 9, 16, 17, 35, 53}


class SoftRoles(NamedTuple):
    """Of each atom, ``(B, N)``: shares from 0 to 1, and the mean charge in elementary charges; 0 in the padding."""

    donor: Tensor
    acceptor: Tensor
    hydrophobe: Tensor
    charge: Tensor


def soft_roles(molecules: SoftMolecules) -> SoftRoles:
    """Roles of the atoms of molecules; differentiable in the probabilities of atoms and bonds."""
    p = molecules.atoms * molecules.mask[..., None]

    def share(classes: list[float]) -> Tensor:
        return p @ p.new_tensor(classes)

    pairs = molecules.vocabulary
    valence = share([_valence(z, q) for z, q in pairs])
    nitrogen, oxygen = (share([float(z == number and q <= 0) for z, q in pairs]) for number in (7, 8))
    cation = share([float(z == 7 and q > 0) for z, q in pairs])
    polar = share([float(z in (7, 8)) for z, _ in pairs])
    greasy = share([float(z in _GREASY and q == 0) for z, q in pairs])
    heavy = share([float(z > 1) for z, _ in pairs])
    bonded = molecules.bonds[..., 1:].sum(-1) * heavy[:, None]
    orders = molecules.bonds @ molecules.bonds.new_tensor([0.0, 1, 2, 3])
    order = (orders @ heavy[..., None]).squeeze(-1)
    hydrogens = (valence - order).clamp(0, 1)
    return SoftRoles(
        donor=(nitrogen + oxygen + cation) * hydrogens,
        acceptor=oxygen + nitrogen * (1 - hydrogens) * (3 - bonded.sum(-1)).clamp(0, 1),
        hydrophobe=greasy * torch.exp(-(bonded @ polar[..., None]).squeeze(-1)),
        charge=share([float(q) for _, q in pairs]),
    )


def _valence(z: int, charge: int) -> float:
    plain = _VALENCES.get(z, 0)
    return float(plain - abs(charge) if z in (5, 6, 14) else plain + charge)
