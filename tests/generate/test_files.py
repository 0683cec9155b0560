"""Generation to files: the record contract, rejects, interruption and resumption."""

import copy
import csv
import gzip
import os
import shutil
from itertools import islice, pairwise

import pytest
import torch
from child import full_disk, start
from rdkit import Chem

from molscore.chem.io.sdf_reader import read_sdf
from molscore.files.lock import BusyError
from molscore.files.part import ResumeError, journal_of, part_of
from molscore.files.signals import Terminated
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.attempts import windows
from molscore.generate.files import generate_sdf

N, STEPS = 6, 12
"""So few steps that half of the attempts are rejected, over two windows."""


@pytest.fixture(scope="module")
def straight(generator, tmp_path_factory):
    """An uninterrupted run: its SDF file, its rejects and its outcome."""
    folder = tmp_path_factory.mktemp("straight")
    sdf, rejects = folder / "mols.sdf", folder / "rejects.csv"
    return sdf, rejects, generate_sdf(generator, N, sdf, options=GenerationOptions(steps=STEPS), rejects=rejects)


def read(path):
    return [record.mol for record in read_sdf(path)]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_records_keep_the_contract(straight):
    sdf, _, outcome = straight
    mols = read(sdf)
    assert outcome.delivered == len(mols) == N
    for mol in mols:
        assert mol.GetConformer().Is3D()
        assert mol.GetProp("_Name") == f"molscore_0_{mol.GetProp('molscore_index')}"
        assert mol.GetProp("molscore_model") == "qm9" and mol.GetProp("molscore_seed") == "0"
        assert len(mol.GetProp("molscore_weights")) == 16
        assert mol.GetProp("molscore_version") and mol.GetProp("molscore_options") == f"steps {STEPS}; sampler dpm"
        assert Chem.CanonSmiles(mol.GetProp("SMILES")) == Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(mol)))


def test_rejects_are_listed_with_their_reasons(straight):
    sdf, rejects, outcome = straight
    listed = rows(rejects)
    assert len(listed) == outcome.rejected.total() == outcome.attempts - N
    assert all(row["reason"] and row["detail"] for row in listed)
    numbers = [int(row["molscore_index"]) for row in listed] + [mol.GetIntProp("molscore_index") for mol in read(sdf)]
    assert sorted(numbers) == list(range(outcome.attempts))


def run(generator, sdf, rejects=None, stop_at=None, stop=KeyboardInterrupt, n=N, seed=0, resume=False, **choices):
    """A run, stopped after so many attempts if so asked."""
    attempts = []

    def count(attempt, delivered):
        attempts.append(attempt)
        if len(attempts) == stop_at:
            raise stop

    options = GenerationOptions(**{"steps": STEPS, **choices})
    return generate_sdf(generator, n, sdf, seed, options, rejects=rejects, resume=resume, on_attempt=count)


class Killed(BaseException):
    """Nothing catches this: the process is gone."""


@pytest.mark.parametrize(
    ("stop", "first", "ending"),
    [
        (KeyboardInterrupt, 1, ".sdf"),
        (KeyboardInterrupt, 9, ".sdf.gz"),
        (Terminated, 7, ".sdf"),
        (Killed, 1, ".sdf.gz"),
        (Killed, 4, ".sdf"),
        (Killed, 8, ".sdf"),
        (RuntimeError, 5, ".sdf"),
    ],
)
def test_a_run_that_was_stopped_ends_with_the_bytes_of_the_undisturbed_one(
    generator, straight, tmp_path, stop, first, ending
):
    """Stopped twice, the first time before the first window is done; also in another number of molecules."""
    sdf, rejects = tmp_path / f"mols{ending}", tmp_path / "rejects.csv"
    for stop_at, resume in ((first, False), (2, True)):
        if issubclass(stop, KeyboardInterrupt):
            outcome = run(generator, sdf, rejects, stop_at, stop, resume=resume)
            assert isinstance(outcome.interrupted, stop) and "--resume" in outcome.text(sdf)
            assert outcome.delivered == (len(read(sdf)) if sdf.exists() else 0)
        else:
            with pytest.raises(stop):
                run(generator, sdf, rejects, stop_at, stop, resume=resume)
            assert not sdf.exists() and not rejects.exists()
        assert part_of(sdf).exists() and journal_of(sdf).exists()
    outcome = run(generator, sdf, rejects, resume=True)
    data = gzip.decompress(sdf.read_bytes()) if ending.endswith("gz") else sdf.read_bytes()
    assert data == straight[0].read_bytes() and rejects.read_bytes() == straight[1].read_bytes()
    assert outcome.text(sdf) == straight[2].text(sdf) and outcome.counts() == straight[2].counts()
    assert outcome.kept <= first + 2 and sorted(os.listdir(tmp_path)) == sorted([sdf.name, rejects.name])


