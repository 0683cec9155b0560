"""Can a file be put there? Asked before the work that would fill it. Imports nothing but the standard library."""

import os
from pathlib import Path


def check_writable(path: str | os.PathLike, endings: tuple[str, ...] = (".sdf", ".sdf.gz")) -> Path:
    """Says now what would go wrong after hours: can a file be put at `path`?

    Args:
        path: the file to be.
        endings: what its name may end in.

    Returns:
        `path` as a Path.

    Raises:
        ValueError: if the name does not end in one of `endings`.
        OSError: if the folder does not exist or cannot be written to, or if `path` is a folder.
    """
    path = Path(path)
    if not path.name.endswith(endings):
        raise ValueError(f"{path}: the name of this file must end in {' or '.join(endings)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path}: the folder {path.parent} cannot be written to")
    return path
