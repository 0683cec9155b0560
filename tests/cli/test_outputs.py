"""Outputs of the commands: never an input, never a device, never half there; signals end a command in order."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from typer.testing import CliRunner

from molscore import cli
from molscore.chem.io.formats import record_writer
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import tagged
from molscore.cli import app
from molscore.files.part import journal_of, part_of
from molscore.files.paths import check_writable
from molscore.files.signals import Terminated

ROOT = Path(cli.__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with an input of each kind, and links to it."""
    monkeypatch.chdir(tmp_path)
    mol = Chem.AddHs(Chem.MolFromSmiles("CCCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    for name in ("mols.sdf", "other.sdf"):
        Path(name).write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    Path("in.csv").write_text("smiles\nCCO\n")
    Path("in.smi").write_text("CCO\n")
    Path("config.yaml").write_text("data: data.safetensors\nout: .\n")
    Path("data.safetensors").write_bytes(b"tensors")
    Path("model.safetensors").write_bytes(b"weights")
    Path("protein.pdb").write_text("ATOM\n")
    os.mkdir("shards")
    Path("shards/0.npz").write_bytes(b"shard")
    Path("shards/model.safetensors").write_bytes(b"tensors")
    os.mkdir("elsewhere")
    Path("link.sdf").symlink_to("mols.sdf")
    os.link("mols.sdf", "hard.sdf")
    Path("link.csv").symlink_to("in.csv")
    Path("link.html").symlink_to("mols.sdf")
    Path("link.json").symlink_to("mols.sdf")
    Path("rejects.csv").symlink_to("m.sdf")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SAME = [
    "score mols.sdf --out mols.sdf",
    "score mols.sdf --out ./mols.sdf",
    "score mols.sdf --out link.sdf",
    "score link.sdf --out mols.sdf",
    "score mols.sdf --out hard.sdf",
    "score mols.sdf --out shards/../mols.sdf",
    "interpolate mols.sdf other.sdf --out mols.sdf",
    "interpolate mols.sdf other.sdf --out other.sdf",
    "conformers mols.sdf --out mols.sdf",
    "conformers mols.sdf --out link.sdf",
    "conformers in.csv --out m.sdf --problems in.csv",
    "conformers in.csv --out m.sdf --problems link.csv",
    "conformers link.csv --out m.sdf --problems in.csv",
    "conformers in.smi --out m.sdf --problems rejects.csv",
    "generate --n 1 --out m.sdf --rejects rejects.csv",
    "generate --n 1 --out mols.sdf --report link.html",
    "generate --n 1 --out mols.sdf --trajectory link.html",
    "evaluate mols.sdf --json link.json",
    "report mols.sdf --out link.html",
    "data sdf mols.sdf --out mols.sdf",
    "data sdf mols.sdf --out link.sdf",
    "data moses3d in.csv --out in.csv",
    "data moses3d shards --out shards/0.npz",
    "train config.yaml",
    "train config.yaml out=elsewhere/.. --init-from model.safetensors",
    "train config.yaml out=shards data=shards/model.safetensors",
    "data merge data.safetensors model.safetensors --out model.safetensors",
]


@pytest.mark.parametrize("line", SAME)
def test_an_output_that_is_an_input_or_another_output_is_a_usage_error(folder, line):
    before = contents(folder)
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 2, result.output
    assert "the same file" in " ".join(result.stderr.split())
    assert contents(folder) == before


def test_standard_input_is_an_input_too(folder):
    """``molscore conformers - --format sdf --out mols.sdf < mols.sdf``"""
    before = contents(folder)
    words = [sys.executable, "-m", "molscore", "conformers", "-", "--format", "sdf", "--out", "mols.sdf"]
    with open("mols.sdf") as file:
        process = subprocess.run(words, stdin=file, capture_output=True, text=True, env=environment())
    assert process.returncode == 2 and "the same file" in process.stderr and contents(folder) == before


DEVICES = ["/dev/full", "/dev/null", "/dev/stdout", "-", "pipe", "full"]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("score mols.sdf --out", ".sdf"),
        ("generate --n 1 --out", ".sdf"),
        ("generate --n 1 --out m.sdf --rejects", ".csv"),
        ("generate --n 1 --out m.sdf --report", ".html"),
        ("generate --n 1 --out m.sdf --trajectory", ".html"),
        ("conformers CCO --out", ".sdf"),
        ("conformers CCO --out m.sdf --problems", ".csv"),
        ("interpolate mols.sdf other.sdf --out", ".sdf"),
        ("interpolate mols.sdf other.sdf --plot", ".png"),
        ("evaluate mols.sdf --json", ".json"),
        ("report mols.sdf --out", ".html"),
        ("data sdf mols.sdf --out", ".safetensors"),
    ],
)
def test_devices_and_pipes_are_a_usage_error(folder, line, ending, device):
    name = device if device.startswith(("/", "-")) else device + ending
    if device == "-" and line.endswith("--out") and ending == ".sdf":
        pytest.skip("results may go to standard output")
    if device == "pipe":
        os.mkfifo(name)
    elif device == "full":
        Path(name).symlink_to("/dev/full")
    before = contents(folder)
    result = CliRunner().invoke(app, [*line.split(), name])
    assert result.exit_code == 2, result.output
    assert any(word in " ".join(result.stderr.split()) for word in ("device", "standard output"))
    assert contents(folder) == before


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
@pytest.mark.parametrize("line", ["score mols.sdf --out s.sdf", "report mols.sdf --out r.html", "data sdf mols.sdf"])
def test_whatever_is_interrupted_leaves_nothing_and_says_so(folder, monkeypatch, line, stop, code):
    """The work is broken off where each of these commands reads its first molecule."""

    def interrupted(*words, **options):
        raise stop

    monkeypatch.setattr("molscore.score.files.read_structures", interrupted)
    monkeypatch.setattr("molscore.report.from_file.read_sdf", interrupted)
    monkeypatch.setattr("molscore.datasets.sources.read_structures", interrupted)
    before = contents(folder)
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == code and "interrupted" in result.stderr
    assert contents(folder) == before


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_real_signal_while_molecules_are_made(tmp_path, number):
    """The process ends with the shell's code, keeps what it has, and goes on."""
    out, whole = tmp_path / "mols.sdf", tmp_path / "whole.sdf"
    words = [sys.executable, "-m", "molscore", "generate", "--model", "qm9", "--n", "20", "--out"]
    subprocess.run([*words, whole], check=True, env=environment(), stderr=subprocess.DEVNULL)
    process = subprocess.Popen([*words, out], env=environment(), stderr=subprocess.PIPE, text=True)
    while not (journal_of(out).exists() and len(journal_of(out).read_bytes().splitlines()) > 2):
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate()[1]
    if number == signal.SIGKILL:
        assert process.returncode == -number and not out.exists()
    else:
        assert process.returncode == 128 + number and "--resume goes on" in said
        assert 0 < len(list(read_sdf(out))) < 20
    assert set(os.listdir(tmp_path)) - {f".{out.name}.lock"} <= {
        "whole.sdf",
        out.name,
        part_of(out).name,
        journal_of(out).name,
    }
    subprocess.run([*words, out, "--resume"], check=True, env=environment(), stderr=subprocess.DEVNULL)
    assert out.read_bytes() == whole.read_bytes() and sorted(os.listdir(tmp_path)) == ["mols.sdf", "whole.sdf"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["evaluate", "mixed.sdf", "--reference", "none", "--posebusters", "none", "--json", "e.json"], 3),
        (["evaluate", "mols.sdf", "--reference", "none", "--posebusters", "none", "--json", "e.json"], 0),
        (["data", "sdf", "mixed.sdf", "--out", "d.safetensors", "--workers", "1"], 3),
        (["data", "sdf", "mols.sdf", "--out", "d.safetensors", "--workers", "1"], 0),
        (["data", "moses3d", "mixed.smi", "--out", "d.safetensors", "--workers", "1"], 3),
    ],
    ids=str,
)
def test_records_that_cannot_be_read_are_code_3(folder, words, code):
    """As for `conformers` and `score`: what can be read is done, and written."""
    sound = Path("mols.sdf").read_text()
    Path("mixed.sdf").write_text(f"{sound}broken\n\n\nno counts\nM  END\n$$$$\n{sound}")
    Path("mixed.smi").write_text("CCO\nC1CC\nCCN\n")
    result = CliRunner().invoke(app, [*words, "-q"])
    assert result.exit_code == code, result.output
    assert Path(words[-1] if words[0] == "evaluate" else "d.safetensors").stat().st_size > 0


def test_an_ending_in_upper_case_is_one(folder):
    """``OUT.SDF.GZ`` is compressed, as an input of this name is read."""
    for name in ("OUT.SDF.GZ", "Out.Sdf"):
        with record_writer(name) as writer:
            writer.add(tagged(Path("mols.sdf").read_text().removesuffix("$$$$\n"), {"a": 1}).encode())
        assert [record.mol.GetProp("a") for record in read_sdf(name)] == ["1"]
    assert Path("OUT.SDF.GZ").read_bytes().startswith(b"\x1f\x8b") and Path("Out.Sdf").read_bytes().startswith(b"\n")
    assert check_writable("P.CSV", (".csv",)) == Path("P.CSV")
