"""The model of a molecule's Hessian: slopes of its terms, blocks, and what the inverse undoes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from molscore.chem.ensemble import positions
from molscore.chem.forcefield import model_hessian as module
from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.forcefield.model_hessian import BLOCK, LEAST, model_hessian
from molscore.chem.geometry.bounds import twists
from molscore.chem.geometry.types import lengths_and_angles

SMILES = "C/C=C/c1ccc(C(=O)NC)cc1C#N"
LARGE = "CC(C)C[C@H](N)C(=O)N[C@@H](C)C(=O)NCC(=O)N[C@@H](CO)C(=O)NCC(=O)N[C@@H](Cc1ccccc1)C(=O)O"


DIGEST = """
import hashlib
import numpy as np
from molscore.chem.forcefield.model_hessian import _inverse
digest = hashlib.sha256()
for n in range(60, 196, 3):
    rows = np.random.default_rng(n).normal(size=(4, n, n + 20)).astype(np.float32)
    digest.update(_inverse(np.einsum("kij,klj->kil", rows, rows)).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("name", ["bonds", "angles", "torsions"])
def test_slopes_are_those_of_finite_differences(embed, name):
    mol = embed(SMILES)
    x, atoms = positions(mol), getattr(model_hessian(mol), name)
    slopes = {"bonds": module._of_lengths, "angles": module._of_angles, "torsions": module._of_dihedrals}[name]
    values = {
        "bonds": lambda y: lengths_and_angles(y, atoms, atoms[:, [0, 1, 0]])[0],
        "angles": lambda y: np.radians(lengths_and_angles(y, atoms[:, :2], atoms)[1]),
        "torsions": lambda y: np.radians(twists(y, atoms)),
    }[name]
    known = slopes(*np.moveaxis(x[:, atoms], 2, 0))[0]
    triples = [atoms[:, k : k + 3] for k in range(atoms.shape[1] - 2)]
    angles = [lengths_and_angles(x[0], atoms[:, :2], triple)[1] for triple in triples]
    bent = (np.sin(np.radians(np.array(angles).reshape(-1, len(atoms)))) > module.STRAIGHT).all(0)
    assert bent.sum() > 5
    step = 1e-5
    for place in range(atoms.shape[1]):
        for axis in range(3):
            for row in np.flatnonzero(bent)[::3]:
                there, back = x[0].copy(), x[0].copy()
                there[atoms[row, place], axis] += step
                back[atoms[row, place], axis] -= step
                slope = (values(there) - values(back))[row] / (2 * step)
                assert known[row, place, axis] == pytest.approx(slope, abs=1e-6)


def test_the_inverse_undoes_the_model(embed):
    """Along a bond the model is as stiff as a bond; moved as a whole, the molecule meets nothing but the least."""
    mol = embed(SMILES)
    x = positions(mol)
    inverse = model_hessian(mol).inverse(x)
    whole = np.tile([1.0, 0.0, 0.0], mol.GetNumAtoms())[None]
    np.testing.assert_allclose(inverse @ whole, whole / LEAST, atol=1e-4)
    stretch = np.zeros_like(x)
    i, j = model_hessian(mol).bonds[0]
    stretch[0, i] = (x[0, i] - x[0, j]) / np.linalg.norm(x[0, i] - x[0, j])
    stretch[0, j] = -stretch[0, i]
    flat = stretch.reshape(1, -1)
    assert ((inverse @ flat) * flat).sum() < 2 / 500


@pytest.mark.parametrize(("smiles", "groups"), [(SMILES, 1), (LARGE, 2)])
def test_large_molecules_are_parted_along_their_bonds(embed, smiles, groups):
    mol = embed(smiles)
    x, hessian = positions(mol), model_hessian(mol)
    inverse = hessian.inverse(x)
    assert sorted(inverse.walk.tolist()) == list(range(mol.GetNumAtoms()))
    assert inverse.blocks.shape[1] == groups and inverse.blocks.shape[-1] <= 3 * BLOCK
    group = np.empty(mol.GetNumAtoms(), dtype=int)
    group[inverse.walk] = np.arange(mol.GetNumAtoms()) // (inverse.blocks.shape[-1] // 3)
    ends = hessian.bonds
    cut = (group[ends[:, 0]] != group[ends[:, 1]]).sum()
    halves = np.arange(mol.GetNumAtoms()) < mol.GetNumAtoms() / groups
    assert cut <= (halves[ends[:, 0]] != halves[ends[:, 1]]).sum() / 3
    field = force_field(*typed(mol))
    shaken = (x + np.random.default_rng(0).normal(scale=0.02, size=x.shape)).reshape(1, -1)
    energy = field.CalcEnergy(shaken[0].tolist())
    gradient = np.array([field.CalcGrad(shaken[0].tolist())])
    least = field.CalcEnergy(x.ravel().tolist())
    assert field.CalcEnergy((shaken - inverse @ gradient)[0].tolist()) - least < 0.8 * (energy - least)


def test_some_atoms_alone(embed):
    mol = embed(LARGE)
    x = positions(mol)
    free = np.array([atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 1])
    inverse = model_hessian(mol).inverse(x, free)
    assert sorted(inverse.walk.tolist()) == list(range(len(free)))
    gradient = np.random.default_rng(0).normal(size=(1, 3 * len(free)))
    assert ((inverse @ gradient) * gradient).sum() > 0
    np.testing.assert_array_equal((inverse[np.array([0, 0])] @ np.repeat(gradient, 2, 0))[1], (inverse @ gradient)[0])


@pytest.mark.parametrize("n", [1, 3, 63, 64, 65, 128, 135, 192])
def test_tiles_give_the_inverse(n):
    rows = np.random.default_rng(n).normal(size=(2, 3, n, n + 20))
    matrices = (rows @ rows.swapaxes(-1, -2) + np.eye(n)).astype(np.float32)
    product = module._inverse(matrices).astype(np.float64) @ matrices
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(n), product.shape), atol=1e-2)


def test_the_number_of_threads_changes_no_bit():
    """OpenBLAS' own inverse of a matrix of a hundred rows differs."""
    digests = {
        threads: subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "3")
    }
    assert len(digests["1"]) > 60 and digests["1"] == digests["3"]
