"""A generator of weight files that lie: a small model's file, taken apart, changed in one place and put together."""

import json
import math
import struct

import pytest

from molscore.model.files import POSTERIOR

HUGE = 10**9


class File:
    """The parts of a small model's file, to be changed: description, header of the tensors, their bytes."""

    def __init__(self, content: bytes):
        (length,) = struct.unpack("<Q", content[:8])
        self.tensors = json.loads(content[8 : 8 + length])
        self.metadata = self.tensors.pop("__metadata__")
        self.about = json.loads(self.metadata["about"])
        self.data = bytearray(content[8 + length :])
        self.header = None  # text in place of what the parts say
        self.length = None

    def bytes(self) -> bytes:
        metadata = {"about": json.dumps(self.about)} | {k: v for k, v in self.metadata.items() if k != "about"}
        header = json.dumps({"__metadata__": metadata} | self.tensors) if self.header is None else self.header
        header = header.encode() if isinstance(header, str) else header
        return struct.pack("<Q", len(header) if self.length is None else self.length) + header + bytes(self.data)

    def fill(self, name: str, value: float, at: int = 0) -> None:
        """Sets a number of a float32 tensor."""
        begin = self.tensors[name]["data_offsets"][0] + 4 * at
        self.data[begin : begin + 4] = struct.pack("<f", value)

    def replace(self, name: str, dtype: str, shape: list[int], content: bytes) -> None:
        """Gives a tensor another type, shape and content; the others move."""
        parts = {}
        for key, entry in self.tensors.items():
            begin, end = entry["data_offsets"]
            parts[key] = entry["dtype"], entry["shape"], bytes(self.data[begin:end])
        parts[name] = dtype, shape, content
        self.data = bytearray()
        for key, (kind, sizes, numbers) in parts.items():
            begin = len(self.data)
            self.data += numbers
            self.tensors[key] = {"dtype": kind, "shape": sizes, "data_offsets": [begin, len(self.data)]}


def put(path: str, value: object):
    """Sets one value of the description."""

    def change(file: File) -> None:
        *sections, last = path.split(".")
        values = file.about
        for section in sections:
            values = values[section]
        values[last] = value

    return change


def drop(path: str):
    def change(file: File) -> None:
        *sections, last = path.split(".")
        values = file.about
        for section in sections:
            values = values[section]
        del values[last]

    return change


def entry(key: str, value: object):
    """Changes what the header says of one tensor."""

    def change(file: File) -> None:
        file.tensors["embed_atoms.weight"][key] = value

    return change


def header(text: str | bytes, length: int | None = None):
    def change(file: File) -> None:
        file.header, file.length = text, length

    return change


def number(name: str, value: float):
    return lambda file: file.fill(name, value)


def retyped(dtype: str, width: int, name: str = "embed_atoms.weight"):
    def change(file: File) -> None:
        shape = file.tensors[name]["shape"]
        file.replace(name, dtype, shape, bytes(width * shape[0] * shape[1]))

    return change


def reshaped(name: str, shape: list[int]):
    def change(file: File) -> None:
        file.replace(name, "F32", shape, bytes(4 * math.prod(shape)))

    return change


def without(name: str):
    """Leaves a tensor out, its bytes too."""

    def change(file: File) -> None:
        file.replace(name, "F32", [0], b"")
        del file.tensors[name]

    return change


def asymmetric(file: File) -> None:
    file.fill(POSTERIOR, 0.5, at=1)


def negative(file: File) -> None:
    file.fill(POSTERIOR, -1.0)


NETWORK = "config.network"
MISFIT = "the config asks for|tensors are (missing|not known)"
"""What is said of a value that some other model might have."""