@pytest.mark.parametrize(
    "choices",
    [pytest.param({"uncertainty": True}, marks=pytest.mark.slow), {"raw": True}, {"relax": "mmff"}, {"batch_size": 4}],
)
def test_options_do_not_change_that(generator, tmp_path, choices):
    whole, sdf = tmp_path / "whole.sdf", tmp_path / "mols.sdf"
    run(generator, whole, **choices)
    run(generator, sdf, stop_at=3, **choices)
    run(generator, sdf, resume=True, **choices)
    assert sdf.read_bytes() == whole.read_bytes()


def test_how_many_are_asked_for_does_not_change_a_bit(generator, straight, tmp_path):
    """A shorter file is the beginning of a longer one, stopped or not, and a finished one can be added to."""
    whole = straight[0].read_bytes()
    short, rejects = tmp_path / "short.sdf", tmp_path / "rejects.csv"
    run(generator, short, rejects, n=2)
    assert whole.startswith(short.read_bytes())
    outcome = run(generator, short, rejects, resume=True)
    assert (outcome.kept, outcome.delivered) == (2, N)
    assert short.read_bytes() == whole and rejects.read_bytes() == straight[1].read_bytes()
    run(generator, tmp_path / "other.sdf", stop_at=2, n=2)
    run(generator, tmp_path / "other.sdf", resume=True)
    assert (tmp_path / "other.sdf").read_bytes() == whole


def test_a_finished_file_with_more_molecules_stays(generator, straight, tmp_path):
    sdf = tmp_path / "mols.sdf"
    sdf.write_bytes(straight[0].read_bytes())
    outcome = run(generator, sdf, n=2, resume=True)
    assert outcome.delivered == N and sdf.read_bytes() == straight[0].read_bytes()
    assert os.listdir(tmp_path) == ["mols.sdf"]


@pytest.mark.parametrize(
    ("of", "damage", "share"),
    [
        *(
            (of, damage, share)
            for of in (part_of, journal_of)
            for damage in ("flip", "cut", "zero")
            for share in (0.1, 0.7)
        ),
        (part_of, "gone", 0),
        (journal_of, "gone", 0),
    ],
)
def test_what_is_damaged_is_made_again(generator, straight, tmp_path, of, damage, share):
    sdf, rejects = tmp_path / "mols.sdf", tmp_path / "rejects.csv"
    run(generator, sdf, rejects, stop_at=10)
    path = of(sdf)
    data = bytearray(path.read_bytes())
    first = data.index(b"\n") + 1 if of is journal_of else 0
    at = first + int(share * (len(data) - first))
    if damage == "flip":
        data[at] ^= 0xFF
    elif damage == "cut":
        del data[at:]
    elif damage == "zero":
        data[at : at + 500] = bytes(len(data[at : at + 500]))
    path.write_bytes(data)
    if damage == "gone":
        path.unlink()
        if of is journal_of:
            sdf.unlink(missing_ok=True)
            with pytest.raises(ResumeError, match="run without --resume"):
                run(generator, sdf, rejects, resume=True)
            assert part_of(sdf).exists()
            return
    run(generator, sdf, rejects, resume=True)
    assert sdf.read_bytes() == straight[0].read_bytes() and rejects.read_bytes() == straight[1].read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["mols.sdf", "rejects.csv"]


