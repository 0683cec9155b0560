"""Molecules into many files, in constant memory, resumable, and in parts that know nothing of one another.

Shard k has attempts of its own, numbers from k 2^32 on, and holds the first of them that pass and are in no shard
before it. A part of a run (``--chunk``) does not know the shards of the other parts. A run that goes on after the parts
takes their shards one by one: what is in an earlier shard is taken out, and further attempts of the shard take its
place. What the whole run rejects as a duplicate is rejected by then, so the result is that of the whole run.
"""

import csv
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from molscore.chem.io.formats import check_molecule_shards, format_of
from molscore.chem.io.lines import opened
from molscore.extras import need
from molscore.files.manifest import Entry, Manifest
from molscore.files.ondisk import Texts
from molscore.files.part import PartFile, ResumeError, journal_of, remove_pieces
from molscore.files.shards import ATTEMPTS, Shards, shard_of
from molscore.generate.attempts import patience
from molscore.generate.judge import Attempt
from molscore.generate.one_file import Job, deliver, delivered, finished_molecules, finished_rejects, make
from molscore.generate.outcome import GenerationRun

_BASE = -1
"""Number of the piece that keeps the counts of a shard which was taken over; it is added when all its molecules are."""


def generate_shards(job: Job, n: int, shards: Shards, rejects: Path | None, resume: bool) -> GenerationRun:
    """Generates ``n`` molecules into shards; arguments and errors as for `molscore.generate.files.generate_sdf`."""
    check_molecule_shards(shards.pattern, n, shards.size)
    wanted = {k: min(shards.size, n - k * shards.size) for k in range(-(-n // shards.size)) if shards.own(k)}
    outcome = GenerationRun(sum(wanted.values()), shards=0)
    together = shards.chunk is None and not job.options.raw
    with closing(Texts()) as seen, Manifest(shards, job.identity(), resume) as manifest:
        try:
            for k, want in wanted.items():
                shard = _Shard(_counted_from(job, outcome.delivered), k, want, shards, rejects, manifest)
                made = shard.run(seen if together else Texts(), resume)
                outcome.kept += made.kept
                outcome.interrupted = made.interrupted
                if made.interrupted:
                    break
                outcome.add(_about(made))
                outcome.shards = (outcome.shards or 0) + 1
                if made.delivered < want:
                    break
        except KeyboardInterrupt as stop:  # while a finished shard was read
            outcome.interrupted = stop
        if not outcome.interrupted:
            manifest.close({"requested": outcome.requested, **_about(outcome)})
    return outcome


class _Shard:
    """One of the shards.

    Args:
        job: that makes its molecules.
        number: of the shard.
        n: molecules that it is to hold.
        shards, rejects, manifest: of the run.
    """

    def __init__(self, job: Job, number: int, n: int, shards: Shards, rejects: Path | None, manifest: Manifest):
        self.job, self.number, self.n, self.manifest = job, number, n, manifest
        self.path, self.first = shards.path(number), number * ATTEMPTS
        self.rejects = None if rejects is None else shard_of(rejects, number)

    def run(self, seen: Texts, resume: bool) -> GenerationRun:
        """Makes it, unless it is made, and adds its molecules to those of the shards before it."""
        entry = self.manifest.finished(self.number)
        if entry is not None and self._complete(entry):
            return self._as_it_is(entry, seen)
        entry = entry or self.manifest.made_by_part(self.number)
        if entry is not None and self._complete(entry) and not any(smiles in seen for smiles in smiles_of(self.path)):
            self.manifest.add(self.number, {name: entry[name] for name in _about(GenerationRun(0))})
            return self._as_it_is(entry, seen)
        if entry is not None and format_of(self.path) != "sdf":
            raise ResumeError(f"{self.path} cannot be changed: parts are put together, and shards grow, as SDF alone")
        outputs = [self.rejects] if self.rejects else []
        begun = resume and journal_of(self.path).is_file()
        with PartFile(self.path, {**self.job.identity(), "shard": self.number}, begun, outputs) as part:
            if entry is not None and _BASE not in part and not _made_here(part):
                self._take_over(part, entry)
            _take_out(part, seen)
            outcome, below = GenerationRun(self.n, kept=delivered(part)), 0
            if _BASE in part:
                base = part.about(_BASE)
                outcome.add_attempts(base)
                below = self.first + base["attempts"]
            outcome.interrupted = make(
                self.job, part, self.n, first=self.first, below=below, seen=seen, kept=outcome.kept
            )
            deliver(part, outcome, self.path, self.rejects, partial=False)
            if not outcome.interrupted:
                self.manifest.add(self.number, _about(outcome))
                part.remove()
        return outcome

    def _complete(self, entry: Entry) -> bool:
        """Whether a finished shard has what is wanted, or gave up."""
        return entry["delivered"] >= self.n or entry["attempts"] >= patience(self.n)

    def _as_it_is(self, entry: Entry, seen: Texts) -> GenerationRun:
        remove_pieces(self.path)  # a kill may have left them
        for smiles in smiles_of(self.path):
            seen.add(smiles)
        outcome = GenerationRun(self.n, kept=entry["delivered"])
        outcome.add(entry)
        return outcome

    def _take_over(self, part: PartFile, entry: Entry) -> None:
        """The molecules of a finished shard as pieces, and last of all its counts."""
        for piece in finished_molecules(self.job, self.path):
            part.add(*piece)
        for piece in finished_rejects(self.rejects):
            if piece[0] not in part:
                part.add(*piece)
        part.add(_BASE, "", {"smiles": None} | {name: entry[name] for name in ("attempts", "as_sampled", "rejected")})


def _made_here(part: PartFile) -> bool:
    """Whether the pieces are not those of a take-over that was stopped, but what a finished shard was made of."""
    return any(not part.about(number).get("finished") for number in part.numbers())


def _take_out(part: PartFile, seen: Texts) -> None:
    """Rejects the molecules that an earlier shard has."""
    for number in part.numbers():
        smiles = part.about(number)["smiles"]
        if smiles is not None and smiles in seen:
            fault = {"smiles": None, "reason": "duplicate", "detail": f"{smiles} has been seen before"}
            part.add(number, "", part.about(number) | fault | {"removed": True})


def smiles_of(path: Path) -> Iterator[str]:
    """The isomeric SMILES of the molecules of a shard, which are not parsed."""
    if format_of(path) == "parquet":
        parquet = need("pyarrow.parquet", "tables")
        for batch in parquet.ParquetFile(path).iter_batches(columns=["SMILES"]):
            yield from batch.column(0).to_pylist()
        return
    with opened(str(path), carriage_returns=False) as lines:
        if format_of(path) == "csv":
            yield from (row["SMILES"] for row in csv.DictReader(lines))
            return
        for line in lines:
            if line.startswith(">  <SMILES>"):
                yield next(lines).rstrip("\n")


def _counted_from(job: Job, before: int) -> Job:
    """The job, whose molecules are counted on from those of the shards before."""
    tell = job.on_attempt
    if tell is None:
        return job

    def on_attempt(attempt: Attempt, delivered: int) -> None:
        tell(attempt, before + delivered)

    return replace(job, on_attempt=on_attempt)


def _about(outcome: GenerationRun) -> dict[str, Any]:
    """What the manifest says of a shard."""
    return outcome.counts() | {"as_sampled": outcome.as_sampled}
