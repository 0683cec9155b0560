"""Targets of properties with the bundled model: met more often than unguided, recorded, and refused early."""

import subprocess
import sys

import pytest
import torch
from rdkit import Chem
from typer.testing import CliRunner

from molscore.chem.checks.descriptors import describe
from molscore.cli import app
from molscore.generate import MoleculeGenerator
from molscore.generate.estimates import estimates
from molscore.guidance.property_guide import load_guide
from molscore.pretrained import guide_file


@pytest.fixture(scope="module")
def druglike() -> MoleculeGenerator:
    torch.set_num_threads(1)
    return MoleculeGenerator.from_pretrained("druglike", device="cpu")


def test_targets_are_met_more_often_and_recorded(druglike):
    """About a molecule in two hundred has such a logP unguided."""
    result = druglike.generate(3, 0, steps=50, targets={"logp": "5+-0.5"})
    assert len(result.mols) == 3 and result.manifest["attempts"] <= 24
    assert result.manifest["targets"] == ["logp=5+-0.5"]
    for mol in result.mols:
        assert mol.GetDoubleProp("logp") == pytest.approx(describe(mol, ("logp",))["logp"], abs=1e-3)
        assert 4.5 <= mol.GetDoubleProp("logp") <= 5.5
    assert all(attempt.detail for attempt in result.rejects if attempt.reason == "target")


def test_quantum_chemistry_is_estimated(generator):
    """Fewer than one in twenty molecules of qm9 have so small a gap."""
    result = generator.generate(3, 0, targets={"gap": "4.5+-0.3", "alpha": (60, 100)})
    assert len(result.mols) == 3 and result.manifest["attempts"] <= 30
    estimate = estimates(load_guide(guide_file("qm9")), ["gap", "alpha"], 0.03)
    for mol in result.mols:
        assert 4.2 <= mol.GetDoubleProp("gap") <= 4.8 and mol.GetDoubleProp("alpha") >= 60
        assert estimate(mol)["gap"] == pytest.approx(mol.GetDoubleProp("gap"), abs=0.02)


def test_sizes_are_those_of_the_target(druglike):
    """Raw samples are guided, and none is rejected."""
    result = druglike.generate(8, 0, steps=4, raw=True, targets={"mw": (150, 200)})
    assert len(result.mols) == 8
    assert all(mol.GetNumHeavyAtoms() < 17 for mol in result.mols)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--target", "logp=99"], "outside what druglike has seen"),
        (["--target", "colour=2"], "is no property"),
        (["--target", "logp"], "NAME=VALUE"),
        (["--target", "logp=2", "--model", "qm9"], "the guide of qm9 does not know logp; it knows mu, alpha, gap"),
        (["--target", "gap=6.8"], "the guide of druglike does not know gap"),
        (["--target", "gap=6.8"], "qm9 knows it"),
        (["--target", "gap=20", "--model", "qm9"], "gap from 3.26 to 10.26 eV"),
    ],
    ids=str,
)
def test_targets_that_cannot_be_end_before_torch_loads(more, words, tmp_path):
    program = "import sys, molscore.cli\ntry: molscore.cli.app(sys.argv[1:])\nfinally: print('torch' in sys.modules)"
    command = [sys.executable, "-c", program, "generate", "--n", "1", "--out", str(tmp_path / "m.sdf"), *more]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2 and run.stdout.strip() == "False"
    assert words in " ".join(run.stderr.split())


def test_python_refuses_the_same(generator, druglike):
    with pytest.raises(ValueError, match="does not know logp"):
        generator.generate(1, targets={"logp": 2.5})
    with pytest.raises(ValueError, match="outside what druglike has seen"):
        druglike.generate(1, targets={"tpsa": 900})


def test_particles_follow_targets_from_the_command_line(tmp_path):
    out = tmp_path / "out.sdf"
    words = ["--n", "2", "--target", "logp=2.5+-2", "--particles", "2", "--steps", "20", "--atoms", "8-12"]
    result = CliRunner().invoke(app, ["generate", "--out", str(out), "--workers", "1", *words])
    assert result.exit_code == 0, result.output
    mols = list(Chem.SDMolSupplier(str(out)))
    assert len(mols) == 2 and all("particles 2" in mol.GetProp("molscore_options") for mol in mols)
    assert all(0.5 <= float(mol.GetProp("logp")) <= 4.5 for mol in mols)
