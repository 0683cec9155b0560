"""Several processes take the steps of one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from molscore.datasets.batch import MoleculeStore, vocabulary_of
from molscore.datasets.tensorfile import read_tensorfile
from molscore.model import load
from molscore.model.diffusion import MoleculeDiffusion
from molscore.train.loop import train
from molscore.train.processes import TrainingError, count, train_together
from molscore.train.sharing import cost, owners

TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ACCELERATE = [
    *("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no"),
]
"""On CPUs too the launcher of several processes is called ``--multi_gpu``; ``--cpu`` starts one."""


def launch(launcher, config) -> str:
    """Runs ``molscore.train`` in two processes; returns what they printed."""
    path = config.out.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(config.model_dump(mode="json") | {"steps": 1}))
    words = [*launcher, "-m", "molscore.train", str(path), f"steps={config.steps}", "--quiet"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    if not launcher:
        words = ["molscore", "train", str(path), f"steps={config.steps}", "--quiet", "--workers", "2"]
    process = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, env=environment, timeout=900
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def lines(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def assert_same_curve(ours, theirs):
    ours, theirs = lines(ours), lines(theirs)
    assert [x["step"] for x in ours] == [x["step"] for x in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert a["molecules"] == b["molecules"]
        a, b = a.get("valid", a), b.get("valid", b)
        for name in ("loss", "positions", "atoms", "bonds"):
            assert a[name] == pytest.approx(b[name], rel=1e-4), (a, b)


@pytest.mark.parametrize(
    "launcher",
    [[], pytest.param(TORCHRUN, marks=pytest.mark.slow), pytest.param(ACCELERATE, marks=pytest.mark.slow)],
    ids=["workers", "torchrun", "accelerate"],
)
def test_two_processes_take_the_steps_of_one(tiny, tmp_path, launcher):
    """Same losses for twenty steps. One batch of each epoch is a single molecule: the second process has none.

    With AdamW alone: Muon orthogonalises in bfloat16, which magnifies the rounding of gradients added in another order.
    """
    changes = {"steps": 20, "checkpoint_every": 10, "pair_budget": 200, "matrix_rate": 0.0}
    alone, shared = (tiny(tmp_path / name, **changes) for name in ("one", "two"))
    printed = launch(launcher, shared)
    train(alone, quiet=True)
    assert_same_curve(shared.out, alone.out)
    assert 1 in np.diff([x["molecules"] for x in lines(alone.out) if "loss" in x])
    assert printed.split() == [str(shared.out / "model.safetensors")]
    assert load(shared.out / "model.safetensors").record["hardware"].endswith("2 x 1 threads")


def test_matrices_are_shared(tiny, tmp_path):
    """Each process orthogonalises some of them; weights and momenta are those of one process, and it can go on."""
    alone, shared = (tiny(tmp_path / name, steps=1, pair_budget=2_000) for name in ("one", "two"))
    launch([], shared)
    train(alone, quiet=True)
    ours, theirs = (torch.load(config.out / "checkpoint.pt", weights_only=True) for config in (shared, alone))
    momenta, expected = (x["optimisers"][1]["state"] for x in (ours, theirs))
    assert len(expected) > 10 and momenta.keys() == expected.keys()
    for k, state in expected.items():
        torch.testing.assert_close(momenta[k]["momentum_buffer"], state["momentum_buffer"], rtol=1e-3, atol=1e-6)
    for name, weights in theirs["model"].items():
        torch.testing.assert_close(ours["model"][name], weights, rtol=0, atol=0.1 * shared.matrix_rate)
    train(shared.model_copy(update={"steps": 2}), quiet=True, resume=True)
    assert [x["step"] for x in lines(shared.out) if "valid" in x] == [1, 2]


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_matrices_are_shared_evenly(world):
    shapes = [(16, 16), (64, 128), (32, 50), (128, 128), (128, 160), (256, 144), (144, 256)] * 5
    load = np.bincount(owners(shapes, world), weights=[cost(shape) for shape in shapes], minlength=world)
    assert load.max() < 1.15 * load.mean()


def test_an_error_of_one_process_is_that_of_the_run(tiny, tmp_path):
    config = tiny(tmp_path / "run", steps=2)
    config = config.model_copy(update={"data": tmp_path / "none.safetensors"})
    with pytest.raises(TrainingError, match="none.safetensors"):
        train_together(config, 2, quiet=True)


def test_as_many_processes_as_have_enough_to_do(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("molscore.workers.cores.available", lambda: 8)
    for budget, number in ((200, 1), (16_000, 2), (40_000, 5), (10_000_000, 8)):
        assert count("auto", tiny(tmp_path / "run", pair_budget=budget)) == number
    assert count(3, tiny(tmp_path / "run", pair_budget=200)) == 3


@pytest.mark.slow
def test_two_processes_stop_together(tiny, tmp_path):
    """The time of one of them decides, at a line of the log; and one process can resume what two began."""
    shared, alone = (
        tiny(tmp_path / name, steps=8, log_every=2, matrix_rate=0.0, max_seconds=1e-9) for name in ("two", "one")
    )
    launch(TORCHRUN, shared)
    assert lines(shared.out)[-1]["step"] == 2
    shared, alone = (config.model_copy(update={"max_seconds": 0.0}) for config in (shared, alone))
    train(shared, quiet=True, resume=True)
    train(alone, quiet=True)
    assert [x["step"] for x in lines(shared.out) if "loss" in x] == [2, 4, 6, 8]
    assert lines(shared.out)[-1]["valid"]["loss"] == pytest.approx(lines(alone.out)[-1]["valid"]["loss"], rel=1e-4)


@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_parts_of_a_loss_add_up(tiny, tensorfile, world, conditioned):
    """Values and gradients of the parts sum to those of the whole: same times, same noise, same normalisation."""
    file = read_tensorfile(tensorfile)
    torch.manual_seed(0)
    model = MoleculeDiffusion(tiny(tensorfile).model, vocabulary_of(file), [0, 1]).double()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    store = MoleculeStore(file, "train", model.vocabulary)
    batch = store.gather(store.sizes.argsort()[:7])

    def loss(rows: slice) -> dict[str, torch.Tensor]:
        return model.loss(batch, torch.Generator().manual_seed(3), rows, conditioned)

    whole, parts = loss(slice(None)), [loss(slice(rank, None, world)) for rank in range(world)]
    for name, value in whole.items():
        torch.testing.assert_close(sum(part[name] for part in parts), value)
    weights = list(model.parameters())
    ours = torch.autograd.grad(sum(part["loss"] for part in parts), weights, allow_unused=True)
    for a, b in zip(ours, torch.autograd.grad(whole["loss"], weights, allow_unused=True), strict=True):
        torch.testing.assert_close(a, b)
