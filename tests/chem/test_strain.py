import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Chem.rdMolTransforms import SetBondLength

from molscore.chem.forcefield.strain import relaxation_energy


def relaxed(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=3) == 0
    assert AllChem.MMFFOptimizeMolecule(mol, mmffVariant="MMFF94s", maxIters=20000) == 0
    return mol


@pytest.mark.parametrize("smiles", ["CCO", "c1ccccc1", "C[NH+](C)CC([O-])=O", "NC=O"])
def test_a_minimum_has_no_strain(smiles):
    energy, reason = relaxation_energy(relaxed(smiles))
    assert reason is None and energy == pytest.approx(0, abs=0.01)


def test_a_stretched_bond_costs_its_mmff_energy():
    # MMFF's bond term, k = 143.9325/2 k_b dr² (1 - 2 dr + 7/3 dr²), with C-C k_b = 4.258 mdyn/Å of ethane (types 1, 1)
    mol = relaxed("CC")
    conformer = mol.GetConformer()
    length = np.linalg.norm(conformer.GetPositions()[0] - conformer.GetPositions()[1])
    SetBondLength(conformer, 0, 1, length + 0.1)
    x, y = (143.9325 / 2 * 4.258 * r**2 * (1 - 2 * r + 7 / 3 * r**2) for r in (length + 0.1 - 1.508, length - 1.508))
    energy = relaxation_energy(mol).energy
    assert energy == pytest.approx(x - y, rel=0.15)  # the non-bonded and stretch-bend terms have a share in it


def test_the_molecule_is_left_alone():
    mol = relaxed("CCO")
    SetBondLength(mol.GetConformer(), 0, 1, 1.7)
    before = mol.GetConformer().GetPositions()
    assert relaxation_energy(mol).energy > 1
    assert np.array_equal(mol.GetConformer().GetPositions(), before)


def test_the_energy_does_not_turn_with_the_molecule():
    mol = relaxed("CC(N)=O")
    SetBondLength(mol.GetConformer(), 0, 1, 1.6)
    energy = relaxation_energy(mol).energy
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() @ rotation + 5.0)
    assert relaxation_energy(mol).energy == pytest.approx(energy, abs=1e-2)


def test_without_parameters_or_geometry_there_is_a_reason():
    mol = Chem.AddHs(Chem.MolFromSmiles("C[Se]C"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    assert relaxation_energy(mol) == (None, "no_parameters")
    assert relaxation_energy(Chem.AddHs(Chem.MolFromSmiles("C"))) == (None, "no_geometry")
    broken = relaxed("C")
    broken.GetConformer().SetAtomPosition(0, [float("nan"), 0, 0])
    assert relaxation_energy(broken) == (None, "no_geometry")
