"""SDF to SDF: every record in its place, tagged; nothing lost, nothing half-written."""

import gzip

import pytest
from rdkit import Chem

from molscore.chem.sdf import SDFWriter, read_sdf
from molscore.score.files import score_sdf
from molscore.score.scorer import ATOM_TAG, REASON_TAG, TAGS


@pytest.fixture
def mixed(tmp_path, drugs):
    """A good record with properties, one that is no record, a salt, a good one without an end."""
    path = tmp_path / "mixed.sdf"
    with SDFWriter(path) as writer:
        writer.write(drugs[0], "aspirin", {"assay": "7.5\nsecond line", TAGS[0]: "old", "note": "a > b"})
    salt = Chem.MolToMolBlock(Chem.MolFromSmiles("CC(=O)[O-].[Na+]"))
    last = Chem.MolToMolBlock(drugs[1])
    path.write_text(f"{path.read_text()}no record\n\n\nat all\n$$$$\n{salt}$$$$\n{last}")
    return path


def test_records_stay_and_get_tags(scorer, mixed, tmp_path):
    seen, out = [], tmp_path / "out.sdf"
    outcome = score_sdf(scorer, mixed, out, on_progress=seen.append)
    assert seen == [1, 2, 3, 4]
    assert len(outcome.scores) == 2 and outcome.reasons == {"unreadable": 1, "disconnected": 1}
    assert "record 2 (line" in outcome.first
    told = outcome.text(out)
    assert "2 of 4 records scored" in told and "1 disconnected" in told
    before, after = list(read_sdf(mixed)), list(read_sdf(out))
    assert [record.mol is None for record in after] == [False, True, False, False]
    assert "at all" in after[1].text and f"<{REASON_TAG}>" in after[1].text
    first = after[0].mol
    assert first.GetProp("_Name") == "aspirin" and first.GetProp("assay") == "7.5\nsecond line"
    assert first.GetProp("note") == "a > b"
    assert after[0].text.count(f"<{TAGS[0]}>") == 1 and float(first.GetProp(TAGS[0])) > -5
    for old, new in zip(before, after, strict=True):
        assert new.text.startswith(old.text.partition("M  END")[0].rstrip())
    name = ATOM_TAG.removeprefix("atom.dprop.")
    heavy = [atom for atom in first.GetAtoms() if atom.GetAtomicNum() > 1]
    assert all(atom.GetDoubleProp(name) > 0 for atom in heavy)
    assert not any(atom.HasProp(name) for atom in first.GetAtoms() if atom.GetAtomicNum() == 1)
    salt = after[2].mol
    assert salt.GetProp(TAGS[0]) == "" and salt.GetProp(REASON_TAG).startswith("disconnected")


def test_scoring_twice_changes_nothing(scorer, mixed, tmp_path):
    once, twice = tmp_path / "once.sdf.gz", tmp_path / "twice.sdf.gz"
    score_sdf(scorer, mixed, once)
    score_sdf(scorer, once, twice)
    texts = [gzip.open(path, "rt").read() for path in (once, twice)]
    assert texts[0] == texts[1] and texts[0].count("$$$$") == 4


def test_an_empty_file_is_refused_and_nothing_written(scorer, tmp_path):
    empty, out = tmp_path / "empty.sdf", tmp_path / "out.sdf"
    empty.touch()
    with pytest.raises(ValueError, match="holds no record"):
        score_sdf(scorer, empty, out)
    assert list(tmp_path.iterdir()) == [empty]
