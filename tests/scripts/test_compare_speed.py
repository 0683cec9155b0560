"""Two states of the project, timed in turns."""

import json
import subprocess

import compare_speed
import pytest

needs_git = pytest.mark.skipif(not (compare_speed.ROOT / ".git").exists(), reason="only in a clone")


def worktrees() -> str:
    return subprocess.run(
        ["git", "-C", compare_speed.ROOT, "worktree", "list"], capture_output=True, text=True, check=True
    ).stdout


@needs_git
def test_a_commit_beside_itself(command, tmp_path, capsys):
    before, out = worktrees(), tmp_path / "speed.json"
    words = ["HEAD", "HEAD", "--cases", "help", "--busy", 0, 1, "--repeats", 2, "--out", out]
    command(compare_speed, *words)
    found = json.loads(out.read_text())
    assert found["header"]["base"] == found["header"]["head"] == compare_speed.git("rev-parse", "HEAD")
    cells = [(row["case"], row["busy"]) for row in found["rows"]]
    assert cells == [("help", 0), ("help", 1)]
    for row in found["rows"]:
        assert row["same_output"] and len(row["base_wall_s"]) == len(row["head_wall_s"]) == 2
        assert 0 < row["wall_ratio"]["low"] <= row["wall_ratio"]["median"] <= row["wall_ratio"]["high"]
    table = capsys.readouterr().out
    assert table.count("| yes |") == 2 and worktrees() == before
    command(compare_speed, *words)  # nothing is missing: nothing is run
    assert json.loads(out.read_text()) == found and capsys.readouterr().out == table


@needs_git
def test_commands_of_one_state_may_have_words_of_their_own(command, tmp_path):
    before = worktrees()
    with pytest.raises(SystemExit, match="head: 'molscore models --nonsense' ended with 2"):
        command(compare_speed, "HEAD", "HEAD", "--cases", "models", "--head-args=--nonsense", "--repeats", 1)
    assert worktrees() == before
    with pytest.raises(SystemExit, match="no-such-commit"):
        command(compare_speed, "HEAD", "no-such-commit", "--cases", "help")


def test_ratios_are_those_of_pairs():
    """A machine that was slow in the middle: both states were, and the ratio shows it less than their times do."""
    base, head = [2.0, 8.0, 3.0], [1.0, 2.0, 2.0]
    assert compare_speed.ratios(base, head) == {"median": 2.0, "low": 1.5, "high": 4.0}
    row = {"case": "start", "busy": 1, "same_output": False, "wall_ratio": compare_speed.ratios(base, head)}
    row |= {"base_wall_s": base, "head_wall_s": head}
    assert compare_speed.line(row) == "| start | 1 | 3.00 | 2.00 | 2.00 (1.50 to 4.00) | no |"


def test_the_molecules_can_be_read():
    from molscore.chem.io.inputs import read_inputs

    entries = list(read_inputs(str(compare_speed.ROOT / "scripts" / "compare_speed.smi")))
    assert len(entries) == 32 and all(entry.reason is None for entry in entries)
