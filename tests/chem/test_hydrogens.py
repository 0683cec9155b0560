"""Hydrogens that valence implies: off and on again, without a change of identity, and without moving a heavy atom."""

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol
from molscore.chem.forcefield.settle import settle_hydrogens_in_place
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.hydrogens import complete, without_hydrogens

ROUND_TRIP = (
    "C",
    "CC#N",
    "c1ccc2[nH]ccc2c1",
    "Cc1c[nH]cn1",
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
    "F/C=C/Cl",
    "F/C=C\\Br",
    "CS(=O)(=O)Nc1ccccc1",
    "CSC",
    "CS",
    "C[N+](=O)[O-]",
    "C[NH3+]",
    "CC(=O)[O-]",
    "COP(=O)(OC)OC",
    "OB(O)c1ccccc1",
    "C[C@H]1CC[C@@H](O)CC1",
    "IC#C",
)


def smiles_of(mol: Chem.Mol) -> str:
    return Chem.MolToSmiles(Chem.RemoveHs(mol))


@pytest.mark.parametrize("smiles", ROUND_TRIP)
def test_off_and_on_again(embed, smiles):
    """The same molecule, stereo and all; heavy atoms exactly where they were; hydrogens at their distances."""
    mol = embed(smiles)
    whole = from_mol(mol)
    heavy = without_hydrogens(whole)
    assert (heavy.atomic_numbers != 1).all() and len(heavy.atomic_numbers) == (whole.atomic_numbers != 1).sum()
    back = complete(heavy)
    assert smiles_of(back) == smiles_of(mol)
    assert back.GetNumAtoms() == mol.GetNumAtoms()
    assert not any(atom.GetTotalNumHs() for atom in back.GetAtoms())
    positions = back.GetConformer().GetPositions()
    np.testing.assert_allclose(positions[: len(heavy.positions)], heavy.positions, atol=1e-5)
    for bond in back.GetBonds():
        ends = bond.GetBeginAtom(), bond.GetEndAtom()
        if any(atom.GetAtomicNum() == 1 for atom in ends):
            length = np.linalg.norm(positions[ends[0].GetIdx()] - positions[ends[1].GetIdx()])
            assert 0.9 < length < 1.5


def test_hydrogens_settle_and_nothing_else_moves(embed):
    """From half an ångström off, back to where the force field has them: what is left above the minimum is little."""
    mol = embed("CC(=O)Oc1ccccc1C(=O)O")
    shaken = Chem.Mol(mol)
    positions = mol.GetConformer().GetPositions()
    hydrogen = np.array([atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()])
    noise = np.random.default_rng(0).normal(scale=0.2, size=positions.shape) * hydrogen[:, None]
    shaken.GetConformer().SetPositions(positions + noise)
    assert relaxation_energy(shaken).energy > 20
    settle_hydrogens_in_place(shaken)
    np.testing.assert_array_equal(shaken.GetConformer().GetPositions()[~hydrogen], positions[~hydrogen])
    assert relaxation_energy(shaken).energy < 1


@pytest.mark.parametrize(
    ("numbers", "charges", "bonds", "words"),
    [
        ([6, 1, 1, 1], [0] * 4, [(0, 1), (0, 2), (0, 3)], "3 hydrogens; valence implies 4"),  # a radical
        ([1, 1], [0, 0], [(0, 1)], "exactly one heavy atom"),
        ([6, 1], [0, 0], [], "exactly one heavy atom"),
        ([5, 1, 5], [0, 0, 0], [(0, 1), (1, 2)], "exactly one heavy atom"),
    ],
)
def test_hydrogens_that_valence_does_not_imply(numbers, charges, bonds, words):
    n = len(numbers)
    positions = 2.0 * np.eye(n, 3) + np.arange(n)[:, None]
    arrays = MoleculeArrays(
        np.array(numbers, np.uint8), np.array(charges, np.int8), positions.astype(np.float32),
        np.array(bonds, int).reshape(-1, 2), np.ones(len(bonds), np.uint8),
    )  # fmt: skip
    with pytest.raises(MoleculeError, match=words) as caught:
        without_hydrogens(arrays)
    assert caught.value.reason == "implied_hydrogens"


def test_heavy_atoms_that_are_no_molecule():
    """Five bonds at a carbon: an error, or the bare atoms for whoever wants every sample."""
    positions = np.array([[0, 0, 0], [1.4, 0, 0], [-1.4, 0, 0], [0, 1.4, 0]], dtype=np.float32)
    bonds, orders = np.array([(0, 1), (0, 2), (0, 3)]), np.array([2, 2, 1], np.uint8)
    arrays = MoleculeArrays(np.full(4, 6, np.uint8), np.zeros(4, np.int8), positions, bonds, orders)
    with pytest.raises(MoleculeError, match="valence"):
        complete(arrays)
    mol = complete(arrays, sanitize=False)
    assert mol.GetNumAtoms() == 4 and [bond.GetBondTypeAsDouble() for bond in mol.GetBonds()] == [2, 2, 1]
    assert not any(atom.GetNumImplicitHs() for atom in mol.GetAtoms())


def test_without_parameters_hydrogens_stay_where_they_were_put(embed):
    """Selenium is beyond both force fields' parameters in this bonding; the geometry of the neighbours still holds."""
    mol = complete(without_hydrogens(from_mol(embed("C[Si](C)(C)C"))))
    assert mol.GetNumAtoms() == 17 and np.isfinite(mol.GetConformer().GetPositions()).all()
