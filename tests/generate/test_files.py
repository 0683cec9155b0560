"""Generation to files: the record contract, rejects, how many molecules, which files."""

import os
import shutil
from itertools import islice, pairwise

import pytest
from generate_runs import STEPS, N, read, rows, run
from rdkit import Chem

from molscore.files.lock import BusyError
from molscore.files.part import ResumeError
from molscore.generate import GenerationOptions
from molscore.generate.attempts import windows
from molscore.generate.files import generate_sdf


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


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 32, 512])
def test_windows_are_cut_by_number_alone(batch_size, alike):
    """No gap, no overlap, never longer than four batches, nor much longer than what came before."""
    cut = list(islice(windows(batch_size, alike=alike), 60))
    assert cut[0].start == 0 and all(a.stop == b.start for a, b in pairwise(cut))
    assert all(1 <= len(window) <= max(2, 4 * batch_size) for window in cut)
    assert all(len(window) <= max(batch_size / 2, 1) + 2 * window.start for window in cut)


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
