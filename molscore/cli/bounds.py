"""Bounds of options: the numbers of every command are checked against `molscore.limits` before it begins, and words
against `molscore.cli.choices`."""

import functools
from collections.abc import Callable
from typing import Any

from molscore.cli.choices import check_words
from molscore.cli.common import complaints, fail, worker_number
from molscore.limits import LIMITS, check

N = {"generate": "molecules", "conformers": "conformers", "interpolate": "interpolated"}
"""What ``--n`` counts; in all other commands, items of a source."""

KEPT = "conformers"
"""The option of ``molscore data`` that limits the conformers of a molecule."""


def limit_of(command: Callable[..., None], option: str) -> str | None:
    """Name of the limit of a command's option, from the name of its parameter; None if it is no number."""
    if option in ("n", "limit"):
        return N.get(command.__name__, "items")
    if option == KEPT:
        return "kept_conformers"
    return option if option in LIMITS else None


def bounded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, which ends with code 2 and says what to write where a number is out of bounds or a word unknown."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        for option, value in options.items():
            if option == "workers":
                with complaints(ValueError):
                    worker_number(value)
            elif value is not None and not isinstance(value, str) and (name := limit_of(command, option)):
                try:
                    check(name, value, flag(option))
                except ValueError as error:
                    fail(error)
        with complaints(ValueError):
            check_words(command, options)
        return command(**options)

    return run


def flag(option: str) -> str:
    """How an option is written, from the name of its parameter."""
    return "--max-per-molecule-seconds" if option == "seconds" else f"--{option.replace('_', '-')}"
