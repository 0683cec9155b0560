"""scripts/pocket.py and its judges: figures that are known, and the table from rows that are."""

import numpy as np
import pocket
import pocket_judges as judge
import pocket_table
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdForceFieldHelpers import UFFGetMoleculeForceField, UFFOptimizeMolecule


def embedded(smiles, seed=1):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=seed) == 0
    return mol


def test_clashes_are_pairs_that_overlap_by_half_an_angstrom():
    mols = [Chem.MolFromSmiles("[Xe]"), Chem.MolFromSmiles("C.C")]
    for mol, places in zip(mols, ([(0, 0, 0)], [(3.5, 0, 0), (0, 3.0, 0)]), strict=True):
        conformer = Chem.Conformer(len(places))
        for k, place in enumerate(places):
            conformer.SetAtomPosition(k, [float(x) for x in place])
        mol.AddConformer(conformer)
    radius = Chem.GetPeriodicTable().GetRvdw(54) + 1.7 - 0.5
    assert 3.0 < radius and judge.clashes(*mols) == (3.5 < radius) + 1


def test_strain_is_none_at_the_best_minimum_and_what_it_is_at_another():
    minima = [embedded("CC1CCC(C)CC1", seed) for seed in range(1, 16)]
    for mol in minima:
        UFFOptimizeMolecule(mol)
    energies = [UFFGetMoleculeForceField(mol).CalcEnergy() for mol in minima]
    best, worst = minima[np.argmin(energies)], minima[np.argmax(energies)]
    assert max(energies) > min(energies) + 1 and judge.strain(best) == pytest.approx(0, abs=0.5)
    assert judge.strain(worst) == pytest.approx(max(energies) - min(energies), abs=0.7)


def test_relaxation_is_what_a_minimum_lies_below_the_pose():
    mol = embedded("CC1CCC(C)CC1", 1)
    UFFOptimizeMolecule(mol, maxIters=2000)
    low = UFFGetMoleculeForceField(mol).CalcEnergy()
    assert judge.relaxation(mol) == pytest.approx(0, abs=0.05)
    positions = mol.GetConformer().GetPositions()
    mol.GetConformer().SetPositions(positions + 0.05 * np.random.default_rng(0).standard_normal(positions.shape))
    expected = UFFGetMoleculeForceField(mol).CalcEnergy() - low
    assert expected > 5 and judge.relaxation(mol) == pytest.approx(expected, rel=0.02)


def test_a_receptor_has_polar_hydrogens_and_types():
    peptide = Chem.MolFromSequence("GDHK")
    mol = Chem.AddHs(peptide, addResidueInfo=True)
    assert EmbedMolecule(mol, randomSeed=7) == 0
    lines = judge.receptor(Chem.RemoveHs(mol)).splitlines()
    kinds = [line[77:].strip() for line in lines]
    assert set(kinds) == {"C", "A", "N", "NA", "OA", "HD"} and kinds.count("NA") == 1
    assert sum(kind != "HD" for kind in kinds) == peptide.GetNumAtoms()


def test_pairs_and_wins():
    guided = [{"vina": -7.0}, {"vina": None}, {"vina": -5.0}]
    other = [{"vina": -5.0}, {"vina": -9.0}, {"vina": -4.0}]
    assert pocket_table.paired(guided, other, "vina") == (-6.0, -4.5)
    assert pocket_table.paired(guided[1:2], other[1:2], "vina") is None
    assert pocket_table.wins([(-6.0, -4.5), (-1.0, -2.0), None]) == [1, 2]
    assert pocket_table.median([3, None, 1]) == 2 and pocket_table.mean([]) is None


def test_what_is_placed_is_turned_about_the_point():
    mol, centre = embedded("CCO"), np.array([5.0, -3, 9])
    poses = list(pocket.turned(mol, centre, 0))
    places = [pose.GetConformer().GetPositions() for pose in poses]
    assert len(poses) == pocket.TRIES
    for place in places:
        assert np.allclose(place.mean(0), centre)
        assert np.linalg.norm(place[0] - place[2]) == pytest.approx(
            np.linalg.norm(np.subtract(*mol.GetConformer().GetPositions()[[0, 2]]))
        )
    assert not np.allclose(places[0], places[1])
