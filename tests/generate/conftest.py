"""The bundled model, loaded once; few steps keep these tests short."""

import pytest
import torch

from molscore.generate import MoleculeGenerator

STEPS = 25


@pytest.fixture(scope="session")
def generator() -> MoleculeGenerator:
    """The bundled QM9 model on the CPU."""
    torch.set_num_threads(2)
    return MoleculeGenerator.from_pretrained("qm9", device="cpu")


@pytest.fixture(scope="session")
def twelve(generator):
    """Twelve molecules of seed 0, and everything that was rejected on the way."""
    return generator.generate(12, seed=0, steps=STEPS)
