"""Absurd numbers are usage errors: code 2 and what to write, before anything is allocated, imported or written."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from molscore.cli import app
from molscore.cli.bounds import limit_of
from molscore.limits import LIMITS, check, check_proposals, shown

GENERATE = ["generate", "--n", "1", "--out", "m.sdf"]
CONFORMERS = ["conformers", "C", "--out", "m.sdf"]
INTERPOLATE = ["interpolate", "a.sdf", "b.sdf"]
HUGE = "9" * 30
LONG = "9" * 5000

WHOLE = [
    (["generate", "--out", "m.sdf"], "--n", ["0", "-1", "1000000001", HUGE, LONG, "1e3", "1.5", "nan", "inf"]),
    (GENERATE, "--seed", ["-1", str(2**128), 2 * HUGE, LONG, "nan", "0x10"]),
    (GENERATE, "--steps", ["0", "-5", "1000000000000", HUGE, "inf"]),
    (GENERATE, "--batch-size", ["0", "-1", "1000000000", HUGE, LONG, "nan", "many", "1.5", "²", "", "--"]),
    (GENERATE, "--atoms", ["0", "0-5", "-5", "5-", "-", "1-99999999999999999999999", f"1-{LONG}", "nan", "1-2-3", "²"]),
    (GENERATE, "--noise", ["-0.1", "1.01", "nan", "inf", "much"]),
    (CONFORMERS, "--n", ["0", "-1", "1000000000", "5001", HUGE]),
    (CONFORMERS, "--seed", ["-1", str(2**128), 2 * HUGE]),
    (CONFORMERS, "--steps", ["0", "1000000000000"]),
    (CONFORMERS, "--max-isomers", ["0", "-1", "1000000000"]),
    (CONFORMERS, "--oversampling", ["0", "0.5", "-1", "nan", "inf", "-inf", "1e300", "1e999", "many"]),
    (CONFORMERS, "--window", ["-1", "nan", "inf", "1e999", "-inf"]),
    (CONFORMERS, "--rmsd", ["-1", "nan", "inf", "1e300"]),
    (CONFORMERS, "--max-per-molecule-seconds", ["0", "-1", "nan", "inf", "1e-300", "1e300"]),
    (["score", "m.sdf", "--out", "s.sdf"], "--seed", ["-1", str(2**128), 2 * HUGE]),
    (INTERPOLATE, "--n", ["1", "0", "1000000000"]),
    (INTERPOLATE, "--steps", ["0", "1000000000"]),
    (["evaluate", "m.sdf"], "--xtb", ["-1", "1000000000000"]),
    (["data", "qm9"], "--limit", ["0", "-1", HUGE]),
    (["data", "qm9"], "--workers", ["0", "1000000"]),
    (["data", "sdf", "m.sdf"], "--n", ["0", HUGE]),
    (["data", "sdf", "m.sdf"], "--conformers", ["0", "1000"]),
    (["data", "sdf", "m.sdf"], "--workers", ["-1", "100000"]),
    (["data", "moses3d", "m.csv"], "--conformers", ["0", HUGE]),
    (["data", "merge", "a.safetensors"], "--rare", ["0", HUGE]),
    (["data", "merge", "a.safetensors"], "--max-heavy", ["0", "1000000000"]),
    (["data", "merge", "a.safetensors"], "--conformers", ["-1", "256"]),
]
BAD = [([*words, option, value], option) for words, option, values in WHOLE for value in values]


@pytest.mark.parametrize(
    ("words", "option"), BAD, ids=lambda value: value if isinstance(value, str) else value[-1][:30]
)
def test_absurd_numbers(words, option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2, result.output
    text = " ".join(result.stderr.split())
    assert option in text and len(text) < 7000
    assert list(tmp_path.iterdir()) == []


def test_they_are_refused_before_heavy_imports(tmp_path):
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom molscore.cli import app\n"
        f"for words, _ in {BAD!r}:\n"
        "    assert CliRunner().invoke(app, words).exit_code == 2, words\n"
        "heavy = {'torch', 'rdkit', 'e3nn', 'torch_geometric', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, timeout=60)


def commands():
    groups = [app, *(group.typer_instance for group in app.registered_groups)]
    return [command.callback for group in groups for command in group.registered_commands]


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.__name__)
def test_every_number_of_every_command_has_a_limit(command):
    """So has one that comes later."""
    for name, parameter in inspect.signature(command).parameters.items():
        if any(kind in str(parameter.annotation) for kind in ("int", "float")):
            assert limit_of(command, name), f"{command.__name__} {name}"
    assert inspect.unwrap(command) is not command


def test_numbers_within_bounds_pass(tmp_path, monkeypatch):
    """The next complaint is about something else."""
    monkeypatch.chdir(tmp_path)
    for words in (
        ["generate", "--n", "1000000000", "--out", "m.mol2", "--seed", str(2**63 - 1), "--steps", "10000"],
        ["conformers", "C", "--out", "m.mol2", "--n", "5000", "--window", "0", "--rmsd", "0", "--oversampling", "2"],
        ["conformers", "C", "--out", "m.mol2", "--max-per-molecule-seconds", "0.01"],
    ):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 2 and "must end in .sdf" in result.stderr


def test_conformers_and_oversampling_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*CONFORMERS, "--n", "5000", "--oversampling", "3"])
    assert result.exit_code == 2 and "at most 10,000, not 15,000" in result.stderr
    check_proposals(100, 100)


@pytest.mark.parametrize("name", LIMITS)
def test_limits(name):
    limit = LIMITS[name]
    bad = [limit.low - 1, limit.high * 2, -(10**400), 10**400, float("nan"), float("inf"), -float("inf")]
    bad += [True, "1", None, [1], 1j, np.array([1.0, 2.0])]
    for value in [*bad, 1.5] if limit.whole else bad:
        with pytest.raises(ValueError, match=f"^{name} must be a .*number from") as error:
            check(name, value)
        assert len(str(error.value)) < 200
    for value in (limit.low, limit.high, type(limit.low)(limit.low + 1)):
        check(name, value)
    check(name, (np.int64 if limit.whole else np.float32)(limit.low + 1))


def test_values_are_shown_short():
    assert shown("ab") == "'ab'" and shown(3) == "3"
    for value in ("x" * 10**6, 10**5000, [0] * 1000):
        assert len(shown(value)) < 100


BAD_CONFORMERS = [
    {"window": float("nan")}, {"window": -1}, {"window": float("inf")}, {"window": "5"}, {"rmsd": -1},
    {"rmsd": float("nan")}, {"max_isomers": 0}, {"max_isomers": 10**9}, {"max_isomers": 1.5}, {"seconds": 0},
    {"seconds": float("nan")},
    {"seconds": float("inf")}, {"oversampling": float("inf")}, {"oversampling": 0.5}, {"oversampling": "2"},
    {"steps": 0}, {"steps": 10**12}, {"steps": 2.5}, {"steps": True},
]  # fmt: skip

BAD_GENERATE = [
    {"steps": 0}, {"steps": 10**12}, {"steps": 2.5}, {"steps": "5"}, {"batch_size": 0}, {"batch_size": 10**9},
    {"batch_size": float("nan")}, {"atoms": (0, 5)}, {"atoms": (1, 10**30)}, {"atoms": (5, 1)}, {"atoms": 0},
    {"atoms": (5,)}, {"atoms": ("5", "6")}, {"atoms": (float("nan"), 5)}, {"atoms": "20-30"},
]  # fmt: skip


@pytest.mark.parametrize("options", BAD_CONFORMERS, ids=str)
def test_options_of_conformers(options):
    from molscore.conformers import ConformerOptions

    with pytest.raises(ValueError, match=next(iter(options))):
        ConformerOptions(**options)


@pytest.mark.parametrize("options", BAD_GENERATE, ids=str)
def test_options_of_generation(options):
    from molscore.generate import GenerationOptions

    with pytest.raises(ValueError, match=next(iter(options))):
        GenerationOptions(**options)


WATER = (
    "water\n  x 3D\n\n  3  2  0  0  0  0  0  0  0  0999 V2000\n"
    "    0.0000    0.0000    0.1173 O   0  0\n    0.0000    0.7572   -0.4692 H   0  0\n"
    "    0.0000   -0.7572   -0.4692 H   0  0\n  1  2  1  0\n  1  3  1  0\nM  END\n$$$$\n"
)


@pytest.mark.parametrize(
    "words",
    [
        ["models"],
        ["info", "qm9"],
        ["data", "moses3d", "a.smi", "--out", "o.safetensors", "-q"],
        ["--help"],
        ["data", "--help"],
        ["score", "--help"],
        ["evaluate", "a.sdf", "--json", "o.json", "--reference", "none", "-q"],
    ],
)
def test_results_that_cannot_be_printed(words, tmp_path):
    """Standard output on a full disk: a sentence and code 1; what was written to files stays."""
    (tmp_path / "a.smi").write_text("CCO\n")
    (tmp_path / "a.sdf").write_text(WATER)
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "molscore", *words]
        process = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=120)
    assert process.returncode == 1 and "cannot write to standard output" in process.stderr
    assert "Traceback" not in process.stderr and "Exception ignored" not in process.stderr
    assert (tmp_path / "o.safetensors").exists() == (words[:2] == ["data", "moses3d"])
    assert (tmp_path / "o.json").exists() == (words[0] == "evaluate")
