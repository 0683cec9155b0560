"""``molscore score`` and ``molscore interpolate``."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import (
    Encoding,
    Model,
    Quiet,
    Workers,
    bar,
    check_device,
    complaints,
    fail,
    prepare_workers,
    worker_number,
)
from molscore.cli.outputs import Overwrite, check_outputs, place
from molscore.pretrained import GRAPH_CONDITIONED


def score(
    mols: Annotated[Path, typer.Argument(help="SDF or mol2 file, 3-D; or -.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF, CSV or Parquet file: the same records, tagged; or -.")],
    structure: Annotated[
        Path | None, typer.Option("--protein", help=".pdb or .cif file (.gz too) that they lie in: do they fit?")
    ] = None,
    model: Model = GRAPH_CONDITIONED,
    seed: Annotated[int, typer.Option(min=0, help="Of the estimates: same seed, same figures.")] = 0,
    overwrite: Overwrite = False,
    encoding: Encoding = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Workers = "auto",
    quiet: Quiet = False,
) -> None:
    """Tag each molecule with log-likelihood, score norm and uncertainty, and with its fit into a protein.

    They tell a sound geometry from a spoilt one. They do not rank conformers of one molecule: rank those by energy.
    """
    from molscore import pretrained
    from molscore.chem.io.count import record_count
    from molscore.chem.io.formats import SDF, TABLES, check_output
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_sdf, form_of
    from molscore.files.paths import check_read_once

    with complaints(ValueError, OSError):
        check_read_once({"MOLS": mols, "--protein": structure})
        if structure is not None and not structure.is_file():
            fail(f"there is no file {structure}")
        check_sdf(mols)
        check_encoding(encoding)
        inputs = {"MOLS": mols, "--protein": structure, "--model": pretrained.find(model)}
    check_outputs({"--out": (out, SDF + TABLES)}, inputs, overwrite, standard=True)
    with complaints(ValueError):
        check_output(out, SDF + TABLES)
    protein = None
    if structure is not None:
        from molscore.chem.io.protein import read_protein

        with complaints(ValueError, OSError):
            protein = read_protein(structure)
        if not quiet:
            typer.echo(protein.text(), err=True)
    wanted = worker_number(workers)
    prepare_workers(wanted, device, "molscore.score.files")
    from molscore.score.files import score_sdf
    from molscore.score.scorer import MoleculeScorer
    from molscore.workers import count

    with complaints(ValueError):
        scorer = MoleculeScorer.from_pretrained(model, device)
        number = count(wanted, scorer.model.device.type)
    total = record_count(mols, form_of(mols) or "sdf")
    with complaints(ValueError, OSError, code=1), bar("scoring", total, quiet) as advance:
        outcome = score_sdf(scorer, mols, out, seed, advance, protein, encoding, workers=number)
    if not quiet:
        typer.echo(outcome.text(place(out)), err=True)
    if not (outcome.scores or outcome.fits):
        raise typer.Exit(1)
    if outcome.unread:
        raise typer.Exit(3)


def interpolate(
    first: Annotated[Path, typer.Argument(help="SDF file: its first record is where the path begins.")],
    last: Annotated[Path, typer.Argument(help="SDF file: its first record is where it ends.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF file to write; or -.")] = Path("path.sdf"),
    n: Annotated[int, typer.Option("--n", "-n", min=2, help="Molecules on the path, ends included.")] = 11,
    model: Model = GRAPH_CONDITIONED,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the flow, there and back.")] = 60,
    energy: Annotated[str, typer.Option(help="mmff (MMFF94s) or xtb (GFN2-xTB; needs the extra xtb).")] = "mmff",
    plot: Annotated[Path | None, typer.Option(help="PNG file to draw: energy and log-likelihood of the path.")] = None,
    overwrite: Overwrite = False,
    encoding: Encoding = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Interpolate between two conformers of a molecule, in the latent space of the probability flow."""
    from molscore import pretrained
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_sdf

    with complaints(ValueError, OSError):
        for path in (first, last):
            check_sdf(path)
        check_encoding(encoding)
        inputs = {"FIRST": first, "LAST": last, "--model": pretrained.find(model)}
    outputs = {"--out": (out, (".sdf", ".sdf.gz")), "--plot": (plot, (".png",))}
    check_outputs(outputs, inputs, overwrite, standard=True)
    check_device(device)
    from molscore.chem.io.sdf_reader import read_sdf
    from molscore.chem.io.sdf_writer import SDFWriter
    from molscore.files.summary import listed
    from molscore.score.interpolate import interpolate as path_between
    from molscore.score.scorer import MoleculeScorer

    with complaints(ValueError):
        scorer = MoleculeScorer.from_pretrained(model, device)
    with complaints(ValueError, OSError, code=1):
        ends = []
        for path in (first, last):
            if (record := next(read_sdf(path, encoding=encoding), None)) is None or record.mol is None:
                raise ValueError(f"{path}: {record.reason if record else 'there is no record'}")
            ends.append(record.mol)
        conformers = path_between(scorer.model, ends[0], ends[1], n, steps, energy)
        scores = scorer.score([conformer.mol for conformer in conformers])
        with SDFWriter(out) as writer:
            for k, (conformer, result) in enumerate(zip(conformers, scores, strict=True)):
                writer.write(conformer.mol, f"step {k}", {**conformer.properties(), **result.properties()})
        if plot is not None:
            from molscore.score.profile import draw_profile

            draw_profile(plot, conformers, scores, energy)
    if not quiet:
        strains = [conformer.strain for conformer in conformers if conformer.strain is not None]
        most = f", at most {max(strains):.1f} kcal/mol above a minimum of MMFF94s" if strains else ""
        typer.echo(f"{n} molecules in {place(out)}, ends {conformers[-1].to_first:.2f} Å apart{most}", err=True)
        if faults := Counter(conformer.fault.token for conformer in conformers if conformer.fault is not None):
            typer.echo(f"{faults.total()} are no sound conformers: {listed(faults)}; see not_sound", err=True)
