"""The command line. A command checks its arguments, calls one job and prints a summary; heavy imports are inside.

Exit codes: 0 done, 1 the input or the machine is at fault, 2 the command was misused, 3 fewer molecules than asked for,
or records that cannot be read, 130 interrupted, 143 terminated (SIGTERM).
"""

from typing import Annotated

import typer

from molscore.cli.conformers import conformers
from molscore.cli.data import data
from molscore.cli.evaluate import evaluate, report
from molscore.cli.generate import generate
from molscore.cli.models import info, models, properties
from molscore.cli.program import RULE, Program, register
from molscore.cli.rank import rank
from molscore.cli.score import interpolate, score
from molscore.cli.train import train

app = Program(
    name="molscore",
    help="3-D molecules from score networks: generate, conformers, rank, score, evaluate, train.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=RULE,
)


def _version(wanted: bool) -> None:
    if wanted:
        from molscore.versions import version

        typer.echo(f"molscore {version()}")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """3-D molecules from score networks."""


for command in (generate, conformers, rank, score, interpolate, evaluate, train, models, info, properties, report):
    register(app, command)
app.add_typer(data, name="data")
