"""Files in, an SDF file out: every record in its order, a bad one reported and passed over, memory that does not grow.

While it is written the file has another name (`molscore.chem.io.sdf_writer.part_of`), whole molecule by whole molecule.
`resume` goes on there, after Ctrl-C or after the process was killed.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import tee
from pathlib import Path
from typing import IO

from molscore.chem.io.inputs import Entry, read_inputs
from molscore.chem.io.sdf_text import record_properties
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.generator import ConformerGenerator
from molscore.conformers.options import Options
from molscore.conformers.resume import held

TOLD = 10
"""Problems that the summary names; the others it counts."""


@dataclass
class Outcome:
    """What came of an input.

    Attributes:
        records: read, those of an earlier run included.
        kept: of them, those that an earlier run was done with.
        molecules: records of this run with a conformer at least.
        conformers: written by this run, by method.
        short: ensembles with fewer conformers than asked for, for another reason than window or rmsd.
        fallbacks: why ETKDGv3 made conformers, ensembles by reason.
        failed: records without a conformer, by reason.
        dropped: conformers that were thrown away, by reason.
        problems: the first of what failed, in words.
        interrupted: whether the user stopped the run.
    """

    records: int = 0
    kept: int = 0
    molecules: int = 0
    conformers: Counter[str] = field(default_factory=Counter)
    short: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every record has all the conformers that were asked for."""
        return not (self.failed or self.short or self.interrupted)

    def text(self, out: Path) -> str:
        """What to tell the user."""
        new = self.records - self.kept
        lines = [f"{self.conformers.total()} conformers of {self.molecules} of {new} molecules in {out}"]
        lines[0] += f", beside those of {self.kept} records from before" if self.kept else ""
        if made := self.conformers["etkdg"]:
            why = ", ".join(f"{count} {reason}" for reason, count in self.fallbacks.most_common())
            lines.append(f"{made} of them are ETKDGv3's" + (f"; the model could not serve: {why}" if why else ""))
        if self.dropped:
            dropped = ", ".join(f"{count} {reason}" for reason, count in self.dropped.most_common())
            lines.append(f"geometries thrown away: {dropped}")
        if self.short:
            lines.append(f"{self.short} molecules have fewer conformers than asked for")
        if self.failed:
            failed = ", ".join(f"{count} {reason}" for reason, count in self.failed.most_common())
            lines.append(f"without a conformer: {failed}")
            lines += [f"  {problem}" for problem in self.problems]
            if (more := self.failed.total() - len(self.problems)) > 0:
                lines.append(f"  and {more} more; --problems FILE lists them all")
        if self.interrupted:
            lines.append("interrupted; the same command with --resume goes on")
        return "\n".join(lines)


