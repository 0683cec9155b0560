"""Relaxation energy: how far above the nearest minimum of a force field a conformer lies.

    E_relax = E(x) - E(x*),      x* the local minimum that MMFF94s reaches from x,

in kcal/mol, hydrogens and all. The conformation stays what it is; bonds, angles and contacts settle. A good generator
scores what the data themselves score, not 0: QM9's geometries are minima of B3LYP, not of MMFF94s.

Source: Halgren, "MMFF VI. MMFF94s option for energy minimization studies", J. Comput. Chem. 20, 720 (1999), as RDKit
has it (Tosco, Stiefl and Landrum, J. Cheminformatics 6, 37, 2014).
"""

from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdForceFieldHelpers as forcefield

REASONS = {
    "no_parameters": "MMFF94s has no parameters for an atom",
    "no_geometry": "there is no 3-D conformer, or its energy is not a finite number",
    "not_converged": "no minimum was reached",
}
"""Why there is no relaxation energy."""

ITERATIONS, ROUNDS = 1000, 20
"""Steps of a minimisation, and how often it may go on from where it stopped."""


class Strain(NamedTuple):
    """Outcome of a relaxation.

    Attributes:
        energy: relaxation energy in kcal/mol, 0 or more; None if there is none.
        reason: key of `REASONS` if there is none.
    """

    energy: float | None
    reason: str | None = None


def relaxation_energy(mol: Chem.Mol) -> Strain:
    """MMFF94s relaxation energy of a molecule's first conformer.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is.

    Returns:
        The energy in kcal/mol, or the reason why there is none.
    """
    if mol.GetNumConformers() == 0 or not np.isfinite(mol.GetConformer().GetPositions()).all():
        return Strain(None, "no_geometry")
    copy = Chem.Mol(mol)
    with rdBase.BlockLogs():
        properties = forcefield.MMFFGetMoleculeProperties(copy, mmffVariant="MMFF94s")
        if properties is None:
            return Strain(None, "no_parameters")
        field = forcefield.MMFFGetMoleculeForceField(copy, properties)
        before = field.CalcEnergy()
        if not np.isfinite(before):
            return Strain(None, "no_geometry")
        for _ in range(ROUNDS):
            if field.Minimize(maxIts=ITERATIONS) == 0:
                return Strain(max(0.0, before - field.CalcEnergy()))
    return Strain(None, "not_converged")
