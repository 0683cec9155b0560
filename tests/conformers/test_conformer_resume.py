"""Runs that are stopped and resumed: the bytes of an undisturbed run, never a mixture of two."""

import copy
import gzip
import io

import pytest
import torch
from conformer_runs import LIST, QUICK, Killed, read, run
from rdkit import Chem

from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.conformers.files import conformers_sdf
from molscore.files.lock import BusyError
from molscore.files.part import ResumeError, journal_of, part_of
from molscore.files.signals import Terminated


@pytest.fixture(scope="module")
def straight(generator, tmp_path_factory):
    """Files and outcome of an undisturbed run over the list."""
    folder = tmp_path_factory.mktemp("straight")
    (folder / "in.smi").write_text(LIST)
    out, problems = folder / "out.sdf", folder / "bad.csv"
    return out, problems, run(generator, folder / "in.smi", out, problems)


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
