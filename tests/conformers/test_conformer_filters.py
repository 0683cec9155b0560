"""Filters: by properties of the input and of the graph before anything is made, by energies and the like after."""

import csv
from dataclasses import replace

import pandas as pd
import pytest
from conformer_runs import QUICK, read
from rdkit import Chem

from molscore.chem.checks.catalogue import PROPERTIES
from molscore.conformers import ConformerOptions
from molscore.conformers.files import conformers_sdf

TABLE = 'smiles,name,pIC50,"IC50 (nM)"\nCCCCO,alcohol,7.1,30\nCCCCN,amine,6.0,9\nCCCCCCC,alkane,7.5,900\nbad(,bad,9,9\n'


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(TABLE)
    return str(path)


def run(generator, table, tmp_path, **options):
    out, problems = tmp_path / "out.sdf", tmp_path / "problems.csv"
    outcome = conformers_sdf(generator, table, out, 3, 0, replace(QUICK, **options), problems=problems)
    with problems.open(newline="") as file:
        reasons = {row["name"]: (row["reason"], row["detail"]) for row in csv.DictReader(file)}
    return read(out), outcome, reasons


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"filter": "input.pIC50 > 7 and heavy < 7"}, {"alcohol"}),
        ({"filter": 'input["IC50 (nM)"] < 100 or rings > 3'}, {"alcohol", "amine"}),
        ({"must_match": "[#7,#8]", "must_not_match": "[NX3] amine"}, {"alcohol"}),
        ({"filter": "hbd == 0 and alerts < 2 and unusual == 0"}, {"alkane"}),
    ],
)
def test_molecules_are_left_out_with_a_reason(generator, table, tmp_path, options, kept):
    mols, outcome, reasons = run(generator, table, tmp_path, **options)
    assert {mol.GetProp("_Name") for mol in mols} == kept
    assert outcome.filtered == 3 - len(kept) and outcome.failed == {"smiles": 1}
    assert {name for name, (reason, _) in reasons.items() if reason == "filter"} == {
        "alcohol",
        "amine",
        "alkane",
    } - kept
    first = next(detail for reason, detail in reasons.values() if reason == "filter")
    assert f"left out by the filter: {outcome.filtered} molecules" in outcome.text(tmp_path / "out.sdf")
    assert f": {first}\n" in outcome.text(tmp_path / "out.sdf")
    assert all(next(iter(options.values())) in mol.GetProp("molscore_options") for mol in mols)


def test_the_summary_of_shards_counts_what_the_filter_left_out(generator, table, tmp_path):
    options = replace(QUICK, filter="input.pIC50 > 7.2")
    single = conformers_sdf(generator, table, tmp_path / "one.sdf", 1, 0, options)
    for resume in (False, True):
        out = tmp_path / "out-{shard}.sdf"
        outcome = conformers_sdf(generator, table, out, 1, 0, options, shard_size=1, resume=resume)
        assert outcome.filtered == 2 and outcome.text("x").splitlines()[1:] == single.text("x").splitlines()[1:]


def test_conformers_are_left_out_and_the_others_keep_their_ranks(generator, table, tmp_path):
    everything, _, _ = run(generator, table, tmp_path)
    asked = "rank >= 2 and relative_energy_kcal_per_mol < 1e6 and method == 'score'"
    mols, outcome, _ = run(generator, table, tmp_path, filter=asked)
    wanted = [mol for mol in everything if mol.GetIntProp("rank") >= 2 and mol.GetProp("method") == "score"]
    for mol, same in zip(mols, wanted, strict=True):
        assert mol.GetIntProp("rank") == same.GetIntProp("rank")
        assert (mol.GetConformer().GetPositions() == same.GetConformer().GetPositions()).all()
    assert outcome.dropped["filter"] == len(everything) - len(wanted) and not outcome.short


def test_a_molecule_whose_conformers_are_all_left_out(generator, table, tmp_path):
    mols, outcome, reasons = run(generator, table, tmp_path, filter="energy_kcal_per_mol < -1e6")
    assert not mols and outcome.filtered == 3
    assert reasons["alkane"][0] == "filter" and "energy_kcal_per_mol" in reasons["alkane"][1]


def test_a_function_sees_one_conformer_with_the_properties_of_its_record(generator, table, tmp_path):
    seen = []

    def best(mol: Chem.Mol) -> bool:
        seen.append(mol)
        return mol.GetIntProp("rank") == 1 and mol.GetProp("pIC50") != "6.0"

    mols, _, _ = run(generator, table, tmp_path, filter=best)
    assert [mol.GetProp("_Name") for mol in mols] == ["alcohol", "alkane"] and len(seen) == 9
    assert all(mol.GetNumConformers() == 1 and mol.HasProp("energy_kcal_per_mol") for mol in seen)


def test_every_property_of_a_record_is_in_the_catalogue(generator, table, tmp_path):
    mols, _, _ = run(generator, table, tmp_path)
    for mol in mols:
        for name, value in mol.GetPropsAsDict().items():
            if name not in ("pIC50", "IC50 (nM)"):
                assert "conformers" in PROPERTIES[name].records, name
                assert isinstance(value, (int, float)) == (PROPERTIES[name].kind == "number"), name


@pytest.mark.parametrize("asked", ["input.pic50 > 7", "input.name == 'alcohol'", "input.smiles == 'CCCCO'"])
def test_a_column_that_is_not_there_is_refused(generator, table, tmp_path, asked):
    with pytest.raises(ValueError, match="there is no column .* only pIC50, IC50"):
        conformers_sdf(generator, table, tmp_path / "out.sdf", 1, 0, replace(QUICK, filter=asked))
    frame = pd.read_csv(table)
    with pytest.raises(ValueError, match="there is no column .* only pIC50, IC50"):
        generator.generate(frame, n=1, options=replace(QUICK, filter=asked))
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_frame_is_filtered_as_the_file_that_holds_it(generator, table, tmp_path):
    asked = replace(QUICK, filter='input.pIC50 > 7 and input["IC50 (nM)"] < 100')
    conformers_sdf(generator, table, tmp_path / "file.sdf", 2, 0, asked)
    result = generator.generate(pd.read_csv(table), n=2, options=asked)
    assert [reject.reason for reject in result.rejects] == ["filter", "filter", "smiles"]
    assert result.to_frame().title.tolist() == ["alcohol", "amine", "alkane", "bad"]
    assert result.mols[0].GetDoubleProp("pIC50") == 7.1 and result.mols[0].GetIntProp("IC50 (nM)") == 30
    result.to_sdf(tmp_path / "frame.sdf")
    assert (tmp_path / "frame.sdf").read_text() == (tmp_path / "file.sdf").read_text()
    molecules = pd.DataFrame({"mol": result.mols[:1], "price": [9]})
    again = generator.generate(molecules, n=1, options=replace(QUICK, filter="input.pIC50 > 7 and input.price > 8"))
    assert again.mols[0].GetPropsAsDict() == {"pIC50": 7.1, "IC50 (nM)": 30, "price": 9}


@pytest.mark.parametrize("wrong", [{"filter": "strain_kcal_per_mol < 3"}, {"must_match": "Q("}, {"filter": 5}])
def test_what_is_not_understood_is_refused(wrong):
    with pytest.raises(ValueError):
        ConformerOptions(**wrong)
