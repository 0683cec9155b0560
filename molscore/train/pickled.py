"""Files of ``torch.save`` read as if they came from a stranger: plain values and tensors, nothing else.

``torch.load(weights_only=True)`` runs no foreign code, but trusts the sizes that a file states. Here the pickle may use
only the operations that dictionaries, lists, texts, numbers and tensors need, the archive is not compressed, and no
tensor is made of more numbers than its record holds.
"""

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}

LONGEST = 1 << 24
"""Bytes of the pickle, at most; the numbers of the tensors are no part of it."""

NESTED = 40_000
"""Tuples in it, at most: Python's hash of tuples within tuples is recursive."""

OPERATIONS = frozenset(
    "PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE EMPTY_DICT EMPTY_LIST "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS BINPUT LONG_BINPUT BINGET LONG_BINGET "
    "GLOBAL BINPERSID REDUCE BUILD".split()
)


class PickledError(ValueError):
    """A file that is damaged, or holds more than plain values and tensors; the message says what."""


class Stored(NamedTuple):
    """A tensor whose numbers have not been read yet."""

    record: str
    dtype: torch.dtype
    numbers: int
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class Pickled:
    """An open file of ``torch.save``.

    Args:
        path: the file.

    Attributes:
        value: what was saved, each tensor in it as a `Stored`.

    Raises:
        OSError: if the file cannot be read.
        PickledError: if it is none of the kind.
    """

    def __init__(self, path: Path):
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise PickledError(f"it is no archive of torch.save, or is cut short: {error}") from error
        self._records = {info.filename: info for info in self._archive.infolist()}
        if any(i.compress_type != zipfile.ZIP_STORED or i.file_size != i.compress_size for i in self._records.values()):
            raise PickledError("its archive is compressed")
        names = [name for name in self._records if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(names) != 1:
            raise PickledError("its archive has no data.pkl, or several")
        self._folder = names[0].removesuffix("data.pkl") + "data/"
        self.value = _plain(self._bytes(names[0], LONGEST))

    def __enter__(self) -> "Pickled":
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.close()

    def tensor(self, stored: object) -> Tensor:
        """The numbers of a tensor, on the CPU.

        Raises:
            PickledError: if it is no tensor, or reaches beyond its record.
        """
        if not isinstance(stored, Stored):
            raise PickledError("it is no tensor")
        record, dtype, numbers, offset, size, stride = stored
        whole = [numbers, offset, *size, *stride]
        if not all(type(k) is int and 0 <= k < 2**40 for k in whole) or len(size) != len(stride) or len(size) > 8:
            raise PickledError(f"its size {size} or stride {stride} is out of range")
        count, last = 1, offset
        for side, step in zip(size, stride, strict=True):
            count, last = count * side, last + (side - 1) * step
        if count > numbers or (count and last >= numbers):
            raise PickledError(f"its size {size} asks for more than the {numbers:,} numbers that are stored")
        name, width = self._folder + record, torch.empty(0, dtype=dtype).element_size()
        if name not in self._records or self._records[name].file_size != numbers * width:
            raise PickledError(f"its record {record[:20]!r} does not hold {numbers:,} numbers")
        content = bytearray(self._bytes(name, numbers * width))
        flat = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
        return flat.as_strided(size, stride, offset).clone()

    def _bytes(self, name: str, most: int) -> bytes:
        if self._records[name].file_size > most:
            raise PickledError(f"{name[:40]} is longer than {most:,} bytes")
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError) as error:
            raise PickledError(f"{name[:40]} is damaged: {error}") from error


def _plain(data: bytes) -> Any:
    """The value of a pickle, if it is plain."""
    try:
        tuples = 0
        for operation, argument, _ in pickletools.genops(data):
            tuples += operation.name.startswith("TUPLE")
            if operation.name not in OPERATIONS or tuples > NESTED:
                raise PickledError(f"its pickle is not plain: {operation.name}")
            if operation.name == "LONG_BINPUT" and (argument or 0) > len(data):
                raise PickledError("its pickle asks for more memory than it fills")
        return _Unpickler(io.BytesIO(data)).load()
    except PickledError:
        raise
    except Exception as error:  # what damaged pickles make Python raise is not listed anywhere
        raise PickledError(f"its pickle is damaged: {error}") from error


class _Unpickler(pickle.Unpickler):
    """Makes ordered dictionaries and tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., object] | torch.dtype:
        """The object that a name in the pickle stands for."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *arguments: _stored(*arguments)
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise PickledError(f"{module}.{name}"[:60] + " has no place in it")

    def persistent_load(self, pid: Any) -> tuple[str, torch.dtype, int]:
        """Name of a record, type and count of its numbers."""
        kind, dtype, record, _, numbers = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(record, str):
            raise PickledError("a tensor in it is not as torch.save writes it")
        return record, dtype, numbers


def _stored(storage: tuple[str, torch.dtype, int], offset: int, size: object, stride: object, *rest: object) -> Stored:
    """The arguments of torch's own function that rebuilds a tensor."""
    record, dtype, numbers = storage
    if not isinstance(size, tuple) or not isinstance(stride, tuple):
        raise PickledError("the size of a tensor in it is no tuple")
    return Stored(record, dtype, numbers, offset, size, stride)
