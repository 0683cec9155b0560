"""Generation to files: the molecules as SDF, the rejected attempts as CSV; runs that are stopped keep what they have.

Both files appear under their names only when they are complete. Until then the attempts lie beside them, one by one
(`molscore.files.part`), and ``resume`` goes on there, after Ctrl-C, a full disk or a kill. After Ctrl-C the files hold
what there is, unless others stood at their names when the run began.
"""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import format_record
from molscore.files.output import write_text, written
from molscore.files.part import PartFile, ResumeError, journal_of
from molscore.files.paths import check_apart, check_writable
from molscore.files.table import csv_text, plain
from molscore.generate.generator import MoleculeGenerator
from molscore.generate.judge import Attempt
from molscore.generate.options import GenerationOptions
from molscore.limits import check
from molscore.model.fingerprint import identity
from molscore.randomness import checked_seed
from molscore.versions import version
from molscore.workers import count

HEADER = ("molscore_index", "reason", "detail")
"""Columns of a file of rejected attempts."""

SAME = ("molscore_version", "molscore_model", "molscore_weights", "molscore_seed", "molscore_options")
"""Properties that the records of a finished file must share with those of a run that adds to it."""


@dataclass
class GenerationRun:
    """What a run to files made, with the earlier runs that it resumed.

    Attributes:
        requested, delivered: molecules asked for; molecules in the file.
        kept: molecules that an earlier run had made.
        attempts: samples, without those behind a finished file that was added to.
        added: whether there was such a file. Its rejected attempts are not all known.
        as_sampled: those attempts whose most probable classes were a valid molecule, unrepaired (duplicates count).
        rejected: rejected attempts by reason, most frequent first.
        interrupted: what stopped the run, if the user did: Ctrl-C, or SIGTERM.
        in_place: whether the file is where it was asked for. A run that was stopped leaves what stood there.
    """

    requested: int
    delivered: int = 0
    kept: int = 0
    attempts: int = 0
    added: bool = False
    as_sampled: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    interrupted: KeyboardInterrupt | None = None
    in_place: bool = True

    def counts(self) -> dict[str, Any]:
        """The counts for a manifest; those of attempts only where all are known."""
        if self.added:
            return {"delivered": self.delivered}
        return {"delivered": self.delivered, "attempts": self.attempts, "rejected": dict(self.rejected.most_common())}

    def text(self, out: Path) -> str:
        """The summary for the user."""
        place = f"in {out}" if self.in_place else f"kept for --resume; nothing was written to {out}"
        lines = [f"{self.delivered} of {self.requested} molecules {place}"]
        if self.attempts:
            samples = f"{self.attempts} {'further ' if self.added else ''}samples"
            share = f"{self.as_sampled} of {samples} ({self.as_sampled / self.attempts:.0%})"
            lines.append(f"{share} were valid as sampled, before any repair")
        if self.rejected:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self.rejected.most_common())
            lines.append(f"{self.rejected.total()} rejected: {reasons}")
        if self.interrupted:
            lines.append("interrupted; the same command with --resume goes on")
        elif self.delivered < self.requested:
            lines.append(f"gave up after {self.attempts} attempts; see --rejects for the reasons, or try more --steps")
        return "\n".join(lines)


