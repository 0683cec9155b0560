"""A long output kept piece by piece, so that a run which was stopped or killed goes on where it was.

While an output is made two hidden files lie beside it. ``.NAME.part`` holds the pieces: the text of what an input
record, or an attempt, came to. ``.NAME.journal`` is only ever added to: a first line with what decides on the result
(model, version, options, ...), then a line for each piece with its number, where it lies in the part file, its
checksum, and what the run's summary needs. Each line begins with its own checksum.

A piece counts once its line is there. What a kill or a full disk leaves half-written has no line, or no right checksum,
and is made again; so is what is damaged later. Nothing is ever deleted because it cannot be read. Memory does not grow
with the number of pieces.
"""

import io
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from molscore.files.lock import locked
from molscore.files.ondisk import Places
from molscore.files.output import NamedFile, naming
from molscore.files.paths import beside
from molscore.files.signals import uninterrupted

FORMAT = "molscore-journal-1"

KEPT = "what is finished is kept; the same command with --resume goes on"
"""Note on an error of the system, such as a full disk."""


class ResumeError(ValueError):
    """There is nothing to resume, or it was made by another model, version, or with other options."""


def check_same(path: Path, before: Mapping[str, Any], now: Mapping[str, object]) -> None:
    """Raises ResumeError unless what decided on the result is what decides on it now; it names the difference."""
    now = json.loads(json.dumps(now))
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            words = f"{name} {before.get(name)}, and this run has {name} {now.get(name)}"
            raise ResumeError(f"{path} was made with {words}; resume with the same, or run without --resume")


def part_of(path: str | os.PathLike[str]) -> Path:
    """Where the pieces of a file that is to be `path` lie while it is made."""
    return beside(path, ".part")


def journal_of(path: str | os.PathLike[str]) -> Path:
    """Where the journal of these pieces lies."""
    return beside(path, ".journal")


def check_begun(path: str | os.PathLike[str]) -> None:
    """Raises ResumeError if no run that was to write `path` was stopped."""
    if not journal_of(path).is_file():
        raise ResumeError(f"there is nothing to resume: no run into {path} was stopped; run without --resume")


def remove_pieces(path: str | os.PathLike[str]) -> None:
    """Removes the pieces of a file, if there are any."""
    with uninterrupted():
        part_of(path).unlink(missing_ok=True)
        journal_of(path).unlink(missing_ok=True)


