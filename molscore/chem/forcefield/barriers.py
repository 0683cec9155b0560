"""Conformers off torsional barriers, on which held torsions can leave them: a biaryl flat, an amide on edge.

Bonds between trigonal atoms turn over barriers of sterics (two rings with ortho groups in one plane) or of conjugation
(an amide at 90°) that may be as high as a bond is strong, and no conformer stays there: one at 10 kcal/mol above the
minimum next to it is populated to 5e-8 at 300 K, and ligands bound to proteins bear less than that in all their
torsions together (Perola and Charifson, J. Med. Chem. 47, 2499, 2004). A conformer is on a barrier if its energy falls
by more than a threshold in a minimisation in which such a bond turns. Coulomb's terms are left out of that: in the gas
phase they fold charged groups together, which is no barrier.
"""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.ensemble import positions
from molscore.chem.forcefield.descent import descend, energies
from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.forcefield.model_hessian import ModelHessian, model_hessian
from molscore.chem.forcefield.settle import FORCE, ROTATABLE, free_atoms
from molscore.chem.geometry.bounds import twists
from molscore.chem.thresholds import THRESHOLDS

FIRST, STEPS = 6, 60
"""Steps of the minimisation that shows whether energy falls at all, and of the one that goes on from there."""

AT_FIRST = 0.5
"""Of the barrier's energy, which falls within the first steps."""


def leave_barriers_in_place(
    mol: Chem.Mol,
    conformers: Sequence[int] | None = None,
    hessian: ModelHessian | None = None,
    fixed: Sequence[int] = (),
) -> list[int]:
    """Minimises those conformers freely that are on a barrier, and leaves the others as they are.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is where no force field has parameters for it.
        conformers: ids of those to look at; None is all.
        hessian: `molscore.chem.forcefield.model_hessian.model_hessian` of it, if known.
        fixed: atoms that stay where they are.

    Returns:
        Ids of the conformers that were moved.
    """
    bonds, barrier, given = _trigonal(mol), THRESHOLDS.barrier, positions(mol)
    ids = np.array([conformer.GetId() for conformer in mol.GetConformers()])
    wanted = np.isfinite(given).all((1, 2)) & (True if conformers is None else np.isin(ids, conformers))
    ids, given = ids[wanted], given[wanted]
    if not len(bonds) or not len(ids):
        return []
    with rdBase.BlockLogs():
        trial, properties = typed(mol)
        if properties is not None:
            properties.SetMMFFEleTerm(False)  # no Coulomb terms; UFF has none
        field = force_field(trial, properties, int(ids[0]))  # one serves all: its terms depend on the bonds alone
    if field is None:
        return []
    free = free_atoms(mol, fixed)
    if free is not None and not len(free):
        return []
    inverse, before = (hessian or model_hessian(mol)).inverse(given, free), energies(field, given)
    x = descend([field] * len(given), given, inverse, FIRST, FORCE, free)
    after = energies(field, x)
    falling = (before - after >= AT_FIRST * barrier.energy) | (after - np.fmin.reduce(after) >= barrier.energy)
    ids, given, before, x = ids[falling], given[falling], before[falling], x[falling]
    x = descend([field] * len(x), x, inverse[falling], STEPS, FORCE, free)
    turned = (twists(x, bonds) - twists(given, bonds) + 180) % 360 - 180
    left = (before - energies(field, x) > barrier.energy) & (np.abs(turned).max(1) > barrier.turn)
    for index, each in zip(ids[left].tolist(), x[left], strict=True):
        mol.GetConformer(index).SetPositions(each)
    return ids[left].tolist()


def _trigonal(mol: Chem.Mol) -> np.ndarray:
    """(T, 4) atoms along each rotatable bond between two trigonal atoms."""
    torsions = []
    for j, k in mol.GetSubstructMatches(ROTATABLE):
        ends = [mol.GetAtomWithIdx(index) for index in (j, k)]
        if all(atom.GetHybridization() == Chem.HybridizationType.SP2 for atom in ends):
            others = ([n for n in atom.GetNeighbors() if n.GetIdx() not in (j, k)] for atom in ends)
            first, last = (min(some, key=lambda n: (n.GetAtomicNum() == 1, n.GetIdx())).GetIdx() for some in others)
            torsions.append((first, j, k, last))
    return np.array(torsions, dtype=np.int64).reshape(-1, 4)
