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
from rdkit.Chem.rdMolTransforms import GetDihedralDeg
from rdkit.ForceField import ForceField

from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.forcefield.settle import ROTATABLE
from molscore.chem.thresholds import THRESHOLDS

FIRST, STEPS = 25, 150
"""Steps of the minimisation that shows whether energy falls at all, and of the one that goes on from there."""

AT_FIRST = 0.5
"""Of the barrier's energy, which falls within the first steps."""


def leave_barriers_in_place(mol: Chem.Mol, conformers: Sequence[int] | None = None) -> list[int]:
    """Minimises those conformers freely that are on a barrier, and leaves the others as they are.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is where no force field has parameters for it.
        conformers: ids of those to look at; None is all.

    Returns:
        Ids of the conformers that were moved.
    """
    if not (bonds := _trigonal(mol)):
        return []
    barrier = THRESHOLDS.barrier
    finite = [
        conformer
        for conformer in mol.GetConformers()
        if (conformers is None or conformer.GetId() in conformers) and np.isfinite(conformer.GetPositions()).all()
    ]
    moved, lowest = [], np.inf
    with rdBase.BlockLogs():
        trial, properties = typed(mol)  # one field serves all conformers: its terms depend on the bonds alone
        if properties is not None:
            properties.SetMMFFEleTerm(False)  # no Coulomb terms; UFF has none
        if not finite or (field := force_field(trial, properties, finite[0].GetId())) is None:
            return []
        place = trial.GetConformer(finite[0].GetId())
        for conformer in finite:
            for index, position in enumerate(conformer.GetPositions()):  # the field looks at this very place
                place.SetAtomPosition(index, position)
            before = _energy(field, place)
            field.Minimize(maxIts=FIRST)
            after = _energy(field, place)
            lowest = min(lowest, after)
            if before - after < AT_FIRST * barrier.energy and after - lowest < barrier.energy:
                continue
            field.Minimize(maxIts=STEPS)
            fallen, x = before - _energy(field, place), place.GetPositions()
            if (
                fallen > barrier.energy
                and _largest_turn(place, conformer, bonds) > barrier.turn
                and np.isfinite(x).all()
            ):
                conformer.SetPositions(x)
                moved.append(conformer.GetId())
    return moved


def _energy(field: ForceField, conformer: Chem.Conformer) -> float:
    """kcal/mol. Without positions a field would go by distances that it has from the last ones."""
    return field.CalcEnergy(conformer.GetPositions().ravel().tolist())


def _largest_turn(before: Chem.Conformer, after: Chem.Conformer, bonds: list[tuple[int, int, int, int]]) -> float:
    """Degrees by which the bond that turned most has turned."""
    return max(abs((GetDihedralDeg(before, *b) - GetDihedralDeg(after, *b) + 180) % 360 - 180) for b in bonds)


def _trigonal(mol: Chem.Mol) -> list[tuple[int, int, int, int]]:
    """Four atoms along each rotatable bond between two trigonal atoms."""
    torsions = []
    for j, k in mol.GetSubstructMatches(ROTATABLE):
        ends = [mol.GetAtomWithIdx(index) for index in (j, k)]
        if all(atom.GetHybridization() == Chem.HybridizationType.SP2 for atom in ends):
            others = ([n for n in atom.GetNeighbors() if n.GetIdx() not in (j, k)] for atom in ends)
            first, last = (min(some, key=lambda n: (n.GetAtomicNum() == 1, n.GetIdx())).GetIdx() for some in others)
            torsions.append((first, j, k, last))
    return torsions
