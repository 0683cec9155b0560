"""Hindered axes: which bonds are, and that coordinates say their sense."""

import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.prepare import isomers, open_stereo, whole
from molscore.chem.stereo.axes import assign_axes_in_place, hindered_axes
from molscore.chem.stereo.tags import tags, wrong

BINOL = "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12"
AXES = {
    BINOL: 1,
    "Cc1cccc(C)c1-c1c(C)cccc1O": 0,  # two methyl groups alike
    "Cc1cccc(Cl)c1-c1c(C)cccc1O": 1,
    "Cc1cccc(Cl)c1-c1c(C)cccc1": 1,
    "Cc1ccccc1-c1ccccc1C": 0,
    "c1ccc(-c2ccccc2)cc1": 0,
    "Fc1cccc(Cl)c1-c1c(F)cccc1F": 0,
    "Cc1ncnc(=O)n1-c1c(C)cccc1Cl": 1,
    "OC(=O)c1cccc(Br)c1-c1c(C)cccc1-c1c(O)ccc2ccccc12": 2,
}


def embedded(smiles: str, seed: int = 1) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=seed) == 0
    return mol


@pytest.mark.parametrize("smiles", AXES)
def test_hindered_axes(smiles):
    assert len(hindered_axes(Chem.MolFromSmiles(smiles))) == AXES[smiles]


@pytest.mark.parametrize("smiles", [BINOL, "Cc1cccc(Cl)c1-c1c(C)cccc1O", "Cc1ncnc(=O)n1-c1c(C)cccc1Cl"])
@pytest.mark.parametrize("mirror", [1, -1])
def test_coordinates_say_the_sense(smiles, mirror):
    mol = embedded(smiles)
    mol.GetConformer().SetPositions(mirror * mol.GetConformer().GetPositions())
    prepared = whole(mol).mol
    (tag,) = tags(prepared)
    x = mol.GetConformer().GetPositions()[None]
    assert not wrong(x, tag[None]).any() and wrong(-x, tag[None]).all()
    again = Chem.AddHs(Chem.RemoveHs(prepared))
    assert EmbedMolecule(again, randomSeed=5) == 0
    assert not wrong(again.GetConformer().GetPositions()[None], tags(again)).any()


def test_flat_coordinates_and_open_axes_say_nothing():
    flat = Chem.AddHs(Chem.MolFromSmiles(BINOL))
    assign_axes_in_place(flat)
    assert not len(tags(flat)) and open_stereo(flat) == 0


@pytest.mark.parametrize("group", ["&1:10,11", "o1:10", "&1:10"])
def test_a_racemic_axis_has_two_hands(group):
    mol = whole(Chem.MolFromSmiles(f"{BINOL} |wU:10.11,{group}|")).mol
    assert open_stereo(mol) == 1
    result = isomers(mol, "enumerate")
    assert result.possible == 2 and sorted(tags(isomer)[0, 4] for isomer in result.mols) == [-1, 1]
    senses = {tags(isomers(mol, "sample", seed=seed).mols[0])[0, 4] for seed in range(12)}
    assert senses == {-1, 1}


def test_a_centre_and_an_axis_in_one_group_turn_together():
    smiles = "C[C@H](F)c1ccc2ccccc2c1-c1c(O)ccc2ccccc12"
    for group, count in (("&1:1,12", 2), ("&1:1,&2:12", 4)):
        mol = whole(Chem.MolFromSmiles(f"{smiles} |wU:12.13,{group}|")).mol
        mols = isomers(mol, "enumerate").mols
        senses = {tuple(tags(isomer)[:, 4].tolist()) for isomer in mols}
        assert len(mols) == len(senses) == count
        assert all(tuple(-k for k in hand) in senses for hand in senses)


def test_an_absolute_axis_stays():
    mol = whole(Chem.MolFromSmiles(f"{BINOL} |wU:10.11|")).mol
    (isomer,) = isomers(mol, "enumerate").mols
    assert (tags(isomer) == tags(mol)).all()
