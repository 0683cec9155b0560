"""The run over hard molecules: the product makes them once, what it refuses is counted, what it delivers is judged."""

import json

import hard_molecules
import pytest
from judge.sets import diverse_molecules, odd_molecules
from rdkit import Chem
from rdkit.Chem import rdDistGeom

SMILES = ("CCO", "CCCO", "C[C@H](O)CN", "OCc1ccccc1", "c1ccncc1", "CC(=O)NC")


@pytest.fixture
def known(tmp_path):
    """A few molecules with coordinates, one twice."""
    path = tmp_path / "known.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for name, smiles in enumerate((*SMILES, SMILES[0])):
            mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
            assert rdDistGeom.EmbedMolecule(mol, randomSeed=11) == 0
            mol.SetProp("_Name", f"m{name}")
            mol.SetProp("SMILES", smiles)
            writer.write(mol)
    return path


def test_made_once_and_judged(command, known, tmp_path, capsys):
    odd, out = tmp_path / "odd.smi", tmp_path / "hard.json"
    odd.write_text("# SMILES, name, class\nCN=C=O\tmethyl isocyanate\tisocyanate\n*C\tdummy\tnonsense\n")
    words = ["--ccd", known, "--dft", known, "--odd", odd, "--n-ccd", 2, "--conformers", 2, "--chunk", 4]
    words += ["--options=--method etkdg", "--work", tmp_path / "work", "--out", out]
    command(hard_molecules, *words)
    first = json.loads(out.read_text())
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.sdf")}
    command(hard_molecules, *words)
    assert json.loads(out.read_text()) == first and len(made) == 2
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.sdf")}
    summary = first["summary"]
    assert summary["odd"]["delivered"]["count"] == 1 and sum(summary["odd"]["refusals"].values()) == 1
    assert list(summary["odd"]["refusals_by_class"])[0].startswith("nonsense: ")
    assert summary["ccd"]["delivered"]["total"] == 2 and summary["ccd"]["wrong_stereo"]["count"] == 0
    assert summary["odd"]["conformers"] in (1, 2)
    assert "| odd | 1 of 2: 50.0 %" in capsys.readouterr().out


def test_the_pick_is_diverse_and_kept(known, tmp_path):
    picks = diverse_molecules(known, 4, 0, tmp_path / "picks.json")
    assert len({pick.smiles for pick in picks}) == 4 and {pick.smiles for pick in picks} < set(
        map(Chem.CanonSmiles, SMILES)
    )
    assert diverse_molecules(known, 4, 0, tmp_path / "picks.json") == picks
    assert len(diverse_molecules(known, 99, 0, tmp_path / "picks.json")) == len(SMILES)


def test_the_committed_list():
    odd = odd_molecules(hard_molecules.ROOT / "data/benchmarks/odd_molecules.smi")
    assert len(odd) == 200 == len({mol.smiles for mol in odd}) == len({mol.name for mol in odd})
    for mol in odd:
        assert Chem.MolFromSmiles(mol.smiles) is not None, mol
    assert len({mol.kind for mol in odd}) > 15 and sum(mol.kind == "metal" for mol in odd) <= 30


def test_intervals():
    assert hard_molecules.rate(0, 6000)["high"] < 0.001
    assert hard_molecules.rate(6000, 6000)["low"] > 0.999
    assert hard_molecules.rate(0, 0)["value"] is None
