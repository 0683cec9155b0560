"""The nearest minimum of an energy: MMFF94s, or GFN2-xTB.

MMFF94s: Halgren, "MMFF VI. MMFF94s option for energy minimization studies", J. Comput. Chem. 20, 720 (1999), as RDKit
has it (Tosco, Stiefl and Landrum, J. Cheminformatics 6, 37, 2014). GFN2-xTB: Bannwarth, Ehlert and Grimme, J. Chem.
Theory Comput. 15, 1652 (2019), as tblite has it (the extra ``xtb``), with SciPy's L-BFGS.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdForceFieldHelpers as forcefield
from rdkit.ForceField.rdForceField import ForceField

from molscore import extras
from molscore.chem.forcefield.mmff import NO_CUTOFF, typed
from molscore.chem.forcefield.settle import HOLDING
from molscore.chem.forcefield.strays import strays
from molscore.chem.forcefield.trust import correct, trust
from molscore.chem.geometry.expected import expected
from molscore.chem.thresholds import THRESHOLDS
from molscore.limits import WORDS

METHODS = WORDS["energy"]

HARTREE = 627.509474
"""kcal/mol."""

BOHR = 0.529177210903
"""Å."""

STEPS, ROUNDS = 1000, 20
"""Steps of a minimisation, and how often MMFF94s may go on from where it stopped."""

MINIMISE_REASONS = {
    "no_geometry": "there is no 3-D conformer, or its energy is not a finite number",
    "no_parameters": "the method has no parameters for an atom, or none that agree with what is known of it",
    "not_converged": "no minimum was reached",
}
"""Why there is no minimum."""


class Minimum(NamedTuple):
    """The minimum that a minimisation reached, or the reason why there is none.

    Attributes:
        positions: (N, 3) Å of the minimum; None if there is a `reason`.
        before, after: energies in kcal/mol, on the method's own scale; None if there is none.
        reason: key of `MINIMISE_REASONS`; None if all went well.
    """

    positions: np.ndarray | None = None
    before: float | None = None
    after: float | None = None
    reason: str | None = None


def check_method(method: str) -> None:
    """Raises ValueError for an unknown method, or one whose extra is not installed, with what to do."""
    if method not in METHODS:
        raise ValueError(f"unknown method '{method}'; choose one of {', '.join(METHODS)}")
    if method == "xtb":
        extras.check("tblite", "xtb", "GFN2-xTB")


def minimise(mol: Chem.Mol, method: str = "mmff", fixed: Sequence[int] = ()) -> Minimum:
    """The minimum that lies downhill from the first conformer.

    Terms of MMFF94s that contradict what is known of bonds and angles are corrected on the way
    (`molscore.chem.forcefield.trust`); energies are those of MMFF94s as it is.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is.
        method: ``mmff`` or ``xtb``.
        fixed: atoms that stay where they are.

    Raises:
        ValueError: for an unknown method, or one that is not installed.
    """
    check_method(method)
    if mol.GetNumConformers() == 0 or not np.isfinite(mol.GetConformer().GetPositions()).all():
        return Minimum(reason="no_geometry")
    with rdBase.BlockLogs():
        return _mmff(Chem.Mol(mol), fixed) if method == "mmff" else _xtb(mol, fixed=fixed)


def energies(mol: Chem.Mol, method: str = "mmff") -> list[float | None]:
    """Energy of each conformer as it is, in kcal/mol on the method's own scale; None where the method has none.

    Args:
        mol: sanitised, hydrogens explicit.
        method: ``mmff`` or ``xtb``.

    Raises:
        ValueError: for an unknown method, or one that is not installed.
    """
    check_method(method)
    conformers = [conformer.GetId() for conformer in mol.GetConformers()]
    with rdBase.BlockLogs():
        if method == "xtb":
            return [_xtb(Chem.Mol(mol, False, k), steps=0).before for k in conformers]
        same, properties = typed(mol)
        positions = [conformer.GetPositions() for conformer in mol.GetConformers()]
        finite = [k for k, x in zip(conformers, positions, strict=True) if np.isfinite(x).all()]
        if properties is None or not finite:
            return [None] * len(conformers)
        field = forcefield.MMFFGetMoleculeForceField(same, properties, NO_CUTOFF, finite[0])
        values = (field.CalcEnergy(x.ravel().tolist()) for x in positions)
        return [energy if np.isfinite(energy) else None for energy in values]


def _mmff(mol: Chem.Mol, fixed: Sequence[int] = ()) -> Minimum:
    wanted = expected(mol)
    trusted = trust(mol, wanted)
    if trusted.field != "mmff94s":
        return Minimum(reason="no_parameters")
    mol, properties = typed(mol)
    field = forcefield.MMFFGetMoleculeForceField(mol, properties)
    before = field.CalcEnergy()
    if not np.isfinite(before):
        return Minimum(reason="no_geometry")
    if trusted.lengths or trusted.angles or trusted.cumulenes:
        field.Initialize()
        correct(field, trusted)
    _fix(field, fixed)
    for _ in range(1 + HOLDING):
        if all(field.Minimize(maxIts=STEPS) for _ in range(ROUNDS)):
            return Minimum(before=before, reason="not_converged")
        positions = mol.GetConformer().GetPositions()
        if not (strayed := strays(positions[None], wanted)[0]):
            break
        field.Initialize()
        strayed.hold_in(field, "MMFF")
        _fix(field, fixed)
    return Minimum(positions, before, forcefield.MMFFGetMoleculeForceField(mol, properties).CalcEnergy())


def _fix(field: ForceField, atoms: Sequence[int]) -> None:
    for atom in atoms:
        field.AddFixedPoint(atom)


def _xtb(mol: Chem.Mol, steps: int = STEPS, fixed: Sequence[int] = ()) -> Minimum:
    from scipy.optimize import minimize
    from tblite.interface import Calculator

    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    start = mol.GetConformer().GetPositions() / BOHR
    unpaired, last = sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()), None

    def energy_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal last
        calculator.update(x.reshape(-1, 3))
        last = calculator.singlepoint(last)
        gradient = np.array(last.get("gradient"))
        gradient[list(fixed)] = 0
        return float(last.get("energy")), gradient.ravel()

    try:
        calculator = Calculator("GFN2-xTB", numbers, start, float(Chem.GetFormalCharge(mol)), unpaired)
        calculator.set("verbosity", 0)
        before = energy_and_gradient(start.ravel())[0] * HARTREE
        if not steps:
            return Minimum(before=before)
        result = minimize(
            energy_and_gradient,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": steps, "gtol": THRESHOLDS.force_field.xtb_gradient, "ftol": 1e-10},
        )
    except RuntimeError:  # charges that do not settle: atoms on top of one another, or no parameters
        return Minimum(reason="no_geometry")
    if not result.success or not np.isfinite(result.fun):
        return Minimum(before=before, reason="not_converged")
    return Minimum(result.x.reshape(-1, 3) * BOHR, before, result.fun * HARTREE)
