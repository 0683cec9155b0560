"""Moves of molecules and about their bonds: what turns, what stays, and forces that are slopes."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.turning import bonds, moved, pulls, weights


def embedded(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=3) == 0
    return mol


@pytest.mark.parametrize(
    ("smiles", "number"),
    [
        ("CCCC", 1),
        ("CC", 0),
        ("C1CCCCC1", 0),
        ("CC(=O)NC", 0),
        ("CCOC(=O)C", 1),
        ("c1ccccc1-c1ccccc1", 1),
        ("CC#CC", 0),
    ],
)
def test_bonds_about_which_molecules_turn(smiles, number):
    own = bonds(embedded(smiles))
    assert len(own.near) == number and not own.beyond[:, own.far].diagonal().any()
    assert (own.beyond.sum(1) <= len(own.beyond[0]) / 2).all() if number else True


def test_held_atoms_do_not_turn():
    mol = embedded("CCCCc1ccccc1")
    ring = mol.GetSubstructMatch(Chem.MolFromSmarts("c1ccccc1"))
    own = bonds(mol, ring)
    assert len(own.near) == 3 and not own.beyond[:, list(ring)].any()
    assert not len(bonds(mol, range(mol.GetNumAtoms())).near)


def test_moves_keep_bonds_and_angles():
    mol, rng = embedded("CC(C)OCC(=O)Nc1ccccc1"), np.random.default_rng(0)
    own, x = bonds(mol), mol.GetConformer().GetPositions()[None]
    shift, turn, twists = rng.normal(size=(1, 3)), rng.normal(size=(1, 3)), rng.normal(size=(1, len(own.near)))
    y = moved(x, own, shift, turn, twists)
    near = Chem.GetDistanceMatrix(mol) <= 2
    gaps = [np.linalg.norm(z[0][:, None] - z[0], axis=-1) for z in (x, y)]
    assert np.allclose(gaps[0][near], gaps[1][near], atol=1e-9) and not np.allclose(*gaps, atol=0.1)
    back = moved(y, own, -shift, turn * 0, twists * 0)
    assert np.allclose(back.mean(1), moved(x, own, shift * 0, turn, twists).mean(1))


def test_pulls_are_slopes_along_the_moves():
    """Of an energy that is linear in positions, by finite differences."""
    mol, rng = embedded("CC(C)OCC(=O)Nc1ccccc1"), np.random.default_rng(1)
    own, x = bonds(mol), mol.GetConformer().GetPositions()[None]
    force = rng.normal(size=x.shape)
    parts = pulls(x, own, force)
    none = [np.zeros((1, 3)), np.zeros((1, 3)), np.zeros((1, len(own.near)))]
    for which, part in enumerate(parts):
        for k in range(part.shape[1]):
            ends = []
            for step in (1e-5, -1e-5):
                moves = [one.copy() for one in none]
                moves[which][0, k] = step
                ends.append(float((force * moved(x, own, *moves)).sum()))
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(part[0, k], abs=1e-4)
    around, about = weights(x, own)
    assert around[0] == pytest.approx(((x - x.mean(1)) ** 2).sum()) and (about > 0).all()
