"""Raw and decoded rates come from the same samples."""

import json

import decoding


def test_raw_and_decoded_side_by_side(command, tmp_path, capsys):
    out = tmp_path / "decoding.json"
    command(decoding, "--n", 12, "--steps", 12, "--out", out)
    results = json.loads(out.read_text())
    raw, decoded = (results[kind]["valid_connected"] for kind in ("raw", "decoded"))
    assert raw["total"] == decoded["total"] == 12
    assert raw["count"] < decoded["count"]  # twelve steps leave something to repair
    assert results["repaired"]["count"] >= decoded["count"] - raw["count"]
    assert 0 < results["seconds"]["median"] <= results["seconds"]["quantile_99"] <= results["seconds"]["longest"]
    assert "| valid and connected |" in capsys.readouterr().out
