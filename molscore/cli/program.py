"""The program as a whole: what all commands have in common, and errors of printing."""

import inspect
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from molscore import namesake
from molscore.cli.bounds import bounded
from molscore.cli.common import interruptible
from molscore.cli.config import load_config, variable
from molscore.cli.groups import ORDER, group_of
from molscore.cli.log import logged
from molscore.garbage import search_less

RULE = (
    "Every option may also stand in a YAML file (--config) or in an environment variable: --batch-size as "
    "batch-size: 16, or as MOLSCORE_BATCH_SIZE=16. The command line wins over the environment, and that over the file."
)

LogFile = Annotated[
    Path | None, typer.Option("--log", help="Add messages, options and how it ended to this file.", show_default=False)
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="YAML file of options.", is_eager=True, callback=load_config, show_default=False),
]


class Program(typer.Typer):
    """Results, help and versions that cannot be printed end with a sentence and code 1."""

    def __call__(self, *words: Any, **options: Any) -> Any:
        """Runs the program; see `typer.Typer`, which ends it quietly where a pipe is closed by its reader."""
        search_less()
        namesake.warn()  # the other project's package may have been imported in place of this one
        try:
            return super().__call__(*words, **options)
        except OSError as error:  # a command says itself what is wrong with its files
            with suppress(OSError, ValueError):  # else Python would try to print the rest at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            typer.echo(f"Error: cannot write to standard output: {error.strerror or error}", err=True)
            sys.exit(1)


class Command(TyperCommand):
    """A command whose options have environment variables, and stand in groups in its help."""

    def __init__(self, *arguments: Any, **settings: Any):
        super().__init__(*arguments, **settings)
        for parameter in self.params:
            if parameter.param_type_name == "option" and parameter.envvar is None:
                parameter.envvar = variable(parameter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The options, group by group."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            is_option = parameter.param_type_name == "option"
            if is_option:
                parameter.show_envvar = False  # type: ignore[attr-defined]  # `RULE` says what it is
            if (row := parameter.get_help_record(ctx)) is not None:
                rows.setdefault(group_of(str(parameter.name)) if is_option else "Arguments", []).append(row)
        for title in ORDER:
            if title in rows:
                with formatter.section(title):
                    formatter.write_dl(rows[title])


def register(app: typer.Typer, command: Callable[..., None]) -> None:
    """Adds a command to a program: checked, interruptible, with ``--log`` and ``--config``."""
    app.command(cls=Command, epilog=RULE)(_with_log(interruptible(bounded(command))))


def _with_log(command: Callable[..., None]) -> Callable[..., None]:
    more = {"log_file": LogFile, "config_file": ConfigFile}

    @wraps(command)
    def run(log_file: Path | None = None, config_file: Path | None = None, **options: Any) -> None:
        with logged(log_file, command.__name__, options):
            command(**options)

    signature = inspect.signature(command)
    added = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=kind)
             for name, kind in more.items()]  # fmt: skip
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *added])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **more}
    return run
