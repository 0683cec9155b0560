"""The same code on a GPU, and without RDKit, which a machine that only trains may lack."""

import numpy as np
import pytest
import torch

from molscore.datasets.layout import LAYOUT
from molscore.datasets.tensorfile import write_tensorfile
from molscore.model import load
from molscore.model.sampling import sample_molecules
from molscore.train.loop import train

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

TASKS = {
    "graph_conditioned": 0.2,
    "tasks": {"pieces": 0.3, "scaffolds": 0.2, "cores": 0.1, "shapes": 0.1},
    "walks": 2,
    "network": {"irreps": "16x0e + 8x1o", "pair_channels": 8, "layers": 1, "heads": 4, "stereo": True},
}


@pytest.fixture(scope="module")
def zigzags(tmp_path_factory):
    """36 chains of 3 to 8 carbon atoms, 1.5 Å apart: 24 to train on, 9 to validate, 3 to test."""
    sizes = np.tile(np.arange(3, 9), 6)
    places = np.concatenate([np.arange(n) for n in sizes])
    arrays = {
        "n_atoms": sizes,
        "n_bonds": sizes - 1,
        "atomic_numbers": np.full(len(places), 6),
        "formal_charges": np.zeros(len(places)),
        "positions": np.stack([1240 * places, 850 * (places % 2), 0 * places], axis=1),
        "bonds": np.concatenate([[(k, k + 1) for k in range(n - 1)] for n in sizes]),
        "bond_orders": np.ones((sizes - 1).sum()),
        "n_stereo": 0 * sizes,
        "stereo": np.zeros((0, 5)),
        "split": np.repeat([0, 1, 2], [24, 9, 3]),
        "index": np.arange(36),
    }
    path = tmp_path_factory.mktemp("data") / "zigzags.safetensors"
    write_tensorfile(path, {name: arrays[name].astype(dtype) for name, (dtype, _) in LAYOUT.items()}, {})
    return path


@pytest.mark.parametrize(
    "changes",
    [{}, {"mixed_precision": "bf16"}, {"model": TASKS}, pytest.param({"compile": True}, marks=pytest.mark.slow)],
    ids=["float32", "bf16", "tasks", "compiled"],
)
def test_training_and_sampling(tiny_of, zigzags, tmp_path, changes):
    """Trains, goes on, and draws on the GPU the molecules that the CPU draws."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)  # a process has one precision; this one tests several
    config = tiny_of(zigzags, tmp_path / "run", steps=5, **changes)
    train(config, quiet=True)
    path = train(config.model_copy(update={"steps": 10}), resume=True, quiet=True)
    AcceleratorState._reset_state(reset_partial_state=True)

    def draw(device: str):
        model = load(path, device)
        assert model.record["step"] == 10 and "CPU" not in model.record["hardware"]
        return sample_molecules(model, [5, 3], [np.random.default_rng(k) for k in range(2)], steps=5)

    for a, b in zip(draw("cuda"), draw("cpu"), strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-2)
