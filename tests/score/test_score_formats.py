"""Scores of mol2 files, and in tables: a row for each record, readable or not."""

import csv

import pytest
from rdkit import Chem
from typer.testing import CliRunner

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import format_record
from molscore.cli import app
from molscore.evaluate.molecules.records import judge, read_records
from molscore.score.files import score_sdf

FIRST = "log_likelihood_nats_per_atom"


@pytest.fixture
def two(tmp_path, drugs):
    path = tmp_path / "in.sdf"
    path.write_text(format_record(drugs[0], "aspirin", {"assay": 7.5}) + "bad\n\n\nat all\n$$$$\n")
    return path


@pytest.fixture
def mol2(tmp_path):
    """Propan-1-amine, protonated, and one that is cut off."""
    mol = Chem.AddHs(Chem.MolFromSmiles("CCC[NH3+]"))
    assert Chem.rdDistGeom.EmbedMolecule(mol, randomSeed=1) == 0
    kinds = {"C": "C.3", "N": "N.4", "H": "H"}
    atoms = [
        f"{a.GetIdx() + 1} {a.GetSymbol()}{a.GetIdx()} {x:.4f} {y:.4f} {z:.4f} {kinds[a.GetSymbol()]}"
        for a, (x, y, z) in zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True)
    ]
    bonds = [f"{b.GetIdx() + 1} {b.GetBeginAtomIdx() + 1} {b.GetEndAtomIdx() + 1} 1" for b in mol.GetBonds()]
    head = ["@<TRIPOS>MOLECULE", "amine", f"{len(atoms)} {len(bonds)}", "SMALL", "NO_CHARGES", "@<TRIPOS>ATOM"]
    lines = [*head, *atoms, "@<TRIPOS>BOND", *bonds, *head, atoms[0]]
    path = tmp_path / "in.mol2"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_tables_of_scores(scorer, two, tmp_path):
    assert len(score_sdf(scorer, two, tmp_path / "out.csv").scores) == 1
    good, bad = csv.DictReader((tmp_path / "out.csv").open(newline=""))
    assert good["SMILES"] == "CC(=O)Oc1ccccc1C(=O)O" and good["title"] == "aspirin" and float(good["assay"]) == 7.5
    assert float(good[FIRST]) > -5 and not good["not_scored"]
    assert (bad["title"], bad["SMILES"], bad[FIRST]) == ("bad", "", "") and bad["not_scored"].startswith("unreadable")


def test_parquet_of_scores_has_numbers(scorer, two, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    score_sdf(scorer, two, tmp_path / "out.parquet")
    first, second = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert isinstance(first[FIRST], float) and second[FIRST] is None and first["assay"] == 7.5


def test_mol2_is_scored_and_evaluated(scorer, mol2, tmp_path):
    outcome = score_sdf(scorer, mol2, tmp_path / "out.sdf")
    assert outcome.unread == 1 and len(outcome.scores) == 1
    good, bad = read_sdf(tmp_path / "out.sdf")
    assert Chem.MolToSmiles(Chem.RemoveHs(good.mol)) == "CCC[NH3+]" and float(good.mol.GetProp(FIRST)) > -10
    assert bad.mol is None and bad.text.startswith("amine\n\nunreadable")
    assert [judge(record).valid for record in read_records(mol2)] == [True, False]


@pytest.mark.parametrize("name", ["out.xyz", "out.pdb", "out.txt"])
def test_what_holds_no_properties_is_refused(two, tmp_path, name):
    result = CliRunner().invoke(app, ["score", str(two), "--out", str(tmp_path / name)])
    assert result.exit_code == 2 and "must end in .sdf or .sdf.gz or .csv" in " ".join(result.output.split())
