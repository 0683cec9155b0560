"""Molecules in shards: constant names, a manifest, parts that know nothing of one another, and what resumes them."""

import gzip
import hashlib
import json
import os

import pytest
from generate_runs import Killed, read, rows

import molscore
from molscore.files.part import ResumeError
from molscore.files.shards import ATTEMPTS, Shards
from molscore.generate import GenerationOptions
from molscore.generate.files import generate_sdf
from molscore.generate.shards import smiles_of

N, SIZE = 14, 4
SMALL = GenerationOptions(steps=20, atoms=(5, 6))
"""Molecules so small that shards have many in common."""


def run(
    generator,
    folder,
    n=N,
    stop_at=None,
    stop=KeyboardInterrupt,
    rejects=True,
    options=SMALL,
    seed=0,
    ending=".sdf.gz",
    **more,
):
    """A run into shards in a folder, stopped after so many attempts if so asked."""
    attempts = []

    def count(attempt, delivered):
        attempts.append((attempt, delivered))
        if len(attempts) == stop_at:
            raise stop

    listed = folder / "why-{shard}.csv" if rejects else None
    more = {"shard_size": SIZE, **more}
    out = folder / f"m-{{shard:03d}}{ending}"
    return generate_sdf(generator, n, out, seed, options, rejects=listed, on_attempt=count, **more)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


def molecules(folder):
    return [[mol.GetProp("SMILES") for mol in read(path)] for path in sorted(folder.glob("m-*.sdf.gz"))]


@pytest.fixture(scope="module")
def whole(generator, tmp_path_factory):
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(generator, folder)


def test_shards_hold_different_molecules_and_the_manifest_says_which(generator, whole):
    folder, outcome = whole
    shards = molecules(folder)
    assert [len(shard) for shard in shards] == [4, 4, 4, 2] and outcome.delivered == N and outcome.shards == 4
    assert len({smiles for shard in shards for smiles in shard}) == N
    manifest = json.loads((folder / "m.manifest.json").read_text())
    assert manifest["complete"] and manifest["delivered"] == N == manifest["requested"]
    made_with = manifest["made with"]
    assert made_with["seed"] == 0 and made_with["shard size"] == SIZE and "steps 20" in made_with["options"]
    assert len(made_with["weights (SHA-256)"]) == 64 and made_with["molscore version"] == molscore.__version__
    for k, entry in enumerate(manifest["shards"]):
        path = folder / entry["file"]
        assert path.name == f"m-{k:03d}.sdf.gz" and entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert entry["delivered"] == len(shards[k])
        listed = rows(folder / f"why-{k}.csv")
        numbers = [int(row["molscore_index"]) for row in listed]
        numbers += [int(mol.GetProp("molscore_index")) for mol in read(path)]
        assert sorted(numbers) == list(range(k * ATTEMPTS, k * ATTEMPTS + entry["attempts"]))
        assert sum(entry["rejected"].values()) == len(listed)
    assert manifest["attempts"] == outcome.attempts == sum(entry["attempts"] for entry in manifest["shards"])


def test_the_first_shard_begins_as_the_single_file_does(generator, whole, tmp_path):
    generate_sdf(generator, SIZE, tmp_path / "one.sdf", options=SMALL)
    assert gzip.decompress((whole[0] / "m-000.sdf.gz").read_bytes()) == (tmp_path / "one.sdf").read_bytes()


@pytest.mark.parametrize(("chunks", "rejects"), [(2, True), (3, False)])
def test_parts_that_know_nothing_of_one_another_become_the_whole_run(generator, whole, tmp_path, chunks, rejects):
    """One of them is stopped and never goes on by itself."""
    for part in range(chunks, 0, -1):
        stop_at = 3 if part == 2 else None
        outcome = run(generator, tmp_path, chunk=(part, chunks), stop_at=stop_at, rejects=rejects)
        assert bool(outcome.interrupted) == (part == 2)
    names = {f"m.chunk-{part}-of-{chunks}.manifest.json" for part in range(1, chunks + 1)}
    assert names <= set(os.listdir(tmp_path))
    alone = molecules(tmp_path)
    assert len({smiles for shard in alone for smiles in shard}) < sum(map(len, alone))  # what the whole run has once
    outcome = run(generator, tmp_path, resume=True, rejects=rejects)
    assert outcome.kept > 0 and outcome.counts() == whole[1].counts() and outcome.text("x") == whole[1].text("x")
    expected = contents(whole[0])
    assert contents(tmp_path) == {k: v for k, v in expected.items() if rejects or not k.startswith("why")}


@pytest.mark.parametrize(("stop", "at"), [(KeyboardInterrupt, 3), (Killed, 1), (Killed, 8), (Killed, 15)])
def test_a_run_that_was_stopped_goes_on(generator, whole, tmp_path, stop, at):
    if stop is Killed:
        with pytest.raises(Killed):
            run(generator, tmp_path, stop_at=at, stop=stop)
    else:
        assert run(generator, tmp_path, stop_at=at).interrupted
    with pytest.raises(Killed):
        run(generator, tmp_path, stop_at=4, stop=Killed, resume=True)
    outcome = run(generator, tmp_path, resume=True)
    assert contents(tmp_path) == contents(whole[0]) and outcome.text("x") == whole[1].text("x")


