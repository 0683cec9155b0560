"""What the commands share: options that several of them take, error messages, progress bars."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, ParamSpec, Protocol

import typer

from molscore.extras import MissingExtraError
from molscore.files.signals import Terminated, terminable
from molscore.limits import LIMITS, check, shown

if TYPE_CHECKING:
    from molscore.workers import WorkerNumber

Parameters = ParamSpec("Parameters")

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no summary.")]
Reference = Annotated[str, typer.Option(help="Bundled reference (auto: the model's), .npz or SDF file; or none.")]
Encoding = Annotated[
    str | None, typer.Option(help="Of text files, such as cp1252.", show_default="UTF-8, or by byte order mark")
]
Workers = Annotated[str, typer.Option(help="Processes of one thread each, or auto: the cores there are to use.")]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Share the work on a Ray cluster: auto (the one that runs, or this machine), HOST:PORT or ray://HOST:PORT.",
        show_default="no cluster",
    ),
]
Model = Annotated[str, typer.Option("--model", "-m", help="Bundled model (`molscore models`) or .safetensors file.")]

Filter = Annotated[
    str | None,
    typer.Option("--filter", help="Such as 'qed > 0.5 and alerts == 0'; names: `molscore properties`."),
]
MustMatch = Annotated[
    list[str] | None,
    typer.Option("--must-match", help="SMARTS, or a file of them, of which one must match. May be repeated."),
]
MustNotMatch = Annotated[
    list[str] | None,
    typer.Option("--must-not-match", help="SMARTS, or a file of them, of which none may match. May be repeated."),
]


def fail(message: object, code: int = 2) -> NoReturn:
    """Ends the program with a sentence on stderr."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def complaints(*errors: type[Exception], code: int = 2) -> Iterator[None]:
    """Turns the given exceptions into `fail`; a missing package is always misuse. A pipe that its reader has
    closed ends the program without a word.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except errors as error:
        code = 2 if isinstance(error, MissingExtraError) else code
        fail("; ".join([_sentence(error), *getattr(error, "__notes__", [])]), code)


def _sentence(error: Exception) -> str:
    """The message of an error; that of the operating system without its number."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    return str(error)


def interruptible(command: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """A command that SIGTERM stops as Ctrl-C does: in order, with a message and the exit code that shells expect.

    Where an optional package is missing, it says what to install, and ends with code 2. Where workers died again and
    again, or are of no use, it says how, and ends with code 1.
    """

    @wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        try:
            with complaints(MissingExtraError), terminable():
                command(*arguments, **options)
        except KeyboardInterrupt as stop:
            fail("interrupted", exit_code(stop))
        except RuntimeError as error:
            workers = sys.modules.get("molscore.workers")
            if workers is None or not isinstance(error, workers.WorkerError):
                raise
            fail(str(error), 1)

    return run


def exit_code(stop: KeyboardInterrupt) -> int:
    """143 after SIGTERM, 130 after Ctrl-C."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


class Advance(Protocol):
    """Moves a progress bar to a number of finished items; the text before it, and their total, may change."""

    def __call__(self, completed: int, text: str = ..., of: int | None = ..., /) -> None: ...


@contextmanager
def bar(label: str, total: int | None, quiet: bool) -> Iterator[Advance]:
    """A progress bar on stderr, None if the total is not known."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = getattr(sys.stderr, "terminal", sys.stderr)  # not to a log
    with Progress(*columns, console=Console(file=terminal), disable=quiet) as progress:
        task = progress.add_task(label, total=total)

        def advance(completed: int, text: str = label, of: int | None = total) -> None:
            progress.update(task, completed=completed, description=text, total=of)

        yield advance


def check_filter(
    command: str,
    condition: str | None,
    must_match: list[str] | None,
    must_not_match: list[str] | None,
    relax: str = "none",
    uncertainty: bool = False,
) -> tuple[str, ...]:
    """Raises ValueError for filters of a command that are not understood, or ask for what it does not compute.

    Returns:
        The properties of input records that the condition asks for, as records name them.
    """
    inputs: tuple[str, ...] = ()
    if condition is not None:
        from molscore.chem.checks.conditions import check_computed, condition_of

        asked = condition_of(condition, command)
        inputs = asked.inputs
        if command == "generate":
            check_computed(asked.names, relax, uncertainty)
    if must_match or must_not_match:
        from molscore.chem.checks.smarts import smarts_texts

        smarts_texts([*(must_match or ()), *(must_not_match or ())])
    return inputs


def whole_number(text: str, name: str, limit: str) -> int:
    """A whole number within one of `LIMITS`, or a ValueError that says what to write."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
    check(limit, value, name)
    assert isinstance(value, int)
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


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """``3,7`` as numbers of atoms, or a ValueError that says what to write."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{option} must be numbers of atoms from 0 on, such as 3,7, not {shown(text)}") from None


def unless_none(reference: str) -> str | None:
    """None for the word ``none``, else the name of the reference."""
    return None if reference == "none" else reference


def worker_number(text: str) -> int | Literal["auto"]:
    """A number of workers or ``auto``, or a ValueError that says what to write."""
    return "auto" if text == "auto" else whole_number(text, "--workers", "workers")


def share(wanted: int | Literal["auto"], ray: str | None, device: str) -> "WorkerNumber":
    """Who does the work, of `worker_number`: processes here, or those of a cluster."""
    from molscore.workers import count, shared

    return count(shared(wanted, ray), device)


def check_device(device: str) -> None:
    """Ends with code 2 if a GPU is asked for that is not there, which torch alone can tell: before all else loads."""
    if device.startswith("cuda"):
        from molscore.model.device import choose_device

        with complaints(ValueError):
            choose_device(device)


def prepare_workers(
    wanted: int | Literal["auto"], device: str, *modules: str, several: bool = True, ray: str | None = None
) -> None:
    """Before heavy imports: one thread for this process, and the imports of its workers beside its own.

    Args:
        wanted: number of workers.
        device: of the network; ends with code 2 if it is not there, or those who do the work cannot use it.
        modules: what workers need.
        several: whether there is work for more than one.
        ray: address of the cluster that does the work in their place.
    """
    from molscore import workers

    if ray is not None and device not in ("auto", "cpu"):
        fail(f"the workers of a cluster compute on CPUs: leave out --ray, or --device {device}")
    if wanted != "auto" and wanted > 1 and device not in ("auto", "cpu"):
        fail(f"a GPU is served by one process: leave out --workers {wanted}, or --device {device}")
    for name, value in workers.THREADS.items():
        os.environ.setdefault(name, value)
    if ray is not None:
        with complaints(ValueError):
            workers.check_cluster(ray)
    elif device not in ("auto", "cpu"):
        check_device(device)
    elif several and workers.count(wanted) > 1:
        workers.prepare(*modules)
