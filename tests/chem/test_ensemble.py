"""Distances between conformers against RDKit's, symmetries, and the choice of representatives."""

from itertools import combinations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolAlign

from molscore.chem import ensemble
from molscore.chem.ensemble import correspondences, heavy_positions, k_medoids, prune, rmsd_matrix, symmetries

SYMMETRIC = {  # SMILES -> automorphisms, counted by hand
    "CO": 1,
    "c1ccccc1": 12,
    "CC#CC#CC": 2,  # linear: two roots coincide
    "CC(=O)Oc1ccccc1C(=O)[O-]": 2,
    "O=[N+]([O-])c1ccc(cc1)C(N)=[NH2+]": 8,
    "OP(=O)([O-])OCC1CC1": 3 * 2 * 2,
    "CC(C)(C)c1cc(C(F)(F)F)ccc1S(=O)(=O)[O-]": 6**3,
    "OC(=O)CCC(=O)O": 8,
    "C[C@H](O)[C@@H](C)O": 2,
}


def ensemble_of(smiles, n=5):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert len(rdDistGeom.EmbedMultipleConfs(mol, n, randomSeed=3)) == n
    return mol


def rdkit_rmsd(mol, i, j):
    bare = Chem.RemoveHs(mol)
    return rdMolAlign.GetBestRMS(Chem.Mol(bare), bare, i, j)


@pytest.mark.parametrize(("smiles", "count"), SYMMETRIC.items())
def test_symmetries_are_permutations_that_keep_the_graph(smiles, count):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    permutations = symmetries(mol)
    n = mol.GetNumHeavyAtoms()
    assert permutations.shape == (count, n) and len(np.unique(permutations, axis=0)) == count
    assert (np.sort(permutations, axis=1) == np.arange(n)).all()
    joined = Chem.GetAdjacencyMatrix(Chem.RemoveHs(mol))
    assert all(np.array_equal(joined[np.ix_(p, p)], joined) for p in permutations)
    assert np.array_equal(symmetries(Chem.RemoveHs(mol)), permutations)


def test_the_molecule_is_left_alone_and_the_number_is_capped():
    mol = ensemble_of("C[C@H](O)[C@@H](C)C(=O)[O-]", 2)
    before = Chem.MolToMolBlock(mol)
    symmetries(mol)
    assert Chem.MolToMolBlock(mol) == before and mol.GetNumConformers() == 2
    assert len(symmetries(Chem.MolFromSmiles("CC(C)(C)C(C)(C)C"), most=10)) == 10


@pytest.mark.parametrize("smiles", SYMMETRIC)
def test_distances_are_those_of_rdkit(smiles):
    mol = ensemble_of(smiles)
    x, permutations = heavy_positions(mol), symmetries(mol)
    expected = np.array([[rdkit_rmsd(mol, i, j) for j in range(5)] for i in range(5)])
    assert rmsd_matrix(x, permutations) == pytest.approx(expected, abs=1e-4)
    assert rmsd_matrix(x, permutations, x[:2]) == pytest.approx(expected[:, :2], abs=1e-4)


def test_blocks_give_what_the_whole_gives(monkeypatch):
    mol = ensemble_of("CC(C)(C)c1cc(C(F)(F)F)ccc1S(=O)(=O)[O-]", 6)
    x, permutations = heavy_positions(mol), symmetries(mol)
    whole = rmsd_matrix(x, permutations)
    monkeypatch.setattr(ensemble, "BLOCK", 17)
    assert rmsd_matrix(x, permutations) == pytest.approx(whole, abs=1e-6)


def test_rotations_superpose_and_mirror_images_do_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 9, 3)) * 3
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    identity = np.arange(9)[None]
    assert np.diagonal(rmsd_matrix(x, identity, x @ rotation + 7)) == pytest.approx(np.zeros(20), abs=1e-6)
    assert np.diagonal(rmsd_matrix(x, identity, -x)).min() > 0.5
    flat = x * [1, 1, 0]
    assert np.diagonal(rmsd_matrix(flat, identity, -flat)) == pytest.approx(np.zeros(20), abs=1e-6)
    line = x * [1, 0, 0]
    assert np.diagonal(rmsd_matrix(line, identity, line @ rotation)) == pytest.approx(np.zeros(20), abs=1e-6)


def test_one_atom_has_no_shape():
    methane = ensemble_of("C", 3)
    assert rmsd_matrix(heavy_positions(methane), symmetries(methane)) == pytest.approx(np.zeros((3, 3)), abs=1e-9)


def test_shapes_that_do_not_fit_are_refused():
    x = np.zeros((2, 3, 3))
    for wrong in (np.arange(4)[None], np.empty((0, 3), dtype=int), np.empty((1, 0), dtype=int)):
        with pytest.raises(ValueError, match="do not fit"):
            rmsd_matrix(x, wrong)


def test_other_orders_of_atoms_correspond():
    mol = ensemble_of("CC(=O)Nc1ccc(cc1)S(=O)(=O)[O-]", 3)
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    other = Chem.RenumberAtoms(mol, order)
    matches = correspondences(mol, other)
    assert len(matches) == len(symmetries(mol)) == 12
    distances = rmsd_matrix(heavy_positions(mol), matches, heavy_positions(other))
    assert distances == pytest.approx(rmsd_matrix(heavy_positions(mol), symmetries(mol)), abs=1e-6)


def test_tautomers_correspond_without_bond_orders_and_other_molecules_do_not():
    imidazoles = [Chem.MolFromSmiles(smiles) for smiles in ("Cc1c[nH]cn1", "Cc1cnc[nH]1", "C[C@H]1C[NH2+]CN1")]
    assert len(correspondences(imidazoles[0], imidazoles[2])) == 0
    assert len(correspondences(imidazoles[0], imidazoles[2], bonds=False)) == 1
    assert correspondences(imidazoles[0], Chem.MolFromSmiles("CC1CCCN1"), bonds=False).shape == (0, 6)
    assert correspondences(imidazoles[0], Chem.MolFromSmiles("CC"), bonds=False).shape == (0, 6)


def test_pruning_keeps_the_order_and_what_is_far_enough():
    x = np.array([0.0, 0.1, 1.0, 1.05, 5.0])
    distances = abs(x[:, None] - x)
    assert prune(distances, [4, 3, 2, 1, 0], 0.2) == [4, 3, 1]
    assert prune(distances, [0, 1, 2], 0.2) == [0, 2]
    assert prune(distances, range(5), 0.0) == [0, 1, 2, 3, 4]
    assert prune(distances, [], 0.2) == []


@pytest.mark.parametrize("k", [1, 2, 3])
def test_medoids_are_as_good_as_the_best_of_all_choices(k):
    rng = np.random.default_rng(k)
    for _ in range(5):
        x = rng.normal(size=(12, 2)) + 6 * rng.integers(3, size=(12, 1))
        distances = np.linalg.norm(x[:, None] - x, axis=-1)
        medoids = k_medoids(distances, k)
        assert medoids == sorted(set(medoids)) and len(medoids) == k
        least = min(distances[list(some)].min(axis=0).sum() for some in combinations(range(12), k))
        assert distances[medoids].min(axis=0).sum() <= 1.05 * least


def test_medoids_of_copies_and_of_too_few():
    assert k_medoids(np.zeros((4, 4)), 2) == [0, 1]
    assert k_medoids(np.zeros((2, 2)), 5) == [0, 1]
    assert k_medoids(np.zeros((0, 0)), 5) == []
    with pytest.raises(ValueError, match="at least 1"):
        k_medoids(np.zeros((2, 2)), 0)
