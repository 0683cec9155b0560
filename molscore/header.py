"""The header of a safetensors file, read and checked before the rest of the file.

Such a file is eight bytes that hold the length of the header, the header, and the numbers of all tensors end to end.
The header is JSON: name to type, shape and place of each tensor, and texts under ``__metadata__``
(github.com/huggingface/safetensors). It decides how much memory the tensors take, so it is compared with the size of
the file first. Light to import: no torch, no numpy.
"""

import json
import math
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

from molscore.limits import shown

MOST = 1 << 24
"""Bytes of a header, at most."""

BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 8),
}
"""Bits of a number of each type."""


class HeaderError(ValueError):
    """A header that is damaged, or does not fit the rest of the file."""


class Entry(NamedTuple):
    """The entry of a tensor in the header: the type of its numbers, a key of `BITS`, and its shape."""

    dtype: str
    shape: tuple[int, ...]


class Header(NamedTuple):
    """The texts of a file, and its tensors by name."""

    metadata: dict[str, str]
    tensors: dict[str, Entry]


def read_header(path: str | os.PathLike[str]) -> Header:
    """Reads the header alone, and checks that the tensors fill the rest of the file without gaps.

    Raises:
        OSError: if the file cannot be read.
        HeaderError: if it is no safetensors file, or a damaged one; the message names the tensor.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with path.open("rb") as file:
        size, start = os.fstat(file.fileno()).st_size, file.read(8)
        if len(start) < 8:
            raise HeaderError("it is shorter than the length of a header")
        (length,) = struct.unpack("<Q", start)
        if length > min(MOST, size - 8):
            raise HeaderError(f"its first bytes stand for a header of {length:,} bytes, in a file of {size:,}")
        values = parse_object(file.read(length), "the header")
    metadata = values.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise HeaderError("its __metadata__ are not texts by name")
    places = sorted((_place(name, value) for name, value in values.items()), key=lambda place: place[:2])
    end = 0
    for begin, stop, name in places:
        if begin != end:
            raise HeaderError(f"tensor {shown(name)} begins at byte {begin:,}, not at {end:,}, the end of the last one")
        end = stop
    if end != size - 8 - length:
        raise HeaderError(f"its tensors take {end:,} bytes, of which the file has {size - 8 - length:,}")
    return Header(metadata, {name: Entry(value["dtype"], tuple(value["shape"])) for name, value in values.items()})


def in_order(data: bytes) -> tuple[bytes, memoryview]:
    """The two parts of a file, its header with texts in the order of their names: safetensors writes them in any."""
    (length,) = struct.unpack("<Q", data[:8])
    values = json.loads(data[8 : 8 + length])
    values["__metadata__"] = dict(sorted(values.get("__metadata__", {}).items()))
    header = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header, memoryview(data)[8 + length :]


def parse_object(text: str | bytes, what: str) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        HeaderError: if it is none, holds a number that is not finite, or is nested too deeply.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise HeaderError(f"{what} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise HeaderError(f"{what} is no JSON object")
    return value


def _place(name: str, value: Any) -> tuple[int, int, str]:
    """First byte, byte after the last, and name of a tensor that is described in full."""
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise HeaderError(f"tensor {shown(name)} needs dtype, shape and data_offsets, and nothing else")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise HeaderError(f"the dtype of tensor {shown(name)} is {shown(dtype)}")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2 or len(shape) > 8:
        raise HeaderError(f"shape or data_offsets of tensor {shown(name)} are no lists of sizes")
    begin, end = offsets
    if end - begin != math.prod(shape) * BITS[dtype] // 8:
        raise HeaderError(f"tensor {shown(name)} of shape {shown(shape)} does not fit into {end - begin:,} bytes")
    return begin, end, name


def _sizes(values: Any) -> bool:
    """Whether this is a list of whole numbers from 0 on that fit into 64 bits."""
    return isinstance(values, list) and all(type(k) is int and 0 <= k < 2**63 for k in values)
