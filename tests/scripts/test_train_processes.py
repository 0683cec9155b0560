"""Training by several processes, timed beside one."""

import json

import pytest
import train_processes


@pytest.mark.slow
def test_two_processes_beside_one(command, config, tmp_path, capsys):
    out = tmp_path / "speed.json"
    words = [config, "--budgets", 2_000, "--repeats", 1, "--steps", 6, "--skip", 2, "--out", out]
    command(train_processes, *words)
    found = json.loads(out.read_text())
    (row,) = found["rows"]
    assert row["pair_budget"] == 2_000 and len(row["one"]) == len(row["several"]) == 1 and min(row["one"]) > 0
    assert row["ratio"]["median"] == pytest.approx(row["several"][0] / row["one"][0], abs=1e-3)
    table = capsys.readouterr().out
    assert "| 2,000 |" in table
    command(train_processes, *words)  # nothing is missing: nothing is run
    assert json.loads(out.read_text()) == found and capsys.readouterr().out == table
