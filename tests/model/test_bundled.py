"""What the bundled weights say of one random state, as they said it before the network embedded times of atoms.

The numbers were computed with the network of version 0.1.0, which saw one time of a molecule's positions and one of its
graph; the weights of an atom's own times begin with zero, so that nothing may change.
"""

import numpy as np
import pytest
import torch

from molscore.model import load
from molscore.model.state import MoleculeState, Times
from molscore.pretrained import find

EXPECTED = {
    "qm9": {
        "positions": [-0.620674, -1.199844, -0.05921, 0.466051, 0.92799, 0.182647, -0.280866, -0.469873, 0.188349],
        "atoms": [-1.011949, -5.240796, 1.76586, -7.745095, 0.550746, -5.23239],
        "bonds": [-1.25625, 0.835959, 0.208262, -0.045495],
    },
    "conformers": {
        "positions": [-0.023188, -0.724754, 0.146527, 1.046566, 0.708939, 0.363194, -0.239762, -0.258376, 0.39275],
        "atoms": [-6.060764, -4.910213, 1.842093, 1.619259, 1.612769, -0.998756],
        "bonds": [1.541027, -0.284808, -1.534414, -6.312063],
    },
}
"""Of the second of two predictions: positions of three atoms, logits of an atom and of a bond."""


@torch.no_grad()
@pytest.mark.parametrize("name", EXPECTED)
def test_they_say_what_they_said(name):
    model, random, n = load(find(name)), np.random.default_rng(5), 7
    x, a, e = (
        torch.tensor(random.standard_normal((1, *shape)), dtype=torch.float32)
        for shape in ((n, 3), (n, len(model.vocabulary)), (n, n, 4))
    )
    e = torch.triu(e.permute(0, 3, 1, 2), 1).permute(0, 2, 3, 1)
    state = MoleculeState(x - x.mean(1, keepdim=True), a, e + e.transpose(1, 2))
    mask, times = torch.ones(1, n, dtype=torch.bool), Times.uniform(torch.tensor([0.3]), torch.tensor([0.55]), n)
    prediction = model.predict(state, times, mask, model.predict(state, times, mask))
    parts = prediction.positions[0, :3].flatten(), prediction.atom_logits[0, 2, :6], prediction.bond_logits[0, 1, 4]
    for part, expected in zip(parts, EXPECTED[name].values(), strict=True):
        torch.testing.assert_close(part, torch.tensor(expected), rtol=0, atol=1e-5)
