"""Open stereo in small fused rings is sampled as it exists, whatever the seed."""

import math

import pytest
from chem.conftest import prepare
from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.embedding.cages import cage_atoms, settled, without_cage_stereo
from molscore.chem.prepare import isomers
from molscore.conformers.build import embedded
from molscore.conformers.target import Target

EXIST = {
    "N#CC12CC1(C2)c1ccccc1": ["N#C[C@]12C[C@]1(c1ccccc1)C2"],
    "CC12CC1(C)C2": ["C[C@]12C[C@]1(C)C2"],
    "C1CC2CC12": ["C1C[C@H]2C[C@@H]12"],
    "C1=CC2CC12": ["C1=C[C@H]2C[C@@H]12"],
    "O=C1CC2CC12": ["O=C1C[C@@H]2C[C@H]12", "O=C1C[C@H]2C[C@@H]12"],
    "O=C1NC2CC12": ["O=C1N[C@@H]2C[C@H]12", "O=C1N[C@H]2C[C@@H]12"],
    "O=C1CC2CCC12": ["O=C1C[C@@H]2CC[C@H]12", "O=C1C[C@H]2CC[C@@H]12"],
    "C1OC2CC12": ["C1O[C@@H]2C[C@H]12", "C1O[C@H]2C[C@@H]12"],
    "C1CC2CC2C1": ["C1C[C@@H]2C[C@@H]2C1"],
    "C1CC2OC2C1": ["C1C[C@@H]2O[C@@H]2C1"],
    "CC12CC1CN(C)C2": ["CN1C[C@@H]2C[C@]2(C)C1", "CN1C[C@H]2C[C@@]2(C)C1"],
    "CC1CC2CC12": [
        "C[C@@H]1C[C@@H]2C[C@@H]21",
        "C[C@@H]1C[C@H]2C[C@H]21",
        "C[C@H]1C[C@@H]2C[C@@H]21",
        "C[C@H]1C[C@H]2C[C@H]21",
    ],
    "CC1C2CC12C": [
        "C[C@@H]1[C@@H]2C[C@@]12C",
        "C[C@@H]1[C@H]2C[C@]12C",
        "C[C@H]1[C@@H]2C[C@@]12C",
        "C[C@H]1[C@H]2C[C@@]21C",
    ],
    "C1C2CC2C2CC12": [
        "C1[C@@H]2C[C@@H]2[C@H]2C[C@@H]12",
        "C1[C@H]2C[C@H]2[C@@H]2C[C@H]12",
        "C1[C@H]2C[C@H]2[C@H]2C[C@@H]12",
    ],
    "O=C1CC2CC3CC2C13": ["O=C1C[C@@H]2C[C@H]3C[C@@H]2[C@@H]13", "O=C1C[C@H]2C[C@@H]3C[C@H]2[C@H]13"],
}
"""Isomers with their rings fused cis, by the molecule without stereo."""


FAST = {"N#CC12CC1(C2)c1ccccc1", "O=C1CC2CC12", "C1CC2CC2C1", "CC1C2CC12C", "O=C1CC2CC3CC2C13"}
EACH = [pytest.param(text, marks=() if text in FAST else pytest.mark.slow) for text in EXIST]


@pytest.mark.parametrize("text", EACH)
def test_all_isomers_that_exist_are_listed_and_no_others(text):
    result = isomers(prepare(text), "enumerate")
    assert sorted(map(isomeric_smiles, result.mols)) == sorted(EXIST[text])
    assert result.possible == len(EXIST[text])


@pytest.mark.parametrize("text", EACH)
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_each_seed_draws_one_that_exists_and_can_be_delivered(text, seed):
    isomer = isomers(prepare(text), seed=seed).mols[0]
    assert isomeric_smiles(isomer) in EXIST[text]
    assert embedded(Target(isomer), range(1), seed, "torsions", lambda: math.inf).GetNumConformers() == 1


def test_a_seed_draws_the_same_again():
    mol = prepare("O=C1CC2CC12")
    samples = [isomeric_smiles(isomers(mol, seed=seed).mols[0]) for seed in (0, 1, 0, 1)]
    assert samples[:2] == samples[2:]


def test_stereo_that_is_specified_in_a_cage_stays():
    mol = prepare("O=C1C[C@H]2CC12")
    for seed in range(3):
        assert isomeric_smiles(isomers(mol, seed=seed).mols[0]) == "O=C1C[C@H]2C[C@@H]12"
    assert [isomeric_smiles(isomer) for isomer in isomers(mol, "enumerate").mols] == ["O=C1C[C@H]2C[C@@H]12"]


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        ("C1CC2CC12", {2, 4}),
        ("C1CC2CC2C1", {2, 4}),
        ("C1CC2CCC2C1", set()),  # trans-fused rings of four and five exist
        ("C1CCC2CC2C1", set()),  # and of three and six
        ("C1CC2CCC1C2", set()),
        ("C1CC1C1CC1", set()),
        ("CCO", set()),
    ],
)
def test_cages_are_of_two_small_rings(text, atoms):
    mol = prepare(text)
    assert cage_atoms(mol) == atoms


def test_only_tags_of_the_cage_are_left_out():
    free = without_cage_stereo(prepare("C[C@H](F)[C@@H]1C[C@@H]2C[C@@H]21"))
    assert [a.GetIdx() for a in free.GetAtoms() if a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED] == [1, 3]
    assert without_cage_stereo(prepare("C[C@H](F)C1CC1")) is None


def test_time_that_is_up_leaves_one_embedding():
    assert len(settled(prepare("C1CC2CC12"), range(1, 9), end=-math.inf)) == 1
    assert len(settled(prepare("C1CC2CC12"), range(1, 9))) > 1