class PartFile:
    """The pieces of an output. A context manager, which holds the locks on the outputs.

    Args:
        path: the output.
        identity: what decides on the result (model, version, options, ...), JSON values by name.
        resume: go on with the pieces of an earlier run of the same identity; else its pieces are replaced.
        others: further outputs of the run.

    Attributes:
        replaces: whether a file stood at `path`, or at one of `others`, when the first run began.

    Raises:
        ResumeError: on entry, if the earlier run was another; all its files stay as they are.
        BusyError: on entry, if another run is writing the output.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        identity: Mapping[str, object],
        resume: bool = False,
        others: Sequence[Path] = (),
    ):
        self.path, self.identity, self._go_on, self._others = Path(path), dict(identity), resume, others
        self.replaces = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._at = Places()  # number of a piece -> where its line begins, and its length
            stack.callback(self._at.close)
            for path in (self.path, *self._others):
                stack.enter_context(locked(path))
            self._resume(stack) if self._go_on else self._begin(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Keeps the pieces after an error, if there are any, unless `remove` was called."""
        if isinstance(error, Exception):
            if not len(self._at):
                self.remove()
            elif isinstance(error, OSError):
                error.add_note(KEPT)
        self._open.__exit__(kind, error, traceback)

    def __contains__(self, number: int) -> bool:
        return number in self._at

    def __len__(self) -> int:
        return len(self._at)

    def numbers(self) -> Iterator[int]:
        """Numbers of all pieces, in order."""
        return iter(self._at)

    def add(self, number: int, text: str, about: Mapping[str, object]) -> None:
        """Adds a piece, or one in place of another of its number. Ctrl-C leaves all of it there, or nothing.

        Args:
            number: of the piece.
            text: its lines of the output; "" if it has none.
            about: JSON values that a run which goes on needs, by name.
        """
        data = text.encode("utf-8")
        with uninterrupted():
            start = self._part.seek(0, io.SEEK_END)
            self._write(self._part, data)
            piece = {"piece": number, "start": start, "length": len(data), "crc": zlib.crc32(data)}
            self._at[number] = self._add_line(piece | {"about": dict(about)})

    def about(self, number: int) -> dict[str, Any]:
        """The values that were added with a piece, by name."""
        return self._piece(number)["about"]

    def text(self, number: int) -> bytes:
        """The lines of a piece.

        Raises:
            OSError: if they are no longer what they were when the run began.
        """
        line = self._piece(number)
        if not self._sound(data := self._read(line), line):
            raise OSError(f"{part_of(self.path)} was damaged while it was in use; run again with --resume")
        return data

    def remove(self) -> None:
        """Removes the pieces: the output is in place, or there is nothing worth keeping."""
        remove_pieces(self.path)

    def _begin(self, stack: ExitStack) -> None:
        self.replaces = any(path.exists() for path in (self.path, *self._others))
        try:
            self._part = stack.enter_context(NamedFile(part_of(self.path), "w+b", self.path))
            self._journal = stack.enter_context(NamedFile(journal_of(self.path), "w+b", self.path))
            about = {"format": FORMAT, "process": os.getpid(), "replaces": self.replaces}
            about["outputs"] = [str(path) for path in (self.path, *self._others)]
            self._add_line(about | {"identity": self.identity})
        except OSError:
            self.remove()
            raise

    def _resume(self, stack: ExitStack) -> None:
        journal, part = journal_of(self.path), part_of(self.path)
        check_begun(self.path)
        with journal.open("rb") as lines:
            first = lines.readline()
            self._check(_content(first))
            self._part = stack.enter_context(NamedFile(part, "r+b" if part.is_file() else "w+b", self.path))
            self._journal = stack.enter_context(NamedFile(journal, "r+b", self.path))
            self._find(lines, len(first))

    def _check(self, header: dict[str, Any] | None) -> None:
        """The first line of the journal must be that of the same run."""
        if header is None or header.get("format") != FORMAT:
            raise ResumeError(
                f"the first line of {journal_of(self.path)} is damaged; run without --resume to start anew"
            )
        new = (path for path in self._others if str(path) not in header["outputs"])
        self.replaces = header["replaces"] or any(path.exists() for path in new)
        check_same(self.path, header["identity"], self.identity)

    def _find(self, lines: Iterable[bytes], at: int) -> None:
        """Finds the pieces that are sound. A line that was cut off is ended, so that the next begins anew."""
        last = b"\n"
        for last in lines:
            line = _content(last)
            if line is not None and self._sound(self._read(line), line):
                self._at[line["piece"]] = at, len(last)
            elif line is not None:
                self._at.discard(line["piece"])
            at += len(last)
        if not last.endswith(b"\n"):
            self._journal.seek(0, io.SEEK_END)
            self._write(self._journal, b"\n")

    def _piece(self, number: int) -> dict[str, Any]:
        """The line of a piece."""
        at, length = self._at[number]
        line = _content(os.pread(self._journal.fileno(), length, at))
        if line is None:
            raise OSError(f"{journal_of(self.path)} has changed while it was in use; run again with --resume")
        return line

    def _read(self, line: Mapping[str, Any]) -> bytes:
        """The bytes of a piece; fewer where they are not there, none where they cannot be read."""
        try:
            return os.pread(self._part.fileno(), line["length"], line["start"])
        except OSError:
            return b""

    @staticmethod
    def _sound(data: bytes, line: Mapping[str, Any]) -> bool:
        return len(data) == line["length"] and zlib.crc32(data) == line["crc"]

    def _add_line(self, value: Mapping[str, object]) -> tuple[int, int]:
        """Adds a line to the journal, and returns where it begins and how long it is."""
        at = self._journal.seek(0, io.SEEK_END)
        data = json.dumps(value, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(data), data)
        self._write(self._journal, line)
        return at, len(line)

    def _write(self, file: NamedFile, data: bytes) -> None:
        """All of it: a raw file may take less at a time."""
        with naming(self.path):
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]


def _content(line: bytes) -> dict[str, Any] | None:
    """The content of a line of the journal; None if its checksum is not right."""
    try:
        if int(line[:8], 16) == zlib.crc32(line[9:].rstrip(b"\n")) and line.endswith(b"\n"):
            return json.loads(line[9:])
    except ValueError:
        pass
    return None