@pytest.mark.parametrize(("stop", "stop_at"), [(KeyboardInterrupt, 1), (Terminated, 5), (Killed, 1), (RuntimeError, 5)])
def test_a_run_that_is_stopped_leaves_the_files_that_stood_there(generator, straight, tmp_path, stop, stop_at):
    sdf, rejects = tmp_path / "mols.sdf", tmp_path / "rejects.csv"
    sdf.write_text("precious")
    rejects.write_text("precious, too")
    for resume in (False, True):
        try:
            outcome = run(generator, sdf, rejects, stop_at, stop, resume=resume)
            assert not outcome.in_place and "nothing was written to" in outcome.text(sdf)
        except (Killed, RuntimeError):
            pass
        assert sdf.read_text() == "precious" and rejects.read_text() == "precious, too"
    run(generator, sdf, rejects, resume=True)
    assert sdf.read_bytes() == straight[0].read_bytes() and rejects.read_bytes() == straight[1].read_bytes()


def test_a_table_that_is_asked_for_later_stays_until_the_end(generator, straight, tmp_path):
    sdf, rejects = tmp_path / "mols.sdf", tmp_path / "rejects.csv"
    run(generator, sdf, stop_at=5)
    rejects.write_text("precious")
    assert not run(generator, sdf, rejects, stop_at=2, resume=True).in_place
    assert rejects.read_text() == "precious"
    run(generator, sdf, rejects, resume=True)
    assert sdf.read_bytes() == straight[0].read_bytes() and rejects.read_bytes() == straight[1].read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 5}, "seed 0, and this run has .*seed 5"),
        ({"filter": "mw < 500"}, "options .*filter mw < 500"),
        ({"atoms": (5, 9)}, "options .*atoms"),
        ({"raw": True}, "options .*raw True"),
        ({"steps": STEPS + 1}, f"options steps {STEPS}; sampler dpm, and this run has"),
    ],
)
def test_resume_refuses_another_run_and_changes_nothing(generator, straight, tmp_path, change, words):
    sdf, finished = tmp_path / "mols.sdf", "seed" in change or "raw" in change
    if finished:
        sdf.write_bytes(straight[0].read_bytes())
    else:
        run(generator, sdf, stop_at=4)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    with pytest.raises(ResumeError, match=words):
        run(generator, sdf, n=N + 1, resume=True, **change)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before
    if not finished:
        run(generator, sdf, resume=True)
    assert sdf.read_bytes() == straight[0].read_bytes()


def test_a_full_disk_keeps_what_is_done(generator, straight, tmp_path, capfd):
    sdf, rejects = tmp_path / "mols.sdf", tmp_path / "rejects.csv"

    def fill():
        full_disk(6000)
        run(generator, sdf, rejects)

    child = start(fill)
    child.join()
    said = capfd.readouterr().out
    assert child.exitcode == 1 and "OSError" in said and str(sdf) in said
    assert sorted(os.listdir(tmp_path)) == sorted([part_of(sdf).name, journal_of(sdf).name])
    outcome = run(generator, sdf, rejects, resume=True)
    assert outcome.kept > 0 and sdf.read_bytes() == straight[0].read_bytes()
    assert rejects.read_bytes() == straight[1].read_bytes()


@pytest.mark.parametrize("finished", [True, False])
def test_resume_refuses_other_weights_of_the_same_name(generator, straight, tmp_path, finished):
    sdf, model = tmp_path / "mols.sdf", copy.deepcopy(generator.model)
    if finished:
        sdf.write_bytes(straight[0].read_bytes())
    else:
        run(generator, sdf, stop_at=4)
    with torch.no_grad():
        next(iter(model.network.parameters())).view(-1)[0] += 1e-3
    with pytest.raises(ResumeError, match="weights"):
        run(MoleculeGenerator(model, "qm9"), sdf, n=N + 1, resume=True)


