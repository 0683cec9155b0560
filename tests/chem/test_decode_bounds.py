"""What keeps the repair fast leaves nothing out: bounds hold for every assignment, and hard cases stay small."""

from itertools import product

import numpy as np
import pytest
import scipy.optimize
from rdkit import Chem
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from molscore.chem import decode as module
from molscore.chem.arrays import from_mol, isomeric_smiles, to_mol
from molscore.chem.decode import VALENCES, decode

VOCABULARY = [(1, 0), (8, 0), (7, 0), (7, 1), (6, 0)]


@pytest.mark.parametrize("spread", [1, 6, 30])
@pytest.mark.parametrize("seed", range(4))
def test_no_sound_assignment_costs_less_than_the_bound_of_any_of_its_options(spread, seed):
    """Three atoms, all assignments; `spread` of the logits from ignorance to certainty."""
    rng = np.random.default_rng(seed)
    atoms, bonds = rng.exponential(3 * spread, (3, len(VOCABULARY))), rng.exponential(spread, (3, 3, 4))
    atoms -= atoms.min(axis=1, keepdims=True)
    bonds = bonds + bonds.transpose(1, 0, 2)
    bonds -= bonds.min(axis=2, keepdims=True)
    bonds[np.diag_indices(3)] = [0, 99, 99, 99]
    valences = [VALENCES[pair] for pair in VOCABULARY]
    atom_bounds, bond_bounds = module._bounds(atoms, bonds, valences)
    assert (atom_bounds > atoms + 1e-9).any() and (bond_bounds > bonds + 1e-9).any()  # more than each option's own cost
    for a, b, c in product(range(4), repeat=3):
        totals = (a + b, a + c, b + c)
        for classes in product(range(len(VOCABULARY)), repeat=3):
            if all(total in valences[k] for total, k in zip(totals, classes, strict=True)):
                cost = atoms[range(3), classes].sum() + bonds[0, 1, a] + bonds[0, 2, b] + bonds[1, 2, c]
                bounds = [*atom_bounds[range(3), classes], bond_bounds[0, 1, a], bond_bounds[0, 2, b]]
                assert cost >= max(*bounds, bond_bounds[1, 2, c]) - 1e-9


def test_two_molecules_side_by_side_become_one_without_trying_everything(embed, monkeypatch):
    """Butanol and propylamine in one sample, all but certain: every other option is as good as impossible."""
    parts = [from_mol(embed(smiles)) for smiles in ("CCCCO", "CCCN")]
    vocabulary = [(1, 0), (6, 0), (7, 0), (8, 0)]
    numbers = np.concatenate([part.atomic_numbers for part in parts])
    n, first = len(numbers), len(parts[0].atomic_numbers)
    rng = np.random.default_rng(0)
    atoms = np.exp(-rng.uniform(50, 60, (n, 4)))
    atoms[range(n), [[1, 6, 7, 8].index(z) for z in numbers]] = 1
    bonds = np.exp(-rng.uniform(50, 60, (n, n, 4)))
    bonds[..., 0] = 1
    for part, shift in zip(parts, (0, first), strict=True):
        for (i, j), order in zip(part.bonds + shift, part.bond_orders, strict=True):
            for pair in ((i, j), (j, i)):
                bonds[pair][[0, order]] = bonds[pair][order], 1
    sizes, milp = [], scipy.optimize.milp
    monkeypatch.setattr(scipy.optimize, "milp", lambda cost, **rest: sizes.append(len(cost)) or milp(cost, **rest))
    mol = to_mol(decode(atoms, bonds, np.eye(n, 3), vocabulary))
    assert len(Chem.GetMolFrags(mol)) == 1 and "." not in isomeric_smiles(mol)
    assert max(sizes) < n * (n - 1) / 2 + 3 * n  # all options are some four for each pair


@pytest.mark.parametrize("bonds_per_atom", [0, 0.4, 0.8, 1.2])
@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_fragments_are_those_of_scipy(n, bonds_per_atom):
    rng = np.random.default_rng(n)
    for _ in range(20):
        orders = np.triu(rng.random((n, n)) < 2 * bonds_per_atom / n, k=1) * rng.integers(1, 4, (n, n))
        expected = connected_components(csr_array(orders > 0), directed=False)[1]
        assert module._fragments(orders).tolist() == expected.tolist()
