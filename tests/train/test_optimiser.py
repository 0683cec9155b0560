"""Muon with the matrices of a shape in one stack: PyTorch's own steps."""

import pytest
import torch
from torch import nn, optim

from molscore.train.optimiser import Muon, orthogonal

SHAPES = [(16, 16), (16, 16), (8, 16), (16, 8), (64, 128), (128, 64), (32, 50)]


def test_steps_are_those_of_pytorch():
    """bfloat16 rounds products of stacks and of single matrices alike but for the order of their sums."""
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in SHAPES]
    own, other = ([nn.Parameter(x.clone()) for x in start] for _ in range(2))
    settings = {"lr": 0.02, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
    pair = Muon(own, **settings), optim.Muon(other, **settings)
    for _ in range(4):
        for p, q in zip(own, other, strict=True):
            p.grad = torch.randn(p.shape, generator=generator)
            q.grad = p.grad.clone()
        own[3].grad = other[3].grad = None  # a matrix without a gradient stays
        for optimiser in pair:
            optimiser.step()
    assert torch.equal(own[3], start[3])
    for p, q, x in zip(own, other, start, strict=True):
        if p is not own[3]:
            change, wanted = (p - x).detach(), (q - x).detach()
            assert float((change - wanted).norm() / wanted.norm()) < 0.02
    for optimiser in pair:
        assert all(set(state) == {"momentum_buffer"} for state in optimiser.state.values())
    pair[0].load_state_dict(pair[1].state_dict())  # checkpoints are the same


def test_singular_values_come_near_one():
    x = orthogonal(
        torch.randn(3, 20, 40, generator=torch.Generator().manual_seed(1)), (3.4445, -4.775, 2.0315), 5, 1e-7
    )
    values = torch.linalg.svdvals(x.float())
    assert values.min() > 0.6 and values.max() < 1.3


def test_a_closure_is_refused():
    with pytest.raises(ValueError, match="no closure"):
        Muon([nn.Parameter(torch.eye(2))]).step(lambda: 0.0)
