"""Libraries ranked by shape: in memory and from files."""

import csv

import pytest
from rdkit import Chem

import molscore
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.screening.files import rank_file
from molscore.screening.ranking import ranker_of

LIBRARY = ["OCCc1ccccc1 phenylethanol", "CCO ethanol", "C1CC nothing", "NCCc1ccc(O)cc1 tyramine", "[H][H] hydrogen"]
QUICK = ConformerOptions(method="etkdg")


@pytest.fixture(scope="module")
def query() -> Chem.Mol:
    return molscore.ConformerGenerator.from_pretrained().generate("NCCc1ccccc1 query", n=1, method="etkdg").mols[0]


@pytest.fixture
def files(query, tmp_path):
    """A query and a library."""
    with SDFWriter(tmp_path / "query.sdf") as writer:
        writer.write(query, "query", {})
    (tmp_path / "library.smi").write_text("\n".join(LIBRARY) + "\n")
    return tmp_path


def test_molecules_in_memory(query, tmp_path):
    ranking = molscore.rank(LIBRARY, query, conformers=4, options=QUICK)
    assert [mol.GetProp("_Name") for mol in ranking.mols] == ["phenylethanol", "tyramine", "ethanol"]
    assert [reject.reason for reject in ranking.rejects] == ["smiles", "no_shape"]
    values = [hit.overlap.shape for hit in ranking]
    assert values == sorted(values, reverse=True) and values[0] > 0.9 and ranking.hits[0].conformers > 1
    assert ranking.mols[0].GetDoubleProp("shape_tanimoto") == values[0]
    assert ranking.to_sdf(tmp_path / "hits.sdf") == 3 and "3 best of 3" in ranking.summary()
    assert list(ranking.to_frame()["shape_tanimoto"]) == values
    best = molscore.rank(LIBRARY, query, conformers=4, options=QUICK, top=1)
    assert [hit.overlap for hit in best] == [ranking.hits[0].overlap] and best.ranked == 3


def test_given_positions_need_no_model(query):
    mols = ConformerGenerator.from_pretrained().generate(LIBRARY[:2], n=3, method="etkdg").mols
    made, given = (molscore.rank(mols, query, given=flag, conformers=3, options=QUICK) for flag in (False, True))
    assert [hit.item for hit in given] == [hit.item for hit in made] == [0, 1]
    assert "model" not in given.manifest and made.manifest["model"] == "conformers"
    bad = molscore.rank([None, "CCO", *mols], query, given=True)
    assert [reject.reason for reject in bad.rejects] == ["unreadable", "no_3d"] and len(bad) == 2


@pytest.mark.parametrize("top", [2, None])
def test_a_file_is_ranked_as_its_molecules_are(files, top):
    ranker = ranker_of(files / "query.sdf", conformers=3, options=QUICK)
    texts = []
    for workers in (1, 2):
        out, problems = files / f"hits{workers}.sdf", files / f"problems{workers}.csv"
        run = rank_file(ranker, str(files / "library.smi"), out, top, problems=problems, workers=workers)
        assert (run.records, run.ranked, run.hits) == (5, 3, top or 3) and run.failed == {"smiles": 1, "no_shape": 1}
        rows = list(csv.DictReader(problems.open()))
        assert [(row["line"], row["name"], row["reason"]) for row in rows] == [
            ("3", "nothing", "smiles"),
            ("5", "hydrogen", "no_shape"),
        ]
        texts.append(out.read_bytes())
    assert texts[0] == texts[1]
    records = [record.mol for record in read_sdf(files / "hits1.sdf")]
    own = molscore.rank(LIBRARY, ranker.query.mol, conformers=3, options=QUICK)
    want = {hit.mol.GetProp("_Name"): hit.overlap.shape for hit in own}
    names = [mol.GetProp("_Name") for mol in records]
    assert names == (list(want)[:2] if top else ["phenylethanol", "ethanol", "tyramine"])
    for mol in records:
        assert float(mol.GetProp("shape_tanimoto")) == pytest.approx(want[mol.GetProp("_Name")], abs=1e-5)


def test_records_of_one_molecule_are_its_conformers(files):
    """What `conformers` wrote, and what `rank` makes of the same molecules itself."""
    ranker = ranker_of(files / "query.sdf", conformers=3, options=QUICK)
    rank_file(ranker, str(files / "library.smi"), files / "hits.sdf")
    ensembles = ranker.generator.generate(LIBRARY, n=3, options=QUICK)
    ensembles.to_sdf(files / "conformers.sdf")
    run = rank_file(ranker_of(files / "query.sdf", given=True), str(files / "conformers.sdf"), files / "again.sdf")
    first, again = (list(read_sdf(files / name)) for name in ("hits.sdf", "again.sdf"))
    assert run.ranked == 3 < run.records
    for one, other in zip(first, again, strict=True):
        for name in ("_Name", "SMILES"):
            assert one.mol.GetProp(name) == other.mol.GetProp(name)
        assert float(one.mol.GetProp("combo")) == pytest.approx(float(other.mol.GetProp("combo")), abs=0.02)


def test_misuse(files):
    ranker = ranker_of(files / "query.sdf", given=True)
    with pytest.raises(ValueError, match="leave out --given"):
        rank_file(ranker, str(files / "library.smi"), files / "hits.sdf")
    (files / "empty.sdf").write_text("")
    with pytest.raises(ValueError, match="holds no record"):
        rank_file(ranker, str(files / "empty.sdf"), files / "hits.sdf")
    assert not (files / "hits.sdf").exists()
    with pytest.raises(ValueError, match="top must be"):
        molscore.rank("CCO", files / "query.sdf", top=0, given=True)
