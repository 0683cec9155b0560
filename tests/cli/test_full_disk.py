"""A disk that is full in the middle of a run: a sentence and code 1, nothing half-written, and ``--resume`` goes on."""

import os
import subprocess
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from molscore.cli import app

MOLECULES = """\
CCCCO one
c1ccccc1C two
CCCN three
nonsense(
CC(=O)Nc1ccc(O)cc1 four
OCC(O)CO five
CCOC(=O)C six
"""
COMMANDS = {
    "conformers": "conformers {source} --n 4 --fill --method etkdg --problems {folder}/p-{{shard}}.csv",
    "generate": "generate --model qm9 --n 7 --steps 10 --rejects {folder}/p-{{shard}}.csv",
}
SHARDS = "--out {folder}/m-{{shard}}.sdf --shard-size 3 --workers 1"


@contextmanager
def disk(folder, kilobytes):
    """A folder that is a disk of its own, where the system lets a test have one. A file takes 4 kB at least."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if not hasattr(os, "geteuid") or os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def invoke(name, source, folder, *more):
    words = f"{COMMANDS[name]} {SHARDS}".format(source=source, folder=folder).split()
    return CliRunner().invoke(app, [*words, *more])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("input") / "in.smi"
    path.write_text(MOLECULES)
    return path


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    """Code, files and summary of the run of a command on a disk with room, once for each."""
    runs = {}

    def of(name):
        if name not in runs:
            folder = tmp_path_factory.mktemp("whole")
            result = invoke(name, source, folder)
            runs[name] = result.exit_code, contents(folder), summary(result, folder)
        return runs[name]

    return of


def summary(result, folder):
    lines = result.stderr.replace(str(folder), "FOLDER").splitlines()
    return lines[next(k for k, line in enumerate(lines) if " molecules in " in line) :]


@pytest.mark.parametrize(
    ("name", "kilobytes", "full"),
    [
        ("conformers", 16, "m-0.sdf"),  # before the first record is kept
        ("conformers", 32, "m-0.sdf"),  # in the middle of a shard
        ("conformers", 64, "manifest"),  # a shard is in place, and not in the manifest
        ("conformers", 72, "m-1.sdf"),  # of the next shard a part
        ("generate", 24, "m-0.sdf"),
        ("generate", 44, ""),
    ],
)
def test_shards_on_a_full_disk(name, kilobytes, full, source, whole, tmp_path):
    code, files, said = whole(name)
    with disk(tmp_path / "small", kilobytes):
        small = tmp_path / "small"
        result = invoke(name, source, small)
        assert result.exit_code == 1 and "no space left on device" in result.stderr and full in result.stderr
        assert result.stderr.count("Error:") == 1 and "Traceback" not in result.stderr
        left = contents(small)
        assert not [path for path in left if path.endswith((".tmp", ".lock"))]
        assert all(left[path] == files[path] for path in left if path in files and "manifest" not in path)
        pieces = any(path.endswith(".journal") for path in left)
        assert ("--resume goes on" in result.stderr) == (pieces or "m-0.sdf" in left)
        subprocess.run(["mount", "-o", "remount,size=4m", str(small)], check=True)
        again = invoke(name, source, small, "--resume")
        assert again.exit_code == code and contents(small) == files and summary(again, small) == said
