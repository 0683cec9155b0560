"""Misuse ends with code 2 and a sentence, before torch is imported and before anything is written."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from molscore.cli import app

BAD = [
    (["generate", "--out", "m.sdf"], "--n"),
    (["generate", "--n", "0", "--out", "m.sdf"], "--n"),
    (["generate", "--n", "-3", "--out", "m.sdf"], "--n"),
    (["generate", "--n", "ten", "--out", "m.sdf"], "--n"),
    (["generate", "--n", "1", "--out", "m.sdf", "--steps", "0"], "--steps"),
    (["generate", "--n", "1", "--out", "m.sdf", "--batch-size", "0"], "--batch-size"),
    (["generate", "--n", "1", "--out", "m.sdf", "--seed", "-1"], "--seed"),
    (["generate", "--n", "1", "--out", "m.mol2"], ".sdf"),
    (["generate", "--n", "1", "--out", "m.csv", "--report", "r.html"], "a single SDF file"),
    (["generate", "--n", "1", "--out", "m{shard}.sdf", "--trajectory", "t.html"], "into a single file"),
    (["generate", "--n", "1", "--out", "no/such/folder/m.sdf"], "no folder"),
    (["generate", "--n", "1", "--out", "m.sdf", "--rejects", "r.txt"], ".csv"),
    (["generate", "--n", "1", "--out", "m.sdf", "--model", "nothing"], "bundled models: "),
    (["generate", "--n", "1", "--out", "m.sdf", "--model", "none.safetensors"], "no model file"),
    (["generate", "--n", "1", "--out", "m.sdf", "--atoms", "many"], "20-30"),
    (["generate", "--n", "1", "--out", "m.sdf", "--atoms", "30-20"], "write 20-30"),
    (["generate", "--n", "1", "--out", "m.sdf", "--sampler", "magic"], "dpm, em"),
    (["generate", "--n", "1", "--out", "m.sdf", "--relax", "torsions"], "none, mmff, xtb"),
    (["generate", "--n", "1", "--out", "m.sdf", "--device", "abacus"], "unknown device"),
    (["generate", "--n", "1", "--out", "m.sdf", "--device", "meta"], "unknown device"),
    (["generate", "--n", "1", "--out", "m.sdf", "--model", "conformers"], "use 'druglike'"),
    (["generate", "--n", "1", "--out", "m.sdf", "--filter", "beauty > 1"], "no property beauty"),
    (["generate", "--n", "1", "--out", "m.sdf", "--filter", "score_norm_per_angstrom < 1"], "uncertainty"),
    (["conformers", "C", "--out", "m.sdf", "--model", "qm9"], "use 'conformers'"),
    (["conformers", "C", "--out", "m.sdf", "--relax", "dft"], "none, torsions"),
    (["conformers", "C", "--out", "m.sdf", "--energy", "dft"], "mmff, xtb"),
    (["conformers", "C", "--out", "m.sdf", "--stereo", "all"], "sample, enumerate"),
    (["conformers", "C", "--out", "m.sdf", "--fragments", "all"], "largest, refuse"),
    (["conformers", "C", "--out", "m.sdf", "--method", "magic"], "score, etkdg"),
    (["conformers", "C", "--out", "m.sdf", "--device", "cuda:x"], "unknown device"),
    (["conformers", "C", "--out", "m.sdf", "--filter", "strain_kcal_per_mol < 1"], "no property"),
    (["score", "m.sdf", "--out", "s.sdf", "--model", "qm9"], "use 'conformers'"),
    (["interpolate", "a.sdf", "b.sdf", "--device", "abacus"], "unknown device"),
    (["evaluate", "m.sdf", "--posebusters", "all"], "mol_fast, mol, none"),
    (["data", "sdf", "m.sdf", "--relax", "dft"], "none, torsions"),
    (["data", "moses3d", "none.csv"], "there is no none.csv"),
    (["data", "sdf", "none.sdf"], "there is no none.sdf"),
    (["evaluate", "none.sdf"], "no file"),
    (["score", "none.sdf", "--out", "s.sdf"], "no file"),
    (["conformers", "CCO", "--out", "c.sdf", "--ph", "7.4"], "as written"),
    (["interpolate", "none.sdf", "none.sdf"], "no file"),
    (["train", "none.yaml"], "no configuration"),
    (["info", "nothing"], "bundled models"),
    (["report", "none.sdf", "--out", "r.html"], "no file"),
]


@pytest.mark.parametrize(
    ("words", "complaint"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_misuse(words, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"), [("--smiles-column", "none"), ("--name-column", "none"), ("--filter", "input.none > 1")]
)
def test_columns_are_looked_for_first(option, value, tmp_path):
    """Before a model is loaded and a bar begins; of standard input as soon as it is read."""
    (tmp_path / "in.csv").write_text("smiles,name\nCCO,ethanol\n")
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom molscore.cli import app\n"
        f"result = CliRunner().invoke(app, ['conformers', 'in.csv', '--out', 'm.sdf', {option!r}, {value!r}])\n"
        "assert result.exit_code == 2 and 'there is no column' in result.stderr, result.output\n"
        "assert 'conformers ' not in result.stderr and not {'torch', 'rdkit'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    words = ["conformers", "-", "--format", "csv", "--out", str(tmp_path / "m.sdf"), option, value, "--workers", "1"]
    result = CliRunner().invoke(app, words, input="smiles,name\nCCO,ethanol\n")
    assert result.exit_code == 2 and "there is no column" in result.stderr


def test_usage_errors_and_help_do_not_load_torch(tmp_path):
    words = [
        *(words for words, _ in BAD),
        ["--help"],
        *([c, "--help"] for c in ("generate", "train", "evaluate", "data")),
    ]
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom molscore.cli import app\n"
        f"for words in {words!r}:\n"
        "    assert CliRunner().invoke(app, words).exit_code in (0, 2), words\n"
        "heavy = {'torch', 'rdkit', 'e3nn', 'torch_geometric', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)


def test_importing_the_package_loads_nothing_heavy():
    script = (
        "import sys, molscore\nassert 'MoleculeGenerator' in dir(molscore) and molscore.__version__\n"
        "assert not {'torch', 'rdkit', 'numpy', 'typer'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_device_is_a_usage_error(tmp_path):
    out = tmp_path / "m.sdf"
    result = CliRunner().invoke(app, ["generate", "--n", "1", "--out", str(out), "--device", "abacus"])
    assert result.exit_code == 2 and "unknown device" in result.stderr
    assert not out.exists()


def test_an_unknown_sampler_names_the_known_ones(tmp_path):
    words = ["generate", "--n", "1", "--out", str(tmp_path / "m.sdf"), "--sampler", "magic"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2 and "dpm" in result.stderr


def test_train_says_how_to_make_missing_data(tmp_path):
    config = Path(tmp_path / "c.yaml")
    config.write_text(f"data: {tmp_path}/none.safetensors\nout: {tmp_path}/run\n")
    result = CliRunner().invoke(app, ["train", str(config)])
    assert result.exit_code == 2 and "molscore data qm9" in result.stderr
    result = CliRunner().invoke(app, ["train", str(config), "nonsense=1"])
    assert result.exit_code == 2 and "nonsense" in result.stderr
