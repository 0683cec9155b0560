"""The package and what is written with it pass a type checker, and mistakes do not."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from molscore import conformers, generate
from molscore.conformers.options import ConformerArguments
from molscore.generate.options import GenerationArguments

ROOT, HERE = Path(__file__).parents[2], Path(__file__).parent
ERROR = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: .* \[(?P<code>[a-z-]+)\]")


def checked(*arguments: str, folder: Path = ROOT) -> tuple[set[tuple[str, int, str]], str]:
    """File name, line and code of each error that mypy finds with the settings of the project, and all that it says."""
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", *settings, *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    reported = {
        (Path(m["file"]).name, int(m["line"]), m["code"]) for m in map(ERROR.match, run.stdout.splitlines()) if m
    }
    return reported, run.stdout


@pytest.fixture(scope="module")
def errors():
    return checked("molscore", str(HERE / "client.py"), str(HERE / "mistakes.py"))


def test_the_package_and_a_client_have_no_errors(errors):
    reported, text = errors
    assert {error for error in reported if error[0] != "mistakes.py"} == set(), text


def test_each_mistake_is_found_in_its_line(errors):
    lines = enumerate((HERE / "mistakes.py").read_text().splitlines(), start=1)
    expected = {("mistakes.py", number, line.split("  # ")[1]) for number, line in lines if "  # " in line}
    assert len(expected) == 9
    reported, text = errors
    assert {error for error in reported if error[0] == "mistakes.py"} == expected, text


def test_the_types_are_installed(tmp_path):
    """Away from the sources a checker reads the types of an installed package only where ``py.typed`` is."""
    reported, text = checked(str(HERE / "client.py"), folder=tmp_path)
    assert reported == set(), text


@pytest.mark.parametrize(
    "kind, arguments",
    [(generate.GenerationOptions, GenerationArguments), (conformers.ConformerOptions, ConformerArguments)],
)
def test_keyword_arguments_are_the_options(kind, arguments):
    assert get_type_hints(arguments) == {field.name: get_type_hints(kind)[field.name] for field in fields(kind)}
