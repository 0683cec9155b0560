"""``molscore conformers``."""

from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import (
    Encoding,
    Filter,
    Model,
    MustMatch,
    MustNotMatch,
    Quiet,
    Ray,
    Workers,
    bar,
    check_filter,
    complaints,
    exit_code,
    fail,
    prepare_workers,
    share,
    worker_number,
)
from molscore.cli.completion import check_core, pocket_at
from molscore.cli.outputs import SHARD, Chunk, Overwrite, ShardSize, check_shards
from molscore.limits import check_proposals
from molscore.pretrained import GRAPH_CONDITIONED

NO_PH = (
    "--ph: protonation and tautomer are taken as written, for no package that was tried finds them well enough to go "
    "unseen (scripts/protonation.py). Write the form that you want; dimorphite-dl or molscrub propose forms: look at "
    "what they do to piperazines, aminopyridines, sulfonamides, imides and hydrazides"
)
"""Why there is no such option."""


def conformers(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="SMILES, InChI, file (.smi, .csv, .tsv, .sdf, .mol, .mol2, .parquet) or -."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write; {shard} in its name: many; -: standard output.")
    ],
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="Distinct conformers of each molecule, at most.")] = 20,
    model: Model = GRAPH_CONDITIONED,
    seed: Annotated[int, typer.Option(min=0, max=2**128 - 1, help="Same model and seed, same conformers.")] = 0,
    relax: Annotated[
        str, typer.Option(help="torsions (bonds and angles settle), none, mmff (MMFF94s) or xtb (GFN2-xTB).")
    ] = "torsions",
    energy: Annotated[str | None, typer.Option(help="mmff or xtb.", show_default="that of --relax")] = None,
    window: Annotated[float | None, typer.Option(min=0, help="Leave out what lies kcal/mol above the best.")] = None,
    rmsd: Annotated[float, typer.Option(min=0, help="Leave out what is within Å of a better one; 0 keeps all.")] = 0.1,
    fill: Annotated[bool, typer.Option("--fill", help="Repeat conformers where fewer than N are distinct.")] = False,
    stereo: Annotated[str, typer.Option(help="Open stereo: sample one isomer, or enumerate.")] = "sample",
    max_isomers: Annotated[int, typer.Option(min=1, help="How many to enumerate at most.")] = 32,
    fragments: Annotated[str, typer.Option(help="Of salts and mixtures take the largest, or refuse.")] = "largest",
    fallback: Annotated[bool, typer.Option(help="Let ETKDGv3 serve what the model cannot.")] = True,
    method: Annotated[str, typer.Option(help="score (the model) or etkdg.")] = "score",
    seconds: Annotated[
        float | None, typer.Option("--max-per-molecule-seconds", min=0, help="Then take what there is.")
    ] = None,
    oversampling: Annotated[float, typer.Option(min=1, help="Proposals for each conformer that is kept.")] = 1.3,
    steps: Annotated[int | None, typer.Option(min=1, help="Sampler steps.", show_default="the model's")] = None,
    keep: Annotated[
        str | None, typer.Option(help="SMARTS of a core to hold at the pose that it has in --from.")
    ] = None,
    lead: Annotated[
        str | None,
        typer.Option("--from", help="SDF file of the lead; lead.sdf:3: its third record."),
    ] = None,
    pocket: Annotated[
        Path | None, typer.Option(help=".pdb or .cif file (.gz too) of a protein in whose pocket they are laid.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Where: a ligand's SDF file, a point x,y,z, or residues such as A:123,A:156.")
    ] = None,
    filter_: Filter = None,
    must_match: MustMatch = None,
    must_not_match: MustNotMatch = None,
    form: Annotated[
        str | None, typer.Option("--format", help="smi, csv, tsv, sdf, mol2 or parquet.", show_default="by ending")
    ] = None,
    smiles_column: Annotated[str, typer.Option(help="Of a table.")] = "smiles",
    name_column: Annotated[str | None, typer.Option(help="Of a table.")] = None,
    ph: Annotated[float | None, typer.Option("--ph", hidden=True)] = None,
    encoding: Encoding = None,
    problems: Annotated[Path | None, typer.Option(help="CSV file for records without a conformer.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an earlier run left.")] = False,
    overwrite: Overwrite = False,
    shard_size: ShardSize = SHARD,
    chunk: Chunk = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Workers = "auto",
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Make 3-D conformers of given molecules, with the stereo that they ask for."""
    from molscore import pretrained
    from molscore.chem.io.count import record_count
    from molscore.chem.io.formats import ENDINGS, check_output
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.named import file_of
    from molscore.chem.io.rows import check_columns
    from molscore.chem.io.source import check_source
    from molscore.files.paths import Named

    if ph is not None:
        fail(NO_PH)
    with complaints(ValueError, OSError):
        check_proposals(n, oversampling)
        kind = check_source(source, form)
        check_encoding(encoding)
        asked = check_filter("conformers", filter_, must_match, must_not_match)
        check_columns(source, kind, smiles_column, name_column, encoding, asked)
        check_core(keep, lead)
        inputs: Named = {"INPUT": source, "--model": pretrained.find(model), "--from": file_of(lead)}
        inputs = {**inputs, "--pocket": pocket, "--site": file_of(site)}
    outputs = {"--out": (out, ENDINGS), "--problems": (problems, (".csv",))}
    part = check_shards(outputs, inputs, overwrite, resume, shard_size, chunk)
    with complaints(ValueError, ImportError):
        check_output(out)
    around = pocket_at(pocket, site, "none" if relax == "torsions" else relax, energy, quiet)
    several = source == "-" or Path(source).is_file()
    wanted = worker_number(workers)
    prepare_workers(wanted, device, "molscore.conformers.files", several=several, ray=ray)
    from molscore.chem.io.columns import ColumnError
    from molscore.conformers import ConformerGenerator, ConformerOptions
    from molscore.conformers.files import conformers_sdf
    from molscore.files.part import ResumeError

    with complaints(ValueError):
        options = ConformerOptions(
            relax,
            energy,
            window,
            rmsd,
            stereo,
            max_isomers,
            fragments,
            fallback,
            method,
            seconds,
            oversampling,
            steps,
            fill,
            filter_,
            must_match or (),
            must_not_match or (),
            keep,
            lead,
            around,
        )
        generator = ConformerGenerator.from_pretrained(model, "cpu" if ray and device == "auto" else device)
        number = share(wanted, ray, generator.model.device.type)
    with (
        complaints(ValueError, OSError, code=1),
        complaints(ResumeError, ColumnError),
        bar("conformers", 1 if kind == "smiles" else record_count(source, kind), quiet) as advance,
    ):
        outcome = conformers_sdf(
            generator,
            source,
            out,
            n,
            seed,
            options,
            form=form,
            smiles_column=smiles_column,
            name_column=name_column,
            encoding=encoding,
            problems=problems,
            resume=resume,
            shard_size=shard_size,
            chunk=part,
            workers=number,
            on_progress=advance,
        )
    if not quiet:
        typer.echo(outcome.text(out), err=True)
    if not outcome.complete:
        raise typer.Exit(exit_code(outcome.interrupted) if outcome.interrupted else 3)
