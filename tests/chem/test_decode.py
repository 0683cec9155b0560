"""Decoding: the most probable classes if they make a molecule, else the most probable molecule."""

from itertools import product

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol, isomeric_smiles, to_mol
from molscore.chem.decode import VALENCES, decode

VOCABULARY = [(1, 0), (6, 0), (7, 0), (8, 0), (9, 0), (7, 1), (8, -1), (6, -1)]
SURE = 0.999


def probabilities(arrays, sure=SURE):
    """One-hot probabilities of a molecule, softened so that every other class has the same small share."""
    n, k = len(arrays.atomic_numbers), len(VOCABULARY)
    pairs = zip(arrays.atomic_numbers.tolist(), arrays.formal_charges.tolist(), strict=True)
    atoms = np.full((n, k), (1 - sure) / (k - 1))
    atoms[np.arange(n), [VOCABULARY.index(pair) for pair in pairs]] = sure
    bonds = np.full((n, n, 4), (1 - sure) / 3)
    bonds[..., 0] = sure
    for (i, j), order in zip(arrays.bonds, arrays.bond_orders, strict=True):
        set_bond(bonds, i, j, {0: (1 - sure) / 3, int(order): sure})
    return atoms, bonds


def set_bond(bonds, i, j, given):
    """Gives the pair (i, j) the probabilities in `given`; the other orders share what is left."""
    rest = (1 - sum(given.values())) / (4 - len(given))
    bonds[i, j] = bonds[j, i] = [given.get(order, rest) for order in range(4)]


def same(a, b):
    names = ("atomic_numbers", "formal_charges", "positions", "bonds", "bond_orders")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


@pytest.mark.parametrize("smiles", ["CCO", "c1cc[nH]c1", "C[N+](=O)[O-]", "[NH3+]CC(=O)[O-]", "N#CC(F)=O"])
@pytest.mark.parametrize("repair", [True, False])
def test_a_sound_argmax_is_kept(embed, smiles, repair):
    arrays = from_mol(embed(smiles))
    assert same(decode(*probabilities(arrays), arrays.positions, VOCABULARY, repair=repair), arrays)


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_any_one_corrupted_bond_is_repaired(embed, wrong):
    arrays = from_mol(embed("CC(=O)N(C)C#N"))
    for (i, j), order in zip(arrays.bonds, arrays.bond_orders, strict=True):
        if order == wrong:
            continue
        atoms, bonds = probabilities(arrays)
        set_bond(bonds, i, j, {wrong: 0.6, int(order): 0.3})
        raw = decode(atoms, bonds, arrays.positions, VOCABULARY, repair=False)
        assert not same(raw, arrays)
        assert same(decode(atoms, bonds, arrays.positions, VOCABULARY), arrays)


def test_a_wrong_element_is_repaired(embed):
    arrays = from_mol(embed("CCO"))
    atoms, bonds = probabilities(arrays)
    atoms[0] = [0.01, 0.3, 0.6, 0.09, 0, 0, 0, 0]  # nitrogen with four bonds: carbon it must be
    assert same(decode(atoms, bonds, arrays.positions, VOCABULARY), arrays)


def test_a_wrong_charge_is_repaired(embed):
    arrays = from_mol(embed("C[N+](=O)[O-]"))
    atoms, bonds = probabilities(arrays)
    atoms[1, [VOCABULARY.index((7, 0)), VOCABULARY.index((7, 1))]] = 0.6, 0.3
    assert same(decode(atoms, bonds, arrays.positions, VOCABULARY), arrays)


def test_two_fragments_are_joined_by_the_probable_bond():
    """Two methyl groups that the network leaves apart, though it gives their bond one chance in ten: an ethane."""
    n = 8  # carbons 0 and 1, hydrogens 2-4 on 0 and 5-7 on 1
    atoms = np.full((n, len(VOCABULARY)), 1e-4)
    atoms[:2, 1], atoms[2:, 0] = 1, 1
    bonds = np.full((n, n, 4), 1e-4)
    bonds[..., 0] = 1
    for i, j in [(0, 2), (0, 3), (0, 4), (1, 5), (1, 6), (1, 7)]:
        set_bond(bonds, i, j, {1: 0.99, 0: 0.005})
    set_bond(bonds, 0, 1, {0: 0.8, 1: 0.1})
    assert isomeric_smiles(to_mol(decode(atoms, bonds, np.eye(n, 3), VOCABULARY))) == "CC"


