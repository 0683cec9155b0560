"""Conformers into one file, be it all of a run or a shard: record by record of the input, resumed where it stopped."""

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, takewhile, tee
from pathlib import Path
from typing import Any, NamedTuple

from rdkit import Chem

from molscore.chem.io.formats import record_writer
from molscore.chem.io.inputs import Entry
from molscore.chem.properties import packed
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.generator import ConformerGenerator
from molscore.conformers.options import ConformerOptions
from molscore.conformers.outcome import ConformerRun
from molscore.conformers.records import sdf_records
from molscore.files.part import PartFile
from molscore.files.table import write_csv
from molscore.model.fingerprint import identity
from molscore.workers import Cluster, Workers

HEADER = ("record", "line", "name", "reason", "detail")
"""Columns of a file of problems."""


@dataclass(frozen=True)
class Job:
    """What makes the conformers of a run, and gets the number of records that its file has so far."""

    generator: ConformerGenerator
    n: int
    seed: int
    options: ConformerOptions
    workers: int | Cluster = 1
    on_progress: Callable[[int], None] | None = None

    def identity(self) -> dict[str, object]:
        """What decides on the result, JSON values by name."""
        return identity(self.generator.model, self.generator.name, self.seed, self.text)

    @property
    def text(self) -> str:
        """The options, in a line."""
        chosen = self.options.text()
        return f"n {self.n}" + (f"; {chosen}" if chosen else "")

    def recorder(self) -> Callable[[], "Recorder"]:
        """What starts a worker."""
        return partial(Recorder, self.generator, self.n, self.seed, self.options, self.text)


class _Record(NamedTuple):
    """A record of the input, its digest, and whether an earlier run has finished the same record."""

    entry: Entry
    digest: str
    finished: bool


class Recorder:
    """Makes what the output holds of records of the input, and what the journal keeps of them."""

    def __init__(self, generator: ConformerGenerator, n: int, seed: int, options: ConformerOptions, text: str):
        self.generator, self.seed, self.text = generator, seed, text
        self.ensembles = partial(generator.served, n=n, seed=seed, options=options)

    def __call__(self, group: Sequence[tuple[Entry, object]]) -> list[tuple[str, dict[str, object]]]:
        """Text, and JSON values, for each record of a group, which is worked on together.

        Args:
            group: records without their molecules; their molecules, `packed`, None where there is none.
        """
        made = iter(self.ensembles([(entry.number, mol) for entry, mol in group if mol is not None]))
        results = []
        for entry, mol in group:
            ensembles = [] if mol is None else next(made)
            records = (_records(entry, ensemble, self.generator, self.seed, self.text) for ensemble in ensembles)
            results.append(("".join(chain.from_iterable(records)), _about(entry, ensembles)))
        return results


class Piece(NamedTuple):
    """Number of a record, its part of the output, None if an earlier run has made it, and what the summary needs."""

    number: int
    text: str | None
    about: dict[str, Any]


def results(job: Job, entries: Iterator[Entry], part: PartFile | None = None) -> Generator[Piece, None, None]:
    """What the records of an input come to, in their order.

    Args:
        job: that makes the conformers.
        entries: the records.
        part: what earlier runs have made of them. A record that is no longer the same is made again.
    """
    with Workers(job.recorder(), job.workers) as pool:
        ahead, again = tee(_records_of(entries, part))
        missing = (
            (replace(record.entry, mol=None), packed(record.entry.mol)) for record in ahead if not record.finished
        )
        made = chain.from_iterable(pool.map(job.generator.groups(missing, job.options)))
        for entry, digest, finished in again:
            if finished and part is not None:
                yield Piece(entry.number, None, part.about(entry.number))
            else:
                text, about = next(made)
                yield Piece(entry.number, text, {"input": digest, **about})


