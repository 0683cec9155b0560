"""The default model: heavy atoms whose hydrogens valence implies."""

import numpy as np
import pytest
from rdkit import Chem
from run_length import STEPS

from molscore.chem.checks.validity import check
from molscore.generate import GenerationOptions, MoleculeGenerator


@pytest.fixture(scope="module")
def druglike() -> MoleculeGenerator:
    return MoleculeGenerator.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def eight(druglike):
    return druglike.generate(8, seed=3, steps=STEPS, atoms=(15, 18))


def test_it_is_the_default_and_knows_the_elements_of_drugs(druglike):
    assert druglike.name == "druglike" and druglike.model.implied_hydrogens
    known = {Chem.GetPeriodicTable().GetElementSymbol(z) for z, _ in druglike.model.vocabulary}
    assert {"C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "B"} <= known
    assert {(7, 1), (8, -1)} <= set(druglike.model.vocabulary)  # a nitro group


def test_what_is_asked_for_is_delivered(eight):
    assert len(eight.mols) == 8 and len({mol.GetProp("SMILES") for mol in eight.mols}) == 8
    for mol in eight.mols:
        assert check(mol) is None and len(Chem.GetMolFrags(mol)) == 1
        assert 15 <= mol.GetNumHeavyAtoms() <= 18
        assert mol.GetProp("molscore_model") == "druglike"
        assert float(mol.GetProp("strain_kcal_per_mol")) >= 0 and 0 < float(mol.GetProp("qed")) < 1


def test_hydrogens_are_atoms_with_places_of_their_own(eight):
    for mol in eight.mols:
        assert sum(atom.GetTotalNumHs() for atom in mol.GetAtoms()) == 0  # none left implied
        assert mol.GetNumAtoms() == Chem.AddHs(Chem.MolFromSmiles(mol.GetProp("SMILES"))).GetNumAtoms()
        positions = mol.GetConformer().GetPositions()
        for bond in mol.GetBonds():
            i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            if 1 in (bond.GetBeginAtom().GetAtomicNum(), bond.GetEndAtom().GetAtomicNum()):
                assert 0.85 < np.linalg.norm(positions[i] - positions[j]) < 1.5


def test_stereo_in_the_record_is_that_of_the_coordinates(eight):
    for mol in eight.mols:
        copy = Chem.Mol(mol)
        Chem.AssignStereochemistryFrom3D(copy)
        assert Chem.MolToSmiles(Chem.RemoveHs(copy)) == Chem.CanonSmiles(mol.GetProp("SMILES"))


def test_sizes_follow_the_data_or_the_order(druglike):
    weights = druglike.sizes()
    mean = float((np.arange(len(weights)) * weights.numpy()).sum() / weights.sum())
    assert 20 < mean < 24 and weights[35] > 0
    samples = druglike.sample(range(4), 0, GenerationOptions(steps=2, atoms=(30, 30)))
    assert [len(sample.positions) for sample in samples] == [30] * 4
    with pytest.raises(ValueError, match="no molecule of 90 to 99 atoms: druglike knows 4 to 50"):
        druglike.sizes((90, 99))


def test_raw_samples_are_as_many_as_asked_and_not_repaired(druglike):
    raw = druglike.generate(6, seed=1, steps=2, raw=True)
    assert len(raw.mols) == 6 and not raw.rejects
    assert any(check(mol) is not None for mol in raw.mols)  # two steps do not make molecules


def test_batch_size_does_not_matter(druglike):
    """Heavy atoms are the same to rounding; the minimisation that places the hydrogens amplifies it."""
    single, many = (druglike.generate(4, seed=5, steps=8, raw=True, batch_size=b, atoms=(10, 14)).mols for b in (1, 4))
    for a, b in zip(single, many, strict=True):
        assert a.GetProp("SMILES") == b.GetProp("SMILES")
        difference = np.abs(a.GetConformer().GetPositions() - b.GetConformer().GetPositions())
        heavy = [atom.GetAtomicNum() > 1 for atom in a.GetAtoms()]
        assert difference[heavy].max() < 1e-4 and difference.max() < 0.2
