"""Relaxation of a molecule where it lies in a pocket: atoms of the pocket are fixed, those of the molecule held.

    E(x) = E_MMFF94s(x) + Σ_ip ε ((R / d)¹² - 2 (R / d)⁶) + k Σ_i max(0, |x_i - x_i⁰| - 0.3 Å)²

over all atoms i of the molecule, hydrogens too, and the heavy atoms p of the pocket, with k = 2 kcal/mol/Å² for heavy
atoms, 0 for hydrogens. R is the sum of van der Waals radii, with 1.1 Å of a hydrogen, and 0.2 Å more for the
hydrogens of the pocket that are not there; ε = 0.1 kcal/mol. Of a pair that may have a hydrogen bond R is 2.9 Å (1.9 Å
from hydrogen), and ε = 0.5 kcal/mol; at metals R is 2.2 Å. Closer than 0.7 R the energy goes on as a straight line, so
that atoms get out of one another. Free minimisation would let a molecule leave its place, or fold up.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import assign_stereo_in_place, isomeric_smiles
from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.pocket.receptor import Pocket

FREE, HOLD, STEPS = 0.3, 2.0, 200
"""Å, kcal/mol/Å², and steps of the minimisation."""

DEPTH, POLAR_DEPTH, ROOM, FAR = 0.1, 0.5, 0.2, 8.0
POLAR, POLAR_HYDROGEN, METAL, HYDROGEN = 2.9, 1.9, 2.2, 1.1
LINEAR = 0.7

_RADII = np.array([Chem.GetPeriodicTable().GetRvdw(z) for z in range(119)])
_RADII[1] = HYDROGEN


class Settled(NamedTuple):
    """A molecule relaxed in place.

    Attributes:
        mol: a copy that has been relaxed, or a plain copy if `moved` is None.
        moved: Å, the farthest that a heavy atom has moved; None if there are no parameters, or if the molecule would
            have become another stereoisomer.
    """

    mol: Chem.Mol
    moved: float | None


def settle_in_pocket(mol: Chem.Mol, pocket: Pocket, fixed: Sequence[int] = ()) -> Settled:
    """Relaxes the first conformer of a molecule where it lies.

    Args:
        mol: sanitised, hydrogens explicit, in the frame of the pocket. It is left as it is.
        pocket: around it.
        fixed: atoms that stay where they are.
    """
    from scipy.optimize import minimize  # SciPy loads slowly

    with rdBase.BlockLogs():
        same, properties = typed(mol)
        field = force_field(same, properties)
    if field is None:
        return Settled(Chem.Mol(mol), None)
    start = mol.GetConformer().GetPositions()
    heavy = np.array([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()])
    walls = _Walls(mol, start, pocket)
    free = np.ones((len(heavy), 1))
    free[list(fixed)] = 0

    def energy_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        x = flat.reshape(-1, 3)
        own, slope = field.CalcEnergy(flat.tolist()), np.array(field.CalcGrad(flat.tolist())).reshape(-1, 3)
        wall, wall_slope = walls(x)
        away = x - start
        length = np.linalg.norm(away, axis=1)
        beyond = np.maximum(length - FREE, 0) * heavy
        held = 2 * HOLD * (beyond / np.maximum(length, 1e-9))[:, None] * away
        return own + wall + HOLD * float((beyond**2).sum()), ((slope + wall_slope + held) * free).ravel()

    with rdBase.BlockLogs():
        result = minimize(
            energy_and_slope, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "gtol": 0.05}
        )
    positions = result.x.reshape(-1, 3)
    relaxed = Chem.Mol(mol)
    relaxed.GetConformer().SetPositions(positions)
    assign_stereo_in_place(relaxed)
    if not np.isfinite(positions).all() or isomeric_smiles(relaxed) != isomeric_smiles(mol):
        return Settled(Chem.Mol(mol), None)
    return Settled(relaxed, float(np.linalg.norm((positions - start)[heavy], axis=1).max()))


class _Walls:
    """Energies, in kcal/mol, between a molecule and the atoms of a pocket within `FAR` of where it starts."""

    def __init__(self, mol: Chem.Mol, start: np.ndarray, pocket: Pocket):
        from scipy.spatial import cKDTree  # SciPy loads slowly

        distances, _ = cKDTree(start).query(pocket.positions)
        near = np.asarray(distances) < FAR
        self.others = pocket.positions[near]
        numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
        polar = np.isin(numbers, (7, 8))
        donated = np.array(
            [a.GetAtomicNum() == 1 and a.GetNeighbors()[0].GetAtomicNum() in (7, 8) for a in mol.GetAtoms()]
        )
        theirs = np.zeros(len(pocket.positions), dtype=bool)
        theirs[pocket.roles.polar.atoms] = True
        theirs, metal = theirs[near], pocket.roles.metal[near]
        best = _RADII[numbers][:, None] + _RADII[pocket.atomic_numbers[near]] + ROOM
        best = np.where(polar[:, None] & theirs, POLAR, best)
        best = np.where(donated[:, None] & theirs, POLAR_HYDROGEN, best)
        self.best = np.where(metal, METAL, best)
        self.depth = np.where((polar | donated)[:, None] & theirs, POLAR_DEPTH, DEPTH)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        from scipy.spatial.distance import cdist  # SciPy loads slowly

        distance = cdist(x, self.others)
        ratio = np.maximum(distance / self.best, LINEAR)
        six = ratio**-6
        slope = -12 * self.depth * (six**2 - six) / (ratio * self.best)
        energy = self.depth * (six**2 - 2 * six) + slope * np.minimum(distance - LINEAR * self.best, 0)
        force = slope / np.maximum(distance, 1e-6)
        return float(energy.sum()), force.sum(axis=1)[:, None] * x - force @ self.others
