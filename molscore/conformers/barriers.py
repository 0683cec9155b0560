"""Conformers whose torsions were held on a barrier, minimised freely."""

from rdkit import Chem

from molscore.chem.forcefield.barriers import leave_barriers_in_place
from molscore.conformers.build import relaxed
from molscore.conformers.target import Target

HELD = {"torsions (mmff94s)": "mmff94s", "torsions (uff)": "uff"}
"""Relaxations that hold torsions in a force field that knows the molecule, and what they are without holding them."""

REASON = "torsions were held on a barrier"


def leave_barriers(target: Target, mol: Chem.Mol) -> list[int]:
    """Minimises conformers freely that are on a torsional barrier, then settles them like the others.

    Args:
        target: the molecule.
        mol: with conformers, relaxed with torsions held, as their property ``relaxation`` says. Those that are moved
            say ``mmff94s`` or ``uff`` there, and `REASON` in ``relaxation_reason``.

    Returns:
        Ids of the conformers that were moved.
    """
    relaxations = {
        conformer.GetId(): conformer.GetProp("relaxation") if conformer.HasProp("relaxation") else "torsions (mmff94s)"
        for conformer in mol.GetConformers()
    }
    held = [index for index, relaxation in relaxations.items() if relaxation in HELD]
    moved = leave_barriers_in_place(mol, held, target.hessian, target.fixed)
    if moved:
        again = Chem.Mol(mol)
        for index in relaxations.keys() - set(moved):
            again.RemoveConformer(index)
        for settled in relaxed(again, "torsions", target).GetConformers():
            conformer = mol.GetConformer(settled.GetId())
            conformer.SetPositions(settled.GetPositions())
            conformer.SetProp("relaxation", HELD[relaxations[settled.GetId()]])
            conformer.SetProp("relaxation_reason", REASON)
    return moved
