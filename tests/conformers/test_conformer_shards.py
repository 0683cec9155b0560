"""Conformers in shards: records in ranges, parts that become the whole run, and what resumes them."""

import io
import json

import pytest
from child import full_disk, start
from conformer_runs import LIST, QUICK, Killed, read, run

from molscore.chem.io import inputs
from molscore.chem.io.smiles import parse_smiles
from molscore.files.part import ResumeError


def shards(generator, folder, text=LIST, **more):
    """A run of the list into shards of two records."""
    (folder / "in.smi").write_text(text)
    out, problems = folder / "out-{shard:02d}.sdf", folder / "bad-{shard}.csv"
    return run(generator, folder / "in.smi", out, problems, **{"shard_size": 2, **more})


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(generator, tmp_path_factory):
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, shards(generator, folder)


def test_shards_are_the_single_file_cut_by_records(generator, whole, tmp_path):
    folder, outcome = whole
    (tmp_path / "in.smi").write_text(LIST)
    one = run(generator, tmp_path / "in.smi", tmp_path / "one.sdf", tmp_path / "bad.csv")
    parts = [path.read_bytes() for path in sorted(folder.glob("out-*.sdf"))]
    assert len(parts) == 3 == outcome.shards and b"".join(parts) == (tmp_path / "one.sdf").read_bytes()
    listed = [path.read_bytes().partition(b"\n") for path in sorted(folder.glob("bad-*.csv"))]
    assert b"".join([listed[0][0], b"\n", *(rest for _, _, rest in listed)]) == (tmp_path / "bad.csv").read_bytes()
    assert outcome.counts() == one.counts() and outcome.text("x").splitlines()[1:] == one.text("x").splitlines()[1:]
    manifest = json.loads((folder / "out.manifest.json").read_text())
    assert manifest["complete"] and manifest["records"] == 5 and manifest["failed"] == {"smiles": 1}
    assert [entry["records"] for entry in manifest["shards"]] == [2, 2, 1]
    assert manifest["made with"]["options"].startswith("n 2; ")


@pytest.mark.parametrize("chunks", [2, 5])
def test_parts_are_disjoint_and_become_the_whole_run(generator, whole, tmp_path, chunks, monkeypatch):
    parsed = []
    monkeypatch.setattr(inputs, "parse_smiles", lambda text: parsed.append(text) or parse_smiles(text))
    for part in range(chunks, 0, -1):
        shards(generator, tmp_path, chunk=(part, chunks))
    assert len(parsed) == 5  # of the others' records none
    expected = contents(whole[0])
    made = {name: data for name, data in contents(tmp_path).items() if "manifest" not in name}
    assert made == {name: data for name, data in expected.items() if "manifest" not in name}
    outcome = shards(generator, tmp_path, resume=True)
    assert outcome.kept == 5 and contents(tmp_path) == expected and outcome.text("x") == whole[1].text("x")


@pytest.mark.parametrize(
    ("stop", "at"), [(KeyboardInterrupt, 1), (KeyboardInterrupt, 4), (Killed, 1), (Killed, 2), (Killed, 3), (Killed, 5)]
)
def test_a_run_that_was_stopped_goes_on(generator, whole, tmp_path, stop, at):
    if stop is Killed:
        with pytest.raises(Killed):
            shards(generator, tmp_path, stop_at=at, stop=stop)
    else:
        outcome = shards(generator, tmp_path, stop_at=at)
        assert outcome.interrupted and "--resume goes on" in outcome.text("x")
    assert not (tmp_path / f"out-{(at + 1) // 2:02d}.sdf").exists()
    outcome = shards(generator, tmp_path, resume=True)
    assert outcome.kept >= at - 1 and contents(tmp_path) == contents(whole[0])
    assert outcome.text("x") == whole[1].text("x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed 0, and this run has seed 1"),
        ({"n": 3}, "options n 2"),
        ({"shard_size": 3}, "shard size 2, and this run has shard size 3"),
        ({"text": LIST.replace("butanol", "alcohol")}, "out-00.sdf was made of have changed; move it away"),
        ({"text": f"{LIST}CCN amine\n"}, "out-02.sdf was made of have changed; move it away"),
    ],
)
def test_another_run_and_another_input_are_refused(generator, whole, tmp_path, change, words):
    for name, data in contents(whole[0]).items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ResumeError, match=words):
        shards(generator, tmp_path, resume=True, **change)
    kept = {name: data for name, data in contents(tmp_path).items() if name.endswith(".sdf")}
    assert kept == {name: data for name, data in contents(whole[0]).items() if name.endswith(".sdf")}


def test_an_input_without_records_leaves_nothing(generator, tmp_path):
    with pytest.raises(ValueError, match="holds no record"):
        shards(generator, tmp_path, text="\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in.smi"]


def test_from_standard_input(generator, whole, tmp_path):
    out, problems = tmp_path / "out-{shard:02d}.sdf", tmp_path / "bad-{shard}.csv"
    run(generator, "-", out, problems, stream=io.StringIO(LIST), shard_size=2, chosen=QUICK)
    assert len(read(tmp_path / "out-00.sdf")) == 4
    assert contents(tmp_path).items() == contents(whole[0]).items() - {("in.smi", LIST.encode())}


def test_a_full_disk_keeps_the_pieces_of_a_shard(generator, whole, tmp_path, capfd):
    def fill():
        full_disk(4000)
        shards(generator, tmp_path)

    child = start(fill)
    child.join()
    assert child.exitcode == 1 and "out-00.sdf" in (said := capfd.readouterr().out) and "OSError" in said
    assert not list(tmp_path.glob("out-*.sdf")) and list(tmp_path.glob(".out-00.sdf.journal"))
    outcome = shards(generator, tmp_path, resume=True)
    assert outcome.kept == 1 and contents(tmp_path) == contents(whole[0]) and outcome.text("x") == whole[1].text("x")
