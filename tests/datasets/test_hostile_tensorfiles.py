"""Tensor files that are damaged, or lie: a TensorFileError that names the array, before memory is asked for."""

import json
import pickle
import resource
import struct

import numpy as np
import pytest
from safetensors.numpy import save
from typer.testing import CliRunner

from molscore.chem.perceive import perceive
from molscore.cli import app
from molscore.datasets.batch import MoleculeStore, vocabulary_of
from molscore.datasets.layout import FORMAT, FORMAT_VERSION, TensorFileError
from molscore.datasets.merge import merge
from molscore.datasets.tensorfile import pack, read_tensorfile

METADATA = {"format": FORMAT, "format_version": FORMAT_VERSION}


@pytest.fixture(scope="module")
def arrays(molecules):
    parsed = [perceive(numbers, positions, smiles)[0] for smiles, numbers, positions in molecules]
    return pack(parsed, split=np.arange(len(parsed)) % 3, index=np.arange(len(parsed)))


def first(name, value):
    """Sets the first entry of an array."""

    def change(arrays):
        array = arrays[name].copy()
        array[0] = value
        return arrays | {name: array}

    return change


def other(name, edit):
    return lambda arrays: arrays | {name: np.ascontiguousarray(edit(arrays[name]))}


ARRAYS = {
    "element 0": (first("atomic_numbers", 0), "atomic_numbers"),
    "element 119": (first("atomic_numbers", 119), "atomic_numbers"),
    "element 255": (first("atomic_numbers", 255), "atomic_numbers"),
    "charge 9": (first("formal_charges", 9), "formal_charges"),
    "charge -128": (first("formal_charges", -128), "formal_charges"),
    "no atoms": (first("n_atoms", 0), "atomic_numbers has shape"),
    "more atoms": (first("n_atoms", 255), "atomic_numbers"),
    "more bonds": (first("n_bonds", 255), "bonds"),
    "more tags": (first("n_stereo", 200), "stereo"),
    "a bond of one atom": (first("bonds", (1, 1)), "bonds"),
    "a bond backwards": (first("bonds", (2, 1)), "bonds"),
    "a bond beyond": (first("bonds", (0, 250)), "bonds"),
    "a bond twice": (other("bonds", lambda a: np.concatenate([a[1:2], a[1:]])), "one twice"),
    "order 0": (first("bond_orders", 0), "bond_orders"),
    "order 9": (first("bond_orders", 9), "bond_orders"),
    "split 3": (first("split", 3), "split"),
    "split 255": (first("split", 255), "split"),
    "atoms as int64": (other("n_atoms", lambda a: a.astype(np.int64)), "n_atoms is I64"),
    "positions as float32": (other("positions", lambda a: a.astype(np.float32)), "positions is F32"),
    "positions as float64": (other("positions", lambda a: a.astype(np.float64)), "positions is F64"),
    "charges unsigned": (other("formal_charges", lambda a: a.astype(np.uint8)), "formal_charges is U8"),
    "positions flat": (other("positions", lambda a: a.reshape(-1)), "positions has shape"),
    "positions in the plane": (other("positions", lambda a: a[:, :2]), "positions has shape"),
    "positions short": (other("positions", lambda a: a[:-1]), "positions has shape"),
    "bonds of three": (other("bonds", lambda a: np.repeat(a, 2, axis=1)), "bonds has shape"),
    "stereo of three": (other("stereo", lambda a: np.zeros((0, 3), np.int16)), "stereo has shape"),
    "stereo too many": (other("stereo", lambda a: np.ones((4, 5), np.int16)), "stereo has shape"),
    "atoms in a table": (other("n_atoms", lambda a: a[:, None]), "n_atoms has shape"),
    "index short": (other("index", lambda a: a[:-1]), "index has shape"),
    "no index": (lambda arrays: {k: v for k, v in arrays.items() if k != "index"}, "index"),
    "no n_atoms": (lambda arrays: {k: v for k, v in arrays.items() if k != "n_atoms"}, "n_atoms"),
    "one more": (lambda arrays: arrays | {"extra": np.zeros(3)}, "extra"),
    "nothing": (lambda arrays: {}, "missing"),
}  # fmt: skip


def refused(path, field):
    with pytest.raises(TensorFileError, match=field) as error:
        read_tensorfile(path)
    assert "a.safetensors" in str(error.value) and len(str(error.value)) < 1000


