"""Checkpoints that are damaged, or lie: ``--resume`` says which part is wrong, runs no code and changes nothing."""

import io
import os
import pickle
import shutil
import struct
import zipfile
from collections import OrderedDict

import pytest
import torch
from typer.testing import CliRunner

from molscore.cli import app
from molscore.train.config import ConfigError
from molscore.train.loop import train

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    """Two steps, of which the second left a checkpoint."""
    out = tmp_path_factory.mktemp("runs") / "run"
    train(tiny(out, steps=2, checkpoint_every=2), quiet=True)
    return out


def put(*keys, value):
    """Sets a value in a checkpoint; a tensor's key may be ``...``, its first number."""

    def change(saved):
        part = saved
        for key in keys[:-1]:
            part = part[key]
        if keys[-1] is ...:
            part.view(-1)[0] = value
        else:
            part[keys[-1]] = value
        return saved

    return change


def drop(*keys):
    def change(saved):
        part = saved
        for key in keys[:-1]:
            part = part[key]
        del part[keys[-1]]
        return saved

    return change


WEIGHT = "network.embed_atoms.weight"
MOMENTS = ("optimisers", 0, "state", 0)
CHANGES = {
    "step negative": (put("step", value=-1), "step"),
    "step huge": (put("step", value=10**15), "step"),
    "step beyond 64 bits": (put("step", value=10**30), "step"),
    "step fraction": (put("step", value=1.5), "step"),
    "step NaN": (put("step", value=NAN), "step"),
    "step text": (put("step", value="2"), "step"),
    "step true": (put("step", value=True), "step"),
    "step none": (put("step", value=None), "step"),
    "step tensor": (put("step", value=torch.tensor(2)), "step"),
    "no step": (drop("step"), "step"),
    "molecules": (put("molecules", value=-5), "molecules"),
    "molecules text": (put("molecules", value="many"), "molecules"),
    "seconds NaN": (put("seconds", value=NAN), "seconds"),
    "seconds infinite": (put("seconds", value=INF), "seconds"),
    "seconds list": (put("seconds", value=[]), "seconds"),
    "init_from text": (put("init_from", value="qm9"), "init_from"),
    "init_from empty": (put("init_from", value={}), "init_from"),
    "init_from without numbers": (put("init_from", value={"name": "a", "sha256": "b"}), "init_from has no molecules"),
    "vocabulary": (put("vocabulary", value=[(1, 0), (9, 0), (7, 0), (8, 0)]), "vocabulary"),
    "vocabulary text": (put("vocabulary", value="CNO"), "vocabulary"),
    "model none": (put("model", value=None), "model is no section"),
    "model list": (put("model", value=[1, 2]), "model is no section"),
    "model empty": (put("model", value={}), "model has no"),
    "no model": (drop("model"), "model"),
    "no weight": (drop("model", WEIGHT), WEIGHT),
    "unknown weight": (put("model", "extra", value=torch.zeros(2)), "extra"),
    "weight of another shape": (put("model", WEIGHT, value=torch.zeros(3, 3)), WEIGHT),
    "weight of another type": (put("model", WEIGHT, value=torch.zeros(16, 65, dtype=torch.float64)), WEIGHT),
    "weight a number": (put("model", WEIGHT, value=3.0), f"{WEIGHT}: it is no tensor"),
    "weight none": (put("model", WEIGHT, value=None), WEIGHT),
    "weight NaN": (put("model", WEIGHT, ..., value=NAN), f"{WEIGHT} holds numbers that are not finite"),
    "weight infinite": (put("model", WEIGHT, ..., value=INF), f"{WEIGHT} holds numbers that are not finite"),
    "weight expanded": (put("model", WEIGHT, value=torch.zeros(1).expand(10**6, 10**6)), WEIGHT),
    "sizes": (put("model", "size_probabilities", value=torch.zeros(0)), "size_probabilities"),
    "average NaN": (put("average", f"module.{WEIGHT}", ..., value=NAN), "average"),
    "average another": (put("average", value={"a": 1}), "average"),
    "average counter": (put("average", "n_averaged", value=torch.tensor(2.0)), "n_averaged"),
    "no optimisers": (drop("optimisers"), "optimisers"),
    "one optimiser": (drop("optimisers", 0), "optimisers"),
    "optimisers none": (put("optimisers", value=[None, None]), "optimisers"),
    "groups": (put("optimisers", 0, "param_groups", 0, "params", value=[5, 4]), "param_groups"),
    "groups none": (put("optimisers", 0, "param_groups", value=None), "param_groups"),
    "no groups": (put("optimisers", 0, "param_groups", value=[]), "param_groups"),
    "state list": (put("optimisers", 0, "state", value=[]), "state"),
    "state of no parameter": (put("optimisers", 0, "state", 10**6, value={}), "state"),
    "state by name": (put("optimisers", 0, "state", "a", value={}), "state"),
    "moment missing": (drop(*MOMENTS, "exp_avg"), "exp_avg"),
    "moment of another shape": (put(*MOMENTS, "exp_avg", value=torch.zeros(2)), "exp_avg"),
    "moment NaN": (put(*MOMENTS, "exp_avg", ..., value=NAN), "exp_avg"),
    "moment negative": (put(*MOMENTS, "exp_avg_sq", ..., value=-1.0), "exp_avg_sq is negative"),
    "moment's step": (put(*MOMENTS, "step", value=torch.tensor(-1.0)), "step"),
    "moment unknown": (put(*MOMENTS, "more", value=torch.zeros(1)), "more"),
    "momentum": (put("optimisers", 1, "state", 0, "momentum_buffer", ..., value=INF), "momentum_buffer"),
    "a list": (lambda saved: [saved], "no section|no init_from|has no"),
    "a tensor": (lambda saved: torch.zeros(3), "no section"),
    "a text": (lambda saved: "checkpoint", "no section"),
    "nothing": (lambda saved: None, "no section"),
    "empty": (lambda saved: {}, "has no"),
    "weights alone": (lambda saved: saved["model"], "has no"),
    "sparse": (lambda saved: torch.eye(3).to_sparse(), "pickle|no place"),
    "complex": (put("model", WEIGHT, value=torch.zeros(3, dtype=torch.complex64)), "no place|Storage"),
    "float8": (put("model", WEIGHT, value=torch.zeros(3).to(torch.float8_e4m3fn)), "pickle|no place"),
    "dates": (lambda saved: OrderedDict(a=slice(3)), "no place"),
    "bytes": (put("step", value=bytearray(10)), "pickle|no place"),
    "a set": (put("step", value={1, 2}), "pickle|no place"),
}


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run, tmp_path / "run")


