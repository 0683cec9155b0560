"""Generation to files: the molecules as SDF, the rejected attempts as CSV; runs that are stopped keep what they have.

A file appears under its name only when it is complete. Until then the attempts lie beside it, one by one
(`molscore.files.part`), and ``resume`` goes on there, after Ctrl-C, a full disk or a kill. After Ctrl-C the files hold
what there is, unless others stood at their names when the run began. Memory does not grow with the number of molecules.
"""

from collections.abc import Callable
from pathlib import Path

from molscore.chem.io.formats import format_of
from molscore.chem.io.outputs import check_outputs
from molscore.files.part import PartFile, ResumeError, journal_of
from molscore.files.shards import SHARD, Shards
from molscore.files.standard_output import standard_output
from molscore.generate.generator import MoleculeGenerator
from molscore.generate.judge import Attempt
from molscore.generate.one_file import Job, deliver, delivered, finished_molecules, finished_rejects, make
from molscore.generate.options import GenerationOptions
from molscore.generate.outcome import GenerationRun
from molscore.generate.shards import generate_shards
from molscore.randomness import checked_seed
from molscore.workers import WorkerNumber


def generate_sdf(
    generator: MoleculeGenerator,
    n: int,
    out: Path,
    seed: int = 0,
    options: GenerationOptions = GenerationOptions(),  # noqa: B008 (it is frozen)
    *,
    rejects: Path | None = None,
    resume: bool = False,
    shard_size: int = SHARD,
    chunk: tuple[int, int] | None = None,
    workers: WorkerNumber = 1,
    on_attempt: Callable[[Attempt, int], None] | None = None,
) -> GenerationRun:
    """Generates ``n`` molecules into an SDF file, or several.

    Args:
        generator, n, seed: as for `MoleculeGenerator.generate`.
        options: its choices.
        out: the file, in a format of `molscore.chem.io.formats`; an existing one is replaced when the run is complete.
            With ``{shard}`` in its name there are many, and a manifest, see `molscore.files.shards`; the molecules are
            not the same as those of a single file. ``-`` is standard output, where they are written as they are made.
        rejects: CSV file of rejected attempts: index, reason, detail; with ``{shard}`` if ``out`` has it.
        resume: go on with what a run of the same model, seed and options left beside ``out`` when it was stopped, or
            add to the finished file of such a run. ``n`` may be another.
        shard_size: molecules of each shard but the last.
        chunk: make only the shards of this part of the run, from 1 on, of so many. Parts know nothing of one another:
            ``resume`` without ``chunk`` takes what is in two of them out of the later one, and fills up.
        workers: a number, or ``auto``, or `molscore.workers.connect` for a cluster; a run may be resumed with another.
        on_attempt: called with each attempt and the number of molecules delivered so far.

    Returns:
        Counts, those of earlier runs included. ``KeyboardInterrupt`` is caught: the outcome says so.

    Raises:
        ValueError: for bad arguments, two outputs that are one file, or a name with another ending.
        ResumeError: if there is nothing to resume, or it was made otherwise; it stays as it is.
        OSError: if a file cannot be written, or another run is writing it.
    """
    generator = generator.serving(options)
    generator.check_request(n, options)
    processes = generator.workers(workers, options)
    job = Job(generator, checked_seed(seed), generator.resolved(options), processes, on_attempt)
    out, rejects = Path(out), None if rejects is None else Path(rejects)
    many = check_outputs(out, {"rejects": rejects}, shard_size=shard_size, chunk=chunk)
    if str(out) == "-":
        return _to_standard_output(job, n)
    if many:
        return generate_shards(job, n, Shards(out, shard_size, chunk), rejects, resume)
    return _to_file(job, n, out, rejects, resume)


def _to_file(job: Job, n: int, out: Path, rejects: Path | None, resume: bool) -> GenerationRun:
    """Into a single file."""
    outcome = GenerationRun(n)
    outcome.added = finished = resume and out.is_file() and not journal_of(out).is_file()
    below = 0
    if finished and format_of(out) != "sdf":
        raise ResumeError(f"{out} is finished, and only to an SDF file more molecules can be added")
    if finished:
        for number, _, _ in finished_molecules(job, out):
            outcome.kept += 1
            below = max(below, number + 1)
        if outcome.kept >= n:
            outcome.delivered = outcome.kept
            return outcome
    with PartFile(out, job.identity(), resume and not finished, [rejects] if rejects else []) as part:
        if finished:
            for piece in finished_molecules(job, out):
                part.add(*piece)
            for piece in finished_rejects(rejects):
                if piece[0] < below and piece[0] not in part:
                    part.add(*piece)
        outcome.kept = delivered(part)
        outcome.interrupted = make(job, part, n, below=below, kept=outcome.kept)
        deliver(part, outcome, out, rejects)
        if not outcome.interrupted:
            part.remove()
    return outcome


def _to_standard_output(job: Job, n: int) -> GenerationRun:
    """Molecule by molecule. There is nothing to resume."""
    outcome = GenerationRun(n)
    with standard_output() as file:
        try:
            for attempt in job.generator.attempts(n, job.seed, job.options, workers=job.workers):
                _, text, about = job.piece(attempt)
                if text:
                    file.write(text.encode("utf-8"))
                outcome.count(about)
                if job.on_attempt is not None:
                    job.on_attempt(attempt, outcome.delivered)
        except KeyboardInterrupt as stop:
            outcome.interrupted = stop
    return outcome
