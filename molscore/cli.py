"""The command line. A command checks its words, calls one job and prints what came of it; heavy imports are inside.

Exit codes: 0 done, 1 the input or the machine is at fault, 2 the command was misused, 3 fewer molecules than asked for.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from molscore.pretrained import DEFAULT_STEPS

app = typer.Typer(
    name="molscore",
    help="3-D molecules from score networks: generate, evaluate, train.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no summary.")]
Reference = Annotated[str, typer.Option(help="Bundled reference, .npz or SDF file; or 'none'.")]
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
def bar(label: str, total: int, quiet: bool) -> Iterator[Any]:
    """A progress bar on stderr; yields ``advance(done, text)``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done, text=label: progress.update(task, completed=done, description=text)


@app.callback()
def main() -> None:
    """3-D molecules from score networks."""


@app.command()
def generate(
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many molecules to deliver.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF file to write (.sdf or .sdf.gz).")],
    model: Model = "qm9",
    seed: Annotated[int, typer.Option(min=0, help="Same model and seed, same molecules.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Sampler steps.")] = DEFAULT_STEPS,
    sampler: Annotated[str, typer.Option(help="dpm, em, pc or ode.")] = "dpm",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    batch_size: Annotated[str, typer.Option(help="Molecules per network call, or auto.")] = "auto",
    rejects: Annotated[Path | None, typer.Option(help="CSV file for rejected attempts.")] = None,
    resume: Annotated[bool, typer.Option(help="Keep the molecules in OUT and go on.")] = False,
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Every sample as sampled: nothing filtered or repaired.")] = False,
    quiet: Quiet = False,
) -> None:
    """Generate new 3-D molecules: valid, connected, different, with hydrogens."""
    from molscore import pretrained
    from molscore.chem.paths import check_writable

    with complaints(ValueError, OSError):
        check_writable(out, (".sdf", ".sdf.gz"))
        for path, endings in ((rejects, (".csv",)), (report, (".html",))):
            if path is not None:
                check_writable(path, endings)
        pretrained.find(model)
        size = None if batch_size == "auto" else _positive(batch_size, "--batch-size")
    from molscore.core.sampling import SAMPLERS
    from molscore.generate import MoleculeGenerator
    from molscore.generate.files import generate_sdf

    if sampler not in SAMPLERS:
        fail(f"unknown sampler '{sampler}'; choose one of {', '.join(SAMPLERS)}")
    with complaints(ValueError):
        generator = MoleculeGenerator.from_pretrained(model, device)
    options = {"steps": steps, "sampler": sampler, "batch_size": size, "raw": raw}
    with complaints(ValueError), complaints(OSError, code=1), bar("generating", n, quiet) as advance:
        outcome = generate_sdf(
            generator, n, out, seed, **options, rejects=rejects, resume=resume, on_attempt=lambda _, k: advance(k)
        )
    if not quiet:
        typer.echo(outcome.text(out), err=True)
    if report is not None and outcome.delivered:
        from molscore.report import report_file

        with complaints(ValueError, OSError, code=1):
            report_file(out, report, manifest=generator.manifest(n, seed, steps, sampler) | outcome.counts())
    if outcome.delivered < n:
        raise typer.Exit(130 if outcome.interrupted else 3)


