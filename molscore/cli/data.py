"""``molscore data``: a command for each source of a tensor file."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, Unpack

import typer

from molscore.chem.io.source import STRUCTURES
from molscore.cli.common import Encoding, Quiet, Workers, bar, complaints, fail, worker_number
from molscore.cli.outputs import Overwrite
from molscore.cli.program import register
from molscore.files.paths import check_apart, check_free, check_writable

if TYPE_CHECKING:
    from molscore.datasets.build import BuildOptions, Counts

data = typer.Typer(help="Prepare a tensor file from its source.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="Tensor file to write.")]
First = Annotated[int | None, typer.Option("--n", "-n", min=1, help="Only the first so many.", show_default="all")]
Hydrogens = Annotated[bool, typer.Option("--hydrogens", help="Keep hydrogens as atoms; else valence implies them.")]
Relax = Annotated[str, typer.Option(help="none, torsions (all but torsions settles), mmff or xtb (minima).")]
Conformers = Annotated[int, typer.Option(min=1, help="Most conformers of the same molecule.")]


def qm9(
    out: Annotated[Path, typer.Option("--out", "-o", help="Tensor file to write.")] = Path("data/qm9.safetensors"),
    overwrite: Overwrite = False,
    source: Annotated[Path | None, typer.Option(help="Folder with its CSV files.", show_default="qm9pack")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first molecules.")] = None,
    workers: Workers = "auto",
    quiet: Quiet = False,
) -> None:
    """QM9: 130,831 molecules of up to nine heavy atoms (pip install 'molscore3d[qm9]')."""
    _check(out, [] if source is None else [source], overwrite)
    from molscore.datasets.qm9 import build_qm9

    with complaints(ValueError, OSError, code=1), bar("QM9", None, quiet) as advance:
        summary = build_qm9(
            out,
            source,
            limit,
            worker_number(workers),
            on_progress=lambda stage, k, total: advance(k, stage, total),
        )
    typer.echo(json.dumps(summary, indent=1))


def moses3d(
    source: Annotated[Path, typer.Argument(help=".csv or .smi file of SMILES; or a folder of .npz shards.")],
    out: Out = Path("data/moses3d.safetensors"),
    overwrite: Overwrite = False,
    n: First = None,
    hydrogens: Hydrogens = False,
    relax: Relax = "none",
    conformers: Conformers = 1,
    workers: Workers = "auto",
    encoding: Encoding = None,
    quiet: Quiet = False,
) -> None:
    """Drug-like molecules from SMILES, such as those of MOSES: ETKDGv3 conformers relaxed with MMFF94s."""
    _check(out, [source], overwrite)
    if source.is_dir():
        if relax != "none":
            fail("shards are taken as they are; --relax is for SMILES")
    elif _form(source, encoding) in STRUCTURES:
        fail(f"{source} holds structures; `molscore data sdf` takes those")
    from molscore.datasets.sources import build_shards, build_smiles

    chosen = build_shards if source.is_dir() else partial(build_smiles, relax=relax, encoding=encoding)
    _build(partial(chosen, conformers=conformers), source, out, n, hydrogens, workers, quiet)


def sdf(
    source: Annotated[Path, typer.Argument(help="SDF file, or .csv or .smi file of SMILES; .gz too.")],
    out: Out = Path("data/molecules.safetensors"),
    overwrite: Overwrite = False,
    n: First = None,
    hydrogens: Hydrogens = False,
    relax: Relax = "none",
    conformers: Conformers = 1,
    workers: Workers = "auto",
    encoding: Encoding = None,
    quiet: Quiet = False,
) -> None:
    """Your own molecules: 3-D records of an SDF file as they are, drawings and SMILES embedded and relaxed."""
    _check(out, [source], overwrite)
    form = _form(source, encoding)
    from molscore.datasets.sources import build_sdf, build_smiles

    builder = build_sdf if form in STRUCTURES else build_smiles
    chosen = partial(builder, relax=relax, conformers=conformers, encoding=encoding)
    _build(chosen, source, out, n, hydrogens, workers, quiet)


def merge(
    sources: Annotated[list[Path], typer.Argument(help="Tensor files.")],
    out: Out = Path("data/merged.safetensors"),
    overwrite: Overwrite = False,
    rare: Annotated[int, typer.Option(min=1, help="Fewest molecules that an element with its charge must be in.")] = 1,
    max_heavy: Annotated[int | None, typer.Option(min=1, help="Most heavy atoms.", show_default="no limit")] = None,
    implied: Annotated[bool, typer.Option("--implied", help="Take hydrogens off; valence implies them.")] = False,
    conformers: Conformers = 1,
) -> None:
    """Several tensor files in one: of the same molecule the first is kept, or the first few; each keeps its split."""
    _check(out, sources, overwrite)
    from molscore.datasets.merge import merge as join

    with complaints(ValueError, OSError, code=1):
        typer.echo(json.dumps(join(sources, out, rare, max_heavy, implied, conformers), indent=1))


for command in (qm9, moses3d, sdf, merge):
    register(data, command)


def _check(out: Path, sources: list[Path], overwrite: bool) -> None:
    """Ends the program at once if a source is missing, or it or a file that is there would be overwritten."""
    for source in sources:
        if not source.exists():
            fail(f"there is no {source}")
    with complaints(ValueError, OSError):
        if out.parent.exists():  # missing folders are made
            check_writable(out, ())
        files = [file for source in sources for file in (source.iterdir() if source.is_dir() else [source])]
        read = [file for file in files if file in sources or file.suffix in (".csv", ".npz")]
        check_apart({"--out": out}, {f"source {k}": file for k, file in enumerate(read, start=1)})
        if not overwrite:
            check_free({"--out": out})


def _form(source: Path, encoding: str | None) -> str | None:
    """The format of a file of molecules, a key of `molscore.chem.io.source.FORMS`; None for a pipe of any name."""
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_file

    with complaints(ValueError, OSError):
        check_encoding(encoding)
        return check_file(source)


class _Builder(Protocol):
    def __call__(
        self, source: Path, out: Path, n: int | None = ..., /, **options: Unpack["BuildOptions"]
    ) -> "Counts": ...


def _build(
    builder: _Builder,
    source: Path,
    out: Path,
    n: int | None,
    hydrogens: bool,
    workers: str,
    quiet: bool,
) -> None:
    """Runs a builder and prints its counts. A run that was interrupted goes on where it was."""
    with complaints(ValueError, OSError, code=1), bar(source.name, None, quiet) as advance:
        counts = builder(
            source,
            out,
            n,
            hydrogens=hydrogens,
            workers=worker_number(workers),
            on_progress=lambda stage, k, total: advance(k, stage, total),
        )
    typer.echo(json.dumps(counts, indent=1))
    from molscore.chem.io.inputs import INPUT_REASONS

    if any(counts["dropped"].get(reason) for reason in INPUT_REASONS):  # records that could not be read
        raise typer.Exit(3)
