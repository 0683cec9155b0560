"""Files in, SDF out: order, names, properties, bad records."""

import csv
import gzip
import io
import os

import numpy as np
import pytest
from conformer_runs import QUICK, read, run
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom

from molscore.conformers import ConformerOptions
from molscore.conformers.files import conformers_sdf


def test_a_list_comes_out_in_order_with_its_names(generator, listed, tmp_path):
    out, problems = tmp_path / "out.sdf", tmp_path / "bad.csv"
    outcome = conformers_sdf(generator, str(listed), out, 2, 0, QUICK, problems=problems)
    mols = read(out)
    assert [mol.GetProp("_Name") for mol in mols[::2]] == ["butanol", "pentane, no: toluene", "salt", "ala"]
    assert [mol.GetIntProp("rank") for mol in mols] == [1, 2] * 4
    assert [mol.GetIntProp("molscore_index") for mol in mols[::2]] == [1, 2, 4, 5]
    for mol in mols:
        assert mol.GetConformer().Is3D() and mol.GetProp("method") in ("score", "etkdg")
        assert Chem.CanonSmiles(mol.GetProp("SMILES")) == Chem.MolToSmiles(Chem.RemoveHs(mol))
        assert all(atom.GetNumImplicitHs() == 0 for atom in mol.GetAtoms())
    assert mols[4].GetProp("removed_fragments") == "[Na+]" and mols[6].GetProp("isomer") == "sampled"
    assert (outcome.records, outcome.molecules, outcome.failed) == (5, 4, {"smiles": 1}) and not outcome.complete
    assert "record 3, line 3" in outcome.text(out)
    assert problems.read_text().splitlines()[1].startswith("3,3,,smiles,")


def test_tables_and_their_columns(generator, tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.sdf"
    path.write_text('ID,Smiles,pIC50,method,"odd <name>"\nA1,CCCCO,7.1,assay,"two\n\nlines"\nA2,CCCCN,6.0,assay,$$$$\n')
    conformers_sdf(generator, str(path), out, 1, 0, QUICK)
    first, second = read(out)
    assert (first.GetProp("_Name"), first.GetProp("pIC50"), second.GetProp("_Name")) == ("A1", "7.1", "A2")
    assert first.GetProp("input_method") == "assay" and first.GetProp("method") == "score"
    assert first.GetProp("odd (name)") == "two\n \nlines" and second.GetProp("odd (name)") == " $$$$"


@pytest.mark.parametrize("ending", [".sdf", ".sdf.gz"])
@pytest.mark.parametrize("flat", [True, False])
def test_records_keep_order_of_atoms_hydrogens_and_fields(generator, tmp_path, ending, flat):
    mol = Chem.AddHs(Chem.MolFromSmiles("C[C@H](N)C(=O)NC"))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=3) == 0
    mol = Chem.RenumberAtoms(mol, np.random.default_rng(2).permutation(mol.GetNumAtoms()).tolist())
    if flat:
        mol = Chem.MolFromSmiles("C[C@H](N)C(=O)NC")
        rdDepictor.Compute2DCoords(mol)
    mol.SetProp("_Name", "title")
    mol.SetProp("assay", "12")
    source, out = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    block = (Chem.MolToMolBlock(mol) + ">  <assay>\n12\n\n$$$$\n").encode()
    (gzip.open if ending.endswith("gz") else open)(source, "wb").write(block)
    conformers_sdf(generator, str(source), out, 2, 0, QUICK)
    mols = read(out)
    assert [mol.GetProp("_Name") for mol in mols] == ["title"] * 2 and mols[0].GetProp("assay") == "12"
    n = mol.GetNumAtoms()
    assert [a.GetSymbol() for a in mols[0].GetAtoms()][:n] == [a.GetSymbol() for a in mol.GetAtoms()]
    assert mols[0].GetProp("SMILES") == "CNC(=O)[C@H](C)N"


