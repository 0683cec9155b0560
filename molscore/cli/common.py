"""What the commands share: words that several of them take, how they complain, how they show progress."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from molscore.limits import LIMITS, check, shown

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no summary.")]
Reference = Annotated[str, typer.Option(help="Bundled reference (auto: the model's), .npz or SDF file; or none.")]
Model = Annotated[str, typer.Option("--model", "-m", help="Bundled model (`molscore models`) or .safetensors file.")]


def fail(message: object, code: int = 2) -> NoReturn:
    """Ends the program with a sentence on stderr."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def complaints(*errors: type[Exception], code: int = 2) -> Iterator[None]:
    """Turns the given exceptions into `fail`."""
    try:
        yield
    except errors as error:
        fail(error, code)


@contextmanager
def bar(label: str, total: int | None, quiet: bool) -> Iterator[Any]:
    """A progress bar on stderr, None if the total is not known; yields ``advance(done, text)``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done, text=label: progress.update(task, completed=done, description=text)


def whole_number(text: str, name: str, limit: str) -> int:
    """A whole number within one of `LIMITS`, or a ValueError that says what to write."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
    check(limit, value, name)
    return value


def size_range(text: str) -> tuple[int, int]:
    """``25`` or ``20-30`` as bounds, or a ValueError that says what to write."""
    low, dash, high = text.partition("-")
    try:
        bounds = whole_number(low, "--atoms", "atoms"), whole_number(high if dash else low, "--atoms", "atoms")
    except ValueError:
        most = LIMITS["atoms"].high
        raise ValueError(
            f"--atoms must be a number from 1 to {most:,}, or a range such as 20-30, not {shown(text)}"
        ) from None
    if bounds[0] > bounds[1]:
        raise ValueError(f"--atoms {text} runs backwards; write {bounds[1]}-{bounds[0]}")
    return bounds


def unless_none(reference: str) -> str | None:
    """The word ``none`` is no reference."""
    return None if reference == "none" else reference


def write(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)
