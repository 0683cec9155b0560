"""Files in, an SDF file out: records in their order, unreadable ones reported and skipped, in constant memory.

Until it is complete an output lies beside its name, record by record of the input (`molscore.files.part`). ``resume``
goes on there, after Ctrl-C, a full disk or a kill: an input record that is still the same is not worked on again. After
Ctrl-C the files hold what there is, unless others stood at their names when the run began.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from molscore.chem.io.inputs import Entry, check_source, read_inputs
from molscore.chem.io.outputs import check_outputs
from molscore.conformers.generator import ConformerGenerator
from molscore.conformers.one_file import Job, deliver, make, results
from molscore.conformers.options import ConformerOptions
from molscore.conformers.outcome import ConformerRun
from molscore.conformers.shards import conformer_shards
from molscore.files.part import PartFile
from molscore.files.shards import SHARD, Shards
from molscore.files.standard_output import standard_output
from molscore.limits import check_proposals
from molscore.randomness import checked_seed
from molscore.workers import WorkerNumber, check_function, count


def conformers_sdf(
    generator: ConformerGenerator,
    source: str,
    out: Path,
    n: int = 20,
    seed: int = 0,
    options: ConformerOptions = ConformerOptions(),  # noqa: B008 (it is frozen)
    *,
    form: str | None = None,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    stream: IO[str] | None = None,
    encoding: str | None = None,
    problems: Path | None = None,
    resume: bool = False,
    shard_size: int = SHARD,
    chunk: tuple[int, int] | None = None,
    workers: WorkerNumber = 1,
    on_progress: Callable[[int], None] | None = None,
) -> ConformerRun:
    """Makes conformers of all molecules of an input.

    Args:
        generator, n, seed, options: as for `ConformerGenerator.ensembles`.
        source, form, smiles_column, name_column, stream, encoding: the input, as for
            `molscore.chem.io.inputs.read_inputs`.
        out: the file to write, a record for each conformer, in a format of `molscore.chem.io.formats`. With
            ``{shard}`` in its name there are many, and a manifest, see `molscore.files.shards`. ``-`` is standard
            output, where SDF records are written as they are made.
        problems: CSV file for records without a conformer: number, line, name, reason, detail; with ``{shard}`` if
            ``out`` has it.
        resume: go on with what a run of the same model, seed and options left beside `out` when it was stopped.
        shard_size: records of the input for each shard but the last.
        chunk: make only the shards of this part of the run, from 1 on, of so many. ``resume`` without ``chunk`` takes
            what the parts have made.
        workers: a number, or ``auto``, or `molscore.workers.connect` for a cluster; a run may be resumed with another.
        on_progress: called with the number of finished records.

    Returns:
        Counts, those of earlier runs included. ``KeyboardInterrupt`` is caught: the outcome says so.

    Raises:
        ValueError: for bad arguments, an output that is the input or the other output, or an input without records.
        ResumeError: if there is nothing to resume, or it was made otherwise; it stays as it is.
        OSError: if a file cannot be read or written, or another run is writing it.
    """
    generator = generator.serving(options)
    check_proposals(n, options.oversampling)
    check_source(source, form)
    number = count(workers, generator.model.device.type)
    check_function(options.filter, number, "filter")
    job = Job(generator, n, checked_seed(seed), options, number, on_progress)
    out, problems = Path(out), None if problems is None else Path(problems)
    given = source if stream is None else None
    many = check_outputs(out, {"problems": problems}, given, shard_size=shard_size, chunk=chunk)
    columns: dict[str, Any] = {"smiles_column": smiles_column, "name_column": name_column}
    columns["filtered"] = options.wanted.inputs
    shards = Shards(out, shard_size, chunk)
    wanted = None if chunk is None else lambda number: shards.own((number - 1) // shard_size)
    entries = read_inputs(source, form=form, **columns, stream=stream, encoding=encoding, wanted=wanted)
    if str(out) == "-":
        outcome = _to_standard_output(job, entries)
    elif many:
        outcome = conformer_shards(job, entries, shards, problems, resume)
    else:
        outcome = _to_file(job, entries, out, problems, resume)
    if not outcome.records and not outcome.interrupted and outcome.shards is None:
        raise ValueError(f"{source} holds no record")
    return outcome


def _to_file(job: Job, entries: Iterator[Entry], out: Path, problems: Path | None, resume: bool) -> ConformerRun:
    """Into a single file, unless there is no record."""
    outcome = ConformerRun()
    with PartFile(out, job.identity(), resume, [problems] if problems else []) as part:
        last, _ = make(job, entries, part, outcome)
        if outcome.records or outcome.interrupted:
            deliver(part, outcome, out, problems, last)
        if not outcome.interrupted:
            part.remove()
    return outcome


def _to_standard_output(job: Job, entries: Iterator[Entry]) -> ConformerRun:
    """Record by record of the input. There is nothing to resume."""
    outcome = ConformerRun()
    with standard_output() as file:
        try:
            with closing(results(job, entries)) as made:
                for number, text, about in made:
                    file.write((text or "").encode("utf-8"))
                    outcome.count(number, about)
                    if job.on_progress is not None:
                        job.on_progress(outcome.records)
        except KeyboardInterrupt as stop:
            outcome.interrupted = stop
    return outcome