DESCRIPTIONS = {
    f"{NETWORK}.layers": [HUGE, 0, -1, 2**63, 10**30, 2, 200, 1.5, "1", True, None, []],
    f"{NETWORK}.pair_channels": [HUGE, 0, -4, 8, 2.5, "4", None, 10**400],
    f"{NETWORK}.heads": [0, -1, HUGE, "4", None],
    f"{NETWORK}.radial": [HUGE, 0, 3, -2],
    f"{NETWORK}.vectors": [HUGE, -1, 1, "two"],
    f"{NETWORK}.condition_channels": [HUGE, 0, 5, []],
    f"{NETWORK}.energy": [True, "yes", 1],
    f"{NETWORK}.stereo": [True, "no", None],
    f"{NETWORK}.irreps": [
        "nonsense", "", "1000000000x0e + 4x1o", "8x0e", "4x1o", "8x0e + 4x1o + 4x11e", "8x0e + -4x1o", "8x0e + 0x1o",
        "8x0e + 4x1o" + " + 4x1o" * 1000, "8x0e + 4x1o + 4x2e", "9" * 5000 + "x0e", "8x0e + 4x1o\x00", 8, None,
        ["8x0e"],
    ],
    f"{NETWORK}.depth": [3],
    "config.sampling.steps": [HUGE, 0, -1, 1.5, "many"],
    "config.sampling.t_end": [2.0, -1.0, 0.99],
    "config.sampling.t_start": [0.0, 7.0],
    "config.sampling.eta_x": [-1.0, 1e300, "3"],
    "config.sampling.middle": [1.0, -2.0],
    "config.sampling.power": [0.0, -1.0],
    "config.position_scale": [0.0, -1.4, 1e300, float("nan"), float("inf"), "1.4", None],
    "config.position_power": [0.0, -2.0, float("inf")],
    "config.category_scale": [0.0, float("nan")],
    "config.sigma_min": [0.0, 1.0, -0.1, 5.0],
    "config.alpha_min": [0.0, 1.0, float("-inf")],
    "config.self_conditioning": [2.0, -0.5, float("nan")],
    "config.graph_conditioned": [1.5, -1.0],
    "config.fake_atoms": [HUGE, -1, 2, 0.5],
    "config.walks": [HUGE, -1, 3],
    "config.distortion": [-1.0, float("inf")],
    "config.atom_weight": [-1.0, float("nan")],
    "vocabulary": [
        [], None, {}, "CHNO", [[1, 0]], [[1, 0]] * 4, [[0, 0], [6, 0], [7, 1], [8, -1]],
        [[1, 0], [500, 0], [7, 1], [8, 0]],
        [[1, 99], [6, 0], [7, 1], [8, -1]], [[1, -99], [6, 0], [7, 1], [8, -1]], [[1.5, 0], [6, 0], [7, 1], [8, -1]],
        [["H", 0], [6, 0], [7, 1], [8, -1]], [[1], [6], [7], [8]], [[1, 0, 0], [6, 0], [7, 1], [8, -1]],
        [1, 6, 7, 8], [[HUGE, HUGE]] * 4, [[1, 0], [1, 0], [7, 1], [8, -1]], [[True, 0], [6, 0], [7, 1], [8, -1]],
        [[k % 118 + 1, k // 118] for k in range(1062)], [[1, 0], [-6, 0], [7, 1], [8, -1]],
    ],
    "size_probabilities": [
        [], [0.0], [1.0], [0, -0.5, 1.5], [0, float("nan"), 1], [0, float("inf")], [0.5, 0.5], [0, 0.1], [0, 0, 0],
        [0, 1e300], [0] * 300 + [1], None, "0, 1", {"1": 1.0}, [0, "1"], [0, None], [[0, 1]],
    ],
    "record": [None, [], "a record", 3],
    "config": [None, [], 3, "config"],
    "more": [1],
}  # fmt: skip

CASES = [
    pytest.param(put(path, value), f"{path.split('.')[-1]}|{MISFIT}", id=f"{path}={json.dumps(value)[:40]}")
    for path, values in DESCRIPTIONS.items()
    for value in values
] + [
    pytest.param(drop("config"), "config", id="no config"),
    pytest.param(drop("vocabulary"), "vocabulary", id="no vocabulary"),
    pytest.param(drop("size_probabilities"), "size_probabilities", id="no sizes"),
    pytest.param(drop("record"), "record", id="no record"),
    # The header as bytes.
    pytest.param(header("", 0), "header", id="empty header"),
    pytest.param(header("{}", 2**63), "header", id="header of 2**63 bytes"),
    pytest.param(header("{}", 2**64 - 1), "header", id="header of 2**64 - 1 bytes"),
    pytest.param(header("{}", 10**8), "header", id="header longer than the file"),
    pytest.param(header("{}", 1), "header", id="half a header"),
    pytest.param(header("[" * 100_000), "header", id="lists in lists"),
    pytest.param(header('{"a":' * 100_000), "header", id="objects in objects"),
    pytest.param(header('{"a":' * 5000 + "1" + "}" * 5000), "header", id="closed objects in objects"),
    pytest.param(header('{"__metadata__": ' + "[" * 50_000 + "]" * 50_000 + "}"), "header", id="lists in metadata"),
    pytest.param(header("[]"), "header", id="a list"),
    pytest.param(header("null"), "header", id="null"),
    pytest.param(header('"text"'), "header", id="a text"),
    pytest.param(header("{}"), "bytes", id="no tensors, but bytes"),
    pytest.param(header(b"\xff\xfe\x00{}"), "header", id="no UTF-8"),
    pytest.param(header('{"a": NaN}'), "header", id="NaN in the header"),
    pytest.param(header('{"a": ' + "9" * 10_000 + "}"), "header", id="a number of 10,000 digits"),
    pytest.param(header('{"__metadata__": {"format": 3}}'), "__metadata__", id="metadata that are no texts"),
    pytest.param(header('{"__metadata__": []}'), "__metadata__", id="metadata as a list"),
    # What it says of a tensor.
    pytest.param(entry("dtype", "PICKLE"), "dtype of tensor", id="dtype PICKLE"),
    pytest.param(entry("dtype", 3), "dtype of tensor", id="dtype 3"),
    pytest.param(entry("dtype", ["F32"]), "dtype of tensor", id="dtype list"),
    pytest.param(entry("dtype", "F64"), "embed_atoms.weight", id="F64 in the place of F32"),
    pytest.param(entry("dtype", "BF16"), "embed_atoms.weight", id="BF16 in the place of F32"),
    pytest.param(entry("shape", [HUGE, HUGE]), "embed_atoms.weight", id="shape huge"),
    pytest.param(entry("shape", [2**62, 8]), "embed_atoms.weight", id="shape overflows"),
    pytest.param(entry("shape", [-1, -8]), "embed_atoms.weight", id="shape negative"),
    pytest.param(entry("shape", [2**70]), "embed_atoms.weight", id="shape beyond 64 bits"),
    pytest.param(entry("shape", "8"), "embed_atoms.weight", id="shape text"),
    pytest.param(entry("shape", [1.5]), "embed_atoms.weight", id="shape fraction"),
    pytest.param(entry("shape", [1] * 100_000), "embed_atoms.weight", id="shape of 100,000 sides"),
    pytest.param(entry("shape", []), "embed_atoms.weight", id="shape of a scalar"),
    pytest.param(entry("data_offsets", [0, HUGE]), "embed_atoms.weight", id="offsets beyond the file"),
    pytest.param(entry("data_offsets", [8, 0]), "embed_atoms.weight", id="offsets backwards"),
    pytest.param(entry("data_offsets", [-8, 0]), "embed_atoms.weight", id="offsets negative"),
    pytest.param(entry("data_offsets", [0]), "embed_atoms.weight", id="one offset"),
    pytest.param(entry("data_offsets", None), "embed_atoms.weight", id="no offsets"),
    pytest.param(entry("extra", 1), "embed_atoms.weight", id="more than is needed"),
    pytest.param(lambda f: f.tensors.update(x=None), "tensor 'x'", id="a tensor that is nothing"),
    pytest.param(lambda f: f.tensors.update(x=f.tensors["embed_atoms.weight"]), "tensor", id="two share bytes"),
    pytest.param(lambda f: f.data.extend(b"more"), "bytes", id="bytes at the end"),
    pytest.param(lambda f: f.data.clear(), "bytes", id="no bytes"),
    pytest.param(lambda f: f.data.__delitem__(slice(-4, None)), "bytes", id="cut short"),
    # Format.
    pytest.param(lambda f: f.metadata.update(format="molscore-diffusion-1"), "format", id="an older format"),
    pytest.param(lambda f: f.metadata.update(format="molscore-diffusion-999"), "format", id="a later format"),
    pytest.param(lambda f: f.metadata.update(format="x" * 10_000), "format", id="a long format"),
    pytest.param(lambda f: f.metadata.pop("format"), "format", id="no format"),
    # Tensors that do not belong to the network.
    pytest.param(retyped("I8", 1), "embed_atoms.weight is of type I8", id="int8"),
    pytest.param(retyped("F64", 8), "embed_atoms.weight is of type F64", id="float64"),
    pytest.param(retyped("F16", 2), "embed_atoms.weight is of type F16", id="float16"),
    pytest.param(retyped("BF16", 2), "embed_atoms.weight is of type BF16", id="bfloat16"),
    pytest.param(retyped("F8_E4M3", 1), "embed_atoms.weight is of type F8_E4M3", id="float8 e4m3"),
    pytest.param(retyped("F8_E5M2", 1), "embed_atoms.weight is of type F8_E5M2", id="float8 e5m2"),
    pytest.param(retyped("BOOL", 1), "embed_atoms.weight is of type BOOL", id="bool"),
    pytest.param(retyped("I64", 8), "embed_atoms.weight is of type I64", id="int64"),
    pytest.param(reshaped("embed_atoms.weight", [1, 1]), "embed_atoms.weight has the shape", id="a small tensor"),
    pytest.param(reshaped("embed_atoms.bias", [8, 1]), "tensor embed_atoms.bias has the shape", id="a column"),
    pytest.param(reshaped("embed_atoms.bias", [0]), "tensor embed_atoms.bias has the shape", id="an empty tensor"),
    pytest.param(reshaped("x", [1]), "not known, among them 'x'", id="an unknown tensor"),
    pytest.param(reshaped("x" * 10_000, [1]), "not known", id="a long name"),
    pytest.param(reshaped("layers.1.ends.weight", [8, 8]), "layers.1.ends.weight", id="a layer too many"),
    pytest.param(without("embed_atoms.bias"), "missing, among them embed_atoms.bias", id="a missing tensor"),
    pytest.param(without("layers.0.ends.weight"), "layers.0.ends.weight", id="a missing tensor of a layer"),
    # Their numbers.
    pytest.param(number("embed_atoms.weight", float("nan")), "embed_atoms.weight .* not finite", id="NaN"),
    pytest.param(number("layers.0.ends.bias", float("inf")), "layers.0.ends.bias .* not finite", id="infinity"),
    pytest.param(number("atom_head.3.bias", float("-inf")), "atom_head.3.bias .* not finite", id="minus infinity"),
    # The posterior.
    pytest.param(number(POSTERIOR, float("nan")), "posterior .* not finite", id="posterior NaN"),
    pytest.param(reshaped(POSTERIOR, [3, 3]), "posterior has the shape", id="posterior of another size"),
    pytest.param(reshaped(POSTERIOR, [16]), "posterior has the shape", id="posterior as a list"),
    pytest.param(reshaped(POSTERIOR, [0, 4]), "posterior has the shape", id="posterior without rows"),
    pytest.param(retyped("F64", 8, POSTERIOR), "posterior is of type F64", id="posterior float64"),
    pytest.param(asymmetric, "posterior .* not symmetric", id="posterior not symmetric"),
    pytest.param(negative, "posterior .* negative eigenvalues", id="posterior of negative variance"),
]  # fmt: skip
