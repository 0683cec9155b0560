"""Files in, an SDF file out: records in their order, unreadable ones reported and skipped, in constant memory.

Until it is complete the output lies beside its name, record by record of the input (`molscore.files.part`). ``resume``
goes on there, after Ctrl-C, a full disk or a kill: an input record that is still the same is not worked on again. After
Ctrl-C the files hold what there is, unless others stood at their names when the run began.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, tee
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.inputs import Entry, check_source, read_inputs
from molscore.chem.io.sdf_text import carried, format_conformers, record_properties, tagged
from molscore.chem.properties import packed
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.generator import ConformerGenerator
from molscore.conformers.options import ConformerOptions
from molscore.conformers.outcome import ConformerRun
from molscore.files.output import write_text, written
from molscore.files.part import PartFile
from molscore.files.paths import check_apart, check_writable
from molscore.files.table import csv_text
from molscore.limits import check_proposals
from molscore.model.fingerprint import identity
from molscore.randomness import checked_seed
from molscore.workers import Workers, count

HEADER = ("record", "line", "name", "reason", "detail")
"""Columns of a file of problems."""


class _Job(NamedTuple):
    """A record of the input, its digest, and whether an earlier run has finished the same record."""

    entry: Entry
    digest: str
    finished: bool


class _Recorder:
    """Makes what the output holds of records of the input, and what the journal keeps of them."""

    def __init__(self, generator: ConformerGenerator, n: int, seed: int, options: ConformerOptions):
        self.generator, self.seed, self.text = generator, seed, _options_text(n, options)
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
    workers: int | Literal["auto"] = 1,
    on_progress: Callable[[int], None] | None = None,
) -> ConformerRun:
    """Makes conformers of all molecules of an input.

    Args:
        generator, n, seed, options: as for `ConformerGenerator.ensembles`.
        source, form, smiles_column, name_column, stream, encoding: the input, as for
            `molscore.chem.io.inputs.read_inputs`.
        out: .sdf or .sdf.gz file to write, a record for each conformer.
        problems: CSV file for records without a conformer: number, line, name, reason, detail.
        resume: go on with what a run of the same model, seed and options left beside `out` when it was stopped.
        workers: as for `ConformerGenerator.ensembles`; a run may be resumed with another number.
        on_progress: called with the number of finished records.

    Returns:
        Counts, those of earlier runs included. ``KeyboardInterrupt`` is caught: the outcome says so.

    Raises:
        ValueError: for bad arguments, an output that is the input or the other output, or an input without records.
        ResumeError: if there is nothing to resume, or it was made otherwise; it stays as it is.
        OSError: if a file cannot be read or written, or another run is writing it.
    """
    check_proposals(n, options.oversampling)
    check_source(source, form)
    number = count(workers, generator.model.device.type)
    seed, out = checked_seed(seed), check_writable(out)
    problems = None if problems is None else check_writable(problems, (".csv",))
    check_apart({"out": out, "problems": problems}, {"source": source if stream is None else None})
    outcome, chosen = ConformerRun(), _options_text(n, options)
    made_with = identity(generator.model, generator.name, seed, chosen)
    columns: dict[str, Any] = {"smiles_column": smiles_column, "name_column": name_column}
    entries = read_inputs(source, form=form, **columns, stream=stream, encoding=encoding)
    with PartFile(out, made_with, resume, [problems] if problems else []) as part:
        try:
            with Workers(partial(_Recorder, generator, n, seed, options), number) as pool:
                ahead, again = tee(_jobs(entries, part))
                missing = ((replace(job.entry, mol=None), packed(job.entry.mol)) for job in ahead if not job.finished)
                made = chain.from_iterable(pool.map(generator.groups(missing, options)))
                for entry, digest, finished in again:
                    if finished:
                        about = part.about(entry.number)
                        outcome.kept += 1
                    else:
                        outcome.changed += entry.number in part
                        text, about = next(made)
                        about = {"input": digest, **about}
                        part.add(entry.number, text, about)
                    outcome.count(entry.number, about)
                    if on_progress is not None:
                        on_progress(outcome.records)
        except KeyboardInterrupt as stop:
            outcome.interrupted = stop
        if not outcome.records and not outcome.interrupted:
            part.remove()
            raise ValueError(f"{source} holds no record")
        _deliver(part, outcome, out, problems)
    return outcome


def _jobs(entries: Iterator[Entry], part: PartFile) -> Iterator[_Job]:
    for entry in entries:
        digest = _digest(entry)
        yield _Job(entry, digest, entry.number in part and part.about(entry.number)["input"] == digest)


def _digest(entry: Entry) -> str:
    """SHA-256 of a record of the input, of everything that the output repeats of it."""
    words = [entry.number, entry.line, entry.name, entry.text, entry.reason, entry.detail, *entry.items]
    binary = b"" if entry.mol is None else entry.mol.ToBinary(int(Chem.PropertyPickleOptions.NoProps))
    return hashlib.sha256(repr(words).encode("utf-8", "surrogatepass") + binary).hexdigest()[:32]


def _options_text(n: int, options: ConformerOptions) -> str:
    chosen = options.text()
    return f"n {n}" + (f"; {chosen}" if chosen else "")


def _records(entry: Entry, ensemble: Ensemble, generator: ConformerGenerator, seed: int, options: str) -> Iterator[str]:
    """The text of a record for each conformer."""
    more = {"molscore_options": options, "removed_fragments": ensemble.removed or None}
    if ensemble.stereo_open:
        more["isomer"] = f"{ensemble.isomer} of {ensemble.isomers}" if ensemble.isomers > 1 else "sampled"
    title = entry.name if entry.name.strip() else f"molecule_{entry.number}"
    shared = record_properties(
        isomeric_smiles(ensemble.mol), model=generator.name, seed=seed, index=entry.number, extra=more
    )
    texts = format_conformers(ensemble.mol, title)
    for text, conformer in zip(texts, ensemble.mol.GetConformers(), strict=True):
        ours = shared | conformer.GetPropsAsDict()
        if ours["method"] == "etkdg" and ensemble.reason:
            ours["fallback_reason"] = ensemble.reason[0]
        yield tagged(text + carried(entry.items, ours), ours)


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


def _deliver(part: PartFile, outcome: ConformerRun, out: Path, problems: Path | None) -> None:
    """Puts the files in place: the records that were read, in order."""
    numbers = [number for number in part.numbers() if number <= outcome.records]
    outcome.in_place = not outcome.interrupted or (outcome.molecules > 0 and not part.replaces)
    if not outcome.in_place:
        return
    if problems is not None:
        failed = ((number, part.about(number)) for number in numbers)
        rows = (
            (number, about["line"], about["name"], about["reason"], about["detail"])
            for number, about in failed
            if "reason" in about
        )
        write_text(problems, csv_text([HEADER, *rows]), lock=False)
    with written(out, lock=False) as file:
        for number in numbers:
            file.write(part.text(number))
    if not outcome.interrupted:
        part.remove()
