"""The measurement of Ray's workers: a cluster that runs already, and the file that says what is missing."""

import json

import pytest
import ray_workers

pytest.importorskip("ray")


@pytest.mark.slow
def test_a_running_cluster_is_used_and_ended(command, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # the script sets it; afterwards it is as it was
    out = tmp_path / "out.json"
    words = ["--n", "2", "--model", "qm9", "--steps", "20", "--clusters", "running", "--repeats", "1", "--out", out]
    command(ray_workers, *words)
    (row,) = json.loads(out.read_text())["rows"]
    assert row["cluster"] == "running" and row["same_output"] and min(row["one_s"] + row["two_s"]) > 0
    before = out.read_text()
    command(ray_workers, *words)  # nothing is missing: nothing is run
    assert out.read_text() == before and "that runs already" in capsys.readouterr().out
