"""From a user's molecule to what conformers are made of: one fragment, all hydrogens."""

import numpy as np
import pytest
from chem.conftest import elements, parse, prepare
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.arrays import MoleculeError, hydrogen_fault, isomeric_smiles
from molscore.chem.prepare import LARGEST, PREPARATION_FAULTS, isomers, open_stereo, whole

WHOLE = {
    "CCO": "CCO",
    "C[C@H](N)C(=O)O": "C[C@H](N)C(=O)O",
    "C/C=C\\C": "C/C=C\\C",
    "c1cc[nH]c1": "c1cc[nH]c1",
    "[H]C([H])([H])[H]": "C",
    "[H]/C(C)=C(/[H])C": "C/C=C/C",
    "C[C@]([H])(F)Cl": "C[C@H](F)Cl",
    "[H]N(C)C": "CNC",
    "[2H]C([2H])O": "[2H]C([2H])O",
    "C[C@]([2H])([H])O": "[2H][C@H](C)O",
    "[H][H]": "[H][H]",
    "C[CH2]": "[CH2]C",
    "[O][O]": "[O][O]",
    "[13CH3][NH3+]": "[13CH3][NH3+]",
    "C[N+](=O)[O-]": "C[N+](=O)[O-]",
    "[CH3:3][OH:1]": "[OH:1][CH3:3]",
    "C[Si](C)(C)[Se]C": "C[Se][Si](C)(C)C",
}


@pytest.mark.parametrize("text", WHOLE)
def test_hydrogens_are_added_after_the_atoms_of_the_input(text):
    mol = parse(text)
    before = Chem.MolToSmiles(mol)
    prepared = whole(mol)
    n = mol.GetNumAtoms()
    assert elements(prepared.mol)[:n] == elements(mol)
    assert set(elements(prepared.mol)[n:]) <= {"H"}
    assert hydrogen_fault(prepared.mol) is None
    assert isomeric_smiles(prepared.mol) == WHOLE[text]
    assert prepared.removed == ""
    assert Chem.MolToSmiles(mol) == before
    assert sum(a.GetNumRadicalElectrons() for a in prepared.mol.GetAtoms()) == sum(
        a.GetNumRadicalElectrons() for a in mol.GetAtoms()
    )


def test_coordinates_stay_and_new_hydrogens_get_theirs(embed):
    mol = embed("C[C@H](F)O")
    partly = Chem.RWMol(mol)
    partly.RemoveAtom(mol.GetNumAtoms() - 1)  # the hydroxyl hydrogen
    partly.GetAtomWithIdx(3).SetNoImplicit(False)
    Chem.SanitizeMol(partly)
    prepared = whole(partly).mol
    assert elements(prepared) == elements(mol) and isomeric_smiles(prepared) == isomeric_smiles(mol)
    n = mol.GetNumAtoms() - 1
    before, after = (m.GetConformer().GetPositions() for m in (mol, prepared))
    np.testing.assert_array_equal(after[:n], before[:n])
    assert 0.8 < np.linalg.norm(after[n] - after[3]) < 1.1


SALTS = [
    ("[Na+].CC(=O)[O-]", "CC(=O)[O-]", "[Na+]"),
    ("O.O.c1ccccc1", "c1ccccc1", "O.O"),
    ("CCO.OCC", "CCO", "CCO"),
    ("CCO.CCS", "CCS", "CCO"),
    ("CC[13CH3].CCC", "CC[13CH3]", "CCC"),
    ("[H][H].C", "C", "[H][H]"),
    ("[H+].[Cl-]", "[Cl-]", "[H+]"),
    ("C[C@H](F)Cl.[Na+].[Br-]", "C[C@H](F)Cl", "[Na+].[Br-]"),
    ("Cl.C/C=C\\C", "C/C=C\\C", "Cl"),
    ("*.CC", "CC", "*"),
]


