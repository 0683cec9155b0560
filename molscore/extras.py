"""Optional packages: one way to ask for them, and one sentence where they are missing."""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from molscore.versions import DISTRIBUTION


class MissingExtraError(ImportError, ValueError):
    """An optional package is not installed; the message says how to install it.

    A ValueError too: it was the choice of an option that asked for the package.
    """


def hint(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def need(module: str, extra: str, purpose: str = "this") -> ModuleType:
    """Imports an optional package.

    Args:
        module: its name as an import, such as ``pandas``.
        extra: of this distribution that installs it, such as ``tables``.
        purpose: what needs it, the beginning of the message.

    Raises:
        MissingExtraError: if it is not installed. An installed package whose import fails raises its own error.
    """
    check(module, extra, purpose)
    return import_module(module)


def check(module: str, extra: str, purpose: str = "this") -> None:
    """Raises MissingExtraError if an optional package is not installed; it is not imported. Arguments as for `need`."""
    if not installed(module):
        package = module.partition(".")[0]
        raise MissingExtraError(
            f"{purpose} needs the package {package}, which is not installed: {hint(extra)}", name=package
        )


def installed(module: str) -> bool:
    """Whether a package is installed; it is not imported, nor are packages that it is part of."""
    package = module.partition(".")[0]
    if package in sys.modules:  # None there forbids the import
        return sys.modules[package] is not None
    return find_spec(package) is not None
