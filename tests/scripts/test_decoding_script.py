"""Raw and decoded rates come from the same samples."""

import json

import decoding


def test_raw_and_decoded_side_by_side(command, tmp_path, capsys):
    out = tmp_path / "decoding.json"
    command(decoding, "--n", 12, "--steps", 12, "--out", out)
    found = json.loads(out.read_text())
    raw, decoded = (found[kind]["valid_connected"] for kind in ("raw", "decoded"))
    assert raw["total"] == decoded["total"] == 12
    assert raw["count"] < decoded["count"]  # twelve steps leave something to repair
    assert found["repaired"]["count"] >= decoded["count"] - raw["count"]
    assert 0 < found["seconds"]["median"] <= found["seconds"]["quantile_99"] <= found["seconds"]["longest"]
    assert "| valid and connected |" in capsys.readouterr().out