def test_smiles_and_standard_input(generator, tmp_path):
    out = tmp_path / "out.sdf"
    conformers_sdf(generator, "C/C=C/CO", out, 1, 0, QUICK)
    assert read(out)[0].GetProp("SMILES") == "C/C=C/CO"
    conformers_sdf(generator, "-", out, 1, 0, QUICK, stream=io.StringIO("CCCCO one\nCCCCN two\n"))
    assert [mol.GetProp("_Name") for mol in read(out)] == ["one", "two"]


def test_an_input_without_records_is_an_error_and_leaves_nothing(generator, tmp_path):
    path, out = tmp_path / "in.smi", tmp_path / "out.sdf"
    path.write_text("\n\n")
    with pytest.raises(ValueError, match="no record"):
        conformers_sdf(generator, str(path), out, 1, 0, QUICK)
    assert not out.exists()


def test_formulas_in_names_are_text_in_the_table_of_problems(generator, tmp_path):
    (tmp_path / "in.smi").write_text("nonsense( =HYPERLINK(1)\nCCCCO fine\nnonsense( -5\n")
    run(generator, tmp_path / "in.smi", tmp_path / "out.sdf", tmp_path / "bad.csv")
    with (tmp_path / "bad.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["'=HYPERLINK(1)", "-5"]


def test_memory_does_not_grow_with_the_input(generator, tmp_path):
    """The reader is never more than a group ahead of the writer."""
    lines_read, ahead = [0], []

    def lines():
        for k in range(120):
            lines_read[0] += 1
            yield f"CCCC{'C' * (k % 3)}O m{k}\n"

    class Stream(io.TextIOBase):
        source = lines()

        def readline(self, size=-1):
            return next(self.source, "")

        def __next__(self):
            return next(self.source)

    conformers_sdf(
        generator,
        "-",
        tmp_path / "out.sdf",
        1,
        0,
        ConformerOptions(steps=1, oversampling=1, method="etkdg", relax="none"),
        stream=Stream(),
        on_progress=lambda records: ahead.append(lines_read[0] - records),
    )
    assert len(ahead) == 120 and max(ahead) <= 40


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"out": "link.sdf"}, "are the same file"), ({"problems": "in.csv"}, "are the same file"),
        ({"problems": "link.csv"}, "are the same file"), ({"out": "o.txt"}, "must end in"), ({"n": 0}, "n must be"),
        ({"seed": -1}, "seed must be"), ({"problems": "p.txt"}, "must end in"),
    ],
    ids=str,
)  # fmt: skip
def test_arguments_are_checked_before_anything_is_written(generator, tmp_path, changes, words):
    """From Python as on the command line: above all, no output may be the input."""
    (tmp_path / "in.csv").write_text("smiles\nCCCCO\n")
    (tmp_path / "link.sdf").symlink_to("in.csv")
    (tmp_path / "link.csv").symlink_to("o.sdf")
    before = sorted(os.listdir(tmp_path))
    given = {"out": "o.sdf", "problems": None, "n": 1, "seed": 0} | changes
    paths = {name: given.pop(name) for name in ("out", "problems")}
    paths = {name: value and tmp_path / value for name, value in paths.items()}
    with pytest.raises(ValueError, match=words):
        conformers_sdf(generator, str(tmp_path / "in.csv"), **paths, **given)
    assert sorted(os.listdir(tmp_path)) == before and (tmp_path / "in.csv").read_text() == "smiles\nCCCCO\n"


def test_isomers_are_not_counted_as_molecules(generator, tmp_path):
    """The summary of one molecule with four isomers, all of them rigid."""
    out = tmp_path / "o.sdf"
    outcome = conformers_sdf(
        generator, "FC(Cl)C1CC1(F)Br", out, 9, options=ConformerOptions(stereo="enumerate", method="etkdg")
    )
    assert outcome.molecules == outcome.records == 1 and outcome.exhausted > 1
    words = outcome.text(out)
    assert "of 1 of 1 molecules" in words and f"distinct conformers: {outcome.exhausted};" in words
    assert f"{outcome.exhausted} molecules" not in words
