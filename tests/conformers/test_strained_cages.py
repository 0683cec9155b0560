"""Cages, however strained, have conformers where they exist, and none where they do not."""

import numpy as np
import pytest
from etkdg_conformers import made, measured
from rdkit import Chem

IMPOSSIBLE = [
    "CC1(C)[C@H]2CC[C@@]1(C)C(=O)C2",
    "CC1(C)[C@@H]2CC[C@]1(C)C(=O)C2",
    "C[C@]12CC[C@@H](C1)[C@H](O)C2",
    "O=C1C[C@H]2CC[C@@]1(C)O2",
    "CC1=C2C[C@H](C1)[C@@H]2C",
    "OC1=C2CC1C2",
    "C1#CC1",
]
"""Stereo that no bridged ring can have, bridgehead double bonds, a triple bond in a ring of three."""


@pytest.mark.parametrize("smiles", IMPOSSIBLE)
def test_what_cannot_exist_has_no_conformer(smiles):
    assert made(smiles, 20).GetNumConformers() == 0


@pytest.mark.parametrize(
    "smiles", ["CC1(C)[C@@H]2CC[C@@]1(C)C(=O)C2", "C[C@]12CC[C@H](C1)[C@H](O)C2", "O=C1C[C@@H]2CC[C@@]1(C)O2"]
)
def test_the_isomers_that_exist_have_conformers(smiles):
    assert made(smiles, 3).GetNumConformers() == 3


CAGES = [
    "C12C3C4C1C5C2C3C45",
    "C12C3C4C1C5C2C3C45C(=O)O",
    "C1C2CC3CC1CC(C2)C3",
    "C12C3C4C1C4C23",
    "C12C3C1C23",
    "CC12C3C1(C)C23C",
    "C1C2CC1(C2)C(=O)O",
    "C1C2C1C2",
    "C1CC2CCC1C2",
    "C1CC2(C1)CC2",
    "C1C2C3CC1C23",
    "C1=CC2C=CC1C2",
    "OC12CC(C1)C2",
    "C1CC2CC12",
    "c1ccc2CCc2c1",
    "C1C[C@H]2CC[C@@H]1C2",
    "C1CCC/C=C/CC1",
    "CC12CC1(C)C2",
    "CC12C3(C)C1(C)C23C",
]


@pytest.mark.parametrize("smiles", CAGES)
def test_strained_cages_are_delivered(smiles):
    mol = made(smiles)
    assert mol.GetNumConformers() == 2
    assert 1.4 < measured(mol, "[C;X4][C;X4]").min() and measured(mol, "[C;X4][C;X4]").max() < 1.7


@pytest.mark.parametrize("smiles", ["C1C23CC1(C2)C3", "C1CC23CC1(C2)C3", "C1CC#CCCCC1"])
def test_cages_that_etkdg_does_not_know_come_of_the_model(generator, smiles):
    mol = generator.generate(smiles, 2, seed=0, fill=True).mols[0]  # propellanes are rigid
    assert mol.GetNumConformers() == 2
    assert 1.4 < measured(mol, "[C;X4][C;X4]").min() and measured(mol, "[C;X4][C;X4]").max() < 1.7


@pytest.mark.parametrize("smiles", ["C12C3C1C1C2C31", "CC12C3C1C1C2C31", "C12C3C4C1C5C2C3C45"])
def test_cages_are_not_inside_out(smiles):
    """Across a face of prismane or cubane carbons are 2.2 Å apart."""
    mol = made(smiles, 5)
    carbons = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetSymbol() == "C"]
    far = np.argwhere(np.triu(Chem.GetDistanceMatrix(mol) > 1)[np.ix_(carbons, carbons)])
    assert mol.GetNumConformers() == 5
    for conformer in mol.GetConformers():
        x = conformer.GetPositions()[carbons]
        assert np.linalg.norm(x[far[:, 0]] - x[far[:, 1]], axis=1).min() > 2.0
