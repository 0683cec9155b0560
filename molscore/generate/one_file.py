"""Molecules into one file, be it all of a run or a shard: attempt by attempt, resumed where a run was stopped."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from molscore.chem.checks.validity import Remembered
from molscore.chem.io.formats import record_writer
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import format_record
from molscore.files.part import PartFile, ResumeError
from molscore.files.table import plain, write_csv
from molscore.generate.generator import MoleculeGenerator
from molscore.generate.judge import Attempt
from molscore.generate.options import GenerationOptions
from molscore.generate.outcome import GenerationRun
from molscore.model.fingerprint import identity
from molscore.versions import version
from molscore.workers import Cluster

HEADER = ("molscore_index", "reason", "detail")
"""Columns of a file of rejected attempts."""

SAME = ("molscore_version", "molscore_model", "molscore_weights", "molscore_seed", "molscore_options")
"""Properties that the records of a finished file must share with those of a run that adds to it."""

Piece = tuple[int, str, dict[str, object]]
"""Number of an attempt, its record, "" if it was rejected, and the values that the journal keeps of it."""


@dataclass(frozen=True)
class Job:
    """What makes the molecules of a run, and gets each attempt with the number of molecules that its file has so far.

    The options are resolved, and the workers a number.
    """

    generator: MoleculeGenerator
    seed: int
    options: GenerationOptions
    workers: int | Cluster = 1
    on_attempt: Callable[[Attempt, int], None] | None = None

    def identity(self) -> dict[str, object]:
        """What decides on the result, JSON values by name."""
        made_with = identity(self.generator.model, self.generator.name, self.seed, self.options.text())
        return made_with | {"batch size": self.generator.batch_size(self.options)}

    def piece(self, attempt: Attempt) -> Piece:
        """The record of an attempt, and what the summary needs of it."""
        fault = attempt.fault
        plain = not attempt.repaired and (fault is None or fault.token == "duplicate")
        if fault is not None:
            return attempt.index, "", {"smiles": None, "reason": fault.token, "detail": fault.detail, "plain": plain}
        properties = self.generator.properties(attempt, self.seed, self.options)
        text = format_record(attempt.built, f"molscore_{self.seed}_{attempt.index}", properties)
        return attempt.index, text, {"smiles": properties["SMILES"], "plain": plain}


class KnownAttempts:
    """Those whose pieces are there, and those below a number, which were rejected if there is no piece."""

    def __init__(self, part: PartFile, below: int):
        self._part, self._below = part, below

    def __contains__(self, number: int) -> bool:
        return number < self._below or number in self._part

    def __getitem__(self, number: int) -> str | None:
        return self._part.about(number)["smiles"] if number in self._part else None


def make(
    job: Job, part: PartFile, n: int, *, first: int = 0, below: int = 0, seen: Remembered | None = None, kept: int = 0
) -> KeyboardInterrupt | None:
    """Makes the attempts that are missing.

    Args:
        job: that makes them.
        part: the pieces so far, to which they are added.
        n: molecules that the file is to have.
        first: number of the first attempt.
        below: all attempts below this number are known.
        seen: isomeric SMILES of molecules that are not wanted again.
        kept: molecules that are there.

    Returns:
        What stopped it, if the user did.
    """
    known, delivered = KnownAttempts(part, below), kept
    try:
        more = {"first": first, "known": known, "seen": seen}
        for attempt in job.generator.attempts(n, job.seed, job.options, workers=job.workers, **more):
            part.add(*job.piece(attempt))
            delivered += attempt.fault is None
            if job.on_attempt is not None:
                job.on_attempt(attempt, delivered)
    except KeyboardInterrupt as stop:
        return stop
    return None


def delivered(part: PartFile) -> int:
    """How many molecules there are."""
    return sum(part.about(number)["smiles"] is not None for number in part.numbers() if number >= 0)


def deliver(part: PartFile, outcome: GenerationRun, out: Path, rejects: Path | None, partial: bool = True) -> None:
    """Counts the attempts up to the last molecule that was asked for, and puts the files in place.

    Args:
        part: the pieces.
        outcome: to which they are counted.
        out, rejects: the files.
        partial: whether a run that was stopped puts in place what there is, where no other file stood.
    """
    last = -1
    for number in part.numbers():
        if outcome.delivered == outcome.requested:
            break
        if number >= 0:
            outcome.count(part.about(number))
            last = number
    outcome.in_place = not outcome.interrupted or bool(partial and outcome.delivered and not part.replaces)
    if not outcome.in_place:
        return
    if rejects is not None:
        write_csv(rejects, _rows(part, last), lock=False)
    with record_writer(out, lock=False) as writer:
        for number in _until(part, last):
            if text := part.text(number):
                writer.add(text)


def _until(part: PartFile, last: int) -> Iterator[int]:
    for number in part.numbers():
        if number > last:
            return
        if number >= 0:
            yield number


def _rows(part: PartFile, last: int) -> Iterator[tuple[object, ...]]:
    yield HEADER
    for number in _until(part, last):
        about = part.about(number)
        if about["smiles"] is None:
            yield number, about["reason"], about["detail"]


def finished_molecules(job: Job, out: Path) -> Iterator[Piece]:
    """The molecules of a finished file that a run can add to.

    Raises:
        ResumeError: where one was not made as this run would make it.
    """
    values = (version(), job.generator.name, job.generator.weights, str(job.seed), job.options.text())
    expected = dict(zip(SAME, values, strict=True))
    for record in read_sdf(out):
        if record.mol is None or not record.mol.HasProp("molscore_index"):
            raise ResumeError(
                f"{out}, line {record.line}: not a molecule that molscore generated; it cannot be resumed"
            )
        known = record.mol.GetPropsAsDict(autoConvertStrings=False)
        for name in SAME:
            if known.get(name) != expected[name]:
                word = name.removeprefix("molscore_")
                words = f"{word} {known.get(name)}, and this run has {word} {expected[name]}"
                raise ResumeError(f"{out} was made with {words}; resume with the same")
        yield int(known["molscore_index"]), f"{record.text}$$$$\n", {"smiles": known["SMILES"], "finished": True}


def finished_rejects(rejects: Path | None) -> Iterator[Piece]:
    """The rejected attempts beside a finished file, if they were listed."""
    if rejects is None or not rejects.is_file():
        return
    with rejects.open(newline="", encoding="utf-8") as file:
        for row in map(plain, csv.reader(file)):
            if len(row) == len(HEADER) and row[0].isdigit():
                yield int(row[0]), "", {"smiles": None, "reason": row[1], "detail": row[2], "finished": True}
