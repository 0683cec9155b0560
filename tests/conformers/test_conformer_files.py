"""Files in, SDF out: order, names, properties, bad records, interruption."""

import copy
import csv
import gzip
import io
import os

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom

from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.conformers.files import conformers_sdf
from molscore.files.lock import BusyError
from molscore.files.part import ResumeError, journal_of, part_of
from molscore.files.signals import Terminated

QUICK = ConformerOptions(steps=4, oversampling=1, fill=True)
LIST = "CCCCO butanol\nc1ccccc1C pentane, no: toluene\nnonsense(\n\nCC(=O)[O-].[Na+] salt\nCC(N)C(=O)O ala\n"


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "in.smi"
    path.write_text(LIST)
    return path


def read(path) -> list[Chem.Mol]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        return list(Chem.ForwardSDMolSupplier(file, removeHs=False))


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
    assert mols[4].GetProp("removed_fragments") == "[Na+]" and mols[6].GetProp("isomer") == "drawn"
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


class Killed(BaseException):
    """Nothing catches this: the process is gone."""


@pytest.fixture(scope="module")
def straight(generator, tmp_path_factory):
    """Files and outcome of an undisturbed run over the list."""
    folder = tmp_path_factory.mktemp("straight")
    (folder / "in.smi").write_text(LIST)
    out, problems = folder / "out.sdf", folder / "bad.csv"
    return out, problems, run(generator, folder / "in.smi", out, problems)


def run(generator, source, out, problems=None, stop_at=None, stop=KeyboardInterrupt, seed=0, n=2, **options):
    """A run, stopped after so many records if so asked."""

    def count(records: int) -> None:
        if records == stop_at:
            raise stop

    chosen = options.pop("chosen", QUICK)
    return conformers_sdf(generator, str(source), out, n, seed, chosen, problems=problems, on_progress=count, **options)


@pytest.mark.parametrize(
    ("stop", "first", "ending"),
    [
        (Killed, 1, ".sdf"),
        (Killed, 3, ".sdf.gz"),
        (Killed, 5, ".sdf"),
        (KeyboardInterrupt, 2, ".sdf"),
        (KeyboardInterrupt, 4, ".sdf.gz"),
        (Terminated, 3, ".sdf"),
        (RuntimeError, 2, ".sdf"),
    ],
)
def test_a_run_that_was_stopped_ends_with_the_bytes_of_the_undisturbed_one(
    generator, straight, listed, tmp_path, stop, first, ending
):
    """And with its summary and its problems: what failed before the stop counts."""
    out, problems = tmp_path / f"out{ending}", tmp_path / "bad.csv"
    for stop_at, resume in ((first, False), (min(first + 1, 5), True)):
        if issubclass(stop, KeyboardInterrupt):
            outcome = run(generator, listed, out, problems, stop_at, stop, resume=resume)
            assert isinstance(outcome.interrupted, stop) and "--resume goes on" in outcome.text(out)
            assert len(read(out)) == outcome.conformers.total()
        else:
            with pytest.raises(stop):
                run(generator, listed, out, problems, stop_at, stop, resume=resume)
            assert not out.exists() and not problems.exists()
        assert part_of(out).exists() and journal_of(out).exists()
    outcome = run(generator, listed, out, problems, resume=True)
    assert outcome.kept == min(first + 1, 5) and outcome.changed == 0
    data = gzip.decompress(out.read_bytes()) if ending.endswith("gz") else out.read_bytes()
    assert data == straight[0].read_bytes() and problems.read_bytes() == straight[1].read_bytes()
    assert outcome.text(out) == straight[2].text(out) and outcome.complete == straight[2].complete
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in.smi", "bad.csv", out.name])


def test_standard_input_is_matched_record_by_record(generator, straight, tmp_path):
    out, problems = tmp_path / "out.sdf", tmp_path / "bad.csv"
    run(generator, "-", out, problems, stop_at=4, stream=io.StringIO(LIST))
    outcome = run(generator, "-", out, problems, resume=True, stream=io.StringIO(LIST))
    assert outcome.kept == 4
    assert out.read_bytes() == straight[0].read_bytes() and problems.read_bytes() == straight[1].read_bytes()


@pytest.mark.parametrize(
    ("change", "kept", "changed"),
    [
        (lambda text: text.replace("CCCCO butanol", "CCCCN amine"), 3, 1),
        (lambda text: text.replace("butanol", "another name"), 3, 1),
        (lambda text: text.replace("nonsense(", "CCCCF"), 3, 1),
        (lambda text: text.replace("c1ccccc1C", "Cc1ccccc1"), 3, 1),
        (lambda text: "CCCCCC new\n" + text, 0, 4),
        (lambda text: "\n".join(reversed(text.splitlines())), 0, 4),
        (lambda text: text + "CCCF more\n", 4, 0),
        (lambda text: "".join(text.splitlines(keepends=True)[:2]), 2, 0),
    ],
    ids=["molecule", "name", "bad to good", "order of atoms", "a line before", "reversed", "a line behind", "shorter"],
)
def test_an_input_that_changed_is_never_mixed_with_what_it_was(generator, listed, tmp_path, change, kept, changed):
    out, whole = tmp_path / "out.sdf", tmp_path / "whole.sdf"
    with pytest.raises(Killed):
        run(generator, listed, out, stop_at=4, stop=Killed)
    listed.write_text(change(LIST))
    outcome = run(generator, listed, out, resume=True)
    assert (outcome.kept, outcome.changed) == (kept, changed)
    assert ("have changed since" in outcome.text(out)) == bool(changed)
    run(generator, listed, whole)
    assert out.read_bytes() == whole.read_bytes()