def make(job: Job, entries: Iterator[Entry], part: PartFile, outcome: ConformerRun) -> tuple[int, str]:
    """Makes the pieces that are missing, and counts all of them.

    Returns:
        Number of the last record, 0 if there is none, and the digest of all.
    """
    last, digest = 0, hashlib.sha256()
    try:
        with closing(results(job, entries, part)) as made:
            for number, text, about in made:
                if text is None:
                    outcome.kept += 1
                else:
                    outcome.changed += number in part
                    part.add(number, text, about)
                outcome.count(number, about)
                last = number
                digest.update(about["input"].encode())
                if job.on_progress is not None:
                    job.on_progress(outcome.records)
    except KeyboardInterrupt as stop:
        outcome.interrupted = stop
    return last, digest.hexdigest()


def deliver(
    part: PartFile, outcome: ConformerRun, out: Path, problems: Path | None, last: int, partial: bool = True
) -> None:
    """Puts the files in place: the records that were read, in order.

    Args:
        part: the pieces.
        outcome: the counts.
        out, problems: the files.
        last: number of the last record.
        partial: whether a run that was stopped puts in place what there is, where no other file stood.
    """
    outcome.in_place = not outcome.interrupted or (partial and outcome.molecules > 0 and not part.replaces)
    if not outcome.in_place:
        return
    if problems is not None:
        write_csv(problems, _rows(part, last), lock=False)
    with record_writer(out, lock=False) as writer:
        for number in takewhile(lambda number: number <= last, part.numbers()):
            writer.add(part.text(number))


def _rows(part: PartFile, last: int) -> Iterator[tuple[object, ...]]:
    yield HEADER
    for number in takewhile(lambda number: number <= last, part.numbers()):
        about = part.about(number)
        if "reason" in about:
            yield number, about["line"], about["name"], about["reason"], about["detail"]


def digest_of_all(entries: Iterator[Entry]) -> str:
    """The digest of several records, as `make` returns it."""
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(digest_of(entry).encode())
    return digest.hexdigest()


def _records_of(entries: Iterator[Entry], part: PartFile | None) -> Iterator[_Record]:
    for entry in entries:
        digest = digest_of(entry)
        there = part is not None and entry.number in part
        yield _Record(entry, digest, there and part is not None and part.about(entry.number)["input"] == digest)


def digest_of(entry: Entry) -> str:
    """SHA-256 of a record of the input, of everything that the output repeats of it."""
    words = [entry.number, entry.line, entry.name, entry.text, entry.reason, entry.detail, *entry.items]
    binary = b"" if entry.mol is None else entry.mol.ToBinary(int(Chem.PropertyPickleOptions.NoProps))
    return hashlib.sha256(repr(words).encode("utf-8", "surrogatepass") + binary).hexdigest()[:32]


def _records(entry: Entry, ensemble: Ensemble, generator: ConformerGenerator, seed: int, options: str) -> Iterator[str]:
    title = entry.name if entry.name.strip() else f"molecule_{entry.number}"
    made_with = {"model": generator.name, "options": options}
    return sdf_records(ensemble, entry.items, title=title, number=entry.number, seed=seed, **made_with)


def _about(entry: Entry, ensembles: list[Ensemble]) -> dict[str, object]:
    """What the summary needs of a record, see `ConformerRun.count`."""
    made = sum((ensemble.methods for ensemble in ensembles), Counter())
    about: dict[str, object] = {"line": entry.line, "name": entry.name, "methods": made}
    about["dropped"] = sum((ensemble.dropped for ensemble in ensembles), Counter())
    about["short"] = sum(ensemble.short for ensemble in ensembles) if made else 0
    about["exhausted"] = sum(ensemble.exhausted for ensemble in ensembles) if made else 0
    about["fallbacks"] = Counter(
        ensemble.reason[0] for ensemble in ensembles if ensemble.methods["etkdg"] and ensemble.reason
    )
    about["rankings"] = sum((ensemble.rankings for ensemble in ensembles), Counter())
    about["relaxations"] = Counter(
        conformer.GetProp("relaxation")
        for ensemble in ensembles
        for conformer in ensemble.mol.GetConformers()
        if conformer.HasProp("relaxation") and conformer.HasProp("relaxation_reason")
    )
    about["not_held"] = sum(bool(ensemble.not_held) for ensemble in ensembles)
    if not made:
        reason, detail = (ensembles[0].reason if ensembles else None) or (entry.reason, entry.detail)
        about |= {"reason": str(reason), "detail": str(detail)}
    return about