def refused(tiny, out, match):
    """A resumed run ends with a ConfigError, and leaves the folder as it was."""
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ConfigError, match=match) as error:
        train(tiny(out, steps=4), quiet=True, resume=True)
    assert "cannot go on from" in str(error.value) and len(str(error.value)) < 1000
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(("change", "part"), CHANGES.values(), ids=CHANGES)
def test_checkpoints_that_lie(copy, tiny, change, part):
    saved = torch.load(copy / "checkpoint.pt", weights_only=True)
    torch.save(change(saved), copy / "checkpoint.pt")
    refused(tiny, copy, part)


class Runs:
    """A pickle that makes a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def archive(data: bytes, kind: int = zipfile.ZIP_STORED, name: str = "checkpoint/data.pkl") -> bytes:
    """An archive as torch.save writes it, with this pickle in it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", kind) as file:
        file.writestr(name, data)
        file.writestr("checkpoint/version", "3\n")
        file.writestr("checkpoint/data/0", bytes(16))
    return content.getvalue()


def text(word: str) -> bytes:
    """The operation that puts a text on the stack."""
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def tensor(numbers: int, size: int, offset: int = 0, stride: int = 1, record: str = "0") -> bytes:
    """The pickle of a tensor of float32 numbers, of a record of four."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(record) + text("cpu")
    storage += pickle.dumps(numbers, 2)[2:-1] + b"tQ"
    whole = b"".join(pickle.dumps(k, 2)[2:-1] for k in (offset,))
    sides = b"".join(pickle.dumps((k,), 2)[2:-1] for k in (size, stride))
    made = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + storage[1:] + whole + sides + b"\x89ccollections\nOrderedDict\n)RtR"
    )
    return b"\x80\x02}" + text("step") + made + b"s."


FILES = {
    "empty": b"",
    "text": b"a checkpoint\n" * 100,
    "zeros": bytes(5000),
    "half an archive": None,
    "other end missing": None,
    "a flipped byte in every record": None,
    "no pickle in it": archive(b"", name="checkpoint/other"),
    "an empty pickle": archive(b""),
    "half a pickle": archive(pickle.dumps({"a": 1}, 2)[:-3]),
    "noise": archive(bytes(range(256)) * 10),
    "compressed": archive(pickle.dumps({"a": "b" * 10**6}, 2), zipfile.ZIP_DEFLATED),
    "no end of the archive": archive(pickle.dumps({}, 2), name="other/data.pkl")[:-22],
    "lists in lists": archive(b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."),
    "tuples in tuples": archive(b"\x80\x02)" + b"\x85" * 10**6 + b"K\x01s."),
    "a tuple as a key": archive(b"\x80\x02})" + b"\x85" * 10**6 + b"K\x01s."),
    "memo far away": archive(b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b"."),
    "bytes longer than the file": archive(b"\x80\x05\x96" + struct.pack("<Q", 10**12) + b"."),
    "text longer than the file": archive(b"\x80\x02X" + struct.pack("<I", 2**32 - 1) + b"a."),
    "pops of nothing": archive(b"\x80\x02000."),
    "a global": archive(b"\x80\x02cos\nsystem\n."),
    "a call": archive(b"\x80\x02cbuiltins\neval\n" + text("1+1") + b"\x85R."),
    "torch.empty": archive(b"\x80\x02ctorch\nempty\n" + pickle.dumps(10**12, 2)[2:-1] + b"\x85R."),
    "bytearray": archive(b"\x80\x02cbuiltins\nbytearray\n" + pickle.dumps(10**12, 2)[2:-1] + b"\x85R."),
    "attributes of a class": archive(b"\x80\x02ccollections\nOrderedDict\n}" + text("a") + b"K\x01sb."),
    "a tensor beyond its record": archive(tensor(10**6, 10**6)),
    "a tensor beyond its numbers": archive(tensor(4, 10**6)),
    "an offset beyond its numbers": archive(tensor(4, 4, offset=2)),
    "a stride beyond its numbers": archive(tensor(4, 4, stride=10**9)),
    "a negative size": archive(tensor(4, -4)),
    "a negative stride": archive(tensor(4, 4, stride=-1)),
    "a record that is not there": archive(tensor(4, 4, record="../../etc/passwd")),
    "a storage that is none": archive(b"\x80\x02K\x01Q."),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_checkpoints(copy, tiny, name):
    path = copy / "checkpoint.pt"
    content = path.read_bytes()
    spoiled = bytearray(content)
    for at in range(200, len(content), 997):
        spoiled[at] ^= 0xFF
    made = {"half an archive": content[: len(content) // 2], "other end missing": content[100:]}
    made["a flipped byte in every record"] = bytes(spoiled)
    path.write_bytes(made.get(name, FILES[name]))
    refused(tiny, copy, "checkpoint.pt")


def test_no_code_runs(copy, tiny, tmp_path):
    path, ran = copy / "checkpoint.pt", tmp_path / "ran"
    for content in (
        pickle.dumps(Runs(ran)), pickle.dumps({"step": Runs(ran)}, 2), archive(pickle.dumps(Runs(ran), 2)),
        archive(pickle.dumps({"model": Runs(ran)}, 4)),
    ):  # fmt: skip
        path.write_bytes(content)
        refused(tiny, copy, "checkpoint.pt")
    torch.save({"step": Runs(ran)}, path)
    refused(tiny, copy, "checkpoint.pt")
    torch.save({"step": Runs(ran)}, path, _use_new_zipfile_serialization=False)
    refused(tiny, copy, "checkpoint.pt")
    assert not ran.exists()


def test_what_is_no_file(copy, tiny):
    path = copy / "checkpoint.pt"
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot go on from|nothing to resume"):
        train(tiny(copy, steps=4), quiet=True, resume=True)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(tiny(copy, steps=4), quiet=True, resume=True)


def test_the_command_ends_with_2(copy, tiny, tmp_path):
    (copy / "checkpoint.pt").write_bytes(b"no checkpoint")
    config = copy / "config.yaml"
    result = CliRunner().invoke(app, ["train", str(config), f"out={copy}", "--resume"])
    assert result.exit_code == 2 and "cannot go on from" in " ".join(result.stderr.split())


def test_a_finished_run_goes_on_at_once(copy, tiny):
    """A checkpoint far along is no reason to draw all batches before it."""
    saved = torch.load(copy / "checkpoint.pt", weights_only=True)
    torch.save(saved | {"step": 10**8}, copy / "checkpoint.pt")
    assert train(tiny(copy, steps=4), quiet=True, resume=True).is_file()
    train(tiny(copy, steps=10**8 + 1, checkpoint_every=10**8), quiet=True, resume=True)
    assert torch.load(copy / "checkpoint.pt", weights_only=True)["step"] == 10**8 + 1


def test_checkpoints_of_before_are_read(copy, tiny):
    """They held no vocabulary."""
    saved = torch.load(copy / "checkpoint.pt", weights_only=True)
    del saved["vocabulary"]
    torch.save(saved, copy / "checkpoint.pt")
    train(tiny(copy, steps=3), quiet=True, resume=True)
    assert torch.load(copy / "checkpoint.pt", weights_only=True)["step"] == 3


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\n", b"[1]\n", b'{"step": "a"}\n', b"[" * 10**5, b'{"step": 1}\n', b"\0" * 100]
)
def test_a_damaged_log_does_not_end_a_run(copy, tiny, content):
    with (copy / "log.jsonl").open("ab") as file:
        file.write(content)
    train(tiny(copy, steps=3), quiet=True, resume=True)
    assert b'"step": 3' in (copy / "log.jsonl").read_bytes() and content not in (copy / "log.jsonl").read_bytes()
