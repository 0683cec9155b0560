"""Results to standard output, as they come."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

NAME = "standard output"


class _AtOnce(io.BufferedIOBase):
    """Hands on each record at once, so that a reader need not wait for it."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        count = self._stream.write(data)
        self._stream.flush()
        return count


@contextmanager
def standard_output() -> Iterator[io.BufferedIOBase]:
    """Standard output as a binary stream.

    Raises:
        BrokenPipeError: if its reader has gone.
        OSError: if it is closed, or a full disk.
    """
    if sys.stdout is None:
        raise OSError(f"{NAME} is closed; name a file with --out")
    try:
        yield _AtOnce(sys.stdout.buffer)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None or error.filename:
            raise
        raise OSError(error.errno, error.strerror, NAME) from error
