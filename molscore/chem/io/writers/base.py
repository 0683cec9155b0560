"""What the writers share: records out of bytes, counts, and a word on what was left out."""

import io
import re
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rdkit import Chem

from molscore.chem.io.lines import ERRORS, printable
from molscore.chem.io.sdf_reader import Record, read_sdf

_END = re.compile(rb"^\$\$\$\$.*(?:\n|\Z)", re.MULTILINE)


class RecordWriter(ABC):
    """Writes records in one format. A context manager; at a clean end of the block the file is complete.

    Args:
        file: where to.
        path: its name, for messages.
        v3000: whether mol blocks are rewritten in V3000.

    Attributes:
        count: records written.
        refused: number of records that the format cannot hold, by the reason.
    """

    def __init__(self, file: io.BufferedIOBase, path: Path, v3000: bool = False):
        self.file, self.path, self.v3000 = file, path, v3000
        self.count = 0
        self.refused = Counter[str]()
        self._first: dict[str, str] = {}
        self.open = ExitStack()

    def add(self, text: bytes) -> None:
        """Writes whole records, one or more, each ended by ``$$$$``."""
        for record in _END.split(text):
            if record.strip():
                self._write(record.decode("utf-8", ERRORS))

    def _write(self, text: str) -> None:
        try:
            self.write(text)
        except UnwritableError as error:
            place = f"record {self.count + self.refused.total() + 1}, {first_line(text)[:40]}{error.detail}"
            self._first.setdefault(error.reason, printable(place))
            self.refused[error.reason] += 1
        else:
            self.count += 1

    @abstractmethod
    def write(self, text: str) -> None:
        """Writes a record without its ``$$$$``, or raises `UnwritableError`."""

    def finish(self) -> None:  # noqa: B027 (most formats have no end)
        """Writes what comes after the last record."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self.open:
            if kind is None:
                self.finish()
        if kind is None and self.refused:
            reasons = "; ".join(f"{count} {reason} ({self._first[reason]})" for reason, count in self.refused.items())
            warnings.warn(f"{self.path}: {self.refused.total()} records are left out: {reasons}", stacklevel=3)


class UnwritableError(ValueError):
    """A format cannot hold a record.

    Attributes:
        reason: why, in words that many records may share.
        detail: what else there is to say of this one.
    """

    def __init__(self, reason: str, detail: object = ""):
        super().__init__(reason)
        self.reason, self.detail = reason, f": {detail}" if detail else ""


def molecule(text: str, sanitize: bool = False) -> Chem.Mol:
    """The molecule of a record, hydrogens kept, with a 3-D conformer.

    Raises:
        UnwritableError: if it cannot be read, or has no 3-D coordinates.
    """
    record = only_record(text, sanitize)
    if record.mol is None:
        raise UnwritableError(str(record.reason).partition(":")[0])
    if not record.mol.GetConformer().Is3D():
        raise UnwritableError("without 3-D coordinates")
    return record.mol


def only_record(text: str, sanitize: bool = False) -> Record:
    """The record that a text is, as `read_sdf` reads it."""
    return next(read_sdf(text.splitlines(keepends=True), sanitize), Record(0, 1, None, "unreadable", text))


def first_line(text: str) -> str:
    """The first line of a record, its title."""
    return text.partition("\n")[0].rstrip("\r")