@pytest.mark.parametrize(("change", "field"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_lie(tmp_path, arrays, change, field):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save(change(arrays), METADATA))
    refused(path, field)


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        (None, "format None"),
        ({"format": "molscore-diffusion-2"}, "format 'molscore-diffusion-2'"),
        ({"format": FORMAT}, "version None"),
        ({"format": FORMAT, "format_version": "3"}, "version '3'"),
        ({"format": FORMAT, "format_version": "9" * 5000}, "version '999"),
        ({"format": FORMAT, "format_version": "1"}, "n_stereo|stereo"),
    ],
)
def test_formats(tmp_path, arrays, metadata, field):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save(arrays, metadata))
    refused(path, field)


def test_version_1_without_its_arrays(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"n_bonds": np.zeros(1, np.uint8)}, METADATA | {"format_version": "1"}))
    refused(path, "n_atoms")


def header(change):
    """A file whose header is changed; its bytes stay."""

    def made(content):
        (length,) = struct.unpack("<Q", content[:8])
        values = json.loads(content[8 : 8 + length])
        changed = change(values)
        text = changed if isinstance(changed, bytes) else json.dumps(values).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return made


HEADERS = {
    "shape huge": header(lambda h: h["n_atoms"].update(shape=[10**12])),
    "shape negative": header(lambda h: h["n_atoms"].update(shape=[-1])),
    "offsets huge": header(lambda h: h["n_atoms"].update(data_offsets=[0, 10**12], shape=[10**12])),
    "dtype bfloat16": header(lambda h: h["positions"].update(dtype="BF16")),
    "dtype float8": header(lambda h: h["n_atoms"].update(dtype="F8_E4M3")),
    "dtype unknown": header(lambda h: h["n_atoms"].update(dtype="STRING")),
    "dtype of another length": header(lambda h: h["index"].update(dtype="I64")),
    "lists in lists": header(lambda h: b"[" * 10**6),
    "a list": header(lambda h: b"[]"),
    "NaN": header(lambda h: b'{"a": NaN}'),
    "no text": header(lambda h: b"\xff" * 100),
    "metadata": header(lambda h: h.update(__metadata__={"format": 5})),
    "length": lambda content: struct.pack("<Q", 2**63) + content[8:],
    "length of everything": lambda content: b"\xff" * 8 + content[8:],
    "empty": lambda content: b"",
    "seven bytes": lambda content: content[:7],
    "half": lambda content: content[: len(content) // 2],
    "more": lambda content: content + b"\0",
    "pickle": lambda content: pickle.dumps({"n_atoms": [1]}),
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_headers_that_lie(tmp_path, arrays, change):
    path = tmp_path / "a.safetensors"
    path.write_bytes(change(save(arrays, METADATA)))
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + 2 * 10**9, before[1]))
    try:
        refused(path, "cut short, damaged|not")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    if path.stat().st_size:
        result = CliRunner().invoke(app, ["data", "merge", str(path), "--out", str(tmp_path / "o.safetensors")])
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
        assert not (tmp_path / "o.safetensors").exists()


def test_what_is_sound_still_reads(tmp_path, arrays):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save(arrays, METADATA))
    file = read_tensorfile(path)
    assert len(file) == 10 and len(MoleculeStore(file, "valid", vocabulary_of(file))) == 3
    old = {name: array for name, array in arrays.items() if name not in ("n_stereo", "stereo")}
    path.write_bytes(save(old, METADATA | {"format_version": "1"}))
    assert len(read_tensorfile(path).arrays["stereo"]) == 0


def test_merging_files_that_say_nothing_of_their_source(tmp_path, arrays):
    """One of them twice; and one without molecules."""
    path, empty, out = (tmp_path / f"{name}.safetensors" for name in ("a", "empty", "out"))
    path.write_bytes(save(arrays, METADATA))
    empty.write_bytes(save(pack([], np.zeros(0), np.zeros(0)), METADATA))
    counts = merge([path, empty, path], out, implied=True)
    assert counts["molecules"] == 10 and counts["dropped"] == {"duplicate": 10}
    with pytest.raises(ValueError, match="no molecule is left"):
        merge([empty, empty], tmp_path / "none.safetensors")
    assert not (tmp_path / "none.safetensors").exists()
