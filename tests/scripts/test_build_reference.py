"""A reference is built from a tensor file; its histograms can be renewed, and nothing else changes then."""

from dataclasses import replace

import build_reference
import numpy as np

from molscore.chem.hydrogens import without_hydrogens
from molscore.datasets.tensorfile import pack, read_tensorfile, write_tensorfile
from molscore.evaluate.compare.reference import load_reference, save_reference


def test_renewed_histograms_are_those_of_a_new_reference(command, config, tmp_path):
    tensors, path = config.parent / "small.safetensors", tmp_path / "small.npz"
    command(build_reference, tensors, "--name", "small", "--out", path, "--no-fcd")
    built = load_reference(path)
    assert built.composition["molecules"] == 2
    assert all(sum(histogram["counts"]) <= 2 for histogram in built.composition["histograms"].values())
    stale = {name: value for name, value in built.composition.items() if name != "histograms"}
    save_reference(replace(built, composition=stale), path)
    command(build_reference, tensors, "--name", "small", "--out", path, "--histograms")
    renewed = load_reference(path)
    assert renewed.composition == built.composition and renewed.relaxation == built.relaxation
    assert np.array_equal(renewed.training_hashes, built.training_hashes)
    for name, values in built.floors.items():
        assert np.array_equal(renewed.floors[name], values, equal_nan=True)


def test_implied_hydrogens_are_placed(command, config, tmp_path):
    """Composition, types and numbers of values are those of the file that has them as atoms."""
    file, heavy = read_tensorfile(config.parent / "small.safetensors"), tmp_path / "heavy.safetensors"
    count = sum(len(file.indices(split)) for split in ("train", "valid", "test"))
    arrays = [without_hydrogens(file.molecule(i)) if has_heavy(file, i) else None for i in range(count)]
    kept = [i for i, molecule in enumerate(arrays) if molecule is not None]
    split = np.array(
        [next(k for k, name in enumerate(("train", "valid", "test")) if i in file.indices(name)) for i in kept]
    )
    packed = pack([arrays[i] for i in kept], split, np.arange(len(kept)))
    write_tensorfile(heavy, packed, {"source": "small", "hydrogens": "implied by valence"})
    for tensors, name in ((config.parent / "small.safetensors", "whole"), (heavy, "heavy")):
        command(build_reference, tensors, "--name", name, "--out", tmp_path / f"{name}.npz", "--no-fcd")
    whole, implied = (load_reference(tmp_path / f"{name}.npz") for name in ("whole", "heavy"))
    assert whole.composition["molecules"] == implied.composition["molecules"]
    assert whole.composition["elements"] == implied.composition["elements"]
    assert {kind: d.total for kind, d in whole.distributions.items()} == {
        kind: d.total for kind, d in implied.distributions.items()
    }


def has_heavy(file, index):
    return (np.asarray(file.molecule(index).atomic_numbers) != 1).any()
