import gzip
import math

import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from small_molecules import embed, judge_mol, with_hydrogen, without_atom, write_sdf

from molscore.evaluate import evaluate
from molscore.evaluate.molecules.records import judge, read_records


def verdict(judgement):
    return (
        judgement.arrays is not None,
        judgement.mol is not None,
        judgement.connected,
        judgement.closed_shell,
        judgement.valid,
    )


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
    assert verdict(judge_mol(make())) == expected


@pytest.mark.parametrize("name", ["sound", "valence", "radical", "fragments"])
def test_verdict_survives_the_file(name, tmp_path):
    make, expected = CASES[name]
    (record,) = read_records(write_sdf(tmp_path / "one.sdf", [make()]))
    assert verdict(judge(record)) == expected


def test_a_missing_hydrogen_is_not_filled_in():
    mol = without_atom(embed("C"), 4)
    for atom in mol.GetAtoms():  # as a file without valence fields leaves it
        atom.SetNoImplicit(False)
    judgement = judge_mol(mol)
    assert judgement.n_atoms == 4 and not judgement.valid
    assert judgement.mol.GetAtomWithIdx(0).GetNumRadicalElectrons() == 1


def test_the_given_molecule_is_left_as_it_is():
    mol = embed("c1cc[nH]c1")
    before = mol.ToBinary()
    judge_mol(mol)
    assert mol.ToBinary() == before


def test_unreadable_records_keep_their_place(tmp_path):
    path = write_sdf(tmp_path / "three.sdf", [embed("C"), embed("CO"), embed("CC")])
    records = path.read_text().split("$$$$\n")
    records[1] = records[1].replace(" O ", " Qq", 1)
    path.write_text("$$$$\n".join(records))
    judged = [judge(record) for record in read_records(path)]
    assert [judgement.valid for judgement in judged] == [True, False, True]
    line = 1 + path.read_text().split("$$$$\n")[0].count("\n") + 1
    assert judged[0].fault is None and judged[1].fault.startswith(f"record 2 (line {line}): ")


def test_reads_gzip(tmp_path):
    path = write_sdf(tmp_path / "two.sdf", [embed("C"), embed("CO")])
    zipped = tmp_path / "two.sdf.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert [judge(record).n_atoms for record in read_records(zipped)] == [5, 6]
    zipped.write_bytes(zipped.read_bytes()[:-40])
    assert not judge(read_records(zipped)[-1]).valid


def test_attempt_is_read_from_the_property(tmp_path):
    indices = [4, "17", "none", 2**70, "9" * 19, "9" * 5000]
    path = write_sdf(tmp_path / "a.sdf", [embed("C")] * 6, {"molscore_index": indices})
    assert [judge(record).attempt for record in read_records(path)] == [4, 17, None, None, None, None]


def test_clear_errors(tmp_path):
    empty = tmp_path / "empty.sdf"
    empty.write_text("")
    with pytest.raises(ValueError, match="holds no molecule"):
        read_records(empty)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        read_records([])
    assert [record.reason for record in read_records(embed("C"))] == [None]
    assert "not 'CCO'" in read_records(["CCO"])[0].reason
    with pytest.raises(FileNotFoundError, match="absent.sdf"):
        read_records(tmp_path / "absent.sdf")
    text = tmp_path / "mols.csv"
    text.write_text("x")
    with pytest.raises(ValueError, match="not an SDF"):
        read_records(text)


@pytest.mark.parametrize("far", [math.nan, math.inf, 1e300])
@pytest.mark.filterwarnings("error:overflow")
def test_coordinates_that_are_no_positions_are_the_only_fault(far):
    """No warning of numpy's, and no word on hydrogens that the record has."""
    mol = Chem.AddHs(Chem.MolFromSmiles("CO"))
    EmbedMolecule(mol, randomSeed=1)
    mol.GetConformer().SetAtomPosition(0, (far, 0.0, 0.0))
    notes = " ".join(evaluate([mol], None, posebusters=None).notes)
    assert "not a finite number" in notes and "hydrogen" not in notes
