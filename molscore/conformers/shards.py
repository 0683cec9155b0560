"""Conformers into many files: shard k holds those of as many records of the input as a shard has, in their order.

So a part of a run (``--chunk``) makes what the whole run would make of the same records. A run that goes on after the
parts takes their shards as they are.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from molscore.chem.io.inputs import Entry
from molscore.conformers.one_file import Job, deliver, digest_of_all, make
from molscore.conformers.outcome import ConformerRun
from molscore.files.manifest import Manifest
from molscore.files.part import PartFile, ResumeError, journal_of, remove_pieces
from molscore.files.shards import Shards, shard_of


def conformer_shards(
    job: Job, entries: Iterator[Entry], shards: Shards, problems: Path | None, resume: bool
) -> ConformerRun:
    """Makes conformers into shards; arguments and errors as for `molscore.conformers.files.conformers_sdf`.

    The records of shards that are not this part's need not be parsed.
    """
    total, number = ConformerRun(shards=0), -1
    with Manifest(shards, job.identity(), resume) as manifest:
        try:
            for number, group in enumerate(_groups(entries, shards.size)):
                if not shards.own(number):
                    continue
                if not _as_it_is(number, group, manifest, total):
                    outputs = [shard_of(problems, number)] if problems else []
                    made = _made(_counted_from(job, total.records), number, group, manifest, outputs, resume)
                    total.kept += made.kept
                    total.changed += made.changed
                    total.interrupted = made.interrupted
                    if made.interrupted:
                        break
                    total.add(made.counts())
                total.shards = (total.shards or 0) + 1
                if job.on_progress is not None:
                    job.on_progress(total.records)
        except KeyboardInterrupt as stop:  # while the records of finished shards were read
            total.interrupted = stop
        if not total.interrupted and number < 0:
            shards.manifest.unlink()
            raise ValueError("the input holds no record")
        if not total.interrupted:
            manifest.close({name: value for name, value in total.counts().items() if name != "problems"})
    return total


def _groups(entries: Iterator[Entry], size: int) -> Iterator[Iterator[Entry]]:
    """The records of each shard. What is not taken of them is passed over."""
    for first in entries:
        group = chain([first], islice(entries, size - 1))
        yield group
        deque(group, maxlen=0)


def _as_it_is(number: int, group: Iterator[Entry], manifest: Manifest, total: ConformerRun) -> bool:
    """Whether a shard is finished; then its records are counted.

    Raises:
        ResumeError: if it was made of other records.
    """
    own = manifest.finished(number)
    entry = own or manifest.made_by_part(number)
    if entry is None:
        return False
    path = manifest.shards.path(number)
    if digest_of_all(group) != entry["input"]:
        raise ResumeError(
            f"the records of the input that {path} was made of have changed; move it away to have it made again"
        )
    if own is None:
        manifest.add(number, {name: entry[name] for name in ("input", *ConformerRun().counts())})
    remove_pieces(path)  # a kill may have left them
    total.add(entry)
    total.kept += entry["records"]
    return True


def _made(
    job: Job, number: int, group: Iterator[Entry], manifest: Manifest, others: list[Path], resume: bool
) -> ConformerRun:
    """Makes a shard."""
    outcome, path = ConformerRun(), manifest.shards.path(number)
    begun = resume and journal_of(path).is_file()
    with PartFile(path, {**job.identity(), "shard": number}, begun, others) as part:
        last, digest = make(job, group, part, outcome)
        deliver(part, outcome, path, others[0] if others else None, last, partial=False)
        if not outcome.interrupted:
            manifest.add(number, {"input": digest, **outcome.counts()})
            part.remove()
    return outcome


def _counted_from(job: Job, before: int) -> Job:
    """The job, whose records are counted on from those of the shards before."""
    tell = job.on_progress
    return job if tell is None else replace(job, on_progress=lambda records: tell(before + records))
