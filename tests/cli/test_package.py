"""What is installed is whole: weights, reference, report templates, licence."""

from importlib import metadata
from importlib.resources import files
from pathlib import Path

import pytest

import molscore
from molscore.versions import DISTRIBUTION


def test_the_installed_package_holds_its_data():
    if Path(molscore.__file__).is_relative_to(Path(__file__).parents[2]):
        pytest.skip("the package is not installed but used where it was written")
    installed = metadata.distribution(DISTRIBUTION)
    assert installed.version == molscore.__version__
    listed = {str(path) for path in installed.files}
    for name in (
        "weights/qm9.safetensors",
        "weights/qm9.json",
        "weights/conformers.safetensors",
        "weights/druglike.safetensors",
        "weights/druglike.json",
        "chem/thresholds.yaml",
        "chem/geometry/table.json",
        "evaluate/references/qm9.npz",
        "evaluate/references/druglike.npz",
        "report/page.html",
        "report/shell.html",
        "report/trajectories.html",
        "report/trajectories.js",
        "report/style.css",
        "report/viewer.js",
        "LICENSE",
        "py.typed",
    ):
        assert f"molscore/{name}" in listed
        assert name == "py.typed" or installed.locate_file(f"molscore/{name}").stat().st_size > 0


def test_type_checkers_are_told_that_there_are_types():
    assert (files("molscore") / "py.typed").is_file()


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'molscore' has no attribute 'Molecule'"):
        _ = molscore.Molecule
    assert set(molscore.__all__) < set(dir(molscore))


def test_the_weights_are_small_enough_to_travel():
    from molscore import pretrained

    for name in pretrained.names():
        assert pretrained.find(name).stat().st_size <= 20e6
