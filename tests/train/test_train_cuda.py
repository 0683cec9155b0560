"""The same code on a GPU."""

import numpy as np
import pytest
import torch

from molscore.model import load, sample
from molscore.train.loop import train

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]


@pytest.mark.parametrize(
    "changes",
    [{}, {"mixed_precision": "bf16"}, pytest.param({"compile": True}, marks=pytest.mark.slow)],
    ids=["float32", "bf16", "compiled"],
)
def test_training_and_sampling(tiny, tmp_path, monkeypatch, changes):
    """Trains, goes on, and draws on the GPU the molecules that the CPU draws."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)  # a process has one precision; this one tests several
    config = tiny(tmp_path / "run", steps=5, **changes)
    train(config, quiet=True)
    path = train(config.model_copy(update={"steps": 10}), resume=True, quiet=True)
    AcceleratorState._reset_state(reset_partial_state=True)

    def draw(device: str):
        model = load(path, device)
        assert model.record["step"] == 10 and "CPU" not in model.record["hardware"]
        return sample(model, [5, 3], [np.random.default_rng(k) for k in range(2)], steps=5)

    for a, b in zip(draw("cuda"), draw("cpu"), strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-2)
