"""What the methods return: a row for each item, typed tables, SDF files, summaries, pages; and the same as streams."""

import pickle
from copy import deepcopy
from itertools import islice, repeat

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from sklearn.base import clone

import molscore
from molscore.chem.io.sdf_reader import read_sdf
from molscore.sklearn import ConformerTransformer

GOOD = [0, 9]
"""Places of those that are molecules."""

QUICK = molscore.ConformerOptions(method="etkdg")


@pytest.mark.parametrize("call", ["generate", "score"])
@pytest.mark.parametrize("holder", [list, iter, lambda items: pd.Series(items, list("abcdefghij"), dtype=object)])
def test_every_item_has_a_row(conformers, scorer, items, call, holder):
    if call == "score":
        items[0], items[9] = conformers.generate([items[0], items[9]], n=1, options=QUICK).mols
    held = holder(items)
    result = scorer.score(held) if call == "score" else conformers.generate(held, n=1, options=QUICK)
    table = result.to_frame()
    assert len(result) == len(result.mols) == len(table) == len(items)
    assert [place for place, mol in enumerate(result.mols) if mol is not None] == GOOD
    assert [reject.item for reject in result.rejects] == [place for place in range(10) if place not in GOOD]
    assert all(reject.reason and reject.detail and "\n" not in reject.detail for reject in result.rejects)
    assert table["reason"].notna().tolist() == [place not in GOOD for place in range(10)]
    assert table["reason"].dropna().tolist() == [reject.reason for reject in result.rejects]
    assert list(table.index) == (list("abcdefghij") if isinstance(held, pd.Series) else list(range(10)))


@pytest.mark.parametrize("bad", ["c1ccc", None, 7, float("nan"), Chem.Mol()], ids=str)
def test_one_bad_item_is_a_row_too(conformers, scorer, bad):
    for result in (conformers.generate(bad), scorer.score(bad)):
        assert len(result) == len(result.to_frame()) == len(result.rejects) == 1 and result.mols == [None]


def test_unsanitised_poses_are_scored_or_have_a_reason(conformers, scorer):
    (mol,) = conformers.generate("CCCCC(=O)O", n=1, options=QUICK).mols
    block = Chem.MolToMolBlock(mol)
    five_bonds = block.replace("  5  6  2  0", "  5  6  3  0").replace("  1  2  1  0", "  1  2  3  0")
    assert five_bonds != block
    raw, broken = (Chem.MolFromMolBlock(text, sanitize=False, removeHs=False) for text in (block, five_bonds))
    scores = scorer.score([mol, raw, broken])
    assert len(scores) == 3 and scores[0].reason is None
    assert scores[1].reason or scores[1].log_likelihood == pytest.approx(scores[0].log_likelihood, abs=1e-3)
    assert scores[2].reason


def test_raw_samples_are_rows_too(conformers, scorer, generator, tmp_path):
    """They need not be molecules at all."""
    raw = generator.generate(8, steps=3, raw=True)
    assert raw.to_sdf(tmp_path / "raw.sdf") == len(raw.to_frame()) == 8 and raw._repr_html_().count("<svg") == 4
    made = conformers.generate(raw, n=1, steps=2, relax="none")
    assert len(made) == len(scorer.score(raw)) == 8 and {reject.reason for reject in made.rejects} >= {"valence"}


def test_a_table_of_conformers(conformers):
    table = pd.DataFrame(
        {"smiles": ["CCCCO butanol", "nonsense odd one", "CCC"], "activity": [1.5, 2.5, 3.5]}, [7, 8, 9]
    )
    result = conformers.generate(table, n=3, steps=4)
    rows = result.to_frame()
    assert list(rows.index) == [7, 8, 9] and rows["conformers"].tolist() == [3, 0, 1]
    assert rows["conformers"].dtype == np.int64 and rows["energy_kcal_per_mol"].dtype == np.float64
    assert table.join(rows).columns.is_unique
    assert rows["title"].tolist() == ["butanol", "odd one", "molecule_3"]
    assert rows.loc[8, "reason"] == "smiles" and rows.loc[9, "method"] == "etkdg"
    each = result.to_frame(conformers=True)
    assert list(each.index) == [7, 7, 7, 9] and each["rank"].tolist() == [1, 2, 3, 1]
    assert each["relative_energy_kcal_per_mol"].dtype == np.float64 and each["rank"].dtype == np.int64
    assert all(mol.GetNumConformers() == 1 for mol in each["mol"])
    nothing = conformers.generate([], n=1)
    assert list(nothing.to_frame().columns) == list(rows.columns) and len(nothing.to_frame(conformers=True)) == 0


