"""Reports of what generators and scorers return: those of the SDF files that they write."""

import pytest
from report_page import Page, embed

import molscore
from molscore.report import report_file, write_report


@pytest.fixture(scope="module")
def results():
    """One of each kind, with items that have no result."""
    scorer = molscore.MoleculeScorer.from_pretrained(device="cpu")
    conformers = molscore.ConformerGenerator(scorer.model, "conformers").generate(
        ["CC(C)CC=O butanal", "C1CC", "CCO"], n=3
    )
    scores = scorer.score([embed("CC(C)CC=O"), embed("c1ccncc1"), None])
    generated = molscore.MoleculeGenerator.from_pretrained("qm9", device="cpu").generate(4, seed=0, steps=12)
    return {"generate": generated, "conformers": conformers, "score": scores}


@pytest.mark.parametrize("kind", ["generate", "conformers", "score"])
def test_a_report_of_a_result_is_that_of_its_file(results, kind, tmp_path):
    result = results[kind]
    write_report(tmp_path / "result.html", result)
    result.to_sdf(tmp_path / "result.sdf")
    report_file(tmp_path / "result.sdf", tmp_path / "file.html", evaluate=False)
    page, file = Page(tmp_path / "result.html"), Page(tmp_path / "file.html")
    assert page.data() == file.data() and page.drawings() == file.drawings()
    assert len(page.data()["items"]) == sum(mol is not None for mol in result.mols)
    assert f"Seed {result.manifest['seed']}" in page.text()


def test_what_was_rejected_is_counted(results, tmp_path):
    generated = results["generate"]
    assert generated.rejects and sum(generated.reasons().values()) == len(generated.rejects)
    for kind, words in (
        ("generate", f"of {generated.manifest['attempts']} attempts"),
        ("conformers", "1 of 3 items"),
        ("score", "1 of 3 items"),
    ):
        write_report(tmp_path / "r.html", results[kind])
        text = Page(tmp_path / "r.html").text()
        assert words in text and all(reason in text for reason in results[kind].reasons())


def test_what_is_given_beside_a_result_counts(results, tmp_path):
    metrics = molscore.evaluate(results["generate"], posebusters=None)
    given = {"title": "My own", "manifest": {"steps": 12}, "rejects": {"clash": 7}}
    molscore.write_report(tmp_path / "r.html", results["generate"], metrics=metrics, **given)
    text = Page(tmp_path / "r.html").text()
    assert "My own" in text and "Delivered 4 Steps 12" in text and "7 of 11 attempts" in text and "Metrics" in text


def test_without_molecules_there_is_no_report(tmp_path):
    empty = molscore.ConformerGenerator.from_pretrained(device="cpu").generate(["C1CC"], n=1)
    with pytest.raises(ValueError, match="no molecules"):
        write_report(tmp_path / "r.html", empty)
    assert list(tmp_path.iterdir()) == []
