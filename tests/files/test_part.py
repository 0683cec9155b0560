"""Pieces of an output survive kills, full disks and damage; a run goes on only with what is its own."""

import os

import pytest
from child import full_disk, start

from molscore.files.part import PartFile, ResumeError, journal_of, part_of

MADE_WITH = {"model": "m", "seed": 1, "options": ["a", 2]}
TEXTS = {number: f"piece {number}\n" * (number + 1) for number in range(6)}


def pieces(part: PartFile) -> dict[int, str]:
    return {number: part.text(number).decode() for number in part.numbers()}


@pytest.fixture
def path(tmp_path):
    """An output whose run was stopped after six pieces."""
    path = tmp_path / "out.sdf"
    with PartFile(path, MADE_WITH) as part:
        for number, text in TEXTS.items():
            part.add(number, text, {"n": number})
    return path


def test_pieces_are_there_again(path):
    with PartFile(path, MADE_WITH, resume=True) as part:
        assert pieces(part) == TEXTS and part.about(3) == {"n": 3} and 5 in part and 6 not in part
        part.add(6, "", {"n": 6})
        part.add(2, "made again\n", {"n": 20})
    with PartFile(path, MADE_WITH, resume=True) as part:
        assert pieces(part) == TEXTS | {6: "", 2: "made again\n"} and part.about(2) == {"n": 20}
        part.remove()
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("name", ["model", "seed", "options", "more"])
def test_another_run_is_refused_with_the_difference_and_nothing_changes(path, name):
    before = {file: (path.parent / file).read_bytes() for file in os.listdir(path.parent)}
    with pytest.raises(ResumeError, match=f"{name} .*, and this run has {name} other; resume with the same"):
        PartFile(path, MADE_WITH | {name: "other"}, resume=True).__enter__()
    assert {file: (path.parent / file).read_bytes() for file in os.listdir(path.parent)} == before
    with PartFile(path, MADE_WITH, resume=True) as part:
        assert pieces(part) == TEXTS


def test_nothing_to_resume(tmp_path):
    with pytest.raises(ResumeError, match="run without --resume"):
        PartFile(tmp_path / "out.sdf", MADE_WITH, resume=True).__enter__()
    assert os.listdir(tmp_path) == []


def test_wherever_the_part_file_is_damaged_the_other_pieces_stay(path):
    whole = part_of(path).read_bytes()
    for at in range(len(whole)):
        part_of(path).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with PartFile(path, MADE_WITH, resume=True) as part:
            assert len(part) == 5 and pieces(part).items() < TEXTS.items()


def test_wherever_the_part_file_is_cut_what_is_before_stays(path):
    whole = part_of(path).read_bytes()
    ends = [sum(len(text) for text in list(TEXTS.values())[: k + 1]) for k in TEXTS]
    for at in range(len(whole)):
        part_of(path).write_bytes(whole[:at])
        with PartFile(path, MADE_WITH, resume=True) as part:
            assert list(part.numbers()) == [k for k in TEXTS if ends[k] <= at]
            part.add(5, "again\n", {})
        with PartFile(path, MADE_WITH, resume=True) as part:
            assert part.text(5) == b"again\n"
        with PartFile(path, MADE_WITH) as part:
            for number, text in TEXTS.items():
                part.add(number, text, {"n": number})


def test_wherever_the_journal_is_damaged_or_cut_the_other_pieces_stay(path):
    whole = journal_of(path).read_bytes()
    first = whole.index(b"\n") + 1
    for at in range(0, len(whole), 3):
        for damaged in (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole[:at]):
            journal_of(path).write_bytes(damaged)
            if at < first:
                with pytest.raises(ResumeError, match="is damaged; run without --resume"):
                    PartFile(path, MADE_WITH, resume=True).__enter__()
                assert journal_of(path).read_bytes() == damaged and part_of(path).exists()
                continue
            with PartFile(path, MADE_WITH, resume=True) as part:
                assert pieces(part).items() <= TEXTS.items()
                assert len(part) >= (4 if damaged != whole[:at] else whole[:at].count(b"\n") - 1)
                part.add(7, "new\n", {})
            with PartFile(path, MADE_WITH, resume=True) as part:
                assert part.text(7) == b"new\n"


def test_without_its_part_file_all_is_made_again(path):
    part_of(path).unlink()
    with PartFile(path, MADE_WITH, resume=True) as part:
        assert len(part) == 0


def test_what_is_damaged_while_the_run_works_is_not_handed_out(path):
    with PartFile(path, MADE_WITH, resume=True) as part:
        part_of(path).write_bytes(bytes(part_of(path).stat().st_size))
        with pytest.raises(OSError, match="damaged while it was in use; run again with --resume"):
            part.text(3)


@pytest.mark.parametrize("limit", [300, 1000, 3000])
def test_a_full_disk_keeps_what_was_written_before(tmp_path, limit, capfd):
    path = tmp_path / "out.sdf"

    def fill():
        full_disk(limit)
        with PartFile(path, MADE_WITH) as part:
            for number in range(1000):
                part.add(number, f"piece {number}\n", {})

    child = start(fill)
    child.join()
    assert child.exitcode == 1 and str(path) in capfd.readouterr().out
    with PartFile(path, MADE_WITH, resume=True) as part:
        count = len(part)
        assert count and pieces(part) == {number: f"piece {number}\n" for number in range(count)}
        part.add(count, "the next\n", {})
    with PartFile(path, MADE_WITH, resume=True) as part:
        assert len(part) == count + 1


def test_an_error_before_the_first_piece_leaves_nothing(tmp_path):
    with pytest.raises(ValueError), PartFile(tmp_path / "out.sdf", MADE_WITH):
        raise ValueError
    assert os.listdir(tmp_path) == []