@pytest.mark.parametrize("at", [1, 2, 4, 6, 9])
def test_killed_while_parts_are_put_together(generator, whole, tmp_path, at, monkeypatch):
    """At every write of the manifest, which is after a shard is in place and before its pieces go."""
    from molscore.files import manifest

    for part in (1, 2):
        run(generator, tmp_path, chunk=(part, 2))
    written, real = [], manifest.write_text

    def write_text(*words, **options):
        written.append(words)
        if len(written) == at:
            raise Killed
        real(*words, **options)

    monkeypatch.setattr(manifest, "write_text", write_text)
    try:
        run(generator, tmp_path, resume=True)
    except Killed:
        pass
    monkeypatch.undo()
    outcome = run(generator, tmp_path, resume=True)
    assert contents(tmp_path) == contents(whole[0]) and outcome.counts() == whole[1].counts()


def test_more_or_fewer_molecules_of_the_same_run(generator, whole, tmp_path):
    """The last shard grows; a shorter run is not made again."""
    run(generator, tmp_path, n=6)
    with pytest.raises(Killed):
        run(generator, tmp_path, stop_at=2, stop=Killed, resume=True)
    outcome = run(generator, tmp_path, resume=True)
    assert contents(tmp_path) == contents(whole[0]) and outcome.counts() == whole[1].counts()
    before = contents(tmp_path)
    assert run(generator, tmp_path, n=7, resume=True).delivered >= 7
    assert {k: v for k, v in contents(tmp_path).items() if "manifest" not in k}.items() <= before.items()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed 0, and this run has seed 1"),
        ({"options": GenerationOptions(steps=13, atoms=(5, 6))}, "options .*steps 20.*steps 13"),
        ({"shard_size": 6}, "shard size 4, and this run has shard size 6"),
    ],
)
def test_another_run_is_refused_with_the_difference(generator, whole, tmp_path, change, words):
    for name, data in contents(whole[0]).items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ResumeError, match=words):
        run(generator, tmp_path, resume=True, **change)
    assert contents(tmp_path) == contents(whole[0])


def test_what_was_changed_is_not_touched_and_what_is_gone_is_made_again(generator, whole, tmp_path):
    for name, data in contents(whole[0]).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "m-002.sdf.gz").write_bytes(b"mine")
    with pytest.raises(ResumeError, match="m-002.sdf.gz has changed since it was made; move it away"):
        run(generator, tmp_path, resume=True)
    assert (tmp_path / "m-002.sdf.gz").read_bytes() == b"mine"
    (tmp_path / "m-002.sdf.gz").unlink()
    run(generator, tmp_path, resume=True)
    assert contents(tmp_path) == contents(whole[0])


def test_a_run_that_gives_up_stops_there_and_does_so_again(generator, tmp_path, monkeypatch):
    monkeypatch.setattr("molscore.generate.attempts.PATIENCE", (1, 6))
    never = GenerationOptions(steps=12, filter="mw > 5000")
    for resume in (False, True):
        outcome = run(generator, tmp_path, options=never, resume=resume)
        assert (outcome.delivered, outcome.attempts, outcome.shards) == (0, SIZE + 6, 1)
        assert "gave up" in outcome.text("x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"out": "m.sdf", "chunk": (1, 2)}, "made of shards"), ({"out": "m-{shard}.txt"}, "must end in"),
        ({"out": "m-{shard}-{shard}.sdf"}, "once"), ({"out": "m-{shard:x}.sdf"}, "once"),
        ({"out": "m-{shard}{other}.sdf"}, "once"), ({"out": "{shard}/m.sdf"}, "must hold"),
        ({"out": "m-{shard}.sdf", "rejects": "r.csv"}, "must hold"), ({"shard_size": 0}, "shard_size must be"),
        ({"n": 10**9, "shard_size": 1}, "make the shards larger"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_names_and_numbers_are_refused_before_anything_is_written(generator, tmp_path, change, words):
    given = {"n": 1, "out": "m-{shard}.sdf", "rejects": None, **change}
    paths = {name: given.pop(name) and tmp_path / change.get(name, "m-{shard}.sdf") for name in ("out", "rejects")}
    with pytest.raises((ValueError, OSError), match=words):
        generate_sdf(generator, given.pop("n"), options=SMALL, **paths, **given)
    assert os.listdir(tmp_path) == []


def test_what_a_run_would_replace(tmp_path):
    shards = Shards(tmp_path / "m-{shard:03d}.sdf", 5, (2, 2))
    for name in ("m-000.sdf", "m-001.sdf", "m-1.sdf", "m-003.sdf", "m-x.sdf", "m.manifest.json"):
        (tmp_path / name).touch()
    assert [path.name for path in shards.existing()] == ["m-001.sdf", "m-003.sdf"]
    whole = Shards(tmp_path / "m-{shard:03d}.sdf", 5)
    assert [path.name for path in whole.existing()] == ["m-000.sdf", "m-001.sdf", "m-003.sdf", "m.manifest.json"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_as_shards(generator, tmp_path, ending):
    """The molecules of finished ones are known from them; what would have to be read back whole is refused."""
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir()
    run(generator, whole, 7, ending=ending)
    assert run(generator, stopped, 7, stop_at=6, ending=ending).interrupted
    run(generator, stopped, 7, resume=True, ending=ending)
    assert contents(stopped) == contents(whole)
    first, second = (set(smiles_of(whole / f"m-00{k}{ending}")) for k in (0, 1))
    assert (len(first), len(second)) == (4, 3) and first.isdisjoint(second)
    with pytest.raises(ResumeError, match="as SDF alone"):
        run(generator, stopped, 8, resume=True, ending=ending)
    with pytest.raises(ValueError, match="hold their SMILES"):
        run(generator, tmp_path, 8, ending=".xyz")
