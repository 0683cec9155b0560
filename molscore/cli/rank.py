"""``molscore rank``."""

from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import (
    Encoding,
    Model,
    Quiet,
    Workers,
    bar,
    complaints,
    prepare_workers,
    worker_number,
)
from molscore.cli.outputs import Overwrite, check_outputs, place
from molscore.pretrained import GRAPH_CONDITIONED


def rank(
    source: Annotated[
        str,
        typer.Argument(metavar="LIBRARY", help="File (.smi, .csv, .tsv, .sdf, .mol2, .parquet), SMILES, or -."),
    ],
    like: Annotated[Path, typer.Option(help="SDF file of the query, 3-D: whose shape is wanted.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Hits, laid over the query; SDF or another format; or -.")],
    top: Annotated[int, typer.Option(min=1, help="How many hits to write, best first.")] = 100,
    everything: Annotated[bool, typer.Option("--all", help="Write all, in their order, in place of the best.")] = False,
    features: Annotated[
        bool, typer.Option("--features", help="Donors, acceptors, rings, charges count as much as shape.")
    ] = False,
    conformers: Annotated[int, typer.Option(min=1, help="To make of each molecule.")] = 10,
    given: Annotated[
        bool, typer.Option("--given", help="Make no conformers: take the positions that LIBRARY has.")
    ] = False,
    method: Annotated[str, typer.Option(help="Conformers by score (the model) or etkdg.")] = "score",
    model: Model = GRAPH_CONDITIONED,
    seed: Annotated[int, typer.Option(min=0, max=2**128 - 1, help="Same model and seed, same conformers.")] = 0,
    form: Annotated[
        str | None, typer.Option("--format", help="smi, csv, tsv, sdf, mol2 or parquet.", show_default="by ending")
    ] = None,
    smiles_column: Annotated[str, typer.Option(help="Of a table.")] = "smiles",
    name_column: Annotated[str | None, typer.Option(help="Of a table.")] = None,
    encoding: Encoding = None,
    problems: Annotated[Path | None, typer.Option(help="CSV file for records that could not be ranked.")] = None,
    overwrite: Overwrite = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Workers = "auto",
    quiet: Quiet = False,
) -> None:
    """Rank a library by the shape of its conformers, laid over that of a query."""
    from molscore import pretrained
    from molscore.chem.io.count import record_count
    from molscore.chem.io.formats import ENDINGS, check_output
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.rows import check_columns
    from molscore.chem.io.source import check_posed, check_source
    from molscore.files.paths import Named

    with complaints(ValueError, OSError):
        kind = check_source(source, form)
        if given:
            check_posed(source, kind)
        check_encoding(encoding)
        check_columns(source, kind, smiles_column, name_column, encoding)
        inputs: Named = {"LIBRARY": source, "--like": like, "--model": pretrained.find(model)}
    outputs = {"--out": (out, ENDINGS), "--problems": (problems, (".csv",))}
    check_outputs(outputs, inputs, overwrite, standard=True)
    with complaints(ValueError, OSError, ImportError):
        check_output(out)
        from molscore.chem.shape import ShapeQuery

        query = ShapeQuery(like, features)
    wanted = worker_number(workers)
    several = source == "-" or Path(source).is_file()
    prepare_workers(wanted, device, "molscore.screening.files", several=several)
    from molscore.chem.io.columns import ColumnError
    from molscore.conformers import ConformerOptions
    from molscore.screening.files import rank_file
    from molscore.screening.ranking import ranker_of

    with complaints(ValueError):
        options = ConformerOptions(method=method)
        ranker = ranker_of(query.mol, features, conformers, given, model, device, seed, options)
    total = 1 if kind == "smiles" else record_count(source, kind)
    with (
        complaints(ColumnError),
        complaints(ValueError, OSError, code=1),
        bar("ranking", total, quiet) as advance,
    ):
        run = rank_file(
            ranker,
            source,
            out,
            None if everything else top,
            form=form,
            smiles_column=smiles_column,
            name_column=name_column,
            encoding=encoding,
            problems=problems,
            workers=wanted,
            on_progress=advance,
        )
    if not quiet:
        typer.echo(run.text(place(out)), err=True)
    if not run.ranked:
        raise typer.Exit(1)
    if run.failed:
        raise typer.Exit(3)
