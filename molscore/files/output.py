"""Every file that a user is given is written under a hidden name in its folder, synced, and renamed into place."""

import gzip
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from molscore.files.lock import locked
from molscore.files.paths import beside, check_regular, resolved
from molscore.files.signals import uninterrupted

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def written(path: str | os.PathLike[str], lock: bool = True) -> Iterator[io.BufferedIOBase]:
    """Opens a file to be written whole or not at all.

    At a clean end of the block it takes the place of `path`, with the permissions of a file that was there. After an
    exception nothing is left of it, and what was at `path` is untouched. A link stays a link to what is written. What
    goes to a name that ends in .gz is compressed, the same content to the same bytes.

    Args:
        path: the file to be, in a folder that exists.
        lock: keep other runs away while it is written; without it, whoever calls holds the lock already.

    Yields:
        A binary stream.

    Raises:
        OSError: if it cannot be written, with the name of `path`; if `path` is a folder, a device or a pipe.
        BusyError: if another run is writing it.
    """
    check_regular(Path(path))
    temporary = beside(path, ".tmp")
    with locked(path) if lock else nullcontext():
        try:
            with io.BufferedWriter(NamedFile(temporary, "wb", path)) as file:
                with _compressed(file) if str(path).lower().endswith(".gz") else nullcontext(file) as stream:
                    yield stream
                file.flush()
                _keep_mode(file.fileno(), path)
                with naming(path):
                    os.fsync(file.fileno())
            with uninterrupted(), naming(path):
                os.replace(temporary, resolved(path))
                sync_folder(temporary.parent)
        finally:
            with uninterrupted(), suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: "ReadableBuffer", lock: bool = True) -> None:
    """Writes a file whole or not at all; errors as `written`."""
    with written(path, lock) as file:
        file.write(data)


def write_text(path: str | os.PathLike[str], text: str, lock: bool = True) -> None:
    """Writes a text file, UTF-8, whole or not at all; errors as `written`."""
    write_bytes(path, text.encode("utf-8"), lock)


class NamedFile(io.FileIO):
    """A file whose errors name the output that it is for."""

    def __init__(self, path: Path, mode: str, output: str | os.PathLike[str]):
        self._output = output
        with naming(output):
            super().__init__(path, mode)

    def write(self, data: "ReadableBuffer", /) -> int:
        """As `io.FileIO.write`."""
        with naming(self._output):
            return super().write(data)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Gives the errors of the operating system within the block the name of an output."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: Path) -> None:
    """Makes names in a folder last, where the system can do so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _compressed(file: "io.BufferedWriter[NamedFile]") -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)


def _keep_mode(handle: int, path: str | os.PathLike[str]) -> None:
    with suppress(OSError):
        os.fchmod(handle, stat.S_IMODE(os.stat(path).st_mode))