def test_isomers_have_a_row_each_and_name_their_item(conformers):
    table = pd.DataFrame({"smiles": ["CCC(F)O", None, "CCO"]}, ["a", "b", "c"])
    result = conformers.generate(table, n=1, method="etkdg", stereo="enumerate")
    rows = result.to_frame()
    assert rows["item"].tolist() == [0, 0, 1, 2] and list(rows.index) == ["a", "a", "b", "c"]
    assert rows["SMILES"].nunique() == 3 and rows["isomer"].tolist() == [1, 2, 1, 1]


def test_generated_molecules(made):
    rows = made.to_frame()
    assert rows["qed"].dtype == np.float64 and rows["molscore_index"].dtype == np.int64
    assert rows["title"].tolist() == [mol.GetProp("_Name") for mol in made] and list(rows["mol"]) == made.mols
    assert len(made) == 3 and all(attempt.reason and attempt.detail for attempt in made.rejects)
    assert made.summary().startswith("3 molecules, ")


def test_scores_are_a_sequence_and_lie_in_molecules(conformers, scorer):
    mols = conformers.generate(["CCCCO", "CCCCN"], n=1, options=QUICK).mols
    scores = scorer.score([*mols, None])
    assert len(scores) == 3 and scores[0] is scores.scores[0] and list(scores[1:]) == scores.scores[1:]
    rows = scores.to_frame()
    for place in range(2):
        value = scores.mols[place].GetDoubleProp("log_likelihood_nats_per_atom")
        assert value == scores[place].log_likelihood == rows["log_likelihood_nats_per_atom"][place]
        assert not mols[place].HasProp("log_likelihood_nats_per_atom")
    assert rows["log_likelihood_nats_per_atom"].dtype == np.float64
    assert scores.summary() == "2 of 3 molecules scored\nnot scored: 1 unreadable"


def test_items_without_a_score_are_named_too(scorer):
    flat, five_bonds = Chem.MolFromSmiles("CCO"), Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    flat.SetProp("_Name", "ethanol")
    rows = scorer.score(["CCN ethylamine", flat, five_bonds, None]).to_frame()
    assert rows["title"].fillna("-").tolist() == ["ethylamine", "ethanol", "", "-"]
    assert rows["SMILES"].fillna("-").tolist() == ["CCN", "CCO", "CC(C)(C)(C)C", "-"]
    assert rows["mol"].isna().all() and rows["reason"].notna().all()


def test_files_hold_what_tables_hold(conformers, scorer, made, tmp_path):
    mol = Chem.MolFromSmiles("CCCCO")
    mol.SetIntProp("rank", 17)
    mol.SetProp("pIC<50>", "$$$$\n\n7.5")
    made_conformers = conformers.generate([mol, None, "CCCCN amine"], n=2, steps=4)
    scores = scorer.score(made_conformers.to_frame(conformers=True))
    for number, result in ((3, made), (4, made_conformers), (4, scores)):
        path = tmp_path / f"{type(result).__name__}.sdf.gz"
        assert result.to_sdf(path) == number
        records = list(read_sdf(path))
        assert len(records) == number and all(record.mol is not None for record in records)
    first = next(read_sdf(tmp_path / "Conformers.sdf.gz")).mol
    assert first.GetProp("_Name") == "molecule_1" and first.GetProp("input_rank") == "17"
    assert (
        first.GetProp("rank") == "1" and first.GetProp("molscore_index") == "1" and first.GetProp("SMILES") == "CCCCO"
    )


def test_scored_heavy_atoms_are_written_with_hydrogens(conformers, scorer, tmp_path):
    (mol,) = conformers.generate("CCCC(=O)O acid", n=1, options=QUICK).mols
    assert scorer.score(Chem.RemoveHs(mol)).to_sdf(tmp_path / "scored.sdf") == 1
    (written,) = Chem.SDMolSupplier(str(tmp_path / "scored.sdf"), removeHs=False)
    assert written.GetNumAtoms() == mol.GetNumAtoms() and written.GetProp("_Name") == "acid"
    assert written.GetAtomWithIdx(0).GetDoubleProp("position_uncertainty_angstrom") > 0
    with pytest.raises(ValueError, match=r"must end in \.sdf"):
        conformers.generate([]).to_sdf(tmp_path / "scored.txt")


