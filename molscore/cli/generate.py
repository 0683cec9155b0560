"""``molscore generate``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from molscore.cli.common import (
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
    prepare_workers,
    share,
    size_range,
    whole_number,
    whole_numbers,
    worker_number,
)
from molscore.cli.completion import check_generation, check_targets, pocket_at
from molscore.cli.outputs import SHARD, Chunk, Overwrite, ShardSize, check_shards
from molscore.pretrained import DEFAULT

FEW = 8
"""So many molecules are made in one process: no other would start in time."""

PLAYED = 6
"""Molecules of ``--trajectory``, at most."""


def generate(
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many molecules to deliver.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write; {shard} in its name: many; -: standard output.")
    ],
    model: Model = DEFAULT,
    seed: Annotated[int, typer.Option(min=0, max=2**128 - 1, help="Same model and seed, same molecules.")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Sampler steps.", show_default="the model's")] = None,
    sampler: Annotated[str, typer.Option(help="dpm, em, pc or ode.")] = "dpm",
    atoms: Annotated[
        str | None, typer.Option(help="Size of what is made, 25 or 20-30: heavy atoms, or all if the model has H.")
    ] = None,
    scaffold: Annotated[
        str | None,
        typer.Option(help="Core to grow: SDF file with its pose, SMILES with [*:1] marks, or with --from SMARTS."),
    ] = None,
    attach: Annotated[str | None, typer.Option(help="Atoms of the core, from 0 on, that each get a bond: 3,7.")] = None,
    link: Annotated[str | None, typer.Option(help="SDF file of fragments, in one record, to join.")] = None,
    anchors: Annotated[str | None, typer.Option(help="Atoms of the fragments that each get a bond: 4,11.")] = None,
    replace: Annotated[str | None, typer.Option(help="SMARTS of the part of --from that is made anew.")] = None,
    lead: Annotated[
        str | None, typer.Option("--from", help="SDF file of the lead; lead.sdf:3: its third record.")
    ] = None,
    near: Annotated[str | None, typer.Option(help="SDF file of a molecule whose neighbours are made.")] = None,
    noise: Annotated[
        float | None,
        typer.Option(help="How far from --near or --like: 0, itself, to 1, anything.", show_default="0.4; 0.5"),
    ] = None,
    like: Annotated[str | None, typer.Option(help="SDF file of a molecule, 3-D, whose shape is wanted.")] = None,
    features: Annotated[
        bool, typer.Option("--features", help="Its donors, acceptors, rings and charges are wanted too.")
    ] = False,
    particles: Annotated[
        int,
        typer.Option(min=1, help="Attempts in a group, whose best for --like, --pocket or --target replace its worst."),
    ] = 1,
    elements: Annotated[str | None, typer.Option(help="Of what is made, such as C,N,O,F.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Property to guide molecules to: logp=2.5, logp=2.5+-0.5, tpsa=60..90 or qed=max; what misses by more "
            "than the tolerance is rejected. May be repeated."
        ),
    ] = None,
    pocket: Annotated[
        Path | None, typer.Option(help=".pdb or .cif file (.gz too) of a protein to make them in.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Where: a ligand's SDF file, a point x,y,z, or residues such as A:123,A:156.")
    ] = None,
    relax: Annotated[str, typer.Option(help="none, mmff (MMFF94s) or xtb (GFN2-xTB; needs the extra xtb).")] = "none",
    filter_: Filter = None,
    must_match: MustMatch = None,
    must_not_match: MustNotMatch = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    batch_size: Annotated[str, typer.Option(help="Molecules per network call, or auto.")] = "auto",
    rejects: Annotated[Path | None, typer.Option(help="CSV file for rejected attempts.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with what an earlier run left, or add to its file.")] = False,
    overwrite: Overwrite = False,
    shard_size: ShardSize = SHARD,
    chunk: Chunk = None,
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    trajectory: Annotated[
        Path | None, typer.Option(help="HTML page to write: the first few, played from noise to molecule.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Every sample as sampled: nothing filtered or repaired.")] = False,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty", help="Tag with log-likelihood, score norm and uncertainty.")
    ] = False,
    workers: Workers = "auto",
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Generate new 3-D molecules: valid, connected, different, with hydrogens."""
    from molscore import pretrained
    from molscore.chem.checks.conditions import check_raw
    from molscore.chem.io.formats import ENDINGS, SDF, check_molecule_shards, check_output
    from molscore.chem.io.named import file_of
    from molscore.files.shards import is_pattern

    with complaints(ValueError):
        inputs = {"--pocket": pocket, "--site": file_of(site)}
        inputs |= {"--model": pretrained.find(model), "--scaffold": file_of(scaffold), "--link": file_of(link)}
        inputs |= {"--from": file_of(lead), "--near": file_of(near)}
        if report is not None and (is_pattern(out) or not str(out).lower().endswith(SDF)):
            raise ValueError("--report is for a single SDF file: name one with --out, or use `molscore report` later")
        if trajectory is not None and is_pattern(out):
            raise ValueError("--trajectory is for a run into a single file: leave {shard} out of --out")
    outputs = {"--out": (out, ENDINGS), "--rejects": (rejects, (".csv",)), "--report": (report, (".html",))}
    outputs["--trajectory"] = (trajectory, (".html",))
    part = check_shards(outputs, inputs, overwrite, resume, shard_size, chunk, grows=True)
    with complaints(ValueError, ImportError):
        check_output(out)
        if is_pattern(out):
            check_molecule_shards(out, n, shard_size)
        bounds = None if atoms is None else size_range(atoms)
        size = None if batch_size == "auto" else whole_number(batch_size, "--batch-size", "batch_size")
        check_raw(raw, filter_, must_match, must_not_match, relax != "none")
        check_filter("generate", filter_, must_match, must_not_match, relax, uncertainty)
        completion: dict[str, Any] = {
            "scaffold": scaffold,
            "attach": None if attach is None else whole_numbers(attach, "--attach"),
            "link": link,
            "anchors": None if anchors is None else whole_numbers(anchors, "--anchors"),
            "replace": replace,
            "lead": lead,
            "near": near,
            "noise": noise,
            "like": like,
            "features": features or None,
            "particles": particles if particles > 1 else None,
            "elements": elements,
        }
        check_targets(target, model)
        lists = must_match or [], must_not_match or []
        check_generation(n, completion | {"atoms": bounds, "pocket": pocket, "target": target}, model, *lists, raw)
    around = pocket_at(pocket, site, relax, None, quiet)
    wanted = worker_number(workers)
    prepare_workers(wanted, device, "molscore.generate.attempts", several=n > FEW, ray=ray)
    from molscore.generate import GenerationOptions, MoleculeGenerator
    from molscore.generate.files import generate_sdf
    from molscore.generate.judge import Attempt

    with complaints(ValueError):
        options = GenerationOptions(
            steps,
            sampler,
            bounds,
            size,
            raw,
            relax,
            filter_,
            must_match or (),
            must_not_match or (),
            uncertainty,
            targets=tuple(target or ()),
            **{name: value for name, value in completion.items() if value is not None},
            pocket=around,
        )
        generator = MoleculeGenerator.from_pretrained(model, "cpu" if ray and device == "auto" else device)
        generator = generator.serving(options)
        generator.sizes_for(options)
        processes = share(wanted, ray, generator.model.device.type)
    played: list[int] = []
    with complaints(ValueError), complaints(OSError, code=1), bar("generating", n, quiet) as advance:

        def on_attempt(attempt: Attempt, delivered: int) -> None:
            advance(delivered)
            if attempt.fault is None and len(played) < PLAYED:
                played.append(attempt.index)

        outcome = generate_sdf(
            generator,
            n,
            out,
            seed,
            options,
            rejects=rejects,
            resume=resume,
            shard_size=shard_size,
            chunk=part,
            workers=processes,
            on_attempt=on_attempt,
        )
    if not quiet:
        typer.echo(outcome.text(out), err=True)
    if report is not None and outcome.delivered and outcome.in_place:
        from molscore.report import report_file

        with complaints(ValueError, OSError, code=1):
            manifest = generator.manifest(n, seed, options) | outcome.counts()
            report_file(out, report, manifest=manifest, workers=wanted)
    if trajectory is not None and not outcome.interrupted:
        from molscore.report import write_trajectories

        if played:
            with complaints(ValueError, OSError, code=1):
                trajectories = generator.trajectories(played, seed, options=options)
                write_trajectories(trajectory, trajectories, manifest=generator.manifest(n, seed, options))
        elif not quiet:
            typer.echo(f"this run made no molecule to play, so there is no {trajectory}", err=True)
    if outcome.delivered < outcome.requested:
        raise typer.Exit(exit_code(outcome.interrupted) if outcome.interrupted else 3)
