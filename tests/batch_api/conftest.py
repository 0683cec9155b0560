"""Generators and a scorer of the bundled models, and items of every kind."""

import pytest
import torch
from rdkit import Chem

import molscore


@pytest.fixture(scope="session")
def generator() -> molscore.MoleculeGenerator:
    torch.set_num_threads(1)
    return molscore.MoleculeGenerator.from_pretrained("qm9", device="cpu")


@pytest.fixture(scope="session")
def conformers() -> molscore.ConformerGenerator:
    return molscore.ConformerGenerator.from_pretrained(device="cpu")


@pytest.fixture(scope="session")
def scorer(conformers) -> molscore.MoleculeScorer:
    return molscore.MoleculeScorer(conformers.model, "conformers")


@pytest.fixture(scope="session")
def made(generator) -> molscore.Generation:
    return generator.generate(3, seed=0, steps=20)


@pytest.fixture
def items() -> list:
    """Good ones and bad ones in turn."""
    five_bonds = Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    unsanitised = Chem.MolFromSmiles("CCCCN", sanitize=False)
    return ["CCCCO", None, float("nan"), 7, "c1ccc", b"CC", Chem.Mol(), "", five_bonds, unsanitised]
