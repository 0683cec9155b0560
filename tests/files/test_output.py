"""Files appear whole or not at all, and nothing is left beside them."""

import gzip
import os
import stat

import pytest
from child import full_disk, start

from molscore.files.lock import BusyError, locked
from molscore.files.output import write_bytes, write_text, written
from molscore.files.paths import beside, check_apart, check_writable


@pytest.mark.parametrize("name", ["a.txt", "a.gz", "ä b.csv"])
def test_what_is_written_is_there_at_the_end_and_not_before(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with written(path) as file:
        file.write(b"one, ")
        file.write(b"two")
        assert path.read_text() == "old"
    data = path.read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == b"one, two"
    assert os.listdir(tmp_path) == [name]


def test_the_same_content_is_compressed_to_the_same_bytes(tmp_path):
    for name in ("a.sdf.gz", "b.sdf.gz"):
        write_text(tmp_path / name, "content")
    assert (tmp_path / "a.sdf.gz").read_bytes() == (tmp_path / "b.sdf.gz").read_bytes()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
def test_an_error_leaves_what_was_there(tmp_path, error, name):
    path = tmp_path / name
    path.write_text("precious")
    with pytest.raises(error), written(path) as file:
        file.write(b"half")
        raise error
    assert path.read_text() == "precious" and os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
@pytest.mark.parametrize("size", [5_000, 500_000])
def test_a_full_disk_leaves_what_was_there_and_is_named(tmp_path, name, size, capfd):
    path = tmp_path / name
    path.write_text("precious")

    def fill():
        full_disk(1000)
        write_bytes(path, os.urandom(size))

    child = start(fill)
    child.join()
    assert child.exitcode == 1 and str(path) in capfd.readouterr().out
    assert path.read_text() == "precious" and os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660])
def test_permissions_stay(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode and path.read_text() == "new"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    write_text(tmp_path / "a", "")
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "a.txt", tmp_path / "link.txt"
    link.symlink_to(target)
    for text in ("made", "written again"):
        write_text(link, text)
        assert link.is_symlink() and target.read_text() == text
    assert sorted(os.listdir(tmp_path)) == ["folder", "link.txt"] and os.listdir(tmp_path / "folder") == ["a.txt"]


@pytest.mark.parametrize("path", ["/dev/null", "/dev/full", "/dev/stdout", "-"])
def test_devices_are_refused_with_a_sentence(path):
    with pytest.raises((ValueError, OSError), match="device|standard output"):
        check_writable(path, ())


def test_pipes_and_links_to_devices_are_refused_and_stay(tmp_path):
    os.mkfifo(tmp_path / "pipe.sdf")
    (tmp_path / "full.sdf").symlink_to("/dev/full")
    for name in ("pipe.sdf", "full.sdf"):
        with pytest.raises(OSError, match="device or a pipe"):
            check_writable(tmp_path / name)
        with pytest.raises(OSError, match="device or a pipe"):
            write_text(tmp_path / name, "")
    assert stat.S_ISFIFO((tmp_path / "pipe.sdf").stat().st_mode) and (tmp_path / "full.sdf").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["full.sdf", "pipe.sdf"]


def test_a_name_that_is_too_long_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="longer than 240 bytes"):
        check_writable(tmp_path / ("ä" * 119 + ".sdf"))


def ways(tmp_path):
    """Other names of one file, a.sdf."""
    path = tmp_path / "a.sdf"
    path.write_text("")
    (tmp_path / "symbolic.sdf").symlink_to(path)
    os.link(path, tmp_path / "hard.sdf")
    (tmp_path / "folder").symlink_to(tmp_path)
    return [
        path,
        tmp_path / "symbolic.sdf",
        tmp_path / "hard.sdf",
        tmp_path / "folder" / "a.sdf",
        tmp_path / "x/../a.sdf",
    ]


def test_an_output_that_is_an_input_is_refused_by_whatever_name(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    for other in [*ways(tmp_path), "a.sdf", "./a.sdf"]:
        for outputs in ({"--out": "a.sdf"}, {"--out": "b.sdf", "--report": "a.sdf"}):
            with pytest.raises(ValueError, match="the same file"):
                check_apart(outputs, {"INPUT": other})
            check_apart(outputs, {"INPUT": "CCO", "--model": None, "other": tmp_path / "c.sdf"})


def test_outputs_must_differ_though_none_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    for other in ("a.csv", "./a.csv", tmp_path / "a.csv", "b.csv"):
        with pytest.raises(ValueError, match="one would overwrite the other"):
            check_apart({"--rejects": "a.csv", "--report": other}, {})
    check_apart({"--rejects": "a.csv", "--report": "c.csv", "--out": None}, {})


@pytest.mark.parametrize("suffix", [".part", ".journal", ".tmp", ".lock"])
def test_an_input_is_not_overwritten_by_what_is_needed_on_the_way(tmp_path, suffix):
    beside(tmp_path / "a.sdf", suffix).write_text("precious")
    with pytest.raises(ValueError, match="needs while it is written"):
        check_apart({"--out": tmp_path / "a.sdf"}, {"INPUT": tmp_path / f".a.sdf{suffix}"})


def test_one_run_at_a_time(tmp_path, capfd):
    path = tmp_path / "a.txt"
    with locked(path):
        with pytest.raises(BusyError, match=f"process {os.getpid()} "):
            write_text(path, "other")
        child = start(write_text, path, "other")
        child.join()
        assert child.exitcode == 1 and "BusyError: another run (process" in capfd.readouterr().out
        write_text(tmp_path / "b.txt", "elsewhere")
    write_text(path, "free")
    assert path.read_text() == "free" and sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]


def test_the_lock_of_a_dead_process_blocks_nobody(tmp_path):
    path = tmp_path / "a.txt"

    def die():
        with locked(path):
            os._exit(9)

    start(die).join()
    assert beside(path, ".lock").exists()
    write_text(path, "free")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_many_processes_one_file(tmp_path):
    """Whoever gets the lock writes all of it; nobody's text is mixed with another's."""
    path = tmp_path / "a.txt"

    def often(letter):
        for _ in range(50):
            try:
                write_text(path, letter * 100_000)
            except BusyError:
                pass

    children = [start(often, letter) for letter in "abcd"]
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    text = path.read_text()
    assert len(text) == 100_000 and len(set(text)) == 1 and os.listdir(tmp_path) == ["a.txt"]
