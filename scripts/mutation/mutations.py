"""Seeded ways to spoil a file."""

import gzip
import json
import random
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

TOKENS = [
    *(
        b">",
        b">  <name>\n",
        b"$$$$\n",
        b"M  END\n",
        b"M  CHG  1   1   5\n",
        b"M  V30 END CTAB\n",
        b'"',
        b";",
        b",",
        b"\t",
    ),
    *(
        b"sep=|\n",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x00",
        b"\xe9",
        b"\r",
        b"\n\n\n",
        b"=1+1",
        b"-",
        b"[Xx]",
        b"%99",
        b"|&1:0|",
    ),
    *(
        b"nan",
        b"inf",
        b"-1",
        b"0",
        b"999",
        b"1e308",
        b"99999999999999999999",
        b"{",
        b"}",
        b"]",
        b"[" * 300,
        b"!!python/x",
    ),
    *(
        b"A" * 5000,
        "分".encode(),
        "\u2028".encode(),
        b"ATOM  ",
        b"loop_\n",
        b"_atom_site.id\n",
        b"ENDMDL\n",
        b": ",
        b"&a *a",
    ),
]

VALUES = [None, True, -1, 0, 1, 1.5, 2**31, 10**9, 10**30, 1e308, float("nan"), float("inf"), "", "x", "9" * 99, [], {}]
VALUES += [[[[]]], {"x": 1}, "0x0e", "999999999x0e", [1, 2, 3], [0.5] * 40, "F64", "BOOL", {"dtype": "I8"}]


def mutated(data: bytes, name: str, rng: random.Random) -> bytes:
    """The content of a file, spoilt one to four times."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        if name.endswith(".safetensors") and rng.random() < 0.7:
            data = _header(data, rng)
        elif name.endswith(".gz") and rng.random() < 0.6:
            try:
                data = gzip.compress(rng.choice(MUTATIONS)(gzip.decompress(data), rng), mtime=0)
            except (OSError, EOFError, zlib.error):
                data = rng.choice(MUTATIONS)(data, rng)
        else:
            data = rng.choice(MUTATIONS)(data, rng)
    return data


def _flip(data: bytes, rng: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 3, 20)) if data else 0):
        spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    return bytes(spoilt)


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _delete(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice((1, 10, 200)) :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.choice([*TOKENS, rng.randbytes(rng.choice((1, 30)))]) + data[start:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.choice((5, 80, 1000))]
    return data[:start] + piece * rng.choice((2, 2, 9)) + data[start:]


def _lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(3)
    if what == 0:
        lines[i], lines[j] = lines[j], lines[i]
    elif what == 1:
        del lines[i]
    else:
        lines.insert(i, lines[j])
    return b"\n".join(lines)


def _number(data: bytes, rng: random.Random) -> bytes:
    numbers = list(re.finditer(rb"-?\d+\.?\d*", data))
    if not numbers:
        return _insert(data, rng)
    number = rng.choice(numbers)
    new = rng.choice((b"0", b"-1", b"1e9", b"nan", b"inf", b"99", b"999999999999", b"", b"x", b"0.00000", b"-7.5"))
    if rng.random() < 0.5:  # keeps the columns of fixed formats
        new = new[: len(number[0])].rjust(len(number[0]))
    return data[: number.start()] + new + data[number.end() :]


def _ends(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b" \n", b"\x00\n", b"\xe2\x80\xa8")))


def _encode(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32", "cp1252", "utf-8-sig")), "replace")


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    *(_flip, _cut, _delete, _insert, _insert, _repeat, _lines, _lines, _number, _number, _number, _ends, _encode)
]


def _header(data: bytes, rng: random.Random) -> bytes:
    """A safetensors file with one value of its header changed, the length of the header made to fit."""
    try:
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        nested = header.get("__metadata__", {})
        about = json.loads(nested["about"]) if "about" in nested else None
    except (struct.error, ValueError, AttributeError, TypeError):
        return _flip(data, rng)
    target = about if about is not None and rng.random() < 0.8 else header
    _change(target, rng)
    if about is not None and isinstance(header.get("__metadata__"), dict) and "about" in header["__metadata__"]:
        header["__metadata__"]["about"] = json.dumps(about)
    new = json.dumps(header).encode()
    return struct.pack("<Q", len(new)) + new + data[8 + length :]


def _change(value: dict | list, rng: random.Random) -> None:
    """Changes, deletes or adds one entry somewhere in a nested value."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = rng.choice(keys)
    inner = value[key]
    if isinstance(inner, (dict, list)) and inner and rng.random() < 0.8:
        _change(inner, rng)
    elif rng.random() < 0.2:
        del value[key]
    elif isinstance(value, dict) and rng.random() < 0.2:
        value[rng.choice(("unknown", "", "layers", "data_offsets"))] = rng.choice(VALUES)
    else:
        value[key] = rng.choice(VALUES)


def kind_of(name: str) -> str:
    """The key of a file in the tables of jobs and commands."""
    return name if name.endswith(".safetensors") else Path(name.removesuffix(".gz")).suffix


def write_case(folder: Path, data: dict[str, bytes], names: list[str], number: int, seed: int) -> tuple[Path, bytes]:
    """Writes the spoilt file of a case, the same for the same seed and number."""
    rng = random.Random(f"{seed} {number}")
    name = names[number % len(names)]
    path, content = folder / name, mutated(data[name], name, rng)
    path.write_bytes(content)
    return path, content
