"""What holds for every command: its numbers are held against `molscore.limits` before it begins.

And results that cannot be printed end it with a sentence and code 1.
"""

import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from molscore.cli.common import fail
from molscore.limits import LIMITS, check

N = {"generate": "molecules", "conformers": "conformers", "interpolate": "interpolated"}
"""What ``--n`` counts; in all other commands, items of a source."""

KEPT = "conformers"
"""The option of ``molscore data`` that limits the conformers of a molecule."""


def limit_of(command: Callable, option: str) -> str | None:
    """Name of the limit of a command's option, by the name of its parameter; None if it is no number."""
    if option in ("n", "limit"):
        return N.get(command.__name__, "items")
    if option == KEPT:
        return "kept_conformers"
    return option if option in LIMITS else None


def bounded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, which ends with code 2 and says what to write where a number is out of bounds."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        for option, value in options.items():
            if value is not None and not isinstance(value, str) and (name := limit_of(command, option)):
                try:
                    check(name, value, flag(option))
                except ValueError as error:
                    fail(error)
        try:
            return command(**options)
        except BrokenPipeError:  # whoever reads has seen enough
            raise
        except OSError as error:  # a command says itself what is wrong with its files
            _close_stdout()
            fail(f"cannot write to standard output: {error}", code=1)

    return run


def _close_stdout() -> None:
    """What is still to be printed goes nowhere; else Python would try again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flag(option: str) -> str:
    """How an option is written, from the name of its parameter."""
    return "--max-per-molecule-seconds" if option == "seconds" else f"--{option.replace('_', '-')}"
