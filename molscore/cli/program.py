"""The program as a whole, and errors of printing."""

import os
import sys
from contextlib import suppress
from typing import Any

import typer

from molscore.garbage import search_less


class Program(typer.Typer):
    """Results, help and versions that cannot be printed end with a sentence and code 1."""

    def __call__(self, *words: Any, **options: Any) -> Any:
        """Runs the program; see `typer.Typer`, which ends it quietly where a pipe is closed by its reader."""
        search_less()
        try:
            return super().__call__(*words, **options)
        except OSError as error:  # a command says itself what is wrong with its files
            with suppress(OSError, ValueError):  # else Python would try to print the rest at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            typer.echo(f"Error: cannot write to standard output: {error.strerror or error}", err=True)
            sys.exit(1)
