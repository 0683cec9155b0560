"""Runs that are stopped and resumed end with the bytes of an undisturbed one."""

import copy
import gzip
import os

import pytest
import torch
from child import full_disk, start
from generate_runs import STEPS, Killed, N, read, run

from molscore.files.part import ResumeError, journal_of, part_of
from molscore.files.signals import Terminated
from molscore.generate import MoleculeGenerator
from molscore.model import fingerprint
from molscore.versions import version


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


def test_resume_refuses_another_version(generator, tmp_path, monkeypatch):
    sdf = tmp_path / "mols.sdf"
    run(generator, sdf, stop_at=4)
    monkeypatch.setattr(fingerprint, "version", lambda package="": "9.9.9" if not package else version(package))
    with pytest.raises(ResumeError, match="molscore version .*, and this run has molscore version 9.9.9"):
        run(generator, sdf, resume=True)


def test_there_is_nothing_to_resume(generator, tmp_path):
    with pytest.raises(ResumeError, match="without --resume"):
        run(generator, tmp_path / "none.sdf", resume=True)
    (tmp_path / "other.sdf").write_text("no molecule\n\n\n\n$$$$\n")
    with pytest.raises(ResumeError, match="cannot be resumed"):
        run(generator, tmp_path / "other.sdf", resume=True)
    assert os.listdir(tmp_path) == ["other.sdf"]
