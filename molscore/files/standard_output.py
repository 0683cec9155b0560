"""Results to standard output, as they come."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

NAME = "standard output"


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output as a binary stream. Whoever writes a record flushes it, so that a reader gets it whole.

    Raises:
        BrokenPipeError: if its reader has gone.
        OSError: if it is closed, or a full disk.
    """
    if sys.stdout is None:
        raise OSError(f"{NAME} is closed; name a file with --out")
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None or error.filename:
            raise
        raise OSError(error.errno, error.strerror, NAME) from error
