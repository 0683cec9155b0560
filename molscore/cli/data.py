"""``molscore data``: a command for each source of a tensor file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from molscore.cli.common import Quiet, bar, complaints, fail

data = typer.Typer(help="Prepare a tensor file from its source.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="Tensor file to write.")]
First = Annotated[int | None, typer.Option("--n", "-n", min=1, help="Only the first so many.", show_default="all")]
Hydrogens = Annotated[bool, typer.Option("--hydrogens", help="Keep hydrogens as atoms; else valence implies them.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")]


@data.command()
def qm9(
    out: Annotated[Path, typer.Option("--out", "-o", help="Tensor file to write.")] = Path("data/qm9.safetensors"),
    source: Annotated[Path | None, typer.Option(help="Folder with its CSV files.", show_default="qm9pack")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first molecules.")] = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """QM9: 130,831 molecules of up to nine heavy atoms (pip install 'molscore[qm9]')."""
    from molscore.datasets.qm9 import SourceError, build_qm9

    with complaints(SourceError, OSError, code=1), bar("QM9", 0, quiet) as advance:
        summary = build_qm9(
            out, source, limit, workers, on_progress=lambda stage, done, total: advance(done, f"{stage} of {total}")
        )
    typer.echo(json.dumps(summary, indent=1))


@data.command()
def moses3d(
    source: Annotated[Path, typer.Argument(help=".csv or .smi file of SMILES; or a folder of .npz shards.")],
    out: Out = Path("data/moses3d.safetensors"),
    n: First = None,
    hydrogens: Hydrogens = False,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Drug-like molecules from SMILES, such as those of MOSES: ETKDGv3 conformers relaxed with MMFF94s."""
    _exists(source)
    from molscore.datasets.sources import build_shards, build_smiles

    _build(build_shards if source.is_dir() else build_smiles, source, out, n, hydrogens, workers, quiet)


@data.command()
def sdf(
    source: Annotated[Path, typer.Argument(help=".sdf or .sdf.gz file, or .csv or .smi file of SMILES.")],
    out: Out = Path("data/molecules.safetensors"),
    n: First = None,
    hydrogens: Hydrogens = False,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Your own molecules: 3-D records of an SDF file as they are, drawings and SMILES embedded and relaxed."""
    _exists(source)
    from molscore.datasets.sources import build_sdf, build_smiles

    is_sdf = source.name.endswith((".sdf", ".sdf.gz"))
    _build(build_sdf if is_sdf else build_smiles, source, out, n, hydrogens, workers, quiet)


def _exists(source: Path) -> None:
    if not source.exists():
        fail(f"there is no {source}")


def _build(
    builder: Callable[..., dict[str, Any]],
    source: Path,
    out: Path,
    n: int | None,
    hydrogens: bool,
    workers: int | None,
    quiet: bool,
) -> None:
    """Runs a builder and prints what came of it. A run that was interrupted goes on where it was."""
    with complaints(ValueError, OSError, code=1), bar(source.name, 0, quiet) as advance:
        options = {"n": n, "hydrogens": hydrogens, "workers": workers}
        found = builder(source, out, **options, on_progress=lambda word, k, total: advance(k, f"{word} of {total}"))
    typer.echo(json.dumps(found, indent=1))
