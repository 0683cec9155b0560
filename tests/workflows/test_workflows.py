"""The twelve workflows of `scripts/examples/workflows`: short, and each does what its first line says."""

import runpy
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem.rdMolTransforms import GetBondLength

from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_writer import SDFWriter

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scripts" / "examples" / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


def test_there_are_twelve():
    assert len(NAMES) == 12 and {name for name in globals() if name.startswith("test_")} >= {f"test_{n}" for n in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_lines(name):
    """At most 15, of which 8 are code."""
    sentence, *lines = (FOLDER / f"{name}.py").read_text().splitlines()
    assert sentence.startswith('"""') and sentence.endswith('"""') and len(lines) < 15
    assert sum(bool(line.strip()) for line in lines) <= 8


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a workflow as it is, in a folder of its own; what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(name: str) -> str:
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def run_apart(name: str, folder: Path) -> str:
    """The same in a process of its own, as those that start further processes need it."""
    done = subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_dataframe(run, tmp_path):
    run("dataframe")
    table = pd.read_csv(tmp_path / "conformers.csv")
    assert table["activity"].tolist() == [1.2, 3.4, 5.6] and table["conformers"].tolist() == [3, 0, 3]
    assert table["reason"][1] == "smiles" and table["energy_kcal_per_mol"].notna().tolist() == [True, False, True]


def test_filtered(run, tmp_path):
    run("filtered")
    mols = list(Chem.SDMolSupplier(str(tmp_path / "filtered.sdf"), removeHs=False))
    assert len(mols) == 5 and all(mol.GetDoubleProp("qed") > 0.39 for mol in mols)


def test_clustering(run, tmp_path):
    clusters = [literal_eval(line) for line in run("clustering").splitlines()]
    assert 1 < len(clusters) < 20 and sorted(k for cluster in clusters for k in cluster) == list(range(20))


def test_shape_ranking(run, tmp_path):
    lines = run("shape_ranking").splitlines()
    chain, ring = (float(line.split("shape ")[1].split(",")[0]) for line in lines)
    assert 0.3 < chain < ring <= 1


def test_docking_input(run, tmp_path):
    run("docking_input")
    files = sorted(tmp_path.glob("*.pdbqt"))
    assert [file.stem for file in files] == ["benzylalcohol_1", "benzylalcohol_2", "butanol_1", "butanol_2"][
        : len(files)
    ]
    assert len(files) >= 3 and all("TORSDOF" in file.read_text() for file in files)


def test_best_poses(run, tmp_path):
    distorted = embed("CCCCO")
    distorted.GetConformer().SetPositions(distorted.GetConformer().GetPositions() * 1.15)
    with SDFWriter(tmp_path / "poses.sdf") as writer:
        for title, mol in (("butanol", distorted), ("butanol", embed("CCCCO")), ("butylamine", embed("CCCCN"))):
            writer.write(mol, title)
    run("best_poses")
    best = list(Chem.SDMolSupplier(str(tmp_path / "best.sdf"), removeHs=False))
    assert sorted(mol.GetProp("_Name") for mol in best) == ["butanol", "butylamine"]
    kept = next(mol for mol in best if mol.GetProp("_Name") == "butanol")
    assert GetBondLength(kept.GetConformer(), 0, 1) < 1.6


def test_process_pool(tmp_path):
    lines = run_apart("process_pool", tmp_path).splitlines()
    assert [line.split()[0] for line in lines] == ["butanol", "butylamine", "fluorobutane"]
    assert all("'method': 'score'" in line and "energy_kcal_per_mol" in line for line in lines)


def test_joblib_chunks(tmp_path):
    text = run_apart("joblib_chunks", tmp_path)
    assert [text.count(name) for name in ("butanol", "butylamine", "fluorobutane")] == [2, 2, 2]


def test_large_file(run, tmp_path):
    (tmp_path / "library.smi").write_text("CCCCO butanol\nnonsense\nCCCCN butylamine\n")
    run("large_file")
    mols = list(Chem.SDMolSupplier(str(tmp_path / "library.sdf"), removeHs=False))
    assert [mol.GetProp("_Name") for mol in mols] == ["butanol", "butylamine"] and mols[0].GetIntProp("rank") == 1


def test_pipeline(run, tmp_path):
    assert 0 < float(run("pipeline").strip("[]\n")) < 0.5


def test_typed(run, tmp_path):
    script = FOLDER / "typed.py"
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, str(script)], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    assert run("typed").endswith("{1: 'unreadable'}\n")


def test_evaluated(run, tmp_path):
    assert "valid" in run("evaluated")
    assert len(list(Chem.SDMolSupplier(str(tmp_path / "mols.sdf")))) == 5
    assert (tmp_path / "report.html").read_text().count("<html") == 1
