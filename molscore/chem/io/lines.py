"""Lines of text from bytes: one way to open, unpack and decode every file that a user brings.

Compression is seen from the first bytes, not from the name. The encoding is the one that a byte order mark declares,
else the one that the caller declares, else UTF-8 (or UTF-16, if every second byte is zero). A byte that does not decode
becomes a lone surrogate character, so that the reader can refuse its record alone (`undecoded`) and a writer that uses
`ERRORS` can write the byte again as it was. Imports nothing but the standard library.
"""

import codecs
import gzip
import io
import os
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE = 2**26
"""Characters of the longest line that is read: what is longer is no text, and would fill the memory."""

ERRORS = "molscore_bytes"
"""Error handler of `str.encode` and `bytes.decode`: a byte b that does not decode is the character U+DC00 + b."""

_HEAD = 2**16
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstandard",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


class DamagedFile(ValueError):
    """A file that cannot be read any further; the message has the reason."""


def undecoded(text: str) -> str | None:
    """A sentence for the user if `text` holds bytes that did not decode; None if it does not."""
    if _SURROGATE.search(text) is None:
        return None
    return "bytes do not decode; give the file's --encoding (often cp1252), or save it as UTF-8"


def printable(text: str) -> str:
    """The text with every byte that did not decode written as ``\\xb5``."""
    return _SURROGATE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


def check_encoding(encoding: str | None) -> None:
    """Raises ValueError unless it is None or the name of an encoding of text."""
    if encoding is not None:
        try:
            known = isinstance(b"C 1\n".decode(encoding, ERRORS), str)
        except (LookupError, UnicodeError, ValueError):
            known = False
        if not known:
            raise ValueError(f"unknown encoding '{encoding}'; name one such as utf-8, cp1252, latin-1 or utf-16")


@contextmanager
def opened(
    source: str | os.PathLike[str],
    stream: IO[str] | None = None,
    encoding: str | None = None,
    carriage_returns: bool = True,
) -> Iterator[Iterator[str]]:
    """The lines of a file or of standard input; the file is closed at the end.

    Args:
        source: the file, or ``-`` for `stream`, or without one for standard input.
        stream: text, which is left open.
        encoding, carriage_returns: as for `read_lines`.

    Raises:
        ValueError: for an unknown encoding.
        OSError: if the file cannot be opened, or is a folder.
    """
    check_encoding(encoding)
    if source != "-":
        if os.path.isdir(source):
            raise IsADirectoryError(f"{source} is a folder; give a file")
        with open(source, "rb") as file:
            yield read_lines(file, encoding, carriage_returns)
        return
    if stream is None and sys.stdin is None:
        raise OSError("standard input is closed; give a file")
    buffer: io.BufferedIOBase | None = getattr(sys.stdin, "buffer", None) if stream is None else None
    yield iter(stream or sys.stdin) if buffer is None else read_lines(buffer, encoding, carriage_returns)


@contextmanager
def rereadable(source: str | os.PathLike[str]) -> Iterator[Path]:
    """A file that may be read several times: what comes through a pipe, or is ``-``, is copied to a temporary one."""
    if str(source) != "-" and os.path.isfile(source):
        yield Path(source)
        return
    with NamedTemporaryFile(suffix=".sdf") as copy:
        with nullcontext(sys.stdin.buffer) if str(source) == "-" else open(source, "rb") as stream:
            shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)


def read_text(path: str | os.PathLike[str]) -> str:
    """All of a file, its lines ended by ``\\n``. Errors as `opened` and `read_lines`."""
    with opened(path) as lines:
        return re.sub("\r\n?", "\n", "".join(lines))


def read_lines(file: io.BufferedIOBase, encoding: str | None = None, carriage_returns: bool = True) -> Iterator[str]:
    """Lines with their ends as they stand in the file. Nothing is read before the first is asked for.

    Args:
        file: compressed with gzip or not. It is left open.
        encoding: declared by the user; a byte order mark overrides it.
        carriage_returns: whether a lone ``\\r`` ends a line. Otherwise it does so only in files without any ``\\n``,
            and there it comes as ``\\n``.

    Raises:
        DamagedFile: if the file ends too early, cannot be read, is an archive, or holds a line beyond `MAX_LINE`.
    """
    try:
        head, file = _with_head(file)
        for magic, what in _ARCHIVES.items():
            if head.startswith(magic):
                raise DamagedFile(f"the file is {what}; unpack it, or save it as text, first")
        if head.startswith(b"\x1f\x8b"):
            head, file = _with_head(gzip.GzipFile(fileobj=file))
        encoding = _encoding(head, encoding)
        old_macintosh = b"\r" in head and "\n" not in head.decode(encoding, "ignore")
        newline = "" if carriage_returns else "\r" if old_macintosh else "\n"
        text = io.TextIOWrapper(file, encoding, ERRORS, newline)
        while line := text.readline(MAX_LINE):
            if len(line) == MAX_LINE and line[-1] not in "\r\n":
                raise DamagedFile(f"a line has more than {MAX_LINE:,} characters")
            yield line[:-1] + "\n" if newline == "\r" and line[-1] == "\r" else line
    except (EOFError, OSError, zlib.error, UnicodeError) as error:
        raise DamagedFile(f"the file is damaged: {error}") from error


def _encoding(head: bytes, declared: str | None) -> str:
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name
    if declared is not None:
        return declared
    zeros = [byte == 0 for byte in head[:4]]
    return "utf-16-le" if zeros == [False, True] * 2 else "utf-16-be" if zeros == [True, False] * 2 else "utf-8"


def _with_head(file: io.BufferedIOBase) -> tuple[bytes, io.BufferedReader]:
    """The first bytes of a file, to its first ``\\n`` at least unless that is far, and the whole of it again."""
    head = b""
    while b"\n" not in head and len(head) < _HEAD and (more := file.read1(_HEAD)):
        head += more
    return head, io.BufferedReader(_Rejoined(head, file), _HEAD)


class _Rejoined(io.RawIOBase):
    """Bytes that have been read already, then the rest of the file, which is left open."""

    def __init__(self, head: bytes, file: io.BufferedIOBase):
        self._head, self._file = head, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        data = self._head[: len(view)] or self._file.read1(len(view))
        self._head = self._head[len(data) :]
        view[: len(data)] = data
        return len(data)


def _bytes_as_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        part = error.object[error.start : error.end]
        if all(0xDC00 <= ord(character) <= 0xDCFF for character in part):
            return bytes(ord(character) & 0xFF for character in part), error.end
    raise error


codecs.register_error(ERRORS, _bytes_as_characters)
