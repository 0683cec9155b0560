"""The bundled graph-conditioned model, and molecules whose conformers are known to be hard to get right."""

import numpy as np
import pytest
import torch
from conformer_runs import LIST
from rdkit import Chem

from molscore.conformers import ConformerGenerator

KNOWN = {
    "alanine, L": "C[C@H](N)C(=O)O",
    "alanine, D": "C[C@@H](N)C(=O)O",
    "crotonamide, E": "C/C=C/C(=O)N",
    "crotonamide, Z": "C/C=C\\C(=O)N",
    "tartaric acid, meso": "O[C@@H]([C@H](O)C(=O)O)C(=O)O",
    "norbornanol": "O[C@H]1C[C@H]2CC[C@@H]1C2",
    "morphine": "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
    "biaryl": "Cc1cccc(C)c1-c1c(C)cccc1O",
    "binaphthol, one axis": "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12 |wU:10.11|",
    "binaphthol, the other": "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12 |wD:10.11|",
    "sulfoxide": "CC[S@](=O)c1ccccc1",
    "phosphinate": "CO[P@](C)(=O)c1ccccc1",
    "tripeptide": "C[C@H](N)C(=O)N[C@@H](Cc1ccccc1)C(=O)NCC(=O)O",
    "glucose": "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "macrolide": "CC[C@H]1OC(=O)[C@H](C)[C@@H](O)[C@H](C)[C@@H](O)[C@](C)(O)C[C@@H](C)C(=O)[C@H](C)[C@@H](O)[C@]1(C)O",
}


@pytest.fixture(scope="session")
def generator() -> ConformerGenerator:
    torch.set_num_threads(1)
    return ConformerGenerator.from_pretrained(device="cpu")


@pytest.fixture(scope="session", params=KNOWN)
def known(request) -> str:
    """A SMILES with stereo to keep."""
    return KNOWN[request.param]


@pytest.fixture
def listed(tmp_path):
    """A file with the list."""
    path = tmp_path / "in.smi"
    path.write_text(LIST)
    return path


def positions(mol: Chem.Mol) -> np.ndarray:
    """``(K, N, 3)`` of all conformers, Å."""
    return np.array([conformer.GetPositions() for conformer in mol.GetConformers()])
