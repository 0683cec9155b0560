"""Training: it learns, it goes on where it was killed, it leaves a model and its record."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from molscore.datasets.batch import MoleculeStore, vocabulary_of
from molscore.datasets.tensorfile import read_tensorfile
from molscore.files.lock import BusyError, locked
from molscore.model import load
from molscore.model.diffusion import MoleculeDiffusion
from molscore.train.config import ConfigError, load_config
from molscore.train.loop import schedule, train, validate
from molscore.train.optimiser import hidden_matrices, make_optimisers
from molscore.train.record import describe


def lines(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def checkpoint(out):
    return torch.load(out / "checkpoint.pt", weights_only=True)


def assert_same_state(a, b):
    """Two checkpoints agree in every weight, average and moment, to the last bit."""
    assert a["step"] == b["step"] and a["molecules"] == b["molecules"]
    for part in ("model", "average"):
        assert a[part].keys() == b[part].keys()
        for name in a[part]:
            assert torch.equal(a[part][name], b[part][name]), name
    moments_of = [[(k, m) for state in x["optimisers"] for k, m in state["state"].items()] for x in (a, b)]
    for (key, moments), (other, theirs) in zip(*moments_of, strict=True):
        assert key == other
        for name, value in moments.items():
            assert torch.equal(value, theirs[name]), (key, name)


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    """Ten steps without interruption."""
    out = tmp_path_factory.mktemp("runs") / "straight"
    train(tiny(out), quiet=True)
    return out


def test_the_loss_goes_down(tiny, tmp_path, tensorfile):
    config = tiny(tmp_path / "run", steps=100, checkpoint_every=100, valid_batches=8)
    path = train(config, quiet=True)
    file = read_tensorfile(tensorfile)
    vocabulary = vocabulary_of(file)
    store = MoleculeStore(file, "train", vocabulary)
    torch.manual_seed(config.seed)
    fresh = MoleculeDiffusion(config.model, vocabulary, [0, 1])
    before, after = validate(fresh, store, config), validate(load(path), store, config)
    for part, factor in {"positions": 0.92, "atoms": 0.85, "bonds": 0.75}.items():
        assert after[part] < factor * before[part], (part, before, after)


def test_a_resumed_run_is_the_uninterrupted_one(run, tiny, tmp_path):
    """Same molecules, times and noise, same weights, averages and moments."""
    out = tmp_path / "run"
    train(tiny(out, steps=5), quiet=True)
    assert checkpoint(out)["step"] == 5
    train(tiny(out), resume=True, quiet=True)
    assert_same_state(checkpoint(out), checkpoint(run))
    timeless = [
        [{k: v for k, v in line.items() if "second" not in k} for line in lines(folder)] for folder in (out, run)
    ]
    assert timeless[0] == timeless[1]


def test_a_run_stopped_by_the_clock_goes_on(run, tiny, tmp_path):
    """Each of these stops after one step, with a checkpoint."""
    out = tmp_path / "run"
    for step in range(2):
        train(tiny(out, max_seconds=1e-9), resume=step > 0, quiet=True)
        assert checkpoint(out)["step"] == step + 1
    train(tiny(out), resume=True, quiet=True)
    assert_same_state(checkpoint(out), checkpoint(run))


KILLED = """
import sys
from pathlib import Path
sys.modules["rdkit"] = None  # from here on, importing it fails
from molscore.train.config import load_config
from molscore.train.loop import train
train(load_config(Path(sys.argv[1])), quiet=True)
"""


def test_a_killed_run_goes_on_and_needed_no_rdkit(tiny, tmp_path):
    """A process in which RDKit cannot be imported trains until it is killed without warning."""
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    config = tiny(killed, steps=100_000, checkpoint_every=2)
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stderr=subprocess.PIPE, text=True)
    try:
        while not (killed / "checkpoint.pt").exists() and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    step = checkpoint(killed)["step"]
    assert step >= 2 and load_config(killed / "config.yaml") == config
    train(tiny(killed, steps=step + 2), resume=True, quiet=True)
    train(tiny(straight, steps=step + 2), quiet=True)
    assert_same_state(checkpoint(killed), checkpoint(straight))


def test_another_seed_is_another_run(run, tiny, tmp_path):
    out = tmp_path / "run"
    train(tiny(out, seed=1, steps=2), quiet=True)
    assert lines(out)[0]["loss"] != lines(run)[0]["loss"]


def test_log(run):
    logged = lines(run)
    steps, valid = [x for x in logged if "loss" in x], [x for x in logged if "valid" in x]
    assert [x["step"] for x in steps] == list(range(1, 11))
    assert [x["step"] for x in valid] == [5, 10]
    for line in steps:
        numbers = {"learning_rate", "loss", "positions", "atoms", "bonds", "gradient_norm", "molecules", "seconds"}
        assert numbers <= line.keys() and all(np.isfinite(line[name]) for name in numbers)
    assert sorted(x["seconds"] for x in steps) == [x["seconds"] for x in steps]
    for line in valid:
        assert line["valid"].keys() == {"loss", "positions", "atoms", "bonds"}


def test_curves_are_a_picture(run):
    with Image.open(run / "curves.png") as image:
        assert image.format == "PNG" and min(image.size) > 200
        assert np.asarray(image.convert("L")).std() > 5


def test_the_model_and_its_record(run, tiny, tensorfile):
    model = load(run / "model.safetensors")
    record = model.record
    assert record["step"] == 10 and record["molecules"] == checkpoint(run)["molecules"] > 10
    assert record["seconds"] > 0 and "CPU" in record["hardware"]
    assert record["valid"] == [x for x in lines(run) if "valid" in x][-1]["valid"]
    assert record["config"]["learning_rate"] == 5e-3 and record["config"]["model"]["network"]["layers"] == 1
    assert record["config"]["data"] == tensorfile.name, "a model tells nothing of the folders it was made in"
    assert "10 steps" in describe(record) and record["hardware"] in describe(record)
    file = read_tensorfile(tensorfile)
    assert model.vocabulary == vocabulary_of(file)
    sizes = file.arrays["n_atoms"][file.indices("train")]
    np.testing.assert_allclose(model.size_probabilities, np.bincount(sizes) / len(sizes), rtol=1e-6)
    average = checkpoint(run)["average"]
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, average[f"module.network.{name}"])
        assert name.endswith("norm.bias") or not tensor.numel() or tensor.isfinite().all()
    assert load_config(run / "config.yaml") == tiny(run)


def test_averaged_weights_lag_behind(run):
    state = checkpoint(run)
    name = "network.embed_atoms.weight"
    assert not torch.equal(state["model"][name], state["average"][f"module.{name}"])


def test_a_run_is_not_overwritten(run, tiny, tmp_path):
    before = (run / "checkpoint.pt").read_bytes()
    with pytest.raises(ConfigError, match="already holds a run.*--resume"):
        train(tiny(run), quiet=True)
    assert (run / "checkpoint.pt").read_bytes() == before
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(tiny(tmp_path / "none"), resume=True, quiet=True)
    assert not (tmp_path / "none").exists()


def test_one_process_at_a_time_trains_in_a_folder(tiny, tmp_path):
    config = tiny(tmp_path / "run")
    config.out.mkdir()
    with locked(config.out / "run"), pytest.raises(BusyError, match="another run"):
        train(config, quiet=True)
    assert list(config.out.iterdir()) == []


def test_a_finished_run_stays_as_it_is(run, tiny):
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    assert train(tiny(run), resume=True, quiet=True) == run / "model.safetensors"
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "another model"])
def test_a_checkpoint_that_does_not_fit(run, tiny, tmp_path, damage):
    out = tmp_path / "run"
    out.mkdir()
    whole = (run / "checkpoint.pt").read_bytes()
    content = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"no checkpoint", "another model": whole}[damage]
    (out / "checkpoint.pt").write_bytes(content)
    model = {"network": {"irreps": "8x0e + 8x1o", "layers": 1}} if damage == "another model" else tiny(out).model
    with pytest.raises(ConfigError, match="cannot go on from .*checkpoint.pt"):
        train(tiny(out, model=model), resume=True, quiet=True)
    assert (out / "checkpoint.pt").read_bytes() == content


def test_missing_data(tiny, tmp_path):
    with pytest.raises(FileNotFoundError, match="molscore data"):
        train(tiny(tmp_path / "run", data=tmp_path / "none.safetensors"), quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_loss_beyond_numbers_stops_the_run(tiny, tmp_path):
    """... and the last sound checkpoint stays."""
    config = tiny(tmp_path / "run", steps=50, checkpoint_every=1)
    train(config.model_copy(update={"steps": 1}), quiet=True)
    before = (config.out / "model.safetensors").read_bytes()
    wild = config.model_copy(update={"learning_rate": 1e30, "checkpoint_every": 50})
    with pytest.raises(FloatingPointError, match="not finite at step"):
        train(wild, resume=True, quiet=True)
    assert checkpoint(config.out)["step"] == 1
    assert (config.out / "model.safetensors").read_bytes() == before


def test_schedule(tiny, tmp_path):
    config = tiny(tmp_path, steps=100, warmup_steps=10, decay_steps=20)
    shares = [schedule(config, step) for step in range(100)]
    np.testing.assert_allclose(shares[:10], np.arange(1, 11) / 10)
    assert shares[10:80] == [1.0] * 70
    np.testing.assert_allclose(shares[80:], np.arange(20, 0, -1) / 20)
    assert schedule(config, 100) == 0
    constant = tiny(tmp_path, steps=100, warmup_steps=0)
    assert {schedule(constant, step) for step in range(100)} == {1.0}


def test_each_parameter_has_one_optimiser(run, tiny):
    """Muon has the matrices between hidden features and nothing else; AdamW the rest."""
    config = tiny(run)
    model = MoleculeDiffusion(config.model, [(1, 0)], [0, 1])
    groups = [group for optimiser in make_optimisers(model, 1e-3, 2e-3, 0.1) for group in optimiser.param_groups]
    listed = [id(p) for group in groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())
    assert [(group["peak"], group["weight_decay"]) for group in groups] == [(1e-3, 0.1), (2e-3, 0.1)]
    names = {id(p): name for name, p in model.named_parameters()}
    muon = {names[id(p)] for p in groups[1]["params"]}
    assert {name for name in muon if ".layers.0." in name} == {
        f"network.layers.0.{name}"
        for name in (
            *("ends.weight", "pair.weight", "logits.weight", "pair_update.weight", "vector.weights.0"),
            *(f"{kind}.weights.{k}" for kind in ("value", "out") for k in (0, 1)),
            *(f"update.{kind}.weights.0" for kind in ("left", "right", "mix")),
            *("update.mlp.0.weight", "update.mlp.2.weight"),
        )
    }
    assert all(".layers." in name for name in muon)
    (alone,) = make_optimisers(model, 1e-3, 0.0, 0.1)
    assert len(alone.param_groups[0]["params"]) == len(listed)
    peaks = [state["param_groups"][0]["lr"] for state in checkpoint(run)["optimisers"]]
    assert peaks == pytest.approx([5e-3, config.matrix_rate])


def test_a_step_of_muon_moves_every_direction_alike(run, tiny):
    """The first update of a matrix has equal singular values, root mean square 0.2 of the rate."""
    model = MoleculeDiffusion(tiny(run).model, [(1, 0)], [0, 1])
    _, muon = make_optimisers(model, 1e-3, 2e-3, 0.0)
    before = [p.detach().clone() for p in hidden_matrices(model)]
    generator = torch.Generator().manual_seed(0)
    for p in hidden_matrices(model):
        p.grad = torch.randn(p.shape, generator=generator)
    muon.step()
    for old, new in zip(before, hidden_matrices(model), strict=True):
        update = new.detach() - old
        values = torch.linalg.svdvals(update)
        assert values.max() < 2.5 * values.min(), "five Newton-Schulz steps leave 0.7 to 1.2"
        assert float(update.square().mean().sqrt()) == pytest.approx(0.2 * 2e-3, rel=0.35)