def conformers_sdf(
    generator: ConformerGenerator,
    source: str,
    out: Path,
    n: int = 20,
    seed: int = 0,
    options: Options = Options(),  # noqa: B008 (it is frozen)
    *,
    form: str | None = None,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    stream: IO[str] | None = None,
    problems: Path | None = None,
    resume: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Makes conformers of all molecules of an input.

    Args:
        generator, n, seed, options: as for `ConformerGenerator.ensembles`.
        source, form, smiles_column, name_column, stream: the input, as for `molscore.chem.io.inputs.read_inputs`.
        out: .sdf or .sdf.gz file to write, a record for each conformer.
        problems: CSV file for records without a conformer: number, line, name, reason, detail.
        resume: go on with what an earlier run of the same model, seed and options left at `out`, or beside it.
        on_progress: called with the number of records done.

    Returns:
        Counts. ``KeyboardInterrupt`` is caught: the outcome says so, and `out` holds what there is.

    Raises:
        ValueError: for bad arguments, an input without records, or a file that cannot be resumed.
        OSError: if a file cannot be read or written.
    """
    outcome = Outcome()
    made_with = {"model": generator.name, "seed": str(seed), "options": _told(n, options)}
    entries = read_inputs(source, form=form, smiles_column=smiles_column, name_column=name_column, stream=stream)
    with ExitStack() as stack:
        texts = held(out, made_with) if resume else None
        writer = stack.enter_context(SDFWriter(out, keep=True))
        start = texts.copy_to(writer) if texts else 0
        refused = stack.enter_context(_Problems(problems, start if resume else 0))
        outcome.kept = outcome.records = start
        entries = (entry for entry in entries if entry.number > start)
        try:
            ahead, again = tee(entries)
            found = generator.ensembles((entry.mol for entry in ahead if entry.mol is not None), n, seed, options)
            for entry in again:
                ensembles = next(found) if entry.mol is not None else []
                for ensemble in ensembles:
                    _write(writer, entry, ensemble, generator, seed, made_with["options"])
                writer.flush()
                _count(outcome, refused, entry, ensembles)
                if on_progress is not None:
                    on_progress(outcome.records)
        except KeyboardInterrupt:
            outcome.interrupted = True
        if not outcome.records and not outcome.interrupted:
            raise ValueError(f"{source} holds no record")
    return outcome


def _told(n: int, options: Options) -> str:
    chosen = options.text()
    return f"n {n}" + (f"; {chosen}" if chosen else "")


def _write(
    writer: SDFWriter, entry: Entry, ensemble: Ensemble, generator: ConformerGenerator, seed: int, options: str
) -> None:
    """A record for each conformer."""
    more = {"molscore_options": options, "removed_fragments": ensemble.removed or None}
    if ensemble.drawn:
        more["isomer"] = f"{ensemble.isomer} of {ensemble.isomers}" if ensemble.isomers > 1 else "drawn"
    title = entry.name or f"molecule_{entry.number}"
    for mol, properties in ensemble.single():
        if properties["method"] == "etkdg" and ensemble.reason:
            properties["fallback_reason"] = ensemble.reason[0]
        ours = record_properties(mol, model=generator.name, seed=seed, index=entry.number, extra=more | properties)
        theirs = {_name(name, ours): _lines(value) for name, value in entry.properties.items()}
        writer.write(mol, title.lstrip("$"), theirs | ours)


def _name(name: str, ours: dict[str, object]) -> str:
    """A name that an SDF property may have and that is not one of ours."""
    name = " ".join(name.translate(str.maketrans("<>", "()")).split()) or "unnamed"
    return f"input_{name}" if name in ours else name


def _lines(value: str) -> str:
    """Text that does not end an SDF record: without empty lines, and without lines that begin with $$$$."""
    return "\n".join(
        line.replace("$$$$", "$ $$$", 1) if line.startswith("$$$$") else line
        for line in value.splitlines()
        if line.strip()
    )


def _count(outcome: Outcome, refused: "_Problems", entry: Entry, ensembles: list[Ensemble]) -> None:
    outcome.records += 1
    made = sum((ensemble.methods for ensemble in ensembles), Counter())
    outcome.conformers += made
    outcome.molecules += bool(made)
    for ensemble in ensembles:
        outcome.dropped += ensemble.dropped
        outcome.short += bool(made and ensemble.short)
        if ensemble.methods["etkdg"] and ensemble.reason:
            outcome.fallbacks[ensemble.reason[0]] += 1
    if not made:
        reason, detail = (ensembles[0].reason if ensembles else None) or (entry.reason, entry.detail)
        outcome.failed[str(reason)] += 1
        refused.write(entry, str(reason), str(detail))
        if len(outcome.problems) < TOLD:
            name = f" ({entry.name})" if entry.name else ""
            outcome.problems.append(f"record {entry.number}, line {entry.line}{name}: {reason}: {detail}")


class _Problems:
    """A CSV file of what failed; None writes nowhere. Rows of records up to `start` stay from an earlier run."""

    def __init__(self, path: Path | None, start: int):
        self.path, self.start, self.file = path, start, None

    def __enter__(self) -> "_Problems":
        if self.path is not None:
            rows = list(self._before())
            self.file = self.path.open("w", newline="", encoding="utf-8")
            self.csv = csv.writer(self.file)
            self.csv.writerows([["record", "line", "name", "reason", "detail"], *rows])
        return self

    def _before(self) -> Iterator[list[str]]:
        if self.start and self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                yield from (row for row in csv.reader(file) if row and row[0].isdigit() and int(row[0]) <= self.start)

    def write(self, entry: Entry, reason: str, detail: str) -> None:
        """A row for one record."""
        if self.file is not None:
            self.csv.writerow([entry.number, entry.line, entry.name, reason, detail])
            self.file.flush()

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()
