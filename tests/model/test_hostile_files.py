"""Weight files that lie: each is refused with a sentence that names what is wrong, and before it costs memory."""

import copy
import os
import pickle
import resource
import zipfile

import pytest
import torch
from hostile_weights import CASES, HUGE, NETWORK, File, header, number, put
from typer.testing import CliRunner

from molscore import pretrained
from molscore.cli import app
from molscore.model import MoleculeDiffusion, load, save
from molscore.model.config import DiffusionConfig
from molscore.model.diffusion import last_layer_features
from molscore.model.files import FORMAT
from molscore.network.network import NetworkConfig

SIZES = {"irreps": "8x0e + 4x1o", "pair_channels": 4, "layers": 1, "heads": 4, "radial": 2, "vectors": 2}


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    torch.manual_seed(0)
    config = DiffusionConfig(network=NetworkConfig(**SIZES, condition_channels=4), graph_conditioned=0.5)
    model = MoleculeDiffusion(config, [(1, 0), (6, 0), (7, 1), (8, -1)], [0, 0.25, 0.25, 0.5])
    model.posterior = torch.eye(last_layer_features(model))
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    save(model, path, {"molecules": 1, "seconds": 1.0})
    return path.read_bytes()


@pytest.fixture
def little_memory():
    """A file must not cost more memory than a process has to spare: 2 GB beyond what is mapped by now."""
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + 2 * 10**9, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_the_file_is_good_before_it_is_changed(content, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    assert load(path).posterior.shape == (4, 4)
    path.write_bytes(File(content).bytes())
    assert load(path).record == {"molecules": 1, "seconds": 1.0}
    assert len(CASES) > 200


@pytest.mark.parametrize(("change", "field"), CASES)
def test_hostile_weights(content, change, field, tmp_path, little_memory):
    path, file = tmp_path / "m.safetensors", File(content)
    change(file)
    path.write_bytes(file.bytes())
    with pytest.raises(ValueError, match=field) as error:
        load(path)
    assert "m.safetensors" in str(error.value) and len(str(error.value)) < 1000


class Runs:
    """A pickle that writes a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def others(folder):
    """Things that are no safetensors files, under the name of one."""
    path = folder / "m.safetensors"
    path.write_bytes(pickle.dumps(Runs(folder / "ran")))
    yield path
    torch.save({"embed_atoms.weight": torch.zeros(3)}, path)
    yield path
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.pkl", pickle.dumps(Runs(folder / "ran")))
    yield path
    for content in (b"", b"\0" * 7, b"\0" * 8, b"\0" * 4096, b"\xff" * 4096, b"{}", "Cé\n".encode("latin-1") * 100):
        path.write_bytes(content)
        yield path


def test_what_is_no_weight_file_at_all(tmp_path):
    for path in others(tmp_path):
        with pytest.raises(ValueError, match=r"m\.safetensors is cut short, damaged or no safetensors file"):
            load(path)
        with pytest.raises(ValueError, match=r"m\.safetensors is damaged or no molscore model"):
            pretrained.about(str(path))
    assert not (tmp_path / "ran").exists()


def test_what_is_no_file_at_all(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "loop.safetensors").symlink_to("loop.safetensors")
    names = ["pipe.safetensors", "folder.safetensors", "loop.safetensors", "none.safetensors"]
    for name in [*(str(tmp_path / name) for name in names), "/dev/zero", "/dev/null", "a/" + "b" * 5000, "a/b\0c"]:
        with pytest.raises(ValueError):
            pretrained.find(name)
    for name in names:
        with pytest.raises(FileNotFoundError):
            load(tmp_path / name)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (put(f"{NETWORK}.layers", HUGE), "layers"),
        (put("size_probabilities", []), "size_probabilities"),
        (number("embed_atoms.weight", float("nan")), "embed_atoms.weight"),
        (header('{"a":' * 100_000), "header"),
    ],
)
@pytest.mark.parametrize("command", ["generate", "conformers", "score", "info", "train"])
def test_commands_end_with_2_and_a_sentence(content, command, change, field, tmp_path):
    path, file = tmp_path / "m.safetensors", File(content)
    change(file)
    path.write_bytes(file.bytes())
    (tmp_path / "in.sdf").write_text("\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n")
    (tmp_path / "c.yaml").write_text(f"data: {tmp_path / 'd.safetensors'}\nout: {tmp_path / 'run'}\n")
    out = str(tmp_path / "out.sdf")
    words = {
        "generate": ["generate", "--n", "1", "--out", out, "--model", str(path)],
        "conformers": ["conformers", "C", "--out", out, "--model", str(path)],
        "score": ["score", str(tmp_path / "in.sdf"), "--out", out, "--model", str(path)],
        "info": ["info", str(path)],
        "train": ["train", str(tmp_path / "c.yaml"), "--init-from", str(path)],
    }
    before = sorted(p.name for p in tmp_path.iterdir())
    result = CliRunner().invoke(app, words[command])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    if command != "train":  # which misses its data first
        assert field in " ".join(result.stderr.split())
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_what_would_be_refused_is_not_written(content, tmp_path):
    """A model whose numbers are spoiled leaves the old file."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    model = load(path)
    with torch.no_grad():
        spoiled = copy.deepcopy(model)
        spoiled.network.embed_atoms.weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match="embed_atoms.weight"):
        save(spoiled, path, {})
    model.vocabulary[0] = (0, 0)
    with pytest.raises(ValueError, match="vocabulary"):
        save(model, path, {})
    assert path.read_bytes() == content and len(list(tmp_path.iterdir())) == 1


def test_a_model_in_double_precision_is_saved_in_single(content, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    save(load(path).double(), path, {})
    assert load(path).dtype == torch.float32 and FORMAT in path.read_bytes()[:100_000].decode("latin-1")