@pytest.mark.parametrize(("text", "kept", "removed"), SALTS)
def test_the_largest_fragment_is_kept_in_its_order(text, kept, removed):
    mol = parse(text)
    prepared = whole(mol)
    assert (isomeric_smiles(prepared.mol), prepared.removed) == (kept, removed)
    assert hydrogen_fault(prepared.mol) is None and len(Chem.GetMolFrags(prepared.mol)) == 1
    (place,) = [place for place in Chem.GetMolFrags(mol) if Chem.MolFragmentToSmiles(mol, place) == kept][:1]
    assert elements(prepared.mol)[: len(place)] == [mol.GetAtomWithIdx(k).GetSymbol() for k in place]
    with pytest.raises(MoleculeError, match="separate salts and solvents") as caught:
        whole(mol, fragments="refuse")
    assert caught.value.reason == "disconnected"


def test_a_fragment_keeps_its_coordinates_and_its_relative_stereo(embed):
    both = Chem.CombineMols(Chem.MolFromSmiles("[Na+]"), embed("CC"))
    positions = whole(both).mol.GetConformer().GetPositions()
    np.testing.assert_array_equal(positions, embed("CC").GetConformer().GetPositions())
    assert len(whole(parse("Cl.C[C@H](F)Cl |&1:2|")).mol.GetStereoGroups()) == 1


def query(line):
    """Methane with an atom line or bond replaced."""
    head = "\n\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\n"
    return Chem.MolFromMolBlock(head + line)


REFUSED = [
    (parse("*C"), "unknown_element"),
    (parse("*C |$R1;$|"), "unknown_element"),
    (Chem.MolFromSmarts("[C,N]C"), "unknown_element"),
    (query("    1.5000    0.0000    0.0000 A   0  0\n  1  2  1  0\nM  END\n"), "unknown_element"),
    (query("    1.5000    0.0000    0.0000 R#  0  0\n  1  2  1  0\nM  RGP  1   2   1\nM  END\n"), "unknown_element"),
    (query("    1.5000    0.0000    0.0000 C   0  0\n  1  2  8  0\nM  END\n"), "valence"),
    (Chem.Mol(), "empty"),
    (parse("C" * 333), "too_large"),
    (parse("C" * 30_000), "too_large"),
    (parse("C." * 2_000 + "C"), "too_large"),
]


@pytest.mark.parametrize(("mol", "reason"), REFUSED)
def test_what_no_conformer_can_be_made_of(capfd, mol, reason):
    mol.UpdatePropertyCache(strict=False)
    with pytest.raises(MoleculeError) as caught:
        whole(mol)
    assert caught.value.reason == reason and reason in PREPARATION_FAULTS
    assert capfd.readouterr().err == ""


def test_the_largest_molecule_still_passes():
    assert whole(parse("C" * 332)).mol.GetNumAtoms() == 998 <= LARGEST


def test_tags_that_say_nothing_go():
    """The bridgeheads of bicyclo[1.1.1]pentane; with them the embedding would fail."""
    mol = prepare("C[C@]12C[C@](C)(C1)C2")
    assert isomeric_smiles(mol) == "CC12CC(C)(C1)C2"
    assert open_stereo(mol) == 0 and EmbedMolecule(mol, randomSeed=1) == 0


def test_words_that_are_no_choice():
    with pytest.raises(ValueError, match="choose largest or refuse"):
        whole(parse("C"), "all")
    with pytest.raises(ValueError, match="choose sample or enumerate"):
        isomers(prepare("C"), "all")
    with pytest.raises(ValueError, match="1 or more"):
        isomers(prepare("C"), "enumerate", most=0)


@pytest.mark.parametrize("smiles", ["CC1=NC(C)=C=N1", "C1=C=CCC1", "C1CC1=C=C1CC1"])
def test_cumulated_double_bonds_in_small_rings(smiles):
    """Within a ring of five there is no room for them; beside one there is."""
    mol = Chem.MolFromSmiles(smiles)
    if smiles == "C1CC1=C=C1CC1":
        assert whole(mol).mol.GetNumAtoms() == 15
        return
    with pytest.raises(MoleculeError, match="cumulene: a ring of five or fewer atoms"):
        whole(mol)
