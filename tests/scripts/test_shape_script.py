"""The measurement of shapes: what is made, what a library has, and the table of both."""

import json

import pytest
import shape

from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.chem.shape import ShapeQuery

LIBRARY = ["CCCCc1ccccc1", "CC(C)c1ccccc1O", "NCCc1ccc(O)cc1", "OCC1CCCCC1"]


@pytest.fixture
def files(tmp_path):
    """Two queries, and libraries with and without positions."""
    for name, smiles in (("queries.sdf", ["CCCCc1ccc(CN)cc1", "OCCc1ccccc1CC"]), ("prepared.sdf", LIBRARY)):
        with SDFWriter(tmp_path / name) as writer:
            for text in smiles:
                writer.write(embed(text), text)
    (tmp_path / "library.smi").write_text("\n".join(LIBRARY))
    return tmp_path


def test_all_ways_are_judged_alike(command, files, capsys):
    words = [files / "queries.sdf", "--library", files / "library.smi", "--prepared", files / "prepared.sdf"]
    words += ["--samples", 4, "--steps", 25, "--out", files / "out.json"]
    command(shape, *words, "--targets", 1)
    first = json.loads((files / "out.json").read_text())
    assert [row["method"] for row in first["rows"]] == list(shape.METHODS)
    command(shape, *words)
    saved = json.loads((files / "out.json").read_text())
    assert saved["rows"][:6] == first["rows"] and len(saved["rows"]) == 12
    for row in saved["rows"]:
        assert len(row["shapes"]) == len(row["sas"]) == row["valid"] <= 4
        assert all(0 < value <= 1 for value in row["shapes"])
        if row["method"] in shape.MADE:
            assert row["tried"] == 4 == row["valid"] + sum(row["faults"].values())
        if row["method"] == "prepared":
            assert row["tried"] == len(LIBRARY) and row["shapes"] == sorted(row["shapes"], reverse=True)
    table = shape.markdown(saved["summary"])
    assert table in capsys.readouterr().out and "| shape Tanimoto |" in table


def test_the_best_of_a_library_are_those_of_rank(files):
    query = ShapeQuery(embed("CCCCc1ccc(CN)cc1"))
    mols = [embed(text) for text in LIBRARY]
    row = shape.searched("prepared", shape.Ranker(query), mols, 2, 1e9)
    want = sorted((query.aligned(mol)[1].shape for mol in mols), reverse=True)[:2]
    assert row["shapes"] == pytest.approx(want, abs=1e-3) and row["tried"] == 4
