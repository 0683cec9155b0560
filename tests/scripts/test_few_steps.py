"""Quality against evaluations: cells are counted, kept and drawn."""

import json

import few_steps
import pytest


@pytest.fixture
def words(tmp_path):
    grid = ["--n", 3, "--samplers", "dpm", "ode", "--evaluations", 2, 4]
    return [*grid, "--out", tmp_path / "cells.json", "--plot", tmp_path / "plot.png"]


def test_cells_are_measured_once_and_drawn(command, words, tmp_path, monkeypatch, capsys):
    command(few_steps, *words)
    results = json.loads((tmp_path / "cells.json").read_text())
    cells = {(row["sampler"], row["budget"]): row["evaluations"] for row in results["rows"]}
    assert cells == {("dpm", 2): 2, ("dpm", 4): 4, ("ode", 2): 1, ("ode", 4): 3}  # counted at the network
    for row in results["rows"]:
        rate = row["rates"]["valid_connected"]
        assert rate["total"] == 3 and 0 <= rate["low"] <= rate["value"] <= rate["high"] <= 1
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.json", "plot.png"]
    assert capsys.readouterr().out.count("\n") == 2 + 4  # the table

    # Interrupted: one cell is lost, and it alone is measured again.
    (tmp_path / "cells.json").write_text(json.dumps(results | {"rows": results["rows"][:3]}))
    measured, measure = [], few_steps.measure
    monkeypatch.setattr(few_steps, "measure", lambda *given: measured.append(given[3:5]) or measure(*given))
    command(few_steps, *words)
    assert measured == [("ode", 2)]
    assert len(json.loads((tmp_path / "cells.json").read_text())["rows"]) == 4


def test_cells_of_another_n_are_not_mixed_in(command, words, tmp_path, capsys):
    words = [*words[:2], "--samplers", "dpm", "--evaluations", 2, *words[8:]]
    command(few_steps, *words)
    command(few_steps, "--n", 2, *words[2:])
    (row,) = json.loads((tmp_path / "cells.json").read_text())["rows"]
    assert row["rates"]["valid_connected"]["total"] == 2
    assert "another n: starting anew" in capsys.readouterr().err


def test_tuning_has_seeds_of_its_own(command, tmp_path):
    out = tmp_path / "tuning.json"
    names = list(few_steps.VARIANTS)[:2]
    command(few_steps, "--tune", "--n", 2, "--evaluations", 3, "--variants", *names, "--out", out)
    results = json.loads(out.read_text())
    assert results["header"]["seed"] >= 1000 > few_steps.TEST_SEED
    assert [row["variant"] for row in results["rows"]] == names


@pytest.mark.parametrize(("sampler", "steps"), [("dpm", 20), ("em", 20), ("ode", 10), ("pc", 10)])
def test_steps_within_a_budget(sampler, steps):
    assert few_steps.steps_for(sampler, 20) == steps
