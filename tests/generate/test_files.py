"""Generation to files: the record contract, rejects, interruption and resumption."""

import csv
import os

import pytest
from rdkit import Chem
from run_length import STEPS

from molscore.chem.io.sdf_reader import read_sdf
from molscore.generate import Options
from molscore.generate.files import generate_sdf

N = 6


@pytest.fixture(scope="module")
def straight(generator, tmp_path_factory):
    """An uninterrupted run: its SDF file, its rejects and its outcome."""
    folder = tmp_path_factory.mktemp("straight")
    sdf, rejects = folder / "mols.sdf", folder / "rejects.csv"
    return sdf, rejects, generate_sdf(generator, N, sdf, options=Options(steps=STEPS), rejects=rejects)


def read(path):
    return [record.mol for record in read_sdf(path)]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_records_keep_the_contract(straight):
    sdf, _, outcome = straight
    mols = read(sdf)
    assert outcome.delivered == len(mols) == N
    for mol in mols:
        assert mol.GetConformer().Is3D()
        assert mol.GetProp("_Name") == f"molscore_0_{mol.GetProp('molscore_index')}"
        assert mol.GetProp("molscore_model") == "qm9" and mol.GetProp("molscore_seed") == "0"
        assert mol.GetProp("molscore_version") and mol.GetProp("molscore_options") == f"steps {STEPS}; sampler dpm"
        assert Chem.CanonSmiles(mol.GetProp("SMILES")) == Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(mol)))


def test_rejects_are_listed_with_their_reasons(straight):
    sdf, rejects, outcome = straight
    listed = rows(rejects)
    assert len(listed) == outcome.rejected.total() == outcome.attempts - N
    assert all(row["reason"] and row["detail"] for row in listed)
    numbers = [int(row["molscore_index"]) for row in listed] + [mol.GetIntProp("molscore_index") for mol in read(sdf)]
    assert sorted(numbers) == list(range(outcome.attempts))


def test_interruption_keeps_molecules_and_resume_completes_the_same_file(generator, straight, tmp_path):
    sdf, rejects = tmp_path / "mols.sdf", tmp_path / "rejects.csv"

    def stop(attempt, delivered):
        if delivered == 2:
            raise KeyboardInterrupt

    outcome = generate_sdf(generator, N, sdf, options=Options(steps=STEPS), rejects=rejects, on_attempt=stop)
    assert outcome.interrupted and outcome.delivered == len(read(sdf)) == 2
    assert "--resume" in outcome.text(sdf)
    outcome = generate_sdf(generator, N, sdf, options=Options(steps=STEPS), rejects=rejects, resume=True)
    assert (outcome.kept, outcome.delivered) == (2, N)
    assert [m.GetProp("SMILES") for m in read(sdf)] == [m.GetProp("SMILES") for m in read(straight[0])]
    assert [r["molscore_index"] for r in rows(rejects)] == [r["molscore_index"] for r in rows(straight[1])]


def test_resume_refuses_another_seed_other_options_and_nothing(generator, straight, tmp_path):
    with pytest.raises(ValueError, match="seed 0 and options .*; resume with the same"):
        generate_sdf(generator, N + 1, straight[0], seed=5, options=Options(steps=STEPS), resume=True)
    for choice in ({"filter": "mw < 500"}, {"atoms": (5, 9)}, {"raw": True}):
        with pytest.raises(ValueError, match=f"options steps {STEPS}; sampler dpm; resume with the same"):
            generate_sdf(generator, N + 1, straight[0], options=Options(steps=STEPS, **choice), resume=True)
    with pytest.raises(ValueError, match="without --resume"):
        generate_sdf(generator, N, tmp_path / "none.sdf", resume=True)


def test_a_failing_run_leaves_the_old_file(generator, straight, tmp_path):
    sdf = tmp_path / "mols.sdf"
    sdf.write_bytes(straight[0].read_bytes())

    def fail(attempt, delivered):
        raise RuntimeError("broken on purpose")

    with pytest.raises(RuntimeError):
        generate_sdf(generator, N, sdf, options=Options(steps=STEPS), on_attempt=fail)
    assert sdf.read_bytes() == straight[0].read_bytes()
    assert os.listdir(tmp_path) == ["mols.sdf"]
