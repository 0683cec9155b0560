"""From heavy atoms to conformers worth having: hydrogens, relaxation, and a last look at stereo and geometry."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.embed import etkdg_in_place
from molscore.chem.hydrogens import with_hydrogens
from molscore.chem.relax import relax
from molscore.chem.settle import settle_hydrogens_in_place, settle_in_place
from molscore.chem.stereo import misread, wrong
from molscore.chem.validity import geometry_fault
from molscore.conformers.target import Target
from molscore.randomness import Purpose, rdkit_seed

HYDROGENS_FIRST = 15
"""Steps in which hydrogens settle before all atoms do: without them, some would push heavy atoms aside."""

WINDOW, STIFFNESS = 15.0, 0.02
"""Degrees that a torsion may turn while bonds and angles settle, and kcal/mol/deg² beyond them. A spring and no wall:
the minimisation gets on twice as fast, and what the model has folded into itself can come apart."""

SETTLING = 3
"""Rounds of settling, at most; for most conformers one is enough."""

EMBEDDING = 10
"""Tries of ETKDGv3 for each conformer: from distances, from random coordinates, and so with stereo left to chance."""

HOPELESS = 9
"""Failures in a row from the start after which ETKDGv3 is given up."""


def completed(target: Target, heavy: np.ndarray, how: str) -> Chem.Mol:
    """A molecule with one conformer for each geometry ``(K, n, 3)`` of its heavy atoms: hydrogens placed, relaxed.

    Args:
        target: whose heavy atoms they are.
        heavy: Å.
        how: a relaxation, see `molscore.conformers.options.Options`.

    Raises:
        MoleculeError: if its hydrogens cannot be placed.
    """
    mol = with_hydrogens(target.mol, heavy)
    if how == "none":
        settle_hydrogens_in_place(mol)
        return mol
    return relaxed(mol, how)


def relaxed(mol: Chem.Mol, how: str) -> Chem.Mol:
    """The molecule with its conformers relaxed; what has no minimum, or changes its stereo, stays as it is."""
    if how == "none":
        return mol
    settle_hydrogens_in_place(mol, HYDROGENS_FIRST)
    try:
        settle_in_place(mol, rounds=SETTLING, window=WINDOW, stiffness=STIFFNESS, threads=torch.get_num_threads())
    except MoleculeError:  # no force field knows an atom
        pass
    if how != "torsions":
        for conformer in mol.GetConformers():
            moved = relax(Chem.Mol(mol, False, conformer.GetId()), how).mol
            conformer.SetPositions(moved.GetConformer().GetPositions())
    return mol


def fault(target: Target, mol: Chem.Mol, conformer: int, strict: bool = True) -> str | None:
    """Token of what is wrong with a conformer, or None: ``stereo``, or a reason of `molscore.chem.validity`.

    Args:
        target: what was asked for.
        mol: with its conformers.
        conformer: the one to look at.
        strict: look at the geometry too, and ask of centres that they are not turned inside out, as they are in some
            strained cages.
    """
    positions = mol.GetConformer(conformer).GetPositions()
    if not np.isfinite(positions).all():
        return "non_finite"
    tags = target.redundant if strict else target.tags
    if wrong(positions[None], tags).any() or misread(mol, conformer, target.tags):
        return "stereo"
    found = geometry_fault(Chem.Mol(mol, False, conformer), target.limits) if strict else None
    return found[0] if found else None


def embedded(target: Target, numbers: Sequence[int], seed: int, how: str, left: Callable[[], float]) -> Chem.Mol:
    """Conformers of ETKDGv3, relaxed like the others, with the stereo that was asked for.

    Args:
        target: the molecule.
        numbers: of the conformers; number and seed decide what a conformer is.
        seed: of the run.
        how: a relaxation.
        left: seconds that are left; none, and no further conformer is begun.

    Returns:
        The molecule with as many conformers as could be made.

    Source: Wang, Witek, Landrum and Riniker, J. Chem. Inf. Model. 60, 2044 (2020).
    """
    mol = Chem.Mol(target.mol)
    mol.RemoveAllConformers()
    failures = 0
    for number in numbers:
        seconds = left()
        if seconds <= 0 or not mol.GetNumConformers() and failures >= HOPELESS:
            break
        limit = math.ceil(seconds) if seconds < math.inf else None
        trial = Chem.Mol(target.mol)
        own = rdkit_seed(seed, Purpose.ETKDG, number)
        for random, enforced in ((False, True), (True, True), (True, False)):
            if done := etkdg_in_place(trial, own, EMBEDDING, random, enforced, limit):
                trial = relaxed(trial, how)
                done = fault(target, trial, trial.GetConformer().GetId(), strict=False) is None
            if done:
                mol.AddConformer(trial.GetConformer(), assignId=True)
                break
            failures += 1
    return mol
