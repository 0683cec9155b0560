"""The bundled model, loaded once; few steps keep these tests short."""

import pytest
import torch
from generate_runs import run
from run_length import STEPS

from molscore.generate import MoleculeGenerator


@pytest.fixture(scope="session")
def generator() -> MoleculeGenerator:
    """The bundled QM9 model on the CPU."""
    torch.set_num_threads(1)
    return MoleculeGenerator.from_pretrained("qm9", device="cpu")


@pytest.fixture(scope="session")
def twelve(generator):
    """Twelve molecules of seed 0, and everything that was rejected on the way."""
    return generator.generate(12, seed=0, steps=STEPS)


@pytest.fixture(scope="session")
def straight(generator, tmp_path_factory):
    """An uninterrupted run: its SDF file, its rejects and its outcome."""
    folder = tmp_path_factory.mktemp("straight")
    sdf, rejects = folder / "mols.sdf", folder / "rejects.csv"
    return sdf, rejects, run(generator, sdf, rejects)
