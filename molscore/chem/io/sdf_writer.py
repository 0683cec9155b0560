"""SDF files written whole or not at all. Files whose names end in ``.gz`` are compressed."""

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self, TextIO

from rdkit import Chem

from molscore.chem.io.lines import ERRORS
from molscore.chem.io.paths import check_writable
from molscore.chem.io.sdf_text import format_record, tagged


class SDFWriter:
    """Writes an SDF file that appears under its name when it is complete, and not before.

    A context manager. Records go to a hidden temporary file in the same folder. On a clean exit it takes the place of
    `path`; on an exception it is removed and what was at `path` is untouched. An interrupted run that wants to keep
    what it has calls ``commit()`` before the exception leaves the block.

    Args:
        path: name of the file, ending in .sdf or .sdf.gz.
        keep: leave the temporary file, `part_of(path)`, where it is if anything goes wrong, for a run that resumes.

    Attributes:
        path: the same.
        count: records written so far.

    Raises:
        ValueError, OSError: as ``check_writable``, at once.
    """

    def __init__(self, path: str | os.PathLike, keep: bool = False):
        self.path = check_writable(path)
        self.count = 0
        self._keep = keep
        self._temporary = part_of(self.path) if keep else self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        opener = gzip.open if self.path.suffix == ".gz" else open
        self._file = opener(self._temporary, "wt", encoding="utf-8", errors=ERRORS, newline="\n")
        return self

    def __exit__(self, exception_type, exception, traceback) -> None:
        if self._file is None:
            return
        if exception_type is None:
            self.commit()
        else:
            self._close(keep=False)

    def flush(self) -> None:
        """Hands what has been written to the operating system: a process that is killed does not lose it."""
        if self._file is not None:
            self._file.flush()

    def write(self, mol: Chem.Mol, title: str, properties: Mapping[str, object] | None = None) -> None:
        """Appends one record.

        Args:
            mol: molecule with explicit hydrogens and a 3-D conformer, sanitised or not; the first conformer is written.
            title: first line of the record.
            properties: values by name. None is left out; floats get six significant digits.

        Raises:
            ValueError: if the record would break the contract or the format. Nothing of it is written.
        """
        self._write(format_record(mol, title, properties))

    def copy(self, text: str, properties: Mapping[str, object]) -> None:
        """Appends a record as it stands in another file, whatever it holds, with further properties at its end.

        Args:
            text, properties: as for `molscore.chem.io.sdf_text.tagged`. Bytes that did not decode are written again.
        """
        self._write(tagged(text, properties))

    def _write(self, text: str) -> None:
        if self._file is None:
            raise ValueError(f"{self.path} is not open for writing; use SDFWriter in a with statement")
        self._file.write(text)
        self.count += 1

    def commit(self) -> None:
        """Puts what has been written so far at `path`, and ends the writing."""
        if self._file is None:
            raise ValueError(f"{self.path} is not open for writing; use SDFWriter in a with statement")
        self._close(keep=True)

    def _close(self, keep: bool) -> None:
        file, self._file = self._file, None
        try:
            file.close()
        except OSError:  # the disk is full
            keep = False
            raise
        finally:
            if keep:
                os.replace(self._temporary, self.path)
            elif not self._keep:
                self._temporary.unlink()


def part_of(path: Path) -> Path:
    """Where a file that is to be `path` lies while it is written, and after its writer was killed."""
    return path.with_name(f".{path.name}.part")
