"""Operations are counted whole, and the profile of an evaluation adds up."""

import re

import bench
import profile_network
import pytest
import torch

from molscore.network.linear import LARGE, linear


@torch.no_grad()
@pytest.mark.parametrize("rows", [4, 800])
def test_operations_are_counted_whichever_library_computes(rows):
    x, weight = torch.ones(rows, 2, 40), torch.ones(48, 40)
    assert (x.numel() * len(weight) >= LARGE) == (rows == 800)
    assert bench.operations(lambda: linear(x, weight)) == 2 * rows * 2 * 40 * 48


@pytest.mark.parametrize("model", ["druglike", "conformers"])
def test_profile_of_the_network(command, capsys, model):
    command(profile_network, "--model", model, "--molecules", 2, "--repeats", 2)
    text = capsys.readouterr().out
    assert re.search(r"evaluation +0\.\d+ GFLOP, \d+ MB, \d{3,4} calls", text)
    assert re.search(r"share +\d+% of the matrix rate", text)
    assert "network/layer.py" in text
