"""The name under which this package is published, its version, and the versions of other packages.

The package and the command are called ``molscore``. Another project is published under that name on PyPI, so the
*distribution*, which is what ``pip install`` wants, has a name of its own.
"""

from functools import cache

DISTRIBUTION = "molscore3d"
"""What ``pip install`` installs."""

VERSION = "0.2.0"
"""Of this code, whether it is installed or not; pyproject.toml reads it here."""


@cache
def version(package: str = DISTRIBUTION) -> str:
    """The version of this package, or of an installed one, looked up once; ``not installed`` if it is not."""
    if package == DISTRIBUTION:
        return VERSION
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