def test_sound_fragments_are_joined_when_connection_alone_is_wrong():
    """Two waters, every valence right. One hydrogen of either may be an oxygen, and those may be bonded."""
    atoms = np.zeros((6, len(VOCABULARY)))
    atoms[[0, 1], 3] = atoms[[2, 4], 0] = 1  # water 0 2 3 and water 1 4 5
    atoms[[3, 5], 0], atoms[[3, 5], 3] = 0.8, 0.2
    bonds = np.zeros((6, 6, 4))
    bonds[..., 0] = 1
    for i, j in [(0, 2), (0, 3), (1, 4), (1, 5)]:
        set_bond(bonds, i, j, {1: 0.99, 0: 0.01})
    set_bond(bonds, 3, 5, {0: 0.9, 1: 0.1})
    raw = decode(atoms, bonds, np.eye(6, 3), VOCABULARY, repair=False)
    assert Chem.MolToSmiles(Chem.RemoveHs(to_mol(raw))) == "O.O"
    assert isomeric_smiles(to_mol(decode(atoms, bonds, np.eye(6, 3), VOCABULARY))) == "OOOO"


def test_a_ring_and_a_fragment_are_joined():
    """O3 and H2: valences right, and bonds enough for one molecule, yet they are two. HOOOH it must be."""
    atoms = np.zeros((5, len(VOCABULARY)))
    atoms[:3, 3] = atoms[3:, 0] = 1
    bonds = np.zeros((5, 5, 4))
    bonds[..., 0] = 1
    for i, j in [(0, 1), (1, 2), (0, 2), (3, 4)]:
        set_bond(bonds, i, j, {1: 0.9, 0: 0.1})
    for i, j in [(0, 3), (2, 4)]:
        set_bond(bonds, i, j, {1: 0.01, 0: 0.99})
    assert isomeric_smiles(to_mol(decode(atoms, bonds, np.eye(5, 3), VOCABULARY))) == "OOO"


def exhaustive(atoms, bonds, vocabulary):
    """Highest log-probability of any sound molecule, by trying all of them; None if there is none."""
    n, best = len(atoms), None
    pairs = list(zip(*np.triu_indices(n, 1), strict=True))
    for orders in product(range(4), repeat=len(pairs)):
        totals, linked = [0] * n, np.eye(n, dtype=bool)
        for (i, j), order in zip(pairs, orders, strict=True):
            totals[i] += order
            totals[j] += order
            linked[i, j] = linked[j, i] = order > 0
        if not np.linalg.matrix_power(linked.astype(int), n).all():
            continue
        log = sum(np.log(bonds[i, j, order]) for (i, j), order in zip(pairs, orders, strict=True))
        for i in range(n):
            log += max(
                (np.log(p) for p, pair in zip(atoms[i], vocabulary, strict=True) if totals[i] in VALENCES[pair]),
                default=-np.inf,
            )
        if log > -np.inf and (best is None or log > best):
            best = log
    return best


def log_probability(arrays, atoms, bonds, vocabulary):
    n = len(atoms)
    orders = np.zeros((n, n), int)
    orders[tuple(arrays.bonds.T)] = arrays.bond_orders
    pairs = zip(arrays.atomic_numbers.tolist(), arrays.formal_charges.tolist(), strict=True)
    log = sum(np.log(atoms[i, vocabulary.index(pair)]) for i, pair in enumerate(pairs))
    return log + sum(np.log(bonds[i, j, orders[i, j]]) for i, j in zip(*np.triu_indices(n, 1), strict=True))


@pytest.mark.parametrize(
    ("n", "spread", "seed"),
    [*((3, s, i) for s in (1, 4) for i in range(8)), *((4, s, i) for s in (1, 6) for i in range(3))],
)
def test_repair_is_optimal_against_exhaustive_search(n, spread, seed):
    """spread: of the logits. 1 is a network that knows nothing, 6 one that is sure and mostly wrong."""
    vocabulary = [(1, 0), (8, 0), (7, 0), (16, 0), (7, 1)]
    rng = np.random.default_rng(seed)
    atoms, bonds = rng.normal(0, spread, (n, len(vocabulary))), rng.normal(0, spread, (n, n, 4))
    atoms, bonds = np.exp(atoms), np.exp(bonds + bonds.transpose(1, 0, 2))
    atoms, bonds = atoms / atoms.sum(-1, keepdims=True), bonds / bonds.sum(-1, keepdims=True)
    best = exhaustive(atoms, bonds, vocabulary)
    molecule = decode(atoms, bonds, np.zeros((n, 3)), vocabulary)
    to_mol(molecule)  # sound
    assert log_probability(molecule, atoms, bonds, vocabulary) == pytest.approx(best, abs=1e-6)


