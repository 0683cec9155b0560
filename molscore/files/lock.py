"""One run at a time into one output: an advisory lock, which ends with the process that holds it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from molscore.files.paths import beside
from molscore.files.signals import uninterrupted

try:
    import fcntl
except ImportError:  # no such locks on this system
    fcntl = None  # type: ignore[assignment]


class BusyError(OSError):
    """Another run is writing the same file."""


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keeps other runs from writing `path` within the block.

    The lock is one of the operating system on a hidden file beside `path`, which goes at the end. One that a dead
    process left there blocks nobody. File systems without locks are not kept from anything.

    Raises:
        BusyError: if another run holds the lock; the message says which.
    """
    if fcntl is None:
        yield
        return
    name, handle = beside(path, ".lock"), None
    try:
        with uninterrupted():
            handle = _take(name, path)
        yield
    finally:
        if handle is not None:
            with uninterrupted():
                with suppress(OSError):
                    name.unlink()
                os.close(handle)


def _take(name: Path, path: str | os.PathLike[str]) -> int | None:
    """A descriptor of the locked file, or None where there are no locks."""
    while True:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(handle)
            os.close(handle)
            raise BusyError(f"another run{holder} is writing {path}; wait for it, or write to another file") from None
        except OSError:  # a file system without locks
            os.close(handle)
            with suppress(OSError):
                name.unlink()
            return None
        try:
            if os.path.samestat(os.fstat(handle), os.stat(name)):
                with suppress(OSError):  # a full disk
                    os.ftruncate(handle, 0)
                    os.write(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode())
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)  # who held the lock has just removed the file


def _holder(handle: int) -> str:
    """Process and host that hold the lock, in words; "" if the file does not say."""
    try:
        content = json.loads(os.pread(handle, 1000, 0))
        return f" (process {int(content['process'])} on {content['host']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
