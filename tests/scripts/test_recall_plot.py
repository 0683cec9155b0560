"""The picture of recall against time: of measured rows, of all of them, and of nothing else."""

import json
from pathlib import Path

import pytest
import recall_plot
from PIL import Image

MEASURED = Path(__file__).parents[2] / "data" / "benchmarks" / "conformer_ensembles.json"


def test_all_that_was_timed_is_drawn(command, tmp_path, monkeypatch):
    drawn, draw = [], recall_plot.draw
    monkeypatch.setattr(recall_plot, "draw", lambda rows, out: drawn.extend(rows) or draw(rows, out))
    command(recall_plot, MEASURED, "--out", tmp_path / "recall.png")
    cells = {(row["method"], row["count"]) for row in drawn}
    assert cells >= {(method, count) for method in ("score", "conforge", "mmff") for count in (1, 10, 50)}
    assert Image.open(tmp_path / "recall.png").size[0] > 500


def test_rows_without_seconds_are_no_picture(command, tmp_path, capsys):
    rows = json.loads(MEASURED.read_text())["rows"]
    (tmp_path / "none.json").write_text(json.dumps({"rows": [row | {"seconds_per_molecule": None} for row in rows]}))
    with pytest.raises(SystemExit):
        command(recall_plot, tmp_path / "none.json", "--out", tmp_path / "recall.png")
    assert "--timed" in capsys.readouterr().err and not (tmp_path / "recall.png").exists()
