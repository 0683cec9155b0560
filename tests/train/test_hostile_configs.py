"""Configurations that are damaged, absurd or meant to do harm: a ConfigError that names the key."""

import os
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner

from molscore.cli import app
from molscore.datasets.layout import TensorFileError
from molscore.datasets.tensorfile import pack, read_tensorfile, write_tensorfile
from molscore.train.config import ConfigError, load_config
from molscore.train.loop import train

START = "data: d.safetensors\nout: runs/a\n"

FILES = {
    "laughs": ("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\n", "aliases"),
    "merged laughs": ("a: &a {x: 1}\nb: &b {<<: [*a,*a,*a,*a]}\nc: {<<: [*b,*b,*b,*b]}\n", "aliases"),
    "an alias of itself": ("data: &a [*a]\n", "aliases"),
    "a tag that runs": ("data: !!python/object/apply:os.system ['true']\n", "tags"),
    "a tag": ("data: !name d\n", "tags"),
    "a binary tag": ("data: !!binary ====\n", "tags"),
    "an int that is none": ("steps: !!int x\n", "tags"),
    "a time that is none": ("data: !!timestamp x\n", "tags"),
    "twice": (START + "steps: 5\nsteps: 6\n", "'steps' is given twice"),
    "twice inside": (START + "model: {walks: 1, walks: 2}\n", "'walks' is given twice"),
    "lists in lists": ("[" * 20_000, "nested too deeply|not valid YAML"),
    "sections in sections": ("{a: " * 5000 + "}" * 5000, "nested too deeply"),
    "long": ("# comment\n" * 10_000, "longer than"),
    "binary": (bytes(range(256)), "no UTF-8"),
    "zeros": (b"\0" * 1000, "not valid YAML"),
    "latin-1": (START.encode() + "# é\n".encode("latin-1"), "byte .* no UTF-8"),
    "UTF-16": (START.encode("utf-16"), "no UTF-8"),
    "a tensor file": (b"\x20\0\0\0\0\0\0\0{" + b"x" * 100, "not valid YAML|must hold"),
    "two documents": (START + "---\n" + START, "not valid YAML"),
    "tabs": ("data:\td\n\tout: r\n", "not valid YAML"),
    "a list as a key": ("? [a]\n: b\n", "not valid YAML"),
    "a text": ("hello\n", "must hold"),
    "a number": ("5\n", "must hold"),
    "no name of data": ("data:\nout: r\n", "data: "),
    "a null byte in a name": ('data: "a\\0b"\nout: r\n', "data: "),
    "a list of data": ("data: [a, b]\nout: r\n", "data: "),
    "a section of data": ("data: {a: b}\nout: r\n", "data: "),
    "model a word": (START + "model: qm9\n", "model: "),
    "model a list": (START + "model: [network]\n", "model: "),
    "network nothing": (START + "model:\n  network:\n", "model.network: "),
    "a long key": (START + "k" * 5000 + ": 1\n", "kkk"),
}  # fmt: skip

VALUES = {
    "steps": ["0", "-1", "1000000000000", "1.5", "nan", ".inf", "1e400", "many", "[1]", "9" * 5000, "true"],
    "seed": ["-1", str(2**128), "1.5", "nan"],
    "pair_budget": ["0", "-5", "1000000000", "1e30", "nan"],
    "learning_rate": ["0", "-1", "inf", ".inf", "nan", ".nan", "1e300", "fast", "{}"],
    "matrix_rate": ["-1", "inf", "nan", "1e9"],
    "weight_decay": ["-0.1", ".inf", "nan"],
    "clip_norm": ["0", "-1", "inf", "nan"],
    "ema_decay": ["1", "-0.1", "nan", "2"],
    "warmup_steps": ["-1", "1e30", "inf"],
    "decay_steps": ["-1", "10000000000"],
    "threads": ["-1", "1000000"],
    "valid_batches": ["0", "-1", "10000000000"],
    "checkpoint_every": ["0", "-1", "1e12"],
    "log_every": ["0", "nan"],
    "max_seconds": ["-1", "inf", "nan"],
    "compile": ["maybe", "2"],
    "mixed_precision": ["fp8", "", "[no]"],
    "model.network.irreps": ["nonsense", "", "8x0e", "1000000000x0e + 1x1o", "[1]", "8x0e + 8x1o + 8x9e"],
    "model.network.heads": ["0", "-1", "7", "1000000000"],
    "model.network.layers": ["0", "-1", "1000000000", "2.5"],
    "model.network.radial": ["0", "1000000000"],
    "model.position_scale": ["0", "-1", "nan", "inf", "1e30"],
    "model.sigma_min": ["0", "1", "nan"],
    "model.sampling.steps": ["0", "1000000000000"],
    "model.sampling.t_end": ["1", "0.99", "-1"],
    "model.walks": ["-1", "1000000"],
    "model.fake_atoms": ["-1", "100000"],
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(START)
    return path


@pytest.mark.parametrize(("content", "complaint"), FILES.values(), ids=FILES)
def test_hostile_files(path, content, complaint):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=complaint) as error:
        load_config(path)
    assert "a.yaml" in str(error.value) and len(str(error.value)) < 1000
    result = CliRunner().invoke(app, ["train", str(path)])
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "word", [f"{key}={value}" for key, values in VALUES.items() for value in values], ids=lambda word: word[:60]
)
def test_absurd_values(path, word):
    load_config(path)
    section = word.partition("=")[0].rpartition(".")[0]
    with pytest.raises(ConfigError, match=rf"{word.partition('=')[0]}: |{section or 'none'}: ") as error:
        load_config(path, [word])
    assert len(str(error.value)) < 1000


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in ("pipe.yaml", ".", "none.yaml"):
        with pytest.raises(ConfigError):
            load_config(tmp_path / name)