@app.command()
def evaluate(
    mols: Annotated[Path, typer.Argument(help="SDF file: delivered, or raw.")],
    reference: Reference = "qm9",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the metrics here as JSON.")] = None,
    posebusters: Annotated[bool, typer.Option(help="Run PoseBusters.")] = True,
    relaxation: Annotated[bool, typer.Option(help="Relax with MMFF94s.")] = True,
    fcd: Annotated[bool, typer.Option("--fcd", help="Fréchet ChemNet distance (needs the extra fcd).")] = False,
    training: Annotated[
        Path | None, typer.Option(help="Tensor file of the model's training: look for memorisation and mode collapse.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Judge a file of molecules: validity, stability, novelty, PoseBusters, geometry."""
    if not mols.is_file():
        fail(f"there is no file {mols}")
    from molscore.chem.paths import check_writable

    if json_file is not None:
        with complaints(ValueError, OSError):
            check_writable(json_file, (".json",))
    import molscore.evaluate

    with complaints(ValueError), complaints(OSError, code=1), bar("evaluating", 0, quiet) as advance:
        metrics = molscore.evaluate.evaluate(
            mols,
            _unless_none(reference),
            posebusters=posebusters,
            relaxation=relaxation,
            fcd=fcd,
            training=training,
            on_progress=lambda done, total: advance(done, f"evaluating {total}"),
        )
    typer.echo(metrics.format_text())
    if json_file is not None:
        _write(json_file, json.dumps(metrics.to_dict(), indent=1) + "\n")


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to it.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    init_from: Annotated[str | None, typer.Option(help="Begin with a bundled model's or a file's weights.")] = None,
    quiet: Quiet = False,
) -> None:
    """Train a model on a prepared tensor file."""
    from molscore import pretrained

    if not config.is_file():
        fail(f"there is no configuration {config}")
    if init_from is not None:
        if resume:
            fail("--init-from begins a new run and --resume goes on with one: give one of them")
        with complaints(ValueError):
            pretrained.find(init_from)
    from molscore.datasets.tensorfile import TensorFileError
    from molscore.train.config import ConfigError, load_config

    with complaints(ConfigError):
        settings = load_config(config, overrides or [])
    if not settings.data.is_file():
        fail(f"there is no tensor file {settings.data}; `molscore data qm9 --out {settings.data}` makes it")
    from molscore.train.loop import train as run

    with complaints(ConfigError), complaints(TensorFileError, FloatingPointError, OSError, code=1):
        weights = run(settings, resume=resume, quiet=quiet, init_from=init_from)
    if os.environ.get("RANK", "0") == "0":  # one of the processes of a launcher
        typer.echo(weights)


data_app = typer.Typer(help="Prepare a tensor file from its source.", no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.command()
def qm9(
    out: Annotated[Path, typer.Option("--out", "-o", help="Tensor file to write.")] = Path("data/qm9.safetensors"),
    source: Annotated[Path | None, typer.Option(help="Folder with its CSV files.", show_default="qm9pack")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first molecules.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    quiet: Quiet = False,
) -> None:
    """QM9: 130,831 molecules of up to nine heavy atoms (pip install 'molscore[qm9]')."""
    from molscore.datasets.qm9 import SourceError, build_qm9

    with complaints(SourceError, OSError, code=1), bar("QM9", 0, quiet) as advance:
        summary = build_qm9(
            out, source, limit, workers, on_progress=lambda stage, done, total: advance(done, f"{stage} of {total}")
        )
    typer.echo(json.dumps(summary, indent=1))


@app.command()
def models() -> None:
    """List the bundled models."""
    from molscore import pretrained

    for name in pretrained.names():
        about = pretrained.about(name)
        record = about["record"]
        typer.echo(
            f"{name}\t{about['parameters'] / 1e6:.2f} M parameters, trained on {record['molecules']:,} molecules "
            f"in {record['seconds'] / 3600:.1f} h ({record['hardware']})"
        )


@app.command()
def info(model: Annotated[str, typer.Argument(help="Bundled model or .safetensors file.")] = "qm9") -> None:
    """Show a model's configuration, training record and measured quality, as JSON."""
    from molscore import pretrained

    with complaints(ValueError, OSError):
        about = pretrained.about(model)
    typer.echo(json.dumps(about, indent=1))


@app.command()
def report(
    mols: Annotated[Path, typer.Argument(help="SDF file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    reference: Reference = "qm9",
    quiet: Quiet = False,
) -> None:
    """Write an HTML report of a file of molecules."""
    if not mols.is_file():
        fail(f"there is no file {mols}")
    from molscore.chem.paths import check_writable

    with complaints(ValueError, OSError):
        check_writable(out, (".html",))
    from molscore.report import report_file

    with complaints(ValueError, OSError, code=1), bar("evaluating", 0, quiet) as advance:
        report_file(
            mols, out, _unless_none(reference), on_progress=lambda done, total: advance(done, f"evaluating {total}")
        )


def _positive(text: str, name: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{name} must be a whole number above 0, or auto, not '{text}'")
    return int(text)


def _unless_none(reference: str) -> str | None:
    return None if reference == "none" else reference


def _write(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)
