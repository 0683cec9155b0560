"""Ablations: a row is a run; a run that fails is left out and tried again."""

import json

import ablate
import pytest


def test_a_row_says_what_was_run_and_what_came_of_it(config):
    row = ablate.run(config, ["steps=3"], samples=4, sampler_steps=2, init_from=None)
    assert row["steps"] == 3 and row["molecules"] > 0 and row["seconds"] > 0
    assert set(row["losses"]) == {"loss", "positions", "atoms", "bonds"}
    assert row["rates"]["valid_connected"]["total"] == 4
    heavier = ablate.run(config, ["steps=3", "model.atom_weight=5"], samples=0, sampler_steps=2, init_from=None)
    assert "rates" not in heavier and heavier["losses"]["loss"] > row["losses"]["loss"]
    rows = [{"variant": name, "seed": k, **cells} for k, (name, cells) in enumerate([("a", row), ("b", row)])]
    assert [line.split("|")[1].strip() for line in ablate.markdown(rows).splitlines()[2:]] == ["a", "b, seed 1"]


@pytest.mark.slow
def test_a_failing_row_ends_nothing_and_finished_rows_stay(command, config, tmp_path, monkeypatch, capsys):
    variants = {"baseline": [], "broken": ["model.network.heads=7"], "weight": ["model.atom_weight=1"]}
    monkeypatch.setattr(ablate, "VARIANTS", variants)
    out = tmp_path / "rows.json"
    words = [config, "--steps", 3, "--variants", *variants, "--out", out]
    command(ablate, *words)
    assert [row["variant"] for row in json.loads(out.read_text())["rows"]] == ["baseline", "weight"]
    assert "broken, seed 0 failed" in capsys.readouterr().err
    before = out.read_text()
    command(ablate, *words)
    assert out.read_text() == before
    assert "baseline, seed" not in capsys.readouterr().err


def test_every_variant_is_a_configuration(config):
    """Each override names a key that there is, with a value that it takes."""
    from molscore.network.network import EquivariantScoreNetwork
    from molscore.train.config import load_config

    for overrides in ablate.VARIANTS.values():
        network = load_config("configs/qm9.yaml", overrides).model.network
        EquivariantScoreNetwork(network, 6, 12, 2, 4)


def test_a_budget_is_needed(command, config, tmp_path):
    with pytest.raises(SystemExit):
        command(ablate, config, "--out", tmp_path / "rows.json")