def test_sdf_inputs_are_told_apart_by_what_they_hold(generator, tmp_path):
    source, out, whole = tmp_path / "in.sdf", tmp_path / "out.sdf", tmp_path / "whole.sdf"
    block = Chem.MolToMolBlock(Chem.AddHs(Chem.MolFromSmiles("CCCCO")))
    records = [f"name {k}{block}>  <assay>\n{k}\n\n$$$$\n" for k in range(3)]
    source.write_text("".join(records))
    run(generator, source, out, stop_at=2)
    source.write_text("".join(records).replace(">  <assay>\n1", ">  <assay>\n7"))
    outcome = run(generator, source, out, resume=True)
    assert (outcome.kept, outcome.changed) == (1, 1)
    run(generator, source, whole)
    assert out.read_bytes() == whole.read_bytes() and read(out)[2].GetProp("assay") == "7"


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
@pytest.mark.parametrize("of", [part_of, journal_of])
def test_what_is_damaged_is_made_again(generator, straight, listed, tmp_path, of, damage):
    out, problems = tmp_path / "out.sdf", tmp_path / "bad.csv"
    with pytest.raises(Killed):
        run(generator, listed, out, problems, stop_at=5, stop=Killed)
    path = of(out)
    data = bytearray(path.read_bytes())
    at = len(data) * 3 // 5
    if damage == "flip":
        data[at] ^= 0xFF
    elif damage == "cut":
        del data[at:]
    path.write_bytes(data)
    if damage == "gone":
        path.unlink()
        if of is journal_of:
            with pytest.raises(ResumeError, match="run without --resume"):
                run(generator, listed, out, problems, resume=True)
            assert part_of(out).exists()
            return
    outcome = run(generator, listed, out, problems, resume=True)
    assert outcome.kept < 5 and outcome.changed == 0
    assert out.read_bytes() == straight[0].read_bytes() and problems.read_bytes() == straight[1].read_bytes()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated, Killed])
@pytest.mark.parametrize("stop_at", [1, 4])
def test_a_run_that_is_stopped_leaves_the_files_that_stood_there(generator, listed, tmp_path, stop, stop_at):
    out, problems = tmp_path / "out.sdf", tmp_path / "bad.csv"
    out.write_text("precious")
    problems.write_text("precious, too")
    try:
        outcome = run(generator, listed, out, problems, stop_at, stop)
        assert not outcome.in_place and "nothing was written to" in outcome.text(out)
    except Killed:
        pass
    assert out.read_text() == "precious" and problems.read_text() == "precious, too"
    run(generator, listed, out, problems, resume=True)
    assert len(read(out)) == 8 and problems.read_text().count("\n") == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed 0, and this run has seed 1"),
        ({"n": 3}, "options n 2.*, and this run has options n 3"),
        ({"chosen": ConformerOptions(steps=5, oversampling=1)}, "options .*steps 4.*, and this run has .*steps 5"),
        ({"chosen": ConformerOptions(steps=4, oversampling=1, relax="none")}, "this run has options .*relax none"),
    ],
)
def test_resume_refuses_another_run_and_changes_nothing(generator, straight, listed, tmp_path, change, words):
    out = tmp_path / "out.sdf"
    with pytest.raises(Killed):
        run(generator, listed, out, stop_at=2, stop=Killed)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ResumeError, match=words):
        run(generator, listed, out, resume=True, **change)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    run(generator, listed, out, resume=True)
    assert out.read_bytes() == straight[0].read_bytes()


def test_resume_refuses_other_weights_of_the_same_name(generator, listed, tmp_path):
    out, model = tmp_path / "out.sdf", copy.deepcopy(generator.model)
    run(generator, listed, out, stop_at=2)
    with torch.no_grad():
        next(iter(model.network.parameters())).view(-1)[0] += 1e-3
    with pytest.raises(ResumeError, match="weights"):
        run(ConformerGenerator(model, generator.name), listed, out, resume=True)


def test_there_is_nothing_to_resume(generator, straight, listed, tmp_path):
    """Neither where there is nothing, nor in a file that is finished."""
    for name in ("none.sdf", "finished.sdf"):
        if name == "finished.sdf":
            (tmp_path / name).write_bytes(straight[0].read_bytes())
        with pytest.raises(ResumeError, match="nothing to resume: no run into .* was stopped; run without --resume"):
            run(generator, listed, tmp_path / name, resume=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["finished.sdf", "in.smi"]


def test_two_runs_into_one_file(generator, straight, listed, tmp_path):
    out = tmp_path / "out.sdf"

    def intrude(records: int) -> None:
        for resume in (False, True):
            with pytest.raises(BusyError, match="another run .* is writing"):
                run(generator, listed, out, resume=resume)

    conformers_sdf(generator, str(listed), out, 2, 0, QUICK, on_progress=intrude)
    assert out.read_bytes() == straight[0].read_bytes()


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
