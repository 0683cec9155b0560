"""A model in a file: what comes back, what is refused, what a failed write leaves."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from molscore.model.files import FORMAT, load, save

RECORD = {"step": 3, "hardware": "a machine", "config": {"seed": 1}}


@pytest.fixture
def path(tmp_path, build):
    path = tmp_path / "m.safetensors"
    save(build("all"), path, RECORD)
    return path


@torch.no_grad()
def test_round_trip(path, build, state):
    model, back = build("all"), load(path)
    assert back.config == model.config
    assert back.vocabulary == model.vocabulary and isinstance(back.vocabulary[0], tuple)
    assert torch.equal(back.size_probabilities, model.size_probabilities)
    assert back.record == RECORD
    assert not back.training
    given = state(model)
    for y, z in zip(given.asked(back), given.asked(model), strict=True):
        assert torch.equal(y, z)


def test_nothing_runs_when_a_file_is_read(path):
    """Weights as plain tensors, the rest as JSON: no pickle."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == FORMAT
    assert json.loads(metadata["about"])["vocabulary"][0] == [1, 0]


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 300, -1])
def test_truncated_file(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"m\.safetensors is cut short, damaged"):
        load(path)


def test_another_format(path):
    path.write_text("a line of text\n" * 100)
    with pytest.raises(ValueError, match="no safetensors file"):
        load(path)
    save_file({"x": torch.zeros(2)}, path, {"format": "pt"})
    with pytest.raises(ValueError, match="no molscore model .*'pt'"):
        load(path)
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="no molscore model .*None"):
        load(path)


def about(edit):
    """Changes the header's description."""

    def change(tensors, about):
        edit(about)
        return tensors, about

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tensors, about: (dict(list(tensors.items())[1:]), about), id="a tensor is missing"),
        pytest.param(lambda tensors, about: (tensors | {"x": torch.zeros(1)}, about), id="a tensor too many"),
        pytest.param(lambda tensors, about: ({k: t[..., :1] for k, t in tensors.items()}, about), id="wrong shapes"),
        pytest.param(about(lambda x: x.pop("vocabulary")), id="no vocabulary"),
        pytest.param(about(lambda x: x["vocabulary"].pop()), id="another vocabulary"),
        pytest.param(about(lambda x: x["config"].update(depth=3)), id="unknown key"),
        pytest.param(about(lambda x: x["config"]["network"].update(irreps="nonsense")), id="no irreps"),
        pytest.param(about(lambda x: x.update(config=None)), id="no config"),
    ],
)
def test_parts_that_do_not_fit(path, change):
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["about"])
    tensors, description = change(load_file(path), description)
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(tensors, path, {"format": FORMAT, "about": json.dumps(description)})
    with pytest.raises(ValueError, match=r"m\.safetensors holds no whole molscore model"):
        load(path)


def test_header_that_is_no_json(path):
    save_file(load_file(path), path, {"format": FORMAT, "about": "{"})
    with pytest.raises(ValueError, match="holds no whole molscore model"):
        load(path)


def test_a_failed_write_leaves_the_old_file(path, build, monkeypatch):
    """The new file is whole, beside the old one, before it takes its place."""
    before = path.read_bytes()

    def killed(source, target):
        assert load(source).record == {"new": 1} and target.read_bytes() == before
        raise OSError("killed just before the end")

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(OSError, match="killed"):
        save(build("all"), path, {"new": 1})
    with pytest.raises(TypeError):
        save(build("all"), path, {"not JSON": object()})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
