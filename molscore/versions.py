"""Versions of installed packages."""

from functools import cache
from importlib import metadata


@cache
def version(package: str = "molscore") -> str:
    """The version of a package, looked up once; ``not installed`` if it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
