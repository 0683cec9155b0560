"""Runs that are really killed end with the bytes of those that are not."""

import json

import kill_runs
import pytest


@pytest.mark.slow
def test_a_run_of_each_kind(command, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        command(kill_runs, "--runs", 4, "--seed", 1, "--out", tmp_path / "kills.json")
    rows = json.loads((tmp_path / "kills.json").read_text())["rows"]
    assert end.value.code == 0 and [row["identical"] for row in rows] == [True] * 4
    assert "4 of 4 byte-identical" in capsys.readouterr().out
