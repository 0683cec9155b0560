"""``molscore generate``: completion from the command line, and wishes that are refused before a model is loaded."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from typer.testing import CliRunner

from molscore.cli import app


@pytest.fixture
def lead(tmp_path, monkeypatch):
    mol = Chem.AddHs(Chem.MolFromSmiles("CC(C)Cc1ccc(cc1)C(C)C(=O)NC1CC1"))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    Chem.MolToMolFile(mol, str(tmp_path / "lead.sdf"))
    monkeypatch.chdir(tmp_path)
    return Chem.MolFromMolFile("lead.sdf", removeHs=False)


def run(*words: str):
    return CliRunner().invoke(app, ["generate", "--n", "2", "--out", "made.sdf", "--workers", "1", *words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--attach", "3"], "attach goes with scaffold"),
        (["--noise", "0.2"], "noise goes with near"),
        (["--from", "lead.sdf"], r"lead \(--from\) goes with"),
        (["--replace", "c1ccccc1"], r"give the lead as well \(--from\)"),
        (["--scaffold", "missing.sdf"], "there is no file 'missing.sdf'"),
        (["--scaffold", "c1cc"], "neither an SDF file nor a SMILES"),
        (["--scaffold", "lead.sdf", "--attach", "a"], "must be numbers of atoms"),
        (["--scaffold", "lead.sdf", "--attach", "99"], "there is no atom 99"),
        (["--scaffold", "lead.sdf", "--link", "lead.sdf"], "scaffold and link do not go together"),
        (["--link", "lead.sdf"], "there is one; to grow it use scaffold"),
        (["--scaffold", "[Si]", "--from", "lead.sdf"], "matches nothing of the lead"),
        (["--near", "lead.sdf", "--noise", "1.5"], "noise must be a number from 0 to 1"),
        (["--elements", "C,Q"], "does not make 'Q'"),
    ],
)
def test_wishes_that_cannot_be_met_end_with_code_2(lead, words, message):
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert re.search(message, done.output), done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scaffold", "lead.sdf", "--attach", "99"], "there is no atom 99"),
        (["--scaffold", "lead.sdf", "--atoms", "60"], "no room for 60 to 60 atoms"),
        (["--scaffold", "c1ccc([*:1])cc1", "--elements", "F"], "is 1 at most, not 3"),
        (["--elements", "F"], "two atoms at most"),
        (["--scaffold", "c1ccc([*:1])cc1", "--must-not-match", "c"], "the part to keep matches c"),
        (["--must-match", "[Si]"], "nothing can match"),
    ],
)
def test_wishes_are_checked_without_torch(lead, words, message):
    program = (
        f"import sys; sys.argv = ['molscore', 'generate', '--n', '3', '--out', 'x.sdf', *{words!r}]\n"
        "from molscore.cli import app\n"
        "try:\n    app()\nfinally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout.strip() == "False", done.stderr
    assert re.search(message, done.stderr), done.stderr


@pytest.mark.parametrize("option", ["--scaffold", "--link", "--near", "--from"])
@pytest.mark.parametrize("name", ["lead.sdf", "lead.sdf:1"])
def test_a_file_of_what_is_kept_is_not_overwritten(lead, option, name):
    before = Path("lead.sdf").read_bytes()
    words = ["generate", "--n", "2", "--out", "lead.sdf", "--overwrite", option, name]
    done = CliRunner().invoke(app, words + (["--replace", "c1ccccc1"] if option == "--from" else []))
    assert done.exit_code == 2 and option in done.output, done.output
    assert Path("lead.sdf").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--scaffold", "c1ccccc1C(C)C(=O)N", "--from", "lead.sdf"], 11),
        (["--scaffold", "lead.sdf", "--attach", "0"], 18),
        (["--replace", "C1CC1", "--from", "lead.sdf"], 15),
    ],
)
def test_parts_of_a_lead_stay_where_they_are(lead, words, kept):
    done = run("--steps", "20", "--raw", *words)
    assert done.exit_code == 0, done.output
    heavy = lead.GetConformer().GetPositions()[:18]
    for mol in Chem.SDMolSupplier("made.sdf", removeHs=False, sanitize=False):
        own = mol.GetConformer().GetPositions()[:kept]
        apart = np.linalg.norm(own[:, None] - heavy[None], axis=-1).min(1)
        assert apart.max() < 1e-3, "an SDF file has four decimals"


def test_records_say_what_was_kept(lead):
    done = run("--steps", "40", "--scaffold", "lead.sdf", "--attach", "0", "--atoms", "1-3")
    assert done.exit_code in (0, 3), done.output
    for mol in Chem.SDMolSupplier("made.sdf"):
        assert mol.GetProp("kept_atoms") == " ".join(map(str, range(18)))
        assert mol.GetDoubleProp("kept_displacement_angstrom") <= 0.1
        assert "kept *CC(C)Cc1ccc" in mol.GetProp("molscore_options")
