"""The bundled graph-conditioned model, and molecules to ask it about."""

from collections.abc import Callable

import pytest
import torch
from rdkit import Chem

from molscore.chem.embedding.etkdg import embed
from molscore.score import MoleculeScorer

SMILES = ("CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "O=C(Nc1ccc(F)cc1)C1CCOCC1", "Cc1ccc(cc1)S(=O)(=O)N")


@pytest.fixture(scope="session")
def scorer() -> MoleculeScorer:
    torch.set_num_threads(1)
    return MoleculeScorer.from_pretrained(device="cpu")


@pytest.fixture(scope="session")
def conformer() -> Callable[..., Chem.Mol]:
    """``conformer(smiles, seed=0)``: ETKDGv3 and MMFF94s, hydrogens explicit."""
    return embed


@pytest.fixture(scope="session")
def drugs() -> list[Chem.Mol]:
    return [embed(smiles) for smiles in SMILES]
