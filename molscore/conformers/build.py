"""From heavy atoms to whole conformers: hydrogens, relaxation, and a last check of stereo and geometry."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from rdkit import Chem

from molscore.chem.checks.validity import geometry_fault
from molscore.chem.embedding.cages import without_cage_stereo
from molscore.chem.embedding.etkdg import etkdg_in_place
from molscore.chem.forcefield.relax import RELAX_REASONS, relax
from molscore.chem.forcefield.settle import settle_hydrogens_in_place, settle_in_place
from molscore.chem.forcefield.springs import settle_by_table_in_place
from molscore.chem.geometry import table_fault
from molscore.chem.geometry.bounds import contact_fault, distances
from molscore.chem.geometry.shapes import shape_stereo_differs
from molscore.chem.hydrogens import with_hydrogens
from molscore.chem.stereo.tags import misread, wrong
from molscore.conformers.target import Target
from molscore.randomness import Purpose, rdkit_seed

NAMES = {"mmff": "mmff94s", "xtb": "xtb"}
"""Of relaxations, in a conformer's property ``relaxation``."""

HYDROGENS_FIRST = 15
"""Steps in which hydrogens settle before all atoms do: without them, some would push heavy atoms aside."""

FORCE = 1.0
"""kcal/mol/Å at which settling ends: bonds are within some 0.002 Å, and angles within half a degree, of where they
would. Half of it costs a fifth more, and gains 0.2 kcal/mol; twice as much saves a fifth, and costs 0.8."""

WINDOW, STIFFNESS = 15.0, 0.02
"""Degrees that a torsion may turn while bonds and angles settle, and kcal/mol/deg² beyond them. A spring and no wall:
the minimisation gets on twice as fast, and what the model has folded into itself can come apart."""

EMBEDDING = 10
"""Tries of ETKDGv3 for each conformer: from distances, from random coordinates, and so with stereo left to chance."""

CHANCES = 6
"""Tries with the stereo of a cage left to chance, which meets that asked for in about half of them."""

HOPELESS = 9
"""Failures in a row from the start after which ETKDGv3 is given up."""


def completed(target: Target, heavy: np.ndarray, how: str) -> Chem.Mol:
    """A molecule with one conformer for each geometry ``(K, n, 3)`` of its heavy atoms: hydrogens placed, relaxed.

    Args:
        target: whose heavy atoms they are.
        heavy: Å.
        how: a relaxation, see `molscore.conformers.options.ConformerOptions`.

    Returns:
        The molecule; for the properties of its conformers see `relaxed`.

    Raises:
        MoleculeError: if its hydrogens cannot be placed.
    """
    mol = with_hydrogens(target.mol, heavy)
    if how == "none":
        settle_hydrogens_in_place(mol)
    return relaxed(mol, how, target)


def relaxed(mol: Chem.Mol, how: str, target: Target | None = None) -> Chem.Mol:
    """The molecule with its conformers relaxed; what has no minimum, or changes its stereo, is left with its torsions.

    Atoms that the target holds stay where they are.

    Args:
        mol: with its conformers; they are changed, and each gets the property ``relaxation``: the method used. It is
            ``none``, ``torsions`` with the force field (``torsions (mmff94s)``, ``torsions (uff)``, ``torsions
            (table)``), ``mmff94s`` or ``xtb``. Where that is not what was asked for, ``relaxation_reason`` says why.
        how: a relaxation, see `molscore.conformers.options.ConformerOptions`.
        target: of the molecule, if there is one: what it has computed is not computed again.
    """
    if how == "none":
        for conformer in mol.GetConformers():
            conformer.SetProp("relaxation", "none")
        return mol
    target = target or Target(mol)
    wanted, hessian = target.expected, target.hessian
    settle_hydrogens_in_place(mol, HYDROGENS_FIRST, hessian)
    field = settle_in_place(
        mol,
        force=FORCE,
        window=WINDOW,
        stiffness=STIFFNESS,
        wanted=wanted,
        trusted=target.trust,
        hessian=hessian,
        fixed=target.fixed,
    )
    for conformer in mol.GetConformers():
        index, relaxation, reason = conformer.GetId(), field, None
        if field != "table" and table_fault(mol, target.judged, index):
            single = Chem.Mol(mol, False, index)
            settle_by_table_in_place(single, wanted, fixed=target.fixed)
            conformer.SetPositions(single.GetConformer().GetPositions())
            relaxation = "table"
        relaxation = f"torsions ({relaxation})"
        if how != "torsions":
            outcome = relax(Chem.Mol(mol, False, index), how, target.fixed)
            conformer.SetPositions(outcome.mol.GetConformer().GetPositions())
            reason = outcome.reason and RELAX_REASONS[outcome.reason]
            relaxation = relaxation if reason else NAMES[how]
        conformer.SetProp("relaxation", relaxation)
        if reason:
            conformer.SetProp("relaxation_reason", reason)
    return mol


