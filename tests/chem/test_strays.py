"""What a minimisation leaves outside of what is known is held."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers as forcefield
from rdkit.Chem import rdMolTransforms
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.forcefield.minimise import minimise
from molscore.chem.forcefield.settle import settle_in_place
from molscore.chem.forcefield.strays import strays
from molscore.chem.geometry.bounds import biaryl_fault, twists
from molscore.chem.geometry.expected import expected


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return mol


TETRAZOLOPYRIDAZINE = "c1cc2c(cc1Nc1ccc3nnnn3n1)CCC2"
"""MMFF94s takes an aromatic bond for a single one: 1.51 Å at its minimum, 1.44 Å in GFN2-xTB."""


def test_a_bond_that_mmff_draws_out_is_held():
    mol = embedded(TETRAZOLOPYRIDAZINE)
    wanted, free = expected(mol), Chem.Mol(mol)
    forcefield.MMFFOptimizeMolecule(free, "MMFF94s", maxIters=2000)  # which takes the ring's aromaticity away
    strayed = strays(free.GetConformer().GetPositions()[None], wanted)[0]
    (i, j, *_), *others = (row for row in strayed.lengths if mol.GetBondBetweenAtoms(*row[:2]).GetIsAromatic())
    assert {mol.GetAtomWithIdx(k).GetSymbol() for k in (i, j)} == {"C"} and not others
    settle_in_place(mol)
    x = mol.GetConformer().GetPositions()
    assert not strays(x[None], wanted)[0]
    assert 1.35 < np.linalg.norm(x[i] - x[j]) < 1.495


def test_the_minimum_is_held_too():
    mol = embedded(TETRAZOLOPYRIDAZINE)
    minimum = minimise(mol)
    assert minimum.reason is None
    assert not strays(minimum.positions[None], expected(mol))[0]


@pytest.mark.parametrize(
    "smiles", ["CCO", "CC(=O)Nc1ccc(O)cc1", "C1CC2CCC1C2", "c1ccc2ccccc2c1", "OC(=O)c1ccccc1", "CS(=O)(=O)N1CCOCC1"]
)
def test_nothing_strays_in_what_force_fields_know(smiles):
    mol = embedded(smiles)
    forcefield.MMFFOptimizeMolecule(mol, "MMFF94s", maxIters=2000)
    assert not strays(mol.GetConformer().GetPositions()[None], expected(mol))[0]


def test_a_squeezed_angle_and_a_stretched_bond_are_named():
    mol = embedded("CCO")
    wanted, x = expected(mol), mol.GetConformer().GetPositions()
    x[2] = x[1] + (x[2] - x[1]) * 1.2
    row = next(row for row in strays(x[None], wanted)[0].lengths if row[:2] == (1, 2))
    assert row[2] < 1.43 < row[3] < np.linalg.norm(x[1] - x[2])
    x = mol.GetConformer().GetPositions()
    x[0] = x[1] + 0.35 * (x[0] - x[1]) + 0.65 * (x[2] - x[1])
    assert any(row[:3] == (0, 1, 2) for row in strays(x[None], wanted)[0].angles)


def test_a_hindered_axis_is_turned_out_of_the_plane():
    mol = embedded("Cc1cccc(C)c1-c1c(C)cccc1C")
    wanted = expected(mol)
    (axis,) = wanted.axes.tolist()
    conformer = mol.GetConformer()
    for angle in (30.0, -30.0, 150.0, -150.0):
        rdMolTransforms.SetDihedralDeg(conformer, *axis, angle)
        x = conformer.GetPositions()
        assert twists(x, wanted.axes)[0] == pytest.approx(angle, abs=1e-6)
        assert biaryl_fault(mol, wanted.axes, x) is not None
        (row,) = strays(x[None], wanted)[0].twists
        assert min(abs(row[4] - angle), abs(row[5] - angle)) == pytest.approx(15.0, abs=1e-6)
    rdMolTransforms.SetDihedralDeg(conformer, *axis, 90.0)
    assert not strays(conformer.GetPositions()[None], wanted)[0].twists


@pytest.mark.parametrize(
    ("smiles", "least"),
    [
        ("Cc1cc(Nc2ccc3ccccc3c2)[n+]2[nH]c[nH+]c2n1", "planes"),  # MMFF94s pyramidalises the nitrogen: 12 degrees
        ("COc1ccccc1-c1ccc(SC)c(=O)cc1", "rings"),  # tropolones: MMFF94s lets their rings fold by 40 degrees
    ],
)
def test_aromatic_atoms_and_rings_stay_flat(smiles, least):
    mol = embedded(smiles)
    wanted = expected(mol)
    settle_in_place(mol)
    x = mol.GetConformer().GetPositions()
    assert len(getattr(wanted, least)) >= 5
    assert (180 - np.abs(twists(x, wanted.planes))).max() < 10
    assert np.abs(twists(x, wanted.rings)).max() < 18


def test_what_is_bent_is_named():
    mol = embedded("c1ccccc1C")
    wanted, x = expected(mol), mol.GetConformer().GetPositions()
    assert not strays(x[None], wanted)[0].twists
    normal = np.cross(x[1] - x[0], x[2] - x[0])
    x[0] += 0.4 * normal / np.linalg.norm(normal)
    rows = strays(x[None], wanted)[0].twists
    assert {row[:4] for row in rows} & {tuple(row) for row in wanted.rings.tolist()}
    assert {row[:4] for row in rows} & {tuple(row) for row in wanted.planes.tolist()}


def test_atoms_that_are_too_close_are_moved_apart():
    mol = embedded("CCCCCCCC")
    wanted, conformer = expected(mol), mol.GetConformer()
    for axis in ((1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 6)):
        rdMolTransforms.SetDihedralDeg(conformer, *axis, 20.0)
    x = conformer.GetPositions()
    rows = [row for row in strays(x[None], wanted)[0].lengths if mol.GetBondBetweenAtoms(*row[:2]) is None]
    assert rows and all(np.linalg.norm(x[i] - x[j]) < least for i, j, least, _ in rows)
    settle_in_place(mol, window=15.0, stiffness=0.02)
    assert not strays(conformer.GetPositions()[None], wanted)[0].lengths