def test_there_is_nothing_to_resume(generator, tmp_path):
    with pytest.raises(ResumeError, match="without --resume"):
        run(generator, tmp_path / "none.sdf", resume=True)
    (tmp_path / "other.sdf").write_text("no molecule\n\n\n\n$$$$\n")
    with pytest.raises(ResumeError, match="cannot be resumed"):
        run(generator, tmp_path / "other.sdf", resume=True)
    assert os.listdir(tmp_path) == ["other.sdf"]


def test_two_runs_into_one_file(generator, straight, tmp_path):
    """The second is refused, whichever file it shares, and the first ends as if alone."""
    sdf, rejects = tmp_path / "mols.sdf", tmp_path / "rejects.csv"

    def intrude(attempt, delivered):
        if delivered == 2:
            for pair in ((sdf, None), (tmp_path / "other.sdf", rejects), (tmp_path / "link.sdf", None)):
                with pytest.raises(BusyError, match="another run .* is writing"):
                    run(generator, *pair)
                with pytest.raises((BusyError, ResumeError)):
                    run(generator, *pair, resume=True)

    (tmp_path / "link.sdf").symlink_to(sdf)
    generate_sdf(generator, N, sdf, options=GenerationOptions(steps=STEPS), rejects=rejects, on_attempt=intrude)
    assert sdf.read_bytes() == straight[0].read_bytes() and rejects.read_bytes() == straight[1].read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["link.sdf", "mols.sdf", "rejects.csv"]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 32, 512])
def test_windows_are_cut_by_number_alone(batch_size):
    """No gap, no overlap, never longer than two batches, nor much longer than what came before."""
    cut = list(islice(windows(batch_size), 60))
    assert cut[0].start == 0 and all(a.stop == b.start for a, b in pairwise(cut))
    assert all(1 <= len(window) <= max(2, 2 * batch_size) for window in cut)
    assert all(len(window) <= max(batch_size / 4, 1) + 2 * window.start for window in cut)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n": 0}, "n must be"), ({"n": -2}, "n must be"), ({"n": 1.5}, "n must be"), ({"n": "3"}, "n must be"),
        ({"seed": -1}, "seed must be"), ({"seed": None}, "seed must be"), ({"out": "m.txt"}, "must end in"),
        ({"rejects": "r.txt"}, "must end in"), ({"rejects": "link.csv"}, "are the same file"),
    ],
    ids=str,
)  # fmt: skip
def test_arguments_are_checked_before_anything_is_written(generator, tmp_path, changes, words):
    (tmp_path / "m.sdf").write_text("precious")
    (tmp_path / "link.csv").symlink_to("m.sdf")
    given = {"n": 1, "out": "m.sdf", "seed": 0, "rejects": None} | changes
    paths = {name: given[name] and tmp_path / given[name] for name in ("out", "rejects")}
    with pytest.raises(ValueError, match=words):
        generate_sdf(generator, given["n"], seed=given["seed"], options=GenerationOptions(steps=STEPS), **paths)
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "m.sdf"] and (tmp_path / "m.sdf").read_text() == "precious"


def test_what_a_finished_file_had_cost_is_not_made_up(generator, straight, tmp_path):
    """The attempts behind a file that is added to are not known: a manifest is silent on them, not wrong."""
    shutil.copy(straight[0], tmp_path / "mols.sdf")
    for n in (N - 1, N, N + 2):
        outcome = generate_sdf(generator, n, tmp_path / "mols.sdf", options=GenerationOptions(steps=STEPS), resume=True)
        assert outcome.counts() == {"delivered": max(n, N)}, n
    assert f"of {outcome.attempts} further samples" in outcome.text(tmp_path / "mols.sdf")
    assert straight[2].counts()["attempts"] == straight[2].attempts > N