def fault(target: Target, mol: Chem.Mol, conformer: int, strict: bool = True) -> str | None:
    """Token of what is wrong with a conformer, or None: ``stereo``, or a reason of `molscore.chem.checks.validity`.

    Args:
        target: what was asked for.
        mol: with its conformers.
        conformer: id of the one to check.
        strict: also hold contacts and flatness to the bounds of RDKit's distance geometry, and refuse centres that are
            turned inside out, as they are in some strained cages.
    """
    positions = mol.GetConformer(conformer).GetPositions()
    if not np.isfinite(positions).all():
        return "non_finite"
    tags = target.redundant if strict else target.tags
    if wrong(positions[None], tags).any() or misread(mol, conformer, target.tags):
        return "stereo"
    if target.judged.cumulenes.marked.opposite(positions).any():
        return "stereo"
    if target.expected.shaped and shape_stereo_differs(mol, conformer):
        return "stereo"
    single = Chem.Mol(mol, False, conformer)
    if strict:
        error = geometry_fault(single, target.limits, target.judged)
        return error[0] if error else None
    if error := table_fault(single, target.judged):
        return error[0]
    return "clash" if contact_fault(single, distances(single)) else None


def embedded(target: Target, numbers: Sequence[int], seed: int, how: str, left: Callable[[], float]) -> Chem.Mol:
    """Conformers of ETKDGv3, relaxed like the others, with the stereo that was asked for.

    Args:
        target: the molecule.
        numbers: of the conformers; number and seed decide what a conformer is.
        seed: of the run.
        how: a relaxation.
        left: seconds that are left; if there are none, no further conformer is begun.

    Returns:
        The molecule with as many conformers as could be made.

    Source: Wang, Witek, Landrum and Riniker, J. Chem. Inf. Model. 60, 2044 (2020).
    """
    mol = Chem.Mol(target.mol)
    mol.RemoveAllConformers()
    failures, bounds, same = 0, target.bounds, target.mol
    near = None if target.held is None else (target.held.atoms, target.held.positions)
    tries = [(same, False, True, bounds), (same, True, True, bounds), (same, True, False, bounds)]
    if bounds is not None:
        tries.append((same, True, False, None))
    if (free := without_cage_stereo(same)) is not None:
        tries += [(free, True, False, bounds)] * CHANCES
    for number in numbers:
        seconds = left()
        if seconds <= 0 or not mol.GetNumConformers() and failures >= HOPELESS:
            break
        limit = math.ceil(seconds) if seconds < math.inf else None
        own = rdkit_seed(seed, Purpose.ETKDG, number)
        others = (rdkit_seed(seed, Purpose.RING_STEREO, number * CHANCES + k) for k in range(CHANCES))
        for start, random, enforced, bounds in tries:
            trial = Chem.Mol(start)
            own = own if start is same else next(others)
            if sound := etkdg_in_place(trial, own, EMBEDDING, random, enforced, limit, bounds, near):
                if target.held is not None:
                    target.held.lay_in_place(trial)
                placed = Chem.Mol(target.mol)
                placed.RemoveAllConformers()
                placed.AddConformer(trial.GetConformer(), assignId=True)
                trial = relaxed(placed, how, target)
                sound = _sound(target, trial)
            if sound:
                mol.AddConformer(trial.GetConformer(), assignId=True)
                break
            failures += 1
    return mol


def _sound(target: Target, mol: Chem.Mol) -> bool:
    """Whether a molecule's only conformer has no fault; it is mirrored if that corrects its stereo."""
    conformer = mol.GetConformer()
    token = fault(target, mol, conformer.GetId(), strict=False)
    if token == "stereo" and target.held is None:  # distances, all that an embedding knows of metals, fit a mirror too
        conformer.SetPositions(-conformer.GetPositions())
        token = fault(target, mol, conformer.GetId(), strict=False)
    return token is None
