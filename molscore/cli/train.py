"""``molscore train``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import Quiet, complaints, fail, worker_number


def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to it.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    init_from: Annotated[str | None, typer.Option(help="Begin with a bundled model's or a file's weights.")] = None,
    workers: Annotated[
        str, typer.Option(help="Processes of one thread each, on a CPU; or auto. 1: this one, with its threads.")
    ] = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a model on a prepared tensor file."""
    from molscore import pretrained

    if not config.is_file():
        fail(f"there is no configuration {config}")
    if init_from is not None and resume:
        fail("--init-from begins a new run and --resume goes on with one: give one of them")
    with complaints(ValueError):
        init = None if init_from is None else pretrained.find(init_from)
    from molscore.datasets.layout import TensorFileError
    from molscore.train.config import ConfigError, check, load_config

    with complaints(ConfigError):
        settings = load_config(config, overrides or [])
    if not settings.data.is_file():
        fail(f"there is no tensor file {settings.data}; `molscore data qm9`, or another of `molscore data`, makes one")
    from molscore.files.paths import check_apart

    with complaints(ValueError):
        check_apart({"the weights": settings.out / "model.safetensors"}, {"data": settings.data, "--init-from": init})
        if not resume:
            check_apart({"the run's configuration": settings.out / "config.yaml"}, {"CONFIG": config})
        if init_from is not None:
            pretrained.about(init_from)
    launched = "RANK" in os.environ  # by a launcher, as one of several processes
    with complaints(ConfigError, OSError):
        check(settings, resume, init_from)
    from molscore.train.processes import TrainingError, count, train_together

    with complaints(ConfigError, ValueError), complaints(TensorFileError, FloatingPointError, OSError, code=1):
        number = 1 if launched else count(worker_number(workers), settings)
        with complaints(TrainingError, code=1):
            weights = train_together(settings, number, resume=resume, quiet=quiet, init_from=init_from)
    if os.environ.get("RANK", "0") == "0":
        typer.echo(weights)