def test_the_same_input_gives_the_same_molecule_even_if_nothing_is_certain():
    rng = np.random.default_rng(3)
    atoms, bonds = rng.dirichlet(np.ones(len(VOCABULARY)), 7), rng.dirichlet(np.ones(4), (7, 7))
    first = decode(atoms, bonds, np.zeros((7, 3)), VOCABULARY)
    to_mol(first)
    assert all(same(first, decode(atoms.copy(), bonds.copy(), np.zeros((7, 3)), VOCABULARY)) for _ in range(3))


def test_without_a_solution_the_argmax_is_returned():
    atoms = np.zeros((2, len(VOCABULARY)))
    atoms[0, 0] = atoms[1, 0] = 1
    bonds = np.full((2, 2, 4), [0, 0, 1, 0])  # a double bond between two hydrogens is all the network can imagine
    vocabulary = [(1, 0)]
    raw = decode(atoms[:, :1], bonds, np.zeros((2, 3)), vocabulary, repair=False)
    assert raw.bond_orders.tolist() == [2]
    lone = decode(np.ones((1, 1)), np.ones((1, 1, 4)) / 4, np.zeros((1, 3)), vocabulary)
    assert lone.atomic_numbers.tolist() == [1] and len(lone.bonds) == 0


def test_the_halves_of_the_bond_matrix_are_averaged_and_the_diagonal_is_ignored():
    bonds = np.zeros((2, 2, 4))
    bonds[0, 1], bonds[1, 0] = [0.6, 0.4, 0, 0], [0.1, 0.9, 0, 0]
    bonds[[0, 1], [0, 1]] = np.nan
    arrays = decode(np.ones((2, 1)), bonds, np.zeros((2, 3)), [(1, 0)], repair=False)
    assert (arrays.bonds.tolist(), arrays.bond_orders.tolist()) == ([[0, 1]], [1])


def test_bad_input_is_refused():
    atoms, bonds, positions = np.ones((2, 1)), np.ones((2, 2, 4)) / 4, np.zeros((2, 3))
    for bad in ((atoms[:1], bonds, positions), (atoms, bonds[..., :3], positions), (atoms, bonds, positions[:, :2])):
        with pytest.raises(ValueError, match="shapes"):
            decode(*bad, [(1, 0)])
    with pytest.raises(MoleculeError, match="non_finite"):
        decode(atoms * np.nan, bonds, positions, [(1, 0)])
    with pytest.raises(ValueError, match="negative"):
        decode(atoms, -bonds, positions, [(1, 0)])


HYPERVALENT_THIOLATES = {(16, -1), (34, -1)}  # RDKit admits three and five bonds on them; the decoder does not


@pytest.mark.parametrize(("element", "charge"), sorted(VALENCES))
def test_the_valence_table_agrees_with_rdkit(element, charge):
    """An atom with v hydrogens is accepted, without radicals and repairs, exactly for the listed v from 1 to 6."""
    accepted = []
    for v in range(1, 7):
        arrays = MoleculeArrays(
            atomic_numbers=np.array([element] + [1] * v, np.uint8),
            formal_charges=np.array([charge] + [0] * v, np.int8),
            positions=np.eye(v + 1, 3, dtype=np.float32),
            bonds=np.array([[0, i + 1] for i in range(v)]),
            bond_orders=np.ones(v, np.uint8),
        )
        try:
            to_mol(arrays)
        except MoleculeError:
            continue
        accepted.append(v)
    if (element, charge) in HYPERVALENT_THIOLATES:
        accepted = [v for v in accepted if v not in (3, 5)]
    assert tuple(accepted) == VALENCES[element, charge]


def test_neutral_repair_gives_the_charge_a_counterpart_or_takes_it_away(embed):
    """Glycine drawn as NH3+ with a neutral acid: sound by valence once O-H is counted, but charged."""
    arrays = from_mol(embed("[NH3+]CC(=O)O"))
    atoms, bonds = probabilities(arrays)
    charged = decode(atoms, bonds, arrays.positions, VOCABULARY)
    assert charged.formal_charges.sum() == 1
    neutral = decode(atoms, bonds, arrays.positions, VOCABULARY, charge=0)
    assert neutral.formal_charges.sum() == 0
    to_mol(neutral)
    assert isomeric_smiles(to_mol(neutral)).count(".") == 0


def test_neutral_changes_nothing_in_a_zwitterion(embed):
    arrays = from_mol(embed("[NH3+]CC(=O)[O-]"))
    assert same(decode(*probabilities(arrays), arrays.positions, VOCABULARY, charge=0), arrays)