def generate_sdf(
    generator: MoleculeGenerator,
    n: int,
    out: Path,
    seed: int = 0,
    options: GenerationOptions = GenerationOptions(),  # noqa: B008 (it is frozen)
    *,
    rejects: Path | None = None,
    resume: bool = False,
    workers: int | Literal["auto"] = 1,
    on_attempt: Callable[[Attempt, int], None] | None = None,
) -> GenerationRun:
    """Generates ``n`` molecules into an SDF file.

    Args:
        generator, n, seed: as for `MoleculeGenerator.generate`.
        options: its choices.
        out: the SDF file; an existing one is replaced when the run is complete.
        rejects: CSV file of rejected attempts: index, reason, detail.
        resume: go on with what a run of the same model, seed and options left beside ``out`` when it was stopped, or
            add to the finished file of such a run. ``n`` may be another.
        workers: as for `MoleculeGenerator.generate`; a run may be resumed with another number.
        on_attempt: called with each attempt and the number of molecules delivered so far.

    Returns:
        Counts, those of earlier runs included. ``KeyboardInterrupt`` is caught: the outcome says so.

    Raises:
        ValueError: for bad arguments, two outputs that are one file, or a name with another ending.
        ResumeError: if there is nothing to resume, or it was made otherwise; it stays as it is.
        OSError: if a file cannot be written, or another run is writing it.
    """
    check("molecules", n, "n")
    workers = count(workers, generator.model.device.type)
    seed, options = checked_seed(seed), generator.resolved(options)
    out = check_writable(out)
    rejects = None if rejects is None else check_writable(rejects, (".csv",))
    check_apart({"out": out, "rejects": rejects}, {})
    made_with = identity(generator.model, generator.name, seed, options.text())
    made_with["batch size"] = generator.batch_size(options)
    finished = resume and out.is_file() and not journal_of(out).is_file()
    before = _finished(generator, out, rejects, seed, options) if finished else []
    if (molecules := sum(bool(text) for _, text, _ in before)) >= n:
        return GenerationRun(n, delivered=molecules, kept=molecules, added=True)
    with PartFile(out, made_with, resume and not finished, [rejects] if rejects else []) as part:
        for number, text, about in before:
            part.add(number, text, about)
        known = dict.fromkeys(range(max((number for number, *_ in before), default=-1) + 1))
        known |= {number: part.about(number)["smiles"] for number in part.numbers()}
        outcome = GenerationRun(n, kept=sum(smiles is not None for smiles in known.values()))
        delivered = outcome.kept
        try:
            for attempt in generator.attempts(n, seed, options, known=known, workers=workers):
                text, about = _piece(generator, attempt, seed, options)
                part.add(attempt.index, text, about)
                delivered += attempt.fault is None
                if on_attempt is not None:
                    on_attempt(attempt, delivered)
        except KeyboardInterrupt as stop:
            outcome.interrupted = stop
        _deliver(part, outcome, out, rejects)
    return outcome


def _piece(
    generator: MoleculeGenerator, attempt: Attempt, seed: int, options: GenerationOptions
) -> tuple[str, dict[str, object]]:
    """The record of an attempt, "" if it was rejected, and the values that the journal keeps of it."""
    fault = attempt.fault
    plain = not attempt.repaired and (fault is None or fault.token == "duplicate")
    if fault is not None:
        return "", {"smiles": None, "reason": fault.token, "detail": fault.detail, "plain": plain}
    properties = generator.properties(attempt, seed, options)
    text = format_record(attempt.built, f"molscore_{seed}_{attempt.index}", properties)
    return text, {"smiles": properties["SMILES"], "plain": plain}


def _deliver(part: PartFile, outcome: GenerationRun, out: Path, rejects: Path | None) -> None:
    """Counts the attempts up to the last molecule that was asked for, and puts the files in place."""
    accepted, refused = [], []
    for number in part.numbers():
        if outcome.delivered == outcome.requested:
            break
        about = part.about(number)
        if about["smiles"] is not None:
            accepted.append(number)
            outcome.delivered += 1
        else:
            refused.append(number)
        if about.get("finished"):
            outcome.added = True
        else:
            outcome.attempts += 1
            outcome.as_sampled += about["plain"]
            if about["smiles"] is None:
                outcome.rejected[about["reason"]] += 1
    outcome.in_place = not outcome.interrupted or bool(accepted and not part.replaces)
    if not outcome.in_place:
        return
    if rejects is not None:
        rows = ((number, about["reason"], about["detail"]) for number in refused if (about := part.about(number)))
        write_text(rejects, csv_text([HEADER, *rows]), lock=False)
    with written(out, lock=False) as file:
        for number in accepted:
            file.write(part.text(number))
    if not outcome.interrupted:
        part.remove()


def _finished(
    generator: MoleculeGenerator, out: Path, rejects: Path | None, seed: int, options: GenerationOptions
) -> list[tuple[int, str, dict[str, object]]]:
    """The attempts behind a finished file that a run can add to: its molecules, and the rejected ones if listed."""
    values = (version(), generator.name, generator.weights, str(seed), options.text())
    expected = dict(zip(SAME, values, strict=True))
    attempts = {}
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
        text = f"{record.text}$$$$\n"
        attempts[int(known["molscore_index"])] = text, {"smiles": known["SMILES"], "finished": True}
    rows = []
    if rejects is not None and rejects.is_file():
        with rejects.open(newline="", encoding="utf-8") as file:
            rows = [plain(row) for row in csv.reader(file) if len(row) == len(HEADER) and row[0].isdigit()]
    last = max(attempts, default=-1)
    for first, reason, detail in rows:
        number = int(first)
        if number < last and number not in attempts:
            attempts[number] = "", {"smiles": None, "reason": reason, "detail": detail, "finished": True}
    return [(number, *attempts[number]) for number in sorted(attempts)]
