import io
import sys

import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms
from small_molecules import embed, judge_mol

from molscore.chem.arrays import to_mol
from molscore.evaluate.molecules.busters import bust, check_names


def test_sound_molecules_pass_every_check(mols):
    for mol in mols:
        result = bust(judge_mol(mol).mol)
        assert list(result) == check_names()
        assert all(result.values()), result


def test_a_stretched_bond_is_flagged():
    mol = embed("CCCO")
    rdMolTransforms.SetBondLength(mol.GetConformer(), 1, 2, 2.2)
    result = bust(judge_mol(mol).mol)
    assert not result["bond_lengths"]
    assert result["bond_angles"] and result["no_radicals"]


def test_a_bent_ring_is_flagged():
    mol = embed("c1ccccc1")
    position = mol.GetConformer().GetAtomPosition(0)
    position.z += 1.2
    mol.GetConformer().SetAtomPosition(0, position)
    assert not bust(judge_mol(mol).mol)["aromatic_ring_flatness"]


def test_agrees_with_the_package_itself(mols):
    posebusters = pytest.importorskip("posebusters")
    broken = embed("CCCO")
    rdMolTransforms.SetAngleDeg(broken.GetConformer(), 0, 1, 2, 60.0)
    chosen = [judge_mol(mol).mol for mol in [*mols[3:6], broken]]
    table = posebusters.PoseBusters("mol_fast").bust(chosen)
    assert list(table.columns) == check_names()
    assert table.to_numpy().astype(bool).tolist() == [list(bust(mol).values()) for mol in chosen]


def test_an_odd_molecule_neither_crashes_nor_talks(capfd):
    for smiles in ("[He]", "[S+6]", "[CH2]"):
        mol = Chem.MolFromSmiles(smiles)
        mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
        assert list(bust(mol)) == check_names()
    assert capfd.readouterr() == ("", "")


def test_a_closed_standard_error_of_before_does_no_harm(monkeypatch):
    mol = judge_mol(embed("CCO")).mol
    with monkeypatch.context() as patch:
        gone = io.StringIO()
        patch.setattr(sys, "stderr", gone)
        bust(mol)
        gone.close()
    assert all(bust(mol).values())


def test_the_molecule_is_left_as_it_is():
    mol = to_mol(judge_mol(embed("c1cc[nH]c1")).arrays, sanitize=False)  # some checks sanitise what they are given
    before = mol.ToBinary()
    bust(mol)
    assert mol.ToBinary() == before


def test_the_full_configuration_adds_the_energy_ratio(mols):
    assert set(check_names("mol")) - set(check_names()) == {"internal_energy"}
    result = bust(judge_mol(embed("CCCO")).mol, "mol")
    assert all(result.values()) and list(result) == check_names("mol")
