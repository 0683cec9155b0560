"""Spoilt files: a short run through all readers, and proof that the script sees what it looks for."""

import json
import random
import subprocess
import sys
import time

import pytest
from mutation import readers
from mutation.mutations import MUTATIONS, mutated
from mutation.sources import sources
from scripts.conftest import ROOT


def test_a_short_run_finds_nothing(tmp_path):
    out = tmp_path / "found.json"
    words = ["--n", "156", "--network", "3", "--cli", "3", "--out", str(out)]
    script = ROOT / "scripts" / "mutated_files.py"
    done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(out.read_text())
    assert results["cases"]["in one process"] == 156 and results["cases"]["through the command line"] == 3
    assert results["cases"]["with the network"] == 3 and len(results["kinds"]) == 13
    assert results["faults"] == results["too slow"] == results["written outside"] == 0 and results["each"] == []
    assert sum(kind["clear errors"] for kind in results["kinds"].values()) > 20


@pytest.fixture
def watched(tmp_path):
    """``watched(job)``: what is seen of a job on a file."""
    (tmp_path / "outputs").mkdir()
    path, watch = tmp_path / "a.sdf", readers.Watch()

    def run(job):
        path.write_bytes(b"x")
        (row,) = readers.run_case([job], path, b"x", watch, tmp_path / "outputs")
        return row

    return run


def test_errors_of_other_kinds_are_faults(watched):
    def library(path):
        json.loads("{")

    def name(path):
        {}["x"]

    def text(path):
        "\udc80".encode()

    for job in (library, name, text):
        assert "Error" in watched(job)["fault"]
    assert watched(lambda path: None)["fault"] is None
    from molscore.train.config import load_config

    row = watched(load_config)
    assert row["fault"] is None and row["error"].startswith("ConfigError")


def test_time_is_looked_at(watched, monkeypatch):
    monkeypatch.setattr(readers, "WALL", 0.05)
    assert watched(lambda path: time.sleep(5))["slow"]
    monkeypatch.setattr(readers, "LIMIT", 0.0)
    assert watched(lambda path: sum(range(10**5)))["slow"]


def test_what_is_written_elsewhere_is_seen(watched, tmp_path):
    outside = [
        lambda path: (tmp_path / "b").write_text("x"),
        lambda path: (tmp_path / "c").mkdir(),
        lambda path: (tmp_path / "b").rename(tmp_path / "d"),
        lambda path: (tmp_path / "d").unlink(),
    ]
    assert all(watched(job)["outside"] for job in outside)
    inside = watched(lambda path: (tmp_path / "outputs" / "x").write_text("x"))
    assert inside["outside"] == [] and inside["fault"] is None and not list((tmp_path / "outputs").iterdir())
    assert watched(lambda path: path.write_bytes(b"y"))["fault"] == "the input was changed"


def test_the_same_seed_spoils_in_the_same_way_and_nearly_always_something():
    for name, data in sources().items():
        first, second = ([mutated(data, name, random.Random(f"7 {k}")) for k in range(30)] for _ in range(2))
        assert first == second and sum(spoilt != data for spoilt in first) > 20
        for mutation in MUTATIONS:
            assert isinstance(mutation(b"", random.Random(1)), bytes)
