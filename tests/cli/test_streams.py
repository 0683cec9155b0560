"""Standard input and output: ``-`` is both, readers may go away, disks may be full."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from molscore import cli
from molscore.cli import app

ROOT = Path(cli.__file__).parents[2]
MAKE = ["conformers", "in.smi", "--n", "1", "--steps", "4", "--workers", "1"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a list of molecules."""
    monkeypatch.chdir(tmp_path)
    Path("in.smi").write_text("CCCCO one\nc1ccccc1C two\nCCCN three\n")
    return tmp_path


def invoke(*words, **options):
    return CliRunner().invoke(app, words, **options)


def start(*words, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "molscore", *words]
    return subprocess.run(words, env=environment, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("words", [MAKE, ["generate", "--model", "qm9", "--n", "2", "--steps", "12", "--workers", "1"]])
def test_standard_output_gets_what_a_file_would(folder, words):
    assert invoke(*words, "--out", "file.sdf").exit_code == 0
    result = invoke(*words, "--out", "-")
    assert result.exit_code == 0 and result.stdout_bytes == Path("file.sdf").read_bytes()
    assert "written to standard output" in result.stderr


def test_a_pipeline_of_commands(folder):
    """Each reads what the one before wrote; all of it is what files would have held."""
    made = invoke(*MAKE, "--out", "-", "-q").stdout_bytes
    Path("made.sdf").write_bytes(made)
    assert invoke("score", "made.sdf", "--out", "scored.sdf", "-q", "--workers", "1").exit_code == 0
    scored = invoke("score", "-", "--out", "-", "--workers", "1", input=made)
    assert scored.exit_code == 0 and scored.stdout_bytes == Path("scored.sdf").read_bytes()
    assert "in standard output" in scored.stderr
    judge = ["--reference", "none", "--posebusters", "none", "--no-relaxation", "-q", "--workers", "1"]
    result = invoke("evaluate", "-", *judge, input=scored.stdout_bytes)
    assert result.exit_code == 0 and "valid" in result.stdout
    result = invoke("report", "-", "--out", "r.html", "--reference", "none", "-q", "--workers", "1", input=made)
    assert result.exit_code == 0 and Path("r.html").stat().st_size > 1000


def test_a_reader_that_goes_away_ends_the_program_quietly(folder):
    Path("in.smi").write_text("CCCCO\n" * 200)
    read, write = os.pipe()
    os.close(read)
    result = start(*MAKE, "--method", "etkdg", "--out", "-", "-q", stdout=write)
    os.close(write)
    assert result.returncode == 1 and result.stderr.strip() == b""
    assert os.listdir(folder) == ["in.smi"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_behind_standard_output(folder):
    with open("/dev/full", "wb") as full:
        result = start(*MAKE, "--method", "etkdg", "--out", "-", "-q", stdout=full)
    assert result.returncode == 1 and b"Error: standard output: no space left on device" in result.stderr
    assert b"Traceback" not in result.stderr
