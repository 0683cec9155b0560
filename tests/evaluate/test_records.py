import gzip

import pytest
from conftest import embed, with_hydrogen, without_atom, write_sdf
from rdkit import Chem

from molscore.evaluate.records import judge, read_mols


def verdict(record):
    return record.arrays is not None, record.mol is not None, record.connected, record.closed_shell, record.valid


def not_a_number() -> Chem.Mol:
    mol = embed("C")
    mol.GetConformer().SetAtomPosition(0, [float("nan"), 0.0, 0.0])
    return mol


CASES = {
    "sound": (lambda: embed("CCO"), (True, True, True, True, True)),
    "valence": (lambda: with_hydrogen(embed("CC"), 0), (True, False, False, False, False)),
    "radical": (lambda: without_atom(embed("CC"), 7), (True, True, True, False, False)),
    "fragments": (lambda: embed("O.CC"), (True, True, False, True, False)),
    "not a number": (not_a_number, (False, False, False, False, False)),
    "empty": (Chem.Mol, (False, False, False, False, False)),
    "flat": (lambda: Chem.AddHs(Chem.MolFromSmiles("CCO")), (False, False, False, False, False)),
}


@pytest.mark.parametrize("name", CASES)
def test_verdict(name):
    make, expected = CASES[name]
    assert verdict(judge(make())) == expected


@pytest.mark.parametrize("name", ["sound", "valence", "radical", "fragments"])
def test_verdict_survives_the_file(name, tmp_path):
    make, expected = CASES[name]
    (mol,) = read_mols(write_sdf(tmp_path / "one.sdf", [make()]))
    assert verdict(judge(mol)) == expected


def test_a_missing_hydrogen_is_not_filled_in():
    mol = without_atom(embed("C"), 4)
    for atom in mol.GetAtoms():  # as a file without valence fields leaves it
        atom.SetNoImplicit(False)
    record = judge(mol)
    assert record.n_atoms == 4 and not record.valid
    assert record.mol.GetAtomWithIdx(0).GetNumRadicalElectrons() == 1


def test_the_given_molecule_is_left_as_it_is():
    mol = embed("c1cc[nH]c1")
    before = mol.ToBinary()
    judge(mol)
    assert mol.ToBinary() == before


def test_unreadable_records_keep_their_place(tmp_path):
    path = write_sdf(tmp_path / "three.sdf", [embed("C"), embed("CO"), embed("CC")])
    records = path.read_text().split("$$$$\n")
    records[1] = records[1].replace(" O ", " Qq", 1)
    path.write_text("$$$$\n".join(records))
    mols = read_mols(path)
    assert [judge(mol).valid for mol in mols] == [True, False, True]


def test_reads_gzip(tmp_path):
    path = write_sdf(tmp_path / "two.sdf", [embed("C"), embed("CO")])
    zipped = tmp_path / "two.sdf.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert [mol.GetNumAtoms() for mol in read_mols(zipped)] == [5, 6]
    zipped.write_bytes(zipped.read_bytes()[:-40])
    with pytest.raises(ValueError, match="cut short"):
        read_mols(zipped)


def test_attempt_is_read_from_the_property(tmp_path):
    path = write_sdf(tmp_path / "a.sdf", [embed("C")] * 3, {"molscore_index": [4, "17", "none"]})
    assert [judge(mol).attempt for mol in read_mols(path)] == [4, 17, None]


def test_clear_errors(tmp_path):
    empty = tmp_path / "empty.sdf"
    empty.write_text("")
    with pytest.raises(ValueError, match="holds no molecule"):
        read_mols(empty)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        read_mols([])
    with pytest.raises(ValueError, match="list"):
        read_mols(embed("C"))
    with pytest.raises(ValueError, match="got str"):
        read_mols(["CCO"])
    with pytest.raises(FileNotFoundError, match="absent.sdf"):
        read_mols(tmp_path / "absent.sdf")
    text = tmp_path / "mols.csv"
    text.write_text("x")
    with pytest.raises(ValueError, match="not an SDF"):
        read_mols(text)
