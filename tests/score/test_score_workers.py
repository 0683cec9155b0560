"""Scores and fits computed by worker processes: the file of one, bit for bit."""

import pytest

from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.score import batches
from molscore.score import scorer as module
from molscore.score.files import score_sdf

SMILES = ("CCO", "CC(=O)OCC(N)=O", "CN1CCC[C@H]1C", "C/C=C/CC(N)CO", "OC1CC1c1ccco1", "CC(C)Cc1ccccc1", "NCC(=O)O")


@pytest.mark.parametrize("number", [2, 3])
def test_any_number_of_workers_writes_the_same_bytes(scorer, tmp_path, monkeypatch, number):
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(batches, "WINDOW", 5)
    path = tmp_path / "in.sdf"
    with SDFWriter(path) as writer:
        for k, smiles in enumerate(SMILES):
            writer.write(embed(smiles, seed=k), smiles)
    path.write_text(path.read_text() + "no record\n\n\nat all\n$$$$\n")
    alone, shared = tmp_path / "alone.sdf", tmp_path / "shared.sdf"
    assert score_sdf(scorer, path, alone, 3, workers=1).text(alone).replace("alone", "shared") == (
        score_sdf(scorer, path, shared, 3, workers=number).text(shared)
    )
    assert alone.read_bytes() == shared.read_bytes()