def test_words_of_yaml_are_what_they_were(path):
    """Bare words for yes and no, numbers in all their forms, a mark of byte order."""
    path.write_text(
        "\ufeff" + START + "compile: yes\nmixed_precision: no\nlearning_rate: 1e-3\nsteps: 1_000\nema_decay: .5\n"
    )
    config = load_config(path)
    assert (config.compile, config.mixed_precision, config.learning_rate) == (True, "no", 1e-3)
    assert (config.steps, config.ema_decay) == (1000, 0.5)


def write(tiny, tmp_path, **changes):
    """The configuration of a small run as a file."""
    config = tiny(**{"out": tmp_path / "run"} | changes)
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    return config, path


def ends(path, code, complaint, words=()):
    result = CliRunner().invoke(app, ["train", str(path), *words])
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert complaint in " ".join(result.stderr.split())


@pytest.mark.parametrize("split", [0, 1, 2])
def test_data_without_a_split(tiny, tmp_path, tensorfile, split):
    """Twelve molecules may all fall to training."""
    file = read_tensorfile(tensorfile)
    molecules = [file.molecule(i) for i in range(12)]
    write_tensorfile(tmp_path / "d.safetensors", pack(molecules, np.full(12, split), np.arange(12)), {})
    config, path = write(tiny, tmp_path, data=tmp_path / "d.safetensors")
    with pytest.raises(ConfigError, match=r"no molecules in the split '(train|valid)'"):
        train(config, quiet=True)
    ends(path, 2, "no molecules in the split")
    assert not config.out.exists()


def test_data_that_are_none(tiny, tmp_path, tensorfile):
    from molscore import pretrained

    whole = tensorfile.read_bytes()
    for content in (b"", whole[:1000], whole[:-1], pretrained.find("qm9").read_bytes(), b"C\nCC\n" * 100):
        (tmp_path / "d.safetensors").write_bytes(content)
        config, path = write(tiny, tmp_path, data=tmp_path / "d.safetensors")
        with pytest.raises(TensorFileError, match=r"d\.safetensors"):
            train(config, quiet=True)
        ends(path, 1, "d.safetensors")
    assert not config.out.exists()
    for data in (tmp_path, tmp_path / "none.safetensors"):
        config, path = write(tiny, tmp_path, data=data)
        with pytest.raises(FileNotFoundError):
            train(config, quiet=True)
        ends(path, 2, "there is no tensor file")


def test_folders_that_cannot_be(tiny, tmp_path):
    (tmp_path / "file").write_text("text")
    for out in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / "file" / "a" / "b"):
        config, path = write(tiny, tmp_path, out=out)
        with pytest.raises(OSError, match="out|folder"):
            train(config, quiet=True)
        ends(path, 2, "file")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_closed(tiny, tmp_path):
    (tmp_path / "closed").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    config, path = write(tiny, tmp_path, out=tmp_path / "closed" / "run")
    with pytest.raises(PermissionError, match="cannot be written"):
        train(config, quiet=True)


def test_a_full_disk_keeps_the_last_checkpoint(tiny, tmp_path):
    """No file may be longer than a limit: what a full disk does, done by the operating system."""
    config, path = write(tiny, tmp_path, steps=2, checkpoint_every=2)
    train(config, quiet=True)
    names = ("checkpoint.pt", "model.safetensors", "log.jsonl")
    before = {name: (config.out / name).read_bytes() for name in names}
    script = (
        "import resource, signal\n"
        "from typer.testing import CliRunner\n"
        "from molscore.cli import app\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        f"result = CliRunner().invoke(app, ['train', {str(path)!r}, '--resume', 'steps=4'])\n"
        "assert isinstance(result.exception, SystemExit), result.exception\n"
        "assert result.exit_code == 1 and 'file too large' in result.stderr.lower(), result.stderr\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=os.getcwd(), timeout=300)
    assert before["checkpoint.pt"] == (config.out / "checkpoint.pt").read_bytes()
    assert before["model.safetensors"] == (config.out / "model.safetensors").read_bytes()
    assert not [path.name for path in config.out.iterdir() if path.name.endswith(".tmp")]
    train(tiny(config.out, steps=4), quiet=True, resume=True)
    assert torch.load(config.out / "checkpoint.pt", weights_only=True)["step"] == 4


def test_another_vocabulary_of_the_same_size_is_another_run(tiny, tmp_path, tensorfile):
    """Shapes alone would not tell."""
    config = tiny(tmp_path / "run", steps=1)
    train(config, quiet=True)
    file = read_tensorfile(tensorfile)
    numbers = file.arrays["atomic_numbers"].copy()
    numbers[numbers == 8] = 16
    write_tensorfile(tmp_path / "s.safetensors", {**file.arrays, "atomic_numbers": numbers}, {})
    with pytest.raises(ConfigError, match="vocabulary is another one"):
        train(tiny(config.out, steps=2, data=tmp_path / "s.safetensors"), quiet=True, resume=True)


def test_the_present_folder_may_be_that_of_a_run(path):
    assert str(load_config(path, ["out=."]).out) == "."
