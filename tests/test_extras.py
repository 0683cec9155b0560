"""Optional packages: imported where they are needed; where one is missing, a sentence says what to install."""

import pickle
import re
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from molscore import extras
from molscore.cli import app
from molscore.versions import DISTRIBUTION

ROOT = Path(__file__).parents[1]


def test_an_installed_package_is_imported():
    import json

    assert extras.need("json", "tables") is json
    assert extras.installed("json") and not extras.installed("no_such_package")


def test_a_missing_one_says_what_to_install():
    with pytest.raises(
        ImportError, match=rf"^tables needs the package no_such_package, .*{DISTRIBUTION}\[tables\]"
    ) as e:
        extras.need("no_such_package.part", "tables", "tables")
    assert e.value.name == "no_such_package" and isinstance(e.value, ValueError)
    assert str(pickle.loads(pickle.dumps(e.value))) == str(e.value)


def test_nothing_is_imported_to_find_out():
    sys.modules.pop("antigravity", None)
    assert extras.installed("antigravity") and "antigravity" not in sys.modules


def test_the_command_line_ends_with_code_2(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "tblite", None)
    for words in (["generate", "--n", "1", "--model", "qm9"], ["conformers", "CCO"]):
        result = CliRunner().invoke(app, [*words, "--relax", "xtb", "--out", "m.sdf", "--workers", "1"])
        assert result.exit_code == 2 and f"pip install '{DISTRIBUTION}[xtb]'" in result.stderr


def test_every_hint_names_the_distribution_and_an_extra_that_exists():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set()
    for path in (*(ROOT / "molscore").rglob("*.py"), *(ROOT / "scripts").rglob("*.py"), ROOT / "README.md"):
        text = path.read_text()
        for name, extra in re.findall(r"pip install '([\w.-]+)\[([\w,]+)\]'", text):
            assert name in (".", DISTRIBUTION) and set(extra.split(",")) <= set(declared), path
        named |= set(re.findall(r'extras\.(?:need|check)\("[\w.]+", "(\w+)"', text))
    assert named and named <= set(declared)
