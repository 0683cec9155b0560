"""Probabilities of bonds, given that an atom gets some: against all outcomes, one by one."""

from itertools import product

import pytest
import torch

from molscore.model.required import at_least, with_bonds


def by_counting(p, k):
    total, each = 0.0, torch.zeros(len(p), dtype=torch.float64)
    for outcome in product((0, 1), repeat=len(p)):
        chosen = torch.tensor(outcome, dtype=torch.float64)
        weight = float(torch.where(chosen > 0, p, 1 - p).prod()) * (sum(outcome) >= k)
        total, each = total + weight, each + weight * chosen
    return each / total


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_they_are_those_of_all_outcomes(k):
    p = torch.tensor([[0.3, 0.02, 0.0, 0.7, 0.15], [0.01, 0.002, 0.03, 0.001, 0.0]], dtype=torch.float64)
    found = at_least(p, torch.full((2,), k))
    for row, own in zip(found, p, strict=True):
        torch.testing.assert_close(row, by_counting(own, k), rtol=1e-8, atol=0)


def test_some_bond_is_made_where_none_was_likely():
    p = torch.tensor([[1e-9, 1e-12, 0.0]])
    found = at_least(p, torch.tensor([1]))
    assert found[0, 2] == 0 and found.sum() > 0.99


@pytest.mark.parametrize("least", [1, 2])
def test_logits_change_for_the_atoms_that_need_bonds_alone(least):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 5, 4, generator=generator)
    logits = logits + logits.transpose(1, 2)
    needs = torch.zeros(2, 5, dtype=torch.int64)
    needs[1, 0] = least
    made = torch.tensor([[False, False, True, True, True]] * 2)
    new = with_bonds(logits, needs, made)
    torch.testing.assert_close(new, new.transpose(1, 2))
    same = torch.ones(2, 5, 5, dtype=torch.bool)
    same[1, 0, 2:] = same[1, 2:, 0] = False
    torch.testing.assert_close(new.softmax(-1)[same], logits.softmax(-1)[same])
    before, after = (1 - y[1, 0, 2:].softmax(-1)[:, 0] for y in (logits, new))
    torch.testing.assert_close(after.double(), by_counting(before.double(), least), rtol=1e-4, atol=1e-6)
    shares = [y[1, 0, 2:, 1:].softmax(-1) for y in (logits, new)]
    torch.testing.assert_close(*shares)


def test_no_more_bonds_are_asked_for_than_there_are_atoms():
    logits = torch.zeros(1, 2, 2, 4)
    new = with_bonds(logits, torch.tensor([[3, 0]]), torch.tensor([[False, True]]))
    assert new[0, 0, 1].softmax(-1)[0] < 1e-3
