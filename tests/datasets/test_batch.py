"""Padded batches hold the molecules of the file; every epoch holds every molecule once."""

from itertools import islice

import numpy as np
import pytest
import torch

from molscore.chem.perceive import perceive
from molscore.datasets.batch import MoleculeStore, batches_from, bucketed_order, vocabulary_of
from molscore.datasets.tensorfile import pack, read_tensorfile, write_tensorfile

SPLIT = np.array([0, 1, 0, 0, 2, 0, 0, 0, 1, 0])


@pytest.fixture(scope="module")
def file(molecules, tmp_path_factory):
    path = tmp_path_factory.mktemp("batch") / "a.safetensors"
    parsed = [perceive(numbers, positions, smiles)[0] for smiles, numbers, positions in molecules]
    write_tensorfile(path, pack(parsed, SPLIT, np.arange(len(parsed))), {})
    return read_tensorfile(path)


def assert_holds(batch, row, molecule, vocabulary):
    """One row of a batch is one molecule of the file."""
    n = len(molecule.atomic_numbers)
    assert batch.mask[row].tolist() == [k < n for k in range(batch.mask.shape[1])]
    np.testing.assert_allclose(batch.positions[row, :n], molecule.positions, atol=1e-6)
    assert (batch.positions[row, n:] == 0).all()
    classes = [vocabulary[k] for k in batch.atoms[row, :n]]
    assert classes == list(zip(molecule.atomic_numbers, molecule.formal_charges, strict=True))
    bonds = np.zeros(batch.bonds.shape[1:], dtype=int)
    for (i, j), order in zip(molecule.bonds, molecule.bond_orders, strict=True):
        bonds[i, j] = bonds[j, i] = order
    np.testing.assert_array_equal(batch.bonds[row], bonds)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_gathered_molecules_are_those_of_the_file(file, split):
    vocabulary = vocabulary_of(file)
    store, numbers = MoleculeStore(file, split, vocabulary), file.indices(split)
    assert len(store) == len(numbers)
    chosen = np.random.default_rng(0).permutation(len(numbers))
    batch = store.gather(chosen)
    n = int(store.sizes.max())
    assert batch.positions.shape == (len(chosen), n, 3) and batch.bonds.shape == (len(chosen), n, n)
    assert [x.dtype for x in batch] == [torch.float32, torch.int64, torch.int64, torch.bool, torch.int64]
    for row, k in enumerate(chosen):
        assert_holds(batch, row, file.molecule(numbers[k]), vocabulary)
    for k, number in enumerate(numbers):
        alone = store.gather(np.array([k]))
        assert alone.mask.all()
        assert_holds(alone, 0, file.molecule(number), vocabulary)


def test_charged_atoms_have_classes_of_their_own(file):
    vocabulary = vocabulary_of(file)
    assert vocabulary == [(1, 0), (6, 0), (7, 0), (7, 1), (8, -1), (8, 0), (9, 0)]
    batch = MoleculeStore(file, "test", vocabulary).gather(np.array([0]))  # the zwitterion of glycine
    assert {(7, 1), (8, -1)} <= {vocabulary[k] for k in batch.atoms[0]}


def test_atoms_without_bonds(file, tmp_path):
    neon = type(file.molecule(0))(
        np.array([10]), np.array([0]), np.zeros((1, 3)), np.zeros((0, 2), dtype=int), np.zeros(0)
    )
    path = tmp_path / "a.safetensors"
    write_tensorfile(path, pack([neon, neon, file.molecule(0)], np.zeros(3), np.arange(3)), {})
    data = read_tensorfile(path)
    store = MoleculeStore(data, "train", vocabulary_of(data))
    assert (store.gather(np.array([0, 1])).bonds == 0).all()
    mixed = store.gather(np.array([1, 2, 0]))
    for row, k in enumerate((1, 2, 0)):
        assert_holds(mixed, row, data.molecule(k), vocabulary_of(data))


def test_errors(file, tmp_path):
    vocabulary = vocabulary_of(file)
    with pytest.raises(ValueError, match=r"\(8, -1\) is not in the vocabulary"):
        MoleculeStore(file, "train", [pair for pair in vocabulary if pair != (8, -1)])
    with pytest.raises(ValueError, match="split 'validation'"):
        MoleculeStore(file, "validation", vocabulary)
    path = tmp_path / "a.safetensors"
    write_tensorfile(path, file.arrays | {"split": np.zeros(len(file), np.uint8)}, {})
    with pytest.raises(ValueError, match="no molecules in the split 'valid'"):
        MoleculeStore(read_tensorfile(path), "valid", vocabulary)


SIZES = np.random.default_rng(0).integers(1, 30, 500)
BUDGET = 3000


def test_an_epoch_holds_each_molecule_once():
    order = bucketed_order(SIZES, BUDGET, seed=1, epoch=2)
    assert sorted(np.concatenate(order)) == list(range(len(SIZES)))


def test_batches_keep_to_the_budget_and_use_it():
    order = bucketed_order(SIZES, BUDGET, seed=1, epoch=2)
    cost = np.array([len(b) * SIZES[b].max() ** 2 for b in order])
    assert cost.max() <= BUDGET
    assert np.median(cost) > 0.8 * BUDGET
    padding = sum(cost) / sum((SIZES[b] ** 2).sum() for b in order)
    assert padding < 1.3, "molecules of like size belong together"


def test_a_molecule_beyond_the_budget_is_a_batch_of_its_own():
    order = bucketed_order(np.array([3, 60, 3]), BUDGET, seed=0, epoch=0)
    assert sorted(map(sorted, order)) == [[0, 2], [1]]


def test_order_is_fixed_by_seed_and_epoch():
    def order(seed, epoch):
        return [b.tolist() for b in bucketed_order(SIZES, BUDGET, seed, epoch)]

    assert order(1, 2) == order(1, 2)
    others = [order(1, 3), order(2, 2), order(2, 1)]
    for other in others:
        assert other != order(1, 2)
        assert {tuple(sorted(b)) for b in other} != {tuple(sorted(b)) for b in order(1, 2)}, "new companions each epoch"
    largest = [max(SIZES[b]) for b in map(np.array, order(1, 2))]
    assert largest != sorted(largest) and largest != sorted(largest, reverse=True)


def first(count, start, seed=4):
    return [b.tolist() for b in islice(batches_from(SIZES, BUDGET, seed, start), count)]


def test_a_resumed_run_goes_on_where_it_stopped():
    """Over the ends of several epochs, which differ in their number of batches at most."""
    epochs = [bucketed_order(SIZES, BUDGET, 4, k) for k in range(4)]
    length = len(epochs[0])
    everything = [b.tolist() for epoch in epochs for b in epoch][: 3 * length]
    assert first(3 * length, 0) == everything
    for start in (1, length - 1, length, 2 * length + 3):
        assert first(3 * length - start, start) == everything[start:]
