"""``molscore evaluate`` and ``molscore report``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import (
    Encoding,
    Quiet,
    Reference,
    Workers,
    bar,
    complaints,
    prepare_workers,
    unless_none,
    worker_number,
)
from molscore.cli.outputs import Overwrite, check_outputs


def evaluate(
    mols: Annotated[Path, typer.Argument(help="SDF file: delivered, or raw; or -.")],
    reference: Reference = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the metrics here as JSON.")] = None,
    posebusters: Annotated[str, typer.Option(help="PoseBusters checks: mol_fast, mol or none.")] = "mol_fast",
    relaxation: Annotated[bool, typer.Option(help="Relax with MMFF94s.")] = True,
    xtb: Annotated[int, typer.Option(min=0, help="Relax so many with GFN2-xTB too (needs the extra xtb).")] = 0,
    fcd: Annotated[bool, typer.Option("--fcd", help="Fréchet ChemNet distance (needs the extra fcd).")] = False,
    training: Annotated[
        Path | None, typer.Option(help="Tensor file of the model's training: look for memorisation and mode collapse.")
    ] = None,
    overwrite: Overwrite = False,
    encoding: Encoding = None,
    workers: Workers = "auto",
    quiet: Quiet = False,
) -> None:
    """Judge a file of molecules: validity, stability, novelty, PoseBusters, geometry."""
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_sdf
    from molscore.files.output import write_text
    from molscore.files.paths import Named, check_read_once
    from molscore.references import check_reference

    inputs: Named = {"MOLS": mols, "--reference": reference, "--training": training}
    with complaints(ValueError, OSError):
        check_read_once(inputs)
        check_sdf(mols)
        check_encoding(encoding)
        check_reference(unless_none(reference), fcd)
    check_outputs({"--json": (json_file, (".json",))}, inputs, overwrite)
    if training is not None:
        from molscore.datasets.layout import check_file

        with complaints(ValueError, OSError):
            check_file(training)
    number = worker_number(workers)
    prepare_workers(number, "cpu", "molscore.evaluate.molecules.assess")
    from molscore.evaluate import evaluate as judge

    with complaints(ValueError), complaints(OSError, code=1), bar("evaluating", None, quiet) as advance:
        metrics = judge(
            mols,
            unless_none(reference),
            posebusters=unless_none(posebusters),
            relaxation=relaxation,
            xtb=xtb,
            fcd=fcd,
            training=training,
            on_progress=lambda k, total: advance(k, "evaluating", total),
            encoding=encoding,
            workers=number,
        )
    if json_file is not None:
        with complaints(OSError, code=1):
            write_text(json_file, json.dumps(metrics.to_dict(), indent=1) + "\n")
    typer.echo(metrics.format_text())
    if metrics["readable"].count < metrics["readable"].total:
        raise typer.Exit(3)


def report(
    mols: Annotated[Path, typer.Argument(help="SDF file; or -.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    reference: Reference = "auto",
    overwrite: Overwrite = False,
    encoding: Encoding = None,
    workers: Workers = "auto",
    quiet: Quiet = False,
) -> None:
    """Write an HTML report of a file of molecules."""
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_sdf
    from molscore.files.paths import Named, check_read_once
    from molscore.references import check_reference

    inputs: Named = {"MOLS": mols, "--reference": reference}
    with complaints(ValueError, OSError):
        check_read_once(inputs)
        check_sdf(mols)
        check_encoding(encoding)
        check_reference(unless_none(reference))
    check_outputs({"--out": (out, (".html",))}, inputs, overwrite)
    number = worker_number(workers)
    prepare_workers(number, "cpu", "molscore.evaluate.molecules.assess")
    from molscore.report import report_file

    with complaints(ValueError, OSError, code=1), bar("evaluating", None, quiet) as advance:
        report_file(
            mols,
            out,
            unless_none(reference),
            on_progress=lambda k, total: advance(k, "evaluating", total),
            encoding=encoding,
            workers=number,
        )
