"""SDF files written whole or not at all. Files whose names end in ``.gz`` are compressed."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import Self

from rdkit import Chem

from molscore.chem.io.lines import ERRORS
from molscore.chem.io.sdf_text import format_record
from molscore.files.output import written
from molscore.files.paths import check_writable
from molscore.files.standard_output import standard_output


class SDFWriter:
    """Writes an SDF file that appears under its name when it is complete, and not before.

    A context manager, see `molscore.files.output.written`: on a clean exit the file takes the place of `path`; on an
    exception nothing is left of it and what was at `path` is untouched.

    Args:
        path: name of the file, ending in .sdf or .sdf.gz; or ``-``: each record goes to standard output at once.

    Attributes:
        path: the same.
        count: records written so far.

    Raises:
        ValueError, OSError: as ``check_writable``, at once.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path) if str(path) == "-" else check_writable(path)
        self.count = 0
        self._file: BufferedIOBase | None = None

    def __enter__(self) -> Self:
        self._open = ExitStack()
        if str(self.path) == "-":
            self._file = self._open.enter_context(standard_output())
        else:
            self._file = self._open.enter_context(written(self.path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file = None
        self._open.__exit__(kind, error, traceback)

    def write(self, mol: Chem.Mol, title: str, properties: Mapping[str, object] | None = None) -> None:
        """Appends one record.

        Args:
            mol: molecule with explicit hydrogens and a 3-D conformer, sanitised or not; the first conformer is written.
            title: first line of the record.
            properties: values by name. None is left out; floats get six significant digits.

        Raises:
            ValueError: if the record would break the contract or the format. Nothing of it is written.
            OSError: if the disk is full, or fails.
        """
        if self._file is None:
            raise ValueError(f"{self.path} is not open for writing; use SDFWriter in a with statement")
        self._file.write(format_record(mol, title, properties).encode("utf-8", ERRORS))
        self.count += 1
