"""GFN2-xTB as the referee where neither experiment nor DFT has examples (Bannwarth et al., J. Chem.
Theory Comput. 15, 1652 (2019)).

A delivered geometry is relaxed without any restraint; what is right hardly moves. Charged atoms and metals are put in
implicit water (ALPB), so that zwitterions keep their protons and cisplatin has the bonds of its crystal.
"""

import hashlib
from pathlib import Path

import numpy as np
from rdkit import Chem
from scipy.optimize import minimize
from tblite.interface import Calculator

from judge.environments import is_metal

BOHR = 0.529177210903
STEPS = 150
"""Of L-BFGS: bonds and angles are settled long before, torsions need not be."""

FORCE = 2e-3
"""Hartree per bohr, the largest component at which a minimum is reached."""


class Referee:
    """Relaxes geometries, and keeps each result in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def relaxed(self, mol: Chem.Mol, positions: np.ndarray) -> np.ndarray | None:
        """Positions (N, 3) in Å after relaxation; None where GFN2-xTB does not converge or does not know an element."""
        numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
        charge = Chem.GetFormalCharge(mol)
        unpaired = unpaired_electrons(mol)
        solvated = any(atom.GetFormalCharge() or is_metal(atom) for atom in mol.GetAtoms())
        task = (numbers.tolist(), positions.round(4).tolist(), charge, unpaired, solvated)
        name = hashlib.sha256(repr(task).encode())
        path = self.folder / f"{name.hexdigest()[:32]}.npy"
        if not path.is_file():
            np.save(path, patiently(numbers, positions, charge, unpaired, solvated))
        result = np.load(path)
        return result if len(result) else None


def unpaired_electrons(mol: Chem.Mol) -> int:
    """Radical centres; two electrons on one atom are a pair, as in carbenes; parity decides in the end."""
    radicals = sum(atom.GetNumRadicalElectrons() % 2 for atom in mol.GetAtoms())
    electrons = sum(atom.GetAtomicNum() for atom in mol.GetAtoms()) - Chem.GetFormalCharge(mol)
    return radicals if (electrons - radicals) % 2 == 0 else electrons % 2


def patiently(numbers: np.ndarray, positions: np.ndarray, *state: int) -> np.ndarray:
    """Tries again with hot electrons, which converge where a geometry is very wrong; empty if that fails too."""
    for hot in (0.0, 0.01, 0.03):
        try:
            start = relax(numbers, positions, *state, temperature=hot) if hot else positions
            return relax(numbers, start, *state)
        except RuntimeError:
            continue
    return np.empty((0, 3))


def relax(
    numbers: np.ndarray,
    positions: np.ndarray,
    charge: int,
    unpaired: int,
    solvated: bool,
    temperature: float = 9.5e-4,
) -> np.ndarray:
    """The nearest minimum, Å, of electrons at a temperature in hartree (300 K). RuntimeError: no convergence."""
    calculator = Calculator("GFN2-xTB", numbers, positions / BOHR, float(charge), unpaired)
    calculator.set("verbosity", 0)
    calculator.set("temperature", temperature)
    calculator.set("max-iter", 400)
    if solvated:
        calculator.add("alpb-solvation", "water")
    state = None

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal state
        calculator.update(flat.reshape(-1, 3))
        state = calculator.singlepoint(state)
        return float(state.get("energy")), state.get("gradient").ravel()

    options = {"maxiter": STEPS, "maxfun": STEPS, "gtol": FORCE, "ftol": 0.0}
    minimum = minimize(energy, (positions / BOHR).ravel(), jac=True, method="L-BFGS-B", options=options)
    return minimum.x.reshape(-1, 3) * BOHR
