"""Bonds from a SMILES and from distances."""

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeError, to_mol
from molscore.chem.perceive import match_smiles, perceive, perceive_bonds

SMILES = (
    "C",
    "CC#N",
    "c1ccncc1",
    "[NH3+]CC([O-])=O",
    "Cc1c[nH]cn1",
    "NC=O",
    "N#CC1=CC1=O",
    "C[N+]([O-])=O",
    "FC(F)=C=O",
)


def flat_smiles(arrays) -> str:
    return Chem.MolToSmiles(Chem.RemoveAllHs(to_mol(arrays)), isomericSmiles=False)


def canonical(smiles: str) -> str:
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)


@pytest.mark.parametrize("smiles", SMILES)
def test_match_smiles_keeps_atoms_and_finds_the_molecule(smiles, embedded):
    numbers, positions = embedded(smiles)
    arrays = match_smiles(numbers, positions, smiles)
    assert flat_smiles(arrays) == canonical(smiles)
    np.testing.assert_array_equal(arrays.atomic_numbers, numbers)
    np.testing.assert_allclose(arrays.positions, positions, atol=1e-6)
    assert (arrays.bonds[:, 0] < arrays.bonds[:, 1]).all()
    assert arrays.bonds.tolist() == sorted(arrays.bonds.tolist())
    assert arrays.formal_charges.sum() == 0


def test_match_smiles_does_not_depend_on_the_writing(embedded):
    numbers, positions = embedded("Cc1c[nH]cn1")
    written = ("Cc1c[nH]cn1", "c1(C)c[nH]cn1", "[H]C1=C(C([H])([H])[H])N=C([H])N1[H]")
    first, *others = [match_smiles(numbers, positions, smiles) for smiles in written]
    for other in others:
        np.testing.assert_array_equal(other.bonds, first.bonds)
        np.testing.assert_array_equal(other.bond_orders, first.bond_orders)


def test_hydrogens_that_mark_a_double_bond_are_hydrogens_all_the_same(embedded):
    assert flat_smiles(match_smiles(*embedded("N=CC"), "[H]/N=C/C")) == "CC=N"


@pytest.mark.parametrize("short", [0, 1])
def test_the_shorter_of_two_equal_bonds_is_the_double_one(short, embedded):
    numbers, positions = embedded("[NH3+]CC([O-])=O")
    oxygens = np.flatnonzero(numbers == 8)
    carbon = np.linalg.norm(positions[oxygens].mean(axis=0) - positions[numbers == 6], axis=1).argmin()
    centre = positions[numbers == 6][carbon]
    for oxygen, length in zip(np.roll(oxygens, short), (1.20, 1.30), strict=True):
        direction = positions[oxygen] - centre
        positions[oxygen] = centre + direction / np.linalg.norm(direction) * length
    arrays = match_smiles(numbers, positions, "[NH3+]CC([O-])=O")
    near, far = np.roll(oxygens, short)
    assert arrays.formal_charges[far] == -1 and arrays.formal_charges[near] == 0
    assert arrays.bond_orders[(arrays.bonds == near).any(axis=1)].tolist() == [2]


def test_a_cage_has_no_bond_too_many(embedded):
    """Bicyclo[1.1.1]pentane: its bridgeheads, 1.9 Å apart, are not bonded; the number of bonds tells."""
    numbers, positions = embedded("C1C2CC1C2")
    arrays = match_smiles(numbers, positions, "C1C2CC1C2")
    assert flat_smiles(arrays) == canonical("C1C2CC1C2")


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [("CCO", "no_match"), ("NC=S", "no_match"), ("OC=N", "no_match"), ("NC=", "bad_smiles"), ("N.C=O", "no_match")],
)
def test_match_smiles_refuses_another_molecule(smiles, reason, embedded):
    with pytest.raises(MoleculeError) as caught:
        match_smiles(*embedded("NC=O"), smiles)
    assert caught.value.reason == reason


def test_match_smiles_refuses_a_torn_bond(embedded):
    numbers, positions = embedded("O")
    positions[np.flatnonzero(numbers == 1)[0]] += 3.0
    with pytest.raises(MoleculeError, match="times the covalent radii"):
        match_smiles(numbers, positions, "O")


@pytest.mark.parametrize("smiles", ["C", "CC#N", "c1ccncc1", "NC=O", "[NH3+]CC([O-])=O"])
def test_perceive_bonds_needs_no_smiles(smiles, embedded):
    assert flat_smiles(perceive_bonds(*embedded(smiles))) == canonical(smiles)


def test_perceive_prefers_the_smiles_and_falls_back(embedded):
    numbers, positions = embedded("NC=O")
    assert perceive(numbers, positions, "NC=O")[1] == "smiles"
    arrays, origin = perceive(numbers, positions, "CCO")
    assert origin == "perceived" and flat_smiles(arrays) == "NC=O"
    assert perceive(numbers, positions)[1] == "perceived"


def test_two_molecules_are_disconnected(embedded):
    numbers, positions = embedded("O")
    numbers, positions = np.tile(numbers, 2), np.concatenate([positions, positions + 8.0])
    for smiles in ("O.O", None):
        with pytest.raises(MoleculeError) as caught:
            perceive(numbers, positions, smiles)
        assert caught.value.reason == "disconnected"


def test_a_missing_hydrogen_is_not_papered_over(embedded):
    numbers, positions = embedded("C")
    keep = np.arange(len(numbers)) != np.flatnonzero(numbers == 1)[0]
    with pytest.raises(MoleculeError):
        perceive(numbers[keep], positions[keep], "C")
