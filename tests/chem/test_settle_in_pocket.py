"""Relaxation in a pocket: molecules get out of its walls, stay where they are, and remain what they are."""

import numpy as np
import pytest
from proteins import moved
from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.fit import fit
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.io.protein import Protein
from molscore.chem.pocket.receptor import find_pocket
from molscore.chem.pocket.settle import _Walls, settle_in_pocket
from molscore.chem.pocket.site import read_site

DRUG = "CN1CCC[C@H]1c1cccnc1"


@pytest.fixture(scope="module")
def pocket():
    """A hollow ball of carbon, with a hydroxyl group for every ninth."""
    k = np.arange(420)
    z, angle = 1 - (2 * k + 1) / 420, np.pi * (3 - np.sqrt(5)) * k
    wall = 7.5 * np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    polar = k % 9 == 0
    residues = np.array([f"A/{'SER' if own else 'ALA'} {number}" for own, number in zip(polar, k, strict=True)])
    names = np.where(polar, "OG", "CB")
    protein = Protein(wall + 20, np.where(polar, 8, 6), residues, np.full(420, "protein"), names)
    return find_pocket(protein, read_site("20,20,20", protein))


@pytest.mark.parametrize("shift", [(0, 0, 0), (1.5, 0, 0), (0, -1, 1.5)])
def test_molecules_get_out_of_the_walls(pocket, embed, shift):
    mol = moved(embed(DRUG), np.add(20, shift))
    before = mol.GetConformer().GetPositions()
    settled = settle_in_pocket(mol, pocket)
    assert fit(settled.mol, pocket.protein).clashes <= fit(mol, pocket.protein).clashes
    assert not fit(settled.mol, pocket.protein).clashes
    assert np.array_equal(mol.GetConformer().GetPositions(), before)
    assert isomeric_smiles(settled.mol) == isomeric_smiles(mol)
    heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    way = np.linalg.norm(settled.mol.GetConformer().GetPositions() - before, axis=1)[heavy].max()
    assert settled.moved == pytest.approx(way) and way < 2.5
    assert relaxation_energy(settled.mol).energy < 15


def test_slopes_of_the_walls_are_those_of_finite_differences(pocket, embed):
    mol = moved(embed(DRUG), (23, 20, 21))
    start = mol.GetConformer().GetPositions()
    walls, along, h = _Walls(mol, start, pocket), np.random.default_rng(0).normal(size=start.shape), 1e-5
    _, slope = walls(start)
    expected = (walls(start + h * along)[0] - walls(start - h * along)[0]) / (2 * h)
    assert (slope * along).sum() == pytest.approx(expected, rel=1e-5)


def test_what_has_no_parameters_is_left(pocket):
    mol = Chem.MolFromSmiles("[Xe]")
    conformer = Chem.Conformer(1)
    conformer.SetAtomPosition(0, [20.0, 20, 20])
    mol.AddConformer(conformer)
    assert settle_in_pocket(mol, pocket).moved is None
