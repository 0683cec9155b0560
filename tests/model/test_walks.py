"""Walks on graphs whose walks can be counted by hand."""

import pytest
import torch

from molscore.model.walks import walk_features


def graph(n: int, bonds: list[tuple[int, int]], padded: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities of one and zero, and the pair mask."""
    size = n + padded
    p = torch.zeros(1, size, size, 4)
    p[..., 0] = 1
    for i, j in bonds:
        p[0, i, j] = p[0, j, i] = torch.tensor([0.0, 0.5, 0.3, 0.2])
    mask = torch.zeros(1, size, size, dtype=torch.bool)
    mask[:, :n, :n] = ~torch.eye(n, dtype=torch.bool)
    return p, mask


def counts(n, bonds, kinds, padded=0):
    atoms, pairs = walk_features(*graph(n, bonds, padded), kinds)
    return atoms[0].expm1(), pairs[0].expm1()


def test_a_chain_has_no_even_walks_between_neighbours():
    _, pairs = counts(4, [(0, 1), (1, 2), (2, 3)], 5)
    for k, length in enumerate(range(2, 7)):
        assert (pairs[1, 2, k] == 0) == (length % 2 == 0)
    assert pairs[0, 2, 0] == pytest.approx(1) and pairs[0, 3, 1] == pytest.approx(1)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_an_odd_ring_shows_as_even_walks_between_neighbours(size):
    """The way round has size - 1 bonds: the first even walk between two bonded atoms, and there is one."""
    ring = [(i, (i + 1) % size) for i in range(size)]
    atoms, pairs = counts(size, ring, 6)
    even = [pairs[0, 1, k].item() for k in range(0, 6, 2)]  # lengths 2, 4, 6
    first = (size - 1) // 2 - 1
    assert even[first] == pytest.approx(1, rel=1e-5) and not any(even[:first])
    assert atoms[0, 0] == pytest.approx(2, rel=1e-5)  # to a neighbour and back


def test_numbers_are_those_of_matrix_powers_and_padding_is_empty():
    bonds = [(0, 1), (1, 2), (2, 0), (2, 3)]
    a = torch.zeros(4, 4)
    for i, j in bonds:
        a[i, j] = a[j, i] = 1
    atoms, pairs = counts(4, bonds, 3, padded=2)
    for k in range(3):
        power = torch.linalg.matrix_power(a, k + 2)
        torch.testing.assert_close(atoms[:4, k], power.diag(), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(pairs[:4, :4, k], power - power.diag().diag(), rtol=1e-5, atol=1e-5)
    assert not atoms[4:].any() and not pairs[4:].any() and not pairs[:, 4:].any()
