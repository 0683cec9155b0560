"""Conformers on torsional barriers are found and let go; others are left alone."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdForceFieldHelpers import MMFFGetMoleculeForceField, MMFFGetMoleculeProperties, MMFFOptimizeMolecule
from rdkit.Chem.rdMolTransforms import GetDihedralDeg, SetDihedralDeg

from molscore.chem.forcefield.barriers import leave_barriers_in_place

HINDERED = {
    "Cc1cccc(C)c1-c1c(C)cccc1C": (5, 7, 8, 9, 10.0),
    "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12": (1, 10, 11, 12, 10.0),
    "Clc1cccc(Cl)c1-c1c(Cl)cccc1Cl": (1, 7, 8, 9, 10.0),
    "Cc1cccc(C)c1NC(C)=O": (7, 8, 9, 10, 90.0),
    "CNC(=O)C": (0, 1, 2, 4, 90.0),
}


def held(smiles: str, angle: float | None) -> tuple[Chem.Mol, tuple[int, ...]]:
    """A molecule that was minimised with one torsion held, and the torsion."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=3) == 0
    torsion = HINDERED[smiles][:4]
    MMFFOptimizeMolecule(mol, "MMFF94s", maxIters=2000)
    if angle is not None:
        SetDihedralDeg(mol.GetConformer(), *torsion, angle)
        field = MMFFGetMoleculeForceField(mol, MMFFGetMoleculeProperties(mol, "MMFF94s"))
        field.Initialize()
        field.MMFFAddTorsionConstraint(*torsion, False, angle, angle, 1000.0)
        field.Minimize(maxIts=2000)
    return mol, torsion


@pytest.mark.parametrize("smiles", HINDERED)
def test_what_is_on_a_barrier_is_let_go(smiles):
    mol, torsion = held(smiles, HINDERED[smiles][4])
    free, _ = held(smiles, None)
    before = GetDihedralDeg(mol.GetConformer(), *torsion)
    assert abs(before - HINDERED[smiles][4]) < 10
    assert leave_barriers_in_place(mol) == [0]
    assert abs(GetDihedralDeg(mol.GetConformer(), *torsion) - before) > 25
    kept = free.GetConformer().GetPositions()
    assert leave_barriers_in_place(free) == []
    np.testing.assert_array_equal(free.GetConformer().GetPositions(), kept)


@pytest.mark.parametrize("smiles, angle", [("Cc1cccc(C)c1-c1c(C)cccc1C", 60.0), ("CNC(=O)C", 20.0)])
def test_what_is_merely_strained_stays(smiles, angle):
    mol, _ = held(smiles, angle)
    assert leave_barriers_in_place(mol) == []


def test_each_conformer_is_judged_by_its_own_energy():
    """One field serves all of them; its distances must be those of the conformer at hand."""
    smiles = "Cc1cccc(C)c1-c1c(C)cccc1C"
    mol, _ = held(smiles, None)
    for angle in (10.0, 60.0, -10.0):
        mol.AddConformer(held(smiles, angle)[0].GetConformer(), assignId=True)
    assert leave_barriers_in_place(Chem.Mol(mol)) == [1, 3]
    assert leave_barriers_in_place(Chem.Mol(mol), [0, 2, 3]) == [3]
