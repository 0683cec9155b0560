"""Versions: of this code, installed or not, and of other packages."""

import tomllib
from importlib import metadata
from pathlib import Path

import molscore
from molscore.versions import DISTRIBUTION, VERSION, version

PROJECT = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())


def test_versions():
    assert version() == molscore.__version__ == VERSION
    assert version("torch") == metadata.version("torch")
    assert version("no-such-package") == "not installed"


def test_the_project_file_has_the_same_name_and_version():
    assert PROJECT["project"]["name"] == DISTRIBUTION
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "molscore/versions.py"


def test_versions_are_looked_up_once(monkeypatch):
    version.cache_clear()
    lookups, look_up = [], metadata.version
    monkeypatch.setattr(metadata, "version", lambda package: lookups.append(package) or look_up(package))
    assert len({version("torch") for _ in range(5)}) == 1 and lookups == ["torch"]
