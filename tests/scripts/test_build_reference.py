"""A reference is built from a tensor file; its histograms can be renewed, and nothing else changes then."""

from dataclasses import replace

import build_reference
import numpy as np

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
