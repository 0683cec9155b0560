"""Names of molecules in files: ``lead.sdf``, the only one, ``lead.sdf:3``, the third record. Imports nothing heavy."""

import re
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"(.+\.(?:sdf|sdf\.gz|sd|mol))(?::(\d{1,9}))?", re.IGNORECASE | re.DOTALL)


class Named(NamedTuple):
    """An SDF or MOL file, and the number of a record, from 1 on; None where the name has none."""

    path: Path
    record: int | None


def named(text: str) -> Named | None:
    """What a name stands for; None if it is none of an SDF or MOL file."""
    match = _NAME.fullmatch(text)
    return None if match is None else Named(Path(match[1]), None if match[2] is None else int(match[2]))


def file_of(text: str | None) -> Path | None:
    """The file alone; None if it is none of an SDF or MOL file."""
    found = None if text is None else named(text)
    return None if found is None else found.path