def test_results_say_what_they_are(conformers, scorer, made):
    named = conformers.generate(["CCCCO <b>bold</b>", None], n=2, steps=4)
    assert repr(named) == "Conformers(2 conformers of 1 of 2 molecules)"
    assert repr(scorer.score(named)) == "Scores(0 of 2 molecules scored)"
    assert "without a conformer: 1 unreadable" in named.summary()
    for result in (named, made, scorer.score([None])):
        page = result._repr_html_()
        assert "<b>" not in page and page.count("<svg") == min(sum(mol is not None for mol in result.mols), 4)
        assert len(page) < 60_000
    assert "&lt;b&gt;bold" in named._repr_html_()


def test_streams_give_the_same(conformers, scorer, generator, made):
    smiles = ["CCCCO", None, "CC(F)O"]
    whole = conformers.generate(smiles, n=2, steps=4)
    streamed = list(conformers.stream(iter(smiles), n=2, steps=4))
    assert [ensemble.item for ensemble in streamed] == [0, 1, 2]
    for one, other in zip(whole, streamed, strict=True):
        assert one.reason == other.reason and one.mol.ToBinary() == other.mol.ToBinary()
    again = list(generator.stream(3, seed=0, options=molscore.GenerationOptions(steps=20)))
    assert [mol.ToBinary() for mol in again] == [mol.ToBinary() for mol in made]
    scores = list(scorer.stream(iter([*made, None])))
    for one, other in zip(scorer.score([*made, None]), scores, strict=True):
        assert one.properties() == other.properties()


def test_streams_take_and_give_as_they_go(conformers, scorer, generator):
    taken = 0

    def endless():
        nonlocal taken
        for smiles in repeat("CCO"):
            taken += 1
            yield smiles

    assert len(list(islice(conformers.stream(endless(), n=1, options=QUICK), 3))) == 3 and taken < 20
    taken = 0
    assert next(scorer.stream(endless())).reason and taken <= 512
    assert next(generator.stream(1_000_000, steps=20)).GetNumConformers() == 1


def test_choices_are_keywords_or_options(conformers, generator):
    for call in (conformers.generate, conformers.stream):
        with pytest.raises(TypeError, match="not both: leave out relax"):
            call("CCO", relax="mmff", options=QUICK)
        with pytest.raises(TypeError, match="no option 'relx'; did you mean 'relax'"):
            call("CCO", relx="mmff")
        with pytest.raises(ValueError, match="unknown relax"):
            call("CCO", relax="uff")
        with pytest.raises(ValueError, match="n must be"):
            call("CCO", n=0)
    for call in (generator.generate, generator.stream):
        with pytest.raises(TypeError, match="options must be GenerationOptions"):
            call(1, options=QUICK)
        with pytest.raises(TypeError, match="not both"):
            call(1, steps=3, options=molscore.GenerationOptions())
    keywords, options = (
        conformers.generate("CCCCO", n=1, **way).mols[0] for way in ({"steps": 4}, _as_options(steps=4))
    )
    assert keywords.ToBinary() == options.ToBinary()


@pytest.mark.parametrize("options", [molscore.ConformerOptions, molscore.GenerationOptions])
@pytest.mark.parametrize("value", ["no", 0, None])
def test_words_are_not_taken_for_yes_and_no(options, value):
    for name in ("fill", "fallback") if options is molscore.ConformerOptions else ("raw", "uncertainty"):
        with pytest.raises(ValueError, match=f"{name} must be True or False"):
            options(**{name: value})


def _as_options(**keywords) -> dict:
    return {"options": molscore.ConformerOptions(**keywords)}


@pytest.mark.parametrize(
    "options", [molscore.ConformerOptions(rmsd=None, fill=True), molscore.GenerationOptions(atoms=(4, 9))], ids=repr
)
def test_options_are_pickled_copied_and_cloned(options):
    assert pickle.loads(pickle.dumps(options)) == deepcopy(options) == clone(options, safe=False) == options
    with pytest.raises(AttributeError):
        options.steps = 3
    assert clone(ConformerTransformer(options=options)).options == options
